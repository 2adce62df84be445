/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Attestation documents. Nobody here has a key that the root stands behind: what is accepted says what the genuine document of the corpus says. The
 * readers behind the signature, of fields and certificates, get the same bytes too. */
#include "certificate.h"
#include "nitro-private.h"
#include "nitro.h"
#include "veil-error.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize length);

#define GENUINE_TIME 1770918962724
static const guint8 genuine_pcr_hash[32] = { 0x80, 0x82, 0xaf, 0x22, 0x57, 0x16, 0x13, 0xea, 0xbd, 0x5d, 0xad,
                                             0x9c, 0x7e, 0x85, 0x7c, 0x4f, 0x16, 0x15, 0x4d, 0xed, 0x3d, 0x38,
                                             0x73, 0x86, 0xd8, 0x19, 0x3b, 0x53, 0x90, 0x6f, 0x6a, 0x24 };

static void
check_document (const guint8 *data, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) document = g_bytes_new (data, length);
  g_autoptr (VeilAttestation) attestation = veil_nitro_verify (document, veil_nitro_aws_root, VEIL_NITRO_AT_ITS_TIME, &error);

  g_assert_true ((attestation == NULL) == (error != NULL));
  if (attestation == NULL)
    g_assert_true (error->domain == VEIL_ERROR && error->code >= VEIL_ERROR_ATTEST_ENCODING &&
                   error->code <= VEIL_ERROR_ATTEST_SIGNATURE);
  else
    {
      g_assert_cmpuint (attestation->timestamp_ms, ==, GENUINE_TIME);
      g_assert_cmpmem (attestation->pcr_hash, 32, genuine_pcr_hash, 32);
    }
}

static void
check_fields (const guint8 *data, gsize length)
{
  g_auto (VeilNitroFields) fields = { NULL, NULL };
  g_autoptr (GError) error = NULL;

  if (!veil_nitro_fields_read (&fields, data, length, &error))
    {
      g_assert_true (g_error_matches (error, VEIL_ERROR, VEIL_ERROR_ATTEST_ENCODING) ||
                     g_error_matches (error, VEIL_ERROR, VEIL_ERROR_ATTEST_FIELD));
      return;
    }
  g_assert_no_error (error);
  g_assert_cmpuint (fields.certificates->len, >=, 2);
  g_assert_cmpuint (fields.certificates->len, <=, 9);
  for (guint i = 0; i < VEIL_ATTESTATION_PCRS; i++)
    if (fields.attestation->pcrs[i] != NULL)
      g_assert_cmpuint (g_bytes_get_size (fields.attestation->pcrs[i]), ==, VEIL_ATTESTATION_PCR_SIZE);
  g_assert_true (g_str_is_ascii (fields.attestation->module_id));
  veil_attestation_is_debug (fields.attestation);
}

static void
check_certificate (const guint8 *data, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilCertificate) certificate = veil_certificate_new (data, length, "a certificate", &error);
  g_autoptr (GBytes) message = g_bytes_new (data, length);
  guint8 signature[VEIL_ES384_SIGNATURE_SIZE] = { 0 };

  g_assert_true ((certificate == NULL) == (error != NULL));
  if (certificate == NULL)
    {
      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_ATTEST_CERTIFICATE);
      return;
    }
  /* Nothing of its own bytes is a signature of its own bytes. */
  memcpy (signature, data, MIN (length, sizeof signature));
  g_assert_false (veil_certificate_verify_es384 (certificate, message, signature));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize length)
{
  g_autoptr (GBytes) text = NULL;

  check_document (data, length);
  check_fields (data, length);
  check_certificate (data, length);
  text = veil_nitro_decode ((const char *) data, length, NULL);
  g_assert_true (text == NULL || g_bytes_get_size (text) <= VEIL_NITRO_MAX_DOCUMENT);
  return 0;
}
