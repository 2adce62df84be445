/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "veil-attestation-document.h"

#include "attestation.h"
#include "hex.h"
#include "measurements.h"
#include "nitro.h"
#include "readable.h"
#include "secret.h"
#include "translate.h"
#include "veil-error.h"
#include "wrap.h"

#include <string.h>

struct _VeilAttestationDocument
{
  GObject parent;

  VeilAttestation *attestation; /* owned */
  char *pcr_hash;               /* owned */
};

G_DEFINE_FINAL_TYPE (VeilAttestationDocument, veil_attestation_document, G_TYPE_OBJECT)

/* FALSE for the empty one that g_object_new() makes when others call it: nothing was read or verified for it. */
static gboolean
is_made (VeilAttestationDocument *self)
{
  return VEIL_IS_ATTESTATION_DOCUMENT (self) && self->attestation != NULL;
}

static const VeilReadable readable[] = {
  { "module-id", VEIL_READABLE_STRING, G_CALLBACK (veil_attestation_document_get_module_id) },
  { "timestamp", VEIL_READABLE_INT64, G_CALLBACK (veil_attestation_document_get_timestamp) },
  { "pcr-hash", VEIL_READABLE_STRING, G_CALLBACK (veil_attestation_document_get_pcr_hash) },
  { "debug", VEIL_READABLE_BOOLEAN, G_CALLBACK (veil_attestation_document_get_debug) },
  { "public-key", VEIL_READABLE_BYTES, G_CALLBACK (veil_attestation_document_get_public_key) },
  { "user-data", VEIL_READABLE_BYTES, G_CALLBACK (veil_attestation_document_get_user_data) },
  { "nonce", VEIL_READABLE_BYTES, G_CALLBACK (veil_attestation_document_get_nonce) },
  { NULL },
};

static void
veil_attestation_document_finalize (GObject *object)
{
  VeilAttestationDocument *self = VEIL_ATTESTATION_DOCUMENT (object);

  g_clear_pointer (&self->attestation, veil_attestation_unref);
  g_free (self->pcr_hash);
  G_OBJECT_CLASS (veil_attestation_document_parent_class)->finalize (object);
}

static void
veil_attestation_document_class_init (VeilAttestationDocumentClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_attestation_document_finalize;
  veil_readable_install (G_OBJECT_CLASS (klass), readable);
}

static void
veil_attestation_document_init (VeilAttestationDocument *self)
{
}

VeilAttestationDocument *
veil_attestation_document_new (const char *base64, gint64 at, GError **error)
{
  g_return_val_if_fail (base64 != NULL && at >= VEIL_ATTESTATION_AT_ITS_TIME, NULL);
  return veil_attestation_document_new_under (base64, veil_nitro_aws_root, at, error);
}

VeilAttestationDocument *
veil_attestation_document_new_under (const char *base64, const guint8 root[static 32], gint64 at, GError **error)
{
  g_autoptr (VeilAttestation) attestation = NULL;
  g_autoptr (GBytes) document = NULL;
  VeilAttestationDocument *self;

  document = veil_nitro_decode (base64, strlen (base64), error);
  if (document == NULL)
    return NULL;
  if (at == VEIL_ATTESTATION_AT_ITS_TIME)
    at = VEIL_NITRO_AT_ITS_TIME;
  else if (at == VEIL_ATTESTATION_NOW)
    at = g_get_real_time () / G_USEC_PER_SEC;
  attestation = veil_nitro_verify (document, root, at, error);
  if (attestation == NULL)
    return NULL;
  self = g_object_new (VEIL_TYPE_ATTESTATION_DOCUMENT, NULL);
  self->pcr_hash = veil_hex_encode_0x (attestation->pcr_hash, sizeof attestation->pcr_hash);
  self->attestation = g_steal_pointer (&attestation);
  return self;
}

GBytes *
veil_attestation_document_get_pcr (VeilAttestationDocument *self, guint index)
{
  g_return_val_if_fail (is_made (self), NULL);
  return index < VEIL_ATTESTATION_PCRS ? self->attestation->pcrs[index] : NULL;
}

gboolean
veil_attestation_document_check_nonce (VeilAttestationDocument *self, GBytes *nonce, GError **error)
{
  GBytes *given;

  g_return_val_if_fail (is_made (self) && nonce != NULL, FALSE);
  given = self->attestation->nonce;
  if (given != NULL && g_bytes_equal (given, nonce))
    return TRUE;
  g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_ATTEST_NONCE,
                       _ ("The attestation document was made for another question; it may be an old one"));
  return FALSE;
}

