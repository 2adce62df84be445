/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Texts about a build and a key: measurements files, and OHTTP configurations that an enclave signed. */
#include "measurements.h"
#include "ohttp-statement.h"
#include "veil-error.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize length);

static void
check_measurements (const char *text, gsize length)
{
  static const guint8 zeros[VEIL_ATTESTATION_PCR_SIZE];
  VeilMeasurements measurements = { { 0 } };
  g_autoptr (GError) error = NULL;
  g_autofree char *hash = NULL;

  if (!veil_measurements_read (&measurements, text, length, &error))
    {
      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT);
      return;
    }
  g_assert_no_error (error);
  for (guint i = 0; i < 3; i++)
    g_assert_true (memcmp (measurements.pcrs + i * sizeof zeros, zeros, sizeof zeros) != 0);
  hash = veil_measurements_get_hash (&measurements);
  g_assert_cmpuint (strlen (hash), ==, 66);
}

/* Nobody here has the key: whatever is said, it is not signed. */
static void
check_statement (const char *text, gsize length)
{
  static VeilTee *tee;
  g_autoptr (GError) error = NULL;

  if (tee == NULL)
    {
      VeilOhttpKey suite = { .key_id = 1, .kem_id = VEIL_HPKE_KEM_ID, .kdf_id = VEIL_HPKE_KDF_ID, .aead_id = VEIL_HPKE_AEAD_ID };
      guint8 key[VEIL_HPKE_PUBLIC_KEY_SIZE];

      memset (key, 0x22, sizeof key);
      tee = veil_tee_new ();
      veil_tee_set_signing_key (tee, (const guint8 *) "", 0);
      veil_tee_set_ohttp_key (tee, &suite, key, sizeof key, NULL, 0);
    }
  g_assert_false (veil_ohttp_statement_check (tee, text, length, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_ATTEST_OHTTP);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize length)
{
  /* Of its own size, and no string. */
  g_autofree char *text = length > 0 ? g_memdup2 (data, length) : g_strdup ("");

  check_measurements (text, length);
  check_statement (text, length);
  return 0;
}
