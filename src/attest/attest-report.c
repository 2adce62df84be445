/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "attest-report.h"

#include "hex.h"
#include "keccak.h"
#include "nitro.h"
#include "ohttp-statement.h"
#include "translate.h"
#include "veil-error.h"

#include <string.h>

/* Clocks differ, and a document travels; the nonce is what tells an old one. */
#define MAX_AGE 600

static const struct
{
  const char *nick;
  const char *title;
} checks[VEIL_N_ATTEST_CHECKS] = {
  [VEIL_ATTEST_CHECK_CONNECTION] = { "connection", N_ ("The connection shows the TLS certificate that is registered") },
  [VEIL_ATTEST_CHECK_FORM] = { "form", N_ ("The enclave sent an attestation document") },
  [VEIL_ATTEST_CHECK_CHAIN] = { "chain", N_ ("Its certificates were valid and lead to the trusted root") },
  [VEIL_ATTEST_CHECK_SIGNATURE] = { "signature", N_ ("Its signature is that of the last certificate") },
  [VEIL_ATTEST_CHECK_FRESH] = { "fresh", N_ ("It was made just now") },
  [VEIL_ATTEST_CHECK_NONCE] = { "nonce", N_ ("It answers this very question") },
  [VEIL_ATTEST_CHECK_DEBUG] = { "debug", N_ ("The enclave is closed: it does not run in debug mode") },
  [VEIL_ATTEST_CHECK_PCR] = { "pcr_hash", N_ ("It runs the build that is registered") },
  [VEIL_ATTEST_CHECK_PIN] = { "pin", N_ ("It runs a build that is pinned") },
  [VEIL_ATTEST_CHECK_USER_DATA] = { "user_data", N_ ("It says which keys are its own") },
  [VEIL_ATTEST_CHECK_SIGNING_KEY] = { "signing_key", N_ ("Its signing key is the one that is registered") },
  [VEIL_ATTEST_CHECK_TLS_CERTIFICATE] = { "tls_certificate", N_ ("Its TLS certificate is the one that is registered") },
  [VEIL_ATTEST_CHECK_OHTTP] = { "ohttp_config", N_ ("It signed the encryption key that is registered") },
};

const char *
veil_attest_check_get_nick (VeilAttestCheck check)
{
  g_return_val_if_fail ((guint) check < VEIL_N_ATTEST_CHECKS, NULL);

  return checks[check].nick;
}

const char *
veil_attest_check_get_title (VeilAttestCheck check)
{
  g_return_val_if_fail ((guint) check < VEIL_N_ATTEST_CHECKS, NULL);

  return _ (checks[check].title);
}

static void
pass (VeilAttestReport *self, VeilAttestCheck check)
{
  self->states[check] = VEIL_CHECK_PASSED;
}

static void
fail (VeilAttestReport *self, VeilAttestCheck check, GError *error)
{
  self->states[check] = VEIL_CHECK_FAILED;
  self->errors[check] = error;
}

static void
judge (VeilAttestReport *self, VeilAttestCheck check, gboolean holds, VeilError code, const char *reason)
{
  if (holds)
    pass (self, check);
  else
    fail (self, check, g_error_new_literal (VEIL_ERROR, code, reason));
}

static VeilAttestCheck
check_of_code (int code)
{
  switch (code)
    {
    case VEIL_ERROR_ATTEST_CERTIFICATE:
    case VEIL_ERROR_ATTEST_ROOT:
    case VEIL_ERROR_ATTEST_CHAIN:
    case VEIL_ERROR_ATTEST_VALIDITY:
      return VEIL_ATTEST_CHECK_CHAIN;
    case VEIL_ERROR_ATTEST_SIGNATURE:
      return VEIL_ATTEST_CHECK_SIGNATURE;
    default:
      return VEIL_ATTEST_CHECK_FORM;
    }
}