static gboolean
has_sha256 (GBytes *data, const guint8 expected[static 32])
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 digest[32];
  gsize length = sizeof digest;

  if (data == NULL || g_bytes_get_size (data) == 0) /* nothing is listed: the hash of nothing is not its hash */
    return FALSE;
  g_checksum_update (checksum, g_bytes_get_data (data, NULL), (gssize) g_bytes_get_size (data));
  g_checksum_get_digest (checksum, digest, &length);
  return veil_secret_equal (digest, expected, sizeof digest);
}

gboolean
veil_attestation_document_check_enclave (VeilAttestationDocument *self, VeilEnclave *enclave, GError **error)
{
  const VeilAttestation *attestation;
  const char *why = NULL;
  VeilError code = VEIL_ERROR_INTERNAL;

  g_return_val_if_fail (is_made (self) && veil_enclave_is_made (enclave), FALSE);
  attestation = self->attestation;
  if (veil_attestation_is_debug (attestation))
    {
      why = _ ("The enclave runs in debug mode: its host can look into it");
      code = VEIL_ERROR_ATTEST_DEBUG;
    }
  else if (!g_str_equal (self->pcr_hash, veil_enclave_get_pcr_hash (enclave)))
    {
      why = _ ("The attested build is not the one that the registry lists");
      code = VEIL_ERROR_ATTEST_PCR;
    }
  else if (!attestation->has_hashes)
    {
      why = _ ("The attestation document does not name the enclave's keys");
      code = VEIL_ERROR_ATTEST_USER_DATA;
    }
  else if (!has_sha256 (veil_enclave_get_signing_key (enclave), attestation->signing_key_hash))
    {
      why = _ ("The attested signing key is not the one that the registry lists");
      code = VEIL_ERROR_ATTEST_KEY;
    }
  else if (!has_sha256 (veil_enclave_get_tls_certificate (enclave), attestation->tls_certificate_hash))
    {
      why = _ ("The attested TLS certificate is not the one that the registry lists");
      code = VEIL_ERROR_ATTEST_TLS;
    }
  if (why != NULL)
    g_set_error_literal (error, VEIL_ERROR, code, why);
  return why == NULL;
}

char *
veil_compute_pcr_hash (const char *pcr0, const char *pcr1, const char *pcr2, GError **error)
{
  VeilMeasurements measurements;

  g_return_val_if_fail (pcr0 != NULL && pcr1 != NULL && pcr2 != NULL, NULL);
  if (!veil_measurements_set (&measurements, 0, pcr0, error) || !veil_measurements_set (&measurements, 1, pcr1, error) ||
      !veil_measurements_set (&measurements, 2, pcr2, error))
    return NULL;
  return veil_measurements_get_hash (&measurements);
}

char *
veil_compute_pcr_hash_of_measurements (const char *text, GError **error)
{
  VeilMeasurements measurements;

  g_return_val_if_fail (text != NULL, NULL);
  if (!veil_measurements_read (&measurements, text, strlen (text), error))
    return NULL;
  return veil_measurements_get_hash (&measurements);
}

const char *
veil_attestation_document_get_module_id (VeilAttestationDocument *self)
{
  g_return_val_if_fail (is_made (self), NULL);
  return self->attestation->module_id;
}

gint64
veil_attestation_document_get_timestamp (VeilAttestationDocument *self)
{
  g_return_val_if_fail (is_made (self), 0);
  return (gint64) self->attestation->timestamp_ms;
}

const char *
veil_attestation_document_get_pcr_hash (VeilAttestationDocument *self)
{
  g_return_val_if_fail (is_made (self), NULL);
  return self->pcr_hash;
}

gboolean
veil_attestation_document_get_debug (VeilAttestationDocument *self)
{
  g_return_val_if_fail (is_made (self), FALSE);
  return veil_attestation_is_debug (self->attestation);
}

GBytes *
veil_attestation_document_get_public_key (VeilAttestationDocument *self)
{
  g_return_val_if_fail (is_made (self), NULL);
  return self->attestation->public_key;
}

GBytes *
veil_attestation_document_get_user_data (VeilAttestationDocument *self)
{
  g_return_val_if_fail (is_made (self), NULL);
  return self->attestation->user_data;
}

GBytes *
veil_attestation_document_get_nonce (VeilAttestationDocument *self)
{
  g_return_val_if_fail (is_made (self), NULL);
  return self->attestation->nonce;
}
