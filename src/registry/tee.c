/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "tee.h"

#include "hex.h"
#include "keccak.h"
#include "translate.h"
#include "veil-error.h"

#include <string.h>

#define MAX_ENDPOINT 2048

VeilTee *
veil_tee_new (void)
{
  return g_atomic_rc_box_new0 (VeilTee);
}

VeilTee *
veil_tee_ref (VeilTee *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
tee_clear (gpointer data)
{
  VeilTee *self = data;

  g_free (self->id);
  g_free (self->endpoint);
  g_clear_pointer (&self->signing_key_der, g_bytes_unref);
  g_clear_pointer (&self->signing_key, veil_rsa_key_unref);
  g_clear_pointer (&self->tls_certificate, g_bytes_unref);
  g_free (self->pcr_hash);
  g_free (self->unusable);
}

void
veil_tee_unref (VeilTee *self)
{
  g_atomic_rc_box_release_full (self, tee_clear);
}

static gboolean
ohttp_key_equal (const VeilOhttpKey *a, const VeilOhttpKey *b)
{
  return a->key_id == b->key_id && a->kem_id == b->kem_id && a->kdf_id == b->kdf_id && a->aead_id == b->aead_id &&
         memcmp (a->public_key, b->public_key, sizeof a->public_key) == 0;
}

gboolean
veil_tee_same_keys (const VeilTee *a, const VeilTee *b)
{
  return a->unusable == NULL && b->unusable == NULL && strcmp (a->id, b->id) == 0 && ohttp_key_equal (&a->ohttp_key, &b->ohttp_key);
}

/* The points of order 1, 2, 4 and 8 and their unreduced spellings (RFC 7748 section 6.1, RFC 9180 section 7.1.4): whatever the
 * ephemeral key, the shared secret with them is all zero. The top bit of the last byte does not count. */
static const guint8 small_order_points[][32] = {
  { 0x00 },
  { 0x01 },
  { 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
    0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00 },
  { 0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
    0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57 },
  { 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
  { 0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
  { 0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
};

gboolean
veil_tee_is_small_order (const guint8 public_key[static VEIL_HPKE_PUBLIC_KEY_SIZE])
{
  guint8 key[VEIL_HPKE_PUBLIC_KEY_SIZE];

  memcpy (key, public_key, sizeof key);
  key[sizeof key - 1] &= 0x7f;
  for (gsize i = 0; i < G_N_ELEMENTS (small_order_points); i++)
    if (memcmp (key, small_order_points[i], sizeof key) == 0)
      return TRUE;
  return FALSE;
}

gboolean
veil_tee_is_plain_text (const char *text)
{
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    switch (g_unichar_type (g_utf8_get_char (p)))
      {
      case G_UNICODE_CONTROL:
      case G_UNICODE_FORMAT:
      case G_UNICODE_LINE_SEPARATOR:
      case G_UNICODE_PARAGRAPH_SEPARATOR:
        return FALSE;
      default:
        break;
      }
  return TRUE;
}

void
veil_tee_set_unusable (VeilTee *self, const char *reason)
{
  if (self->unusable == NULL)
    self->unusable = g_strdup (reason);
}

void
veil_tee_set_endpoint (VeilTee *self, const guint8 *text, gsize length)
{
  g_autofree char *endpoint = NULL;

  if (length == 0)
    /* TRANSLATORS: here and below, why an enclave cannot be used, to end such a sentence */
    veil_tee_set_unusable (self, _ ("no endpoint"));
  else if (length > MAX_ENDPOINT)
    veil_tee_set_unusable (self, _ ("the endpoint is too long"));
  else if (!g_utf8_validate_len ((const char *) text, length, NULL))
    veil_tee_set_unusable (self, _ ("the endpoint is not UTF-8 text"));
  else
    {
      endpoint = g_strndup ((const char *) text, length);
      if (!veil_tee_is_plain_text (endpoint))
        {
          veil_tee_set_unusable (self, _ ("the endpoint holds control characters"));
          g_clear_pointer (&endpoint, g_free);
        }
    }
  self->endpoint = endpoint != NULL ? g_steal_pointer (&endpoint) : g_strdup ("");
}

void
veil_tee_set_signing_key (VeilTee *self, const guint8 *der, gsize length)
{
  g_autoptr (GError) error = NULL;
  guint8 hash[VEIL_KECCAK256_SIZE];

  veil_keccak256 (der, length, hash);
  self->id = veil_hex_encode_0x (hash, sizeof hash);
  self->signing_key_der = g_bytes_new (der, length);
  if (length == 0)
    {
      veil_tee_set_unusable (self, _ ("no signing key"));
      return;
    }
  self->signing_key = veil_rsa_key_new_from_spki (der, length, &error);
  if (self->signing_key == NULL)
    {
      g_autofree char *reason = g_strdup_printf (_ ("bad signing key: %s"), error->message);
      veil_tee_set_unusable (self, reason);
    }
}

void
veil_tee_set_tls_certificate (VeilTee *self, const guint8 *der, gsize length)
{
  self->tls_certificate = g_bytes_new (der, length);
  if (length == 0)
    veil_tee_set_unusable (self, _ ("no TLS certificate"));
}

void
veil_tee_set_ohttp_key (VeilTee *self, const VeilOhttpKey *suite, const guint8 *public_key, gsize public_key_length,
                        const guint8 *config, gsize config_length)
{
  VeilOhttpKey from_config;

  self->ohttp_key = *suite;
  memset (self->ohttp_key.public_key, 0, sizeof self->ohttp_key.public_key);
  if (public_key_length == 0)
    {
      veil_tee_set_unusable (self, _ ("no HPKE key"));
      return;
    }
  if (suite->kem_id != VEIL_HPKE_KEM_ID || suite->kdf_id != VEIL_HPKE_KDF_ID || suite->aead_id != VEIL_HPKE_AEAD_ID)
    {
      veil_tee_set_unusable (self, _ ("a foreign HPKE suite"));
      return;
    }
  if (public_key_length != VEIL_HPKE_PUBLIC_KEY_SIZE)
    {
      veil_tee_set_unusable (self, _ ("the HPKE key is not 32 bytes long"));
      return;
    }

  memcpy (self->ohttp_key.public_key, public_key, VEIL_HPKE_PUBLIC_KEY_SIZE);
  if (veil_tee_is_small_order (public_key))
    veil_tee_set_unusable (self, _ ("the HPKE key is zero or of small order: anyone could open what is sealed for it"));
  else if (config_length > 0 && !veil_ohttp_key_parse_config (&from_config, config, config_length, NULL))
    veil_tee_set_unusable (self, _ ("the HPKE key configuration cannot be read"));
  else if (config_length > 0 && !ohttp_key_equal (&from_config, &self->ohttp_key))
    veil_tee_set_unusable (self, _ ("the HPKE key configuration disagrees with the HPKE key"));
}