static void
check_document (VeilAttestReport *self, const VeilAttestQuestion *question, GBytes *text)
{
  GError *error = NULL;
  g_autoptr (GBytes) document = veil_nitro_decode (g_bytes_get_data (text, NULL), g_bytes_get_size (text), &error);
  VeilAttestCheck last = VEIL_ATTEST_CHECK_SIGNATURE + 1;

  if (document != NULL)
    self->attestation = veil_nitro_verify (document, question->sandbox_root != NULL ? question->sandbox_root : veil_nitro_aws_root,
                                           VEIL_NITRO_AT_ITS_TIME, &error);
  if (self->attestation == NULL)
    {
      last = check_of_code (error->code);
      fail (self, last, error);
    }
  for (VeilAttestCheck check = VEIL_ATTEST_CHECK_FORM; check < last; check++)
    pass (self, check);
}

static gboolean
is_sha256_of (const guint8 hash[static 32], GBytes *data)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 digest[32];
  gsize size = sizeof digest;

  if (g_bytes_get_size (data) == 0) /* nothing is registered: the hash of nothing is not its hash */
    return FALSE;
  g_checksum_update (checksum, g_bytes_get_data (data, NULL), (gssize) g_bytes_get_size (data));
  g_checksum_get_digest (checksum, digest, &size);
  return memcmp (digest, hash, sizeof digest) == 0;
}

/* The registry's id is derived when its entry is read; it is derived here once more, from what the document vouches for. */
static gboolean
is_id_of (const char *id, GBytes *key)
{
  guint8 hash[32];
  g_autofree char *derived = NULL;

  veil_keccak256 (g_bytes_get_data (key, NULL), g_bytes_get_size (key), hash);
  derived = veil_hex_encode_0x (hash, sizeof hash);
  return strcmp (derived, id) == 0;
}

static void
check_origin (VeilAttestReport *self, const VeilAttestQuestion *question)
{
  const VeilAttestation *attestation = self->attestation;
  gint64 age = question->now - (gint64) (attestation->timestamp_ms / 1000);

  judge (self, VEIL_ATTEST_CHECK_FRESH, ABS (age) <= MAX_AGE, VEIL_ERROR_ATTEST_TIME,
         _ ("The attestation document was not made within ten minutes of this machine's time; check the clock, and ask again"));
  judge (self, VEIL_ATTEST_CHECK_NONCE, attestation->nonce != NULL && g_bytes_equal (attestation->nonce, question->nonce),
         VEIL_ERROR_ATTEST_NONCE,
         _ ("The attestation document was made for another question: it may be an old one, sent again; do not trust it"));
  judge (self, VEIL_ATTEST_CHECK_DEBUG, !veil_attestation_is_debug (attestation), VEIL_ERROR_ATTEST_DEBUG,
         _ ("The enclave runs in debug mode, in which its host can look into it; do not use it"));
}

static void
check_build (VeilAttestReport *self, const VeilAttestQuestion *question)
{
  g_autofree char *pcr_hash = veil_hex_encode_0x (self->attestation->pcr_hash, 32);

  judge (self, VEIL_ATTEST_CHECK_PCR, strcmp (pcr_hash, question->tee->pcr_hash) == 0, VEIL_ERROR_ATTEST_PCR,
         _ ("The enclave runs another build than the registry says; do not use it"));
  if (self->pinned)
    judge (self, VEIL_ATTEST_CHECK_PIN, g_strv_contains (question->pcr_pins, pcr_hash), VEIL_ERROR_PIN_MISMATCH,
           _ ("The enclave runs a build that is not among the pinned ones"));
}

