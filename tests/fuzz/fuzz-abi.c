/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The first byte chooses the decoder, the rest is return data. What is accepted must hold together and stay within the input. */
#include "abi.h"
#include "veil-error.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize length);

#define REQUIRE(what)                \
  G_STMT_START                       \
  {                                  \
    if (!(what))                     \
      g_error ("not so: %s", #what); \
  }                                  \
  G_STMT_END

static void
check_error (GError *error)
{
  REQUIRE (error != NULL && error->domain == VEIL_ERROR && error->code == VEIL_ERROR_REGISTRY && error->message[0] != '\0');
}

/* Returns how much of the input the record must have taken. */
static gsize
check_tee (const VeilTee *tee)
{
  static const guint8 zero[32];

  REQUIRE (strlen (tee->id) == 66 && g_str_has_prefix (tee->id, "0x"));
  REQUIRE (strlen (tee->pcr_hash) == 66);
  REQUIRE (g_utf8_validate (tee->endpoint, -1, NULL));
  if (tee->unusable == NULL)
    {
      REQUIRE (tee->enabled && tee->endpoint[0] != '\0' && tee->signing_key != NULL && g_bytes_get_size (tee->tls_certificate) > 0);
      REQUIRE (memcmp (tee->ohttp_key.public_key, zero, 32) != 0);
      REQUIRE (tee->ohttp_key.kem_id == VEIL_HPKE_KEM_ID && tee->ohttp_key.kdf_id == VEIL_HPKE_KDF_ID &&
               tee->ohttp_key.aead_id == VEIL_HPKE_AEAD_ID);
      REQUIRE (veil_tee_same_keys (tee, tee));
    }
  else
    REQUIRE (tee->unusable[0] != '\0' && !veil_tee_same_keys (tee, tee));
  return (11 + 7 + 5) * 32 + strlen (tee->endpoint) + g_bytes_get_size (tee->signing_key_der) +
         g_bytes_get_size (tee->tls_certificate);
}

static void
fuzz_tees (const guint8 *data, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) tees = veil_abi_decode_tees (data, length, &error);
  gsize least = 64;

  if (tees == NULL)
    {
      check_error (error);
      return;
    }
  for (guint i = 0; i < tees->len; i++)
    least += 32 + check_tee (tees->pdata[i]);
  REQUIRE (least <= length && length % 32 == 0);
  /* There is one spelling only: nothing may come before the end. */
  REQUIRE (veil_abi_decode_tees (data, length - 1, NULL) == NULL);
}

static void
fuzz_tee (const guint8 *data, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilTee) tee = veil_abi_decode_tee (data, length, &error);

  if (tee == NULL)
    check_error (error);
  else
    REQUIRE (32 + check_tee (tee) <= length);
}

static void
fuzz_ids (const guint8 *data, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) ids = veil_abi_decode_tee_ids (data, length, &error);

  if (ids == NULL)
    check_error (error);
  else
    REQUIRE (64 + 32 * (gsize) ids->len == length);
}

static void
fuzz_bool (const guint8 *data, gsize length)
{
  g_autoptr (GError) error = NULL;
  gboolean truth;

  if (veil_abi_decode_bool (data, length, &truth, &error))
    REQUIRE (length == 32 && data[31] == truth);
  else
    check_error (error);
}

static void
fuzz_builds (const guint8 *data, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) builds = veil_abi_decode_approved_pcrs (data, length, &error);

  if (builds == NULL)
    {
      check_error (error);
      return;
    }
  REQUIRE (64 + 64 * (gsize) builds->len == length);
  for (guint i = 0; i < builds->len; i++)
    REQUIRE (strlen (((VeilBuild *) builds->pdata[i])->pcr_hash) == 66);
}

static void
fuzz_approval (const guint8 *data, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilBuild) build = veil_abi_decode_approval (data, length, &error);

  if (build == NULL)
    {
      check_error (error);
      return;
    }
  REQUIRE (length >= 160 && length % 32 == 0);
  if (build->version != NULL)
    REQUIRE (g_utf8_validate (build->version, -1, NULL) && veil_tee_is_plain_text (build->version) &&
             strlen (build->version) <= length - 160);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize length)
{
  if (length == 0)
    return 0;
  switch (data[0] % 6)
    {
    case 0:
      fuzz_tees (data + 1, length - 1);
      break;
    case 1:
      fuzz_tee (data + 1, length - 1);
      break;
    case 2:
      fuzz_ids (data + 1, length - 1);
      break;
    case 3:
      fuzz_builds (data + 1, length - 1);
      break;
    case 4:
      fuzz_approval (data + 1, length - 1);
      break;
    default:
      fuzz_bool (data + 1, length - 1);
      break;
    }
  return 0;
}