static void
check_keys (VeilAttestReport *self, const VeilAttestQuestion *question)
{
  const VeilAttestation *attestation = self->attestation;
  const VeilTee *tee = question->tee;

  judge (self, VEIL_ATTEST_CHECK_USER_DATA, attestation->has_hashes, VEIL_ERROR_ATTEST_USER_DATA,
         _ ("The attestation document does not name the enclave's keys in the form that is known"));
  if (!attestation->has_hashes)
    return;
  judge (self, VEIL_ATTEST_CHECK_SIGNING_KEY,
         is_sha256_of (attestation->signing_key_hash, tee->signing_key_der) && is_id_of (tee->id, tee->signing_key_der),
         VEIL_ERROR_ATTEST_KEY,
         _ ("The enclave's hardware vouches for another signing key than the one in the registry; do not use it"));
  judge (self, VEIL_ATTEST_CHECK_TLS_CERTIFICATE, is_sha256_of (attestation->tls_certificate_hash, tee->tls_certificate),
         VEIL_ERROR_ATTEST_TLS, _ ("The enclave's hardware vouches for another TLS certificate than the one in the registry"));
}

static void
check_config (VeilAttestReport *self, const VeilAttestQuestion *question, GBytes *config, const GError *config_error)
{
  GError *error = NULL;

  if (config == NULL)
    fail (self, VEIL_ATTEST_CHECK_OHTTP, g_error_copy (config_error));
  else if (veil_ohttp_statement_check (question->tee, g_bytes_get_data (config, NULL), g_bytes_get_size (config), &error))
    pass (self, VEIL_ATTEST_CHECK_OHTTP);
  else
    fail (self, VEIL_ATTEST_CHECK_OHTTP, error);
}

static VeilAttestReport *
report_new (const VeilAttestQuestion *question)
{
  VeilAttestReport *self = g_atomic_rc_box_new0 (VeilAttestReport);

  self->tee = veil_tee_ref ((VeilTee *) question->tee);
  self->sandbox = question->sandbox_root != NULL;
  self->tls = question->tls;
  self->pinned = question->pcr_pins != NULL && question->pcr_pins[0] != NULL;
  return self;
}

VeilAttestReport *
veil_attest_report_new (const VeilAttestQuestion *question, GBytes *document, GBytes *config, const GError *config_error)
{
  VeilAttestReport *self = report_new (question);

  if (self->tls)
    pass (self, VEIL_ATTEST_CHECK_CONNECTION);
  check_document (self, question, document);
  if (self->attestation != NULL)
    {
      check_origin (self, question);
      check_build (self, question);
      check_keys (self, question);
    }
  check_config (self, question, config, config_error);
  return self;
}

VeilAttestReport *
veil_attest_report_new_refused (const VeilAttestQuestion *question)
{
  VeilAttestReport *self = report_new (question);

  judge (self, VEIL_ATTEST_CHECK_CONNECTION, FALSE, VEIL_ERROR_ATTEST_TLS,
         _ ("What answers at the enclave's address shows another TLS certificate than the one in the registry; it was not asked "
            "anything"));
  return self;
}

VeilAttestReport *
veil_attest_report_ref (VeilAttestReport *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
report_clear (gpointer data)
{
  VeilAttestReport *self = data;

  g_clear_pointer (&self->tee, veil_tee_unref);
  g_clear_pointer (&self->attestation, veil_attestation_unref);
  for (guint i = 0; i < VEIL_N_ATTEST_CHECKS; i++)
    g_clear_error (&self->errors[i]);
}

void
veil_attest_report_unref (VeilAttestReport *self)
{
  g_atomic_rc_box_release_full (self, report_clear);
}

gboolean
veil_attest_report_applies (const VeilAttestReport *self, VeilAttestCheck check)
{
  return (check != VEIL_ATTEST_CHECK_CONNECTION || self->tls) && (check != VEIL_ATTEST_CHECK_PIN || self->pinned);
}

gboolean
veil_attest_report_holds (const VeilAttestReport *self)
{
  for (VeilAttestCheck check = 0; check < VEIL_N_ATTEST_CHECKS; check++)
    if (veil_attest_report_applies (self, check) && self->states[check] != VEIL_CHECK_PASSED)
      return FALSE;
  return TRUE;
}
