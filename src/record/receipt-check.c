/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "receipt.h"

#include "hex.h"
#include "keccak.h"
#include "rsa-pss.h"
#include "translate.h"
#include "veil-error.h"

#include <string.h>

static gboolean
refuse (GError **error, VeilError code, const char *message)
{
  g_set_error_literal (error, VEIL_ERROR, code, message);
  return FALSE;
}

static gboolean
check_tee_id (const VeilReceipt *self, GError **error)
{
  const VeilProof *proof = self->proof;
  guint8 derived[32], claimed[32];

  veil_keccak256 (g_bytes_get_data (proof->signing_key, NULL), g_bytes_get_size (proof->signing_key), derived);
  if (veil_hex_decode (proof->tee_id, claimed, sizeof claimed) && memcmp (claimed, derived, sizeof derived) == 0)
    return TRUE;
  return refuse (error, VEIL_ERROR_TEE_ID, _ ("The receipt's signing key does not belong to the enclave that it names"));
}

static gboolean
check_signature (const VeilReceipt *self, GError **error)
{
  const VeilProof *proof = self->proof;
  g_autoptr (VeilRsaKey) key = NULL;
  guint8 digest[32];

  key = veil_rsa_key_new_from_spki (g_bytes_get_data (proof->signing_key, NULL), g_bytes_get_size (proof->signing_key), error);
  if (key == NULL)
    return FALSE;
  veil_proof_digest (proof->request_hash, proof->output_hash, proof->timestamp, digest);
  if (veil_rsa_key_verify_pss (key, digest, sizeof digest, g_bytes_get_data (proof->signature, NULL),
                               g_bytes_get_size (proof->signature)))
    return TRUE;
  return refuse (error, VEIL_ERROR_SIGNATURE,
                 _ ("The receipt's signature was not made by the enclave's key over these hashes and this timestamp"));
}

/* The enclave signed between the request's arrival and its end, give or take what was allowed then. */
static gboolean
check_time (const VeilReceipt *self, GError **error)
{
  const VeilTiming *timing = &self->timing;
  gint64 took = self->queue + timing->parse + timing->seal + timing->relay + timing->open + timing->verify;
  gint64 start = self->time / G_USEC_PER_SEC;
  gint64 end = (self->time + took) / G_USEC_PER_SEC;
  gint64 signed_at = (gint64) self->proof->timestamp;

  if (signed_at >= start - VEIL_RECEIPT_MAX_SKEW && signed_at <= end + VEIL_RECEIPT_MAX_SKEW)
    return TRUE;
  return refuse (error, VEIL_ERROR_STALE,
                 _ ("The receipt's timestamp, which the enclave signed, is not of the time of the request"));
}

static const struct
{
  const char *nick;
  gboolean (*check) (const VeilReceipt *self, GError **error);
} checks[VEIL_N_RECEIPT_CHECKS] = {
  [VEIL_RECEIPT_CHECK_TEE_ID] = { "tee_id", check_tee_id },
  [VEIL_RECEIPT_CHECK_SIGNATURE] = { "signature", check_signature },
  [VEIL_RECEIPT_CHECK_TIME] = { "time", check_time },
};

gboolean
veil_receipt_check (const VeilReceipt *self, VeilReceiptCheck check, GError **error)
{
  g_return_val_if_fail ((guint) check < VEIL_N_RECEIPT_CHECKS, FALSE);

  return checks[check].check (self, error);
}

gboolean
veil_receipt_verify (const VeilReceipt *self, GError **error)
{
  for (VeilReceiptCheck check = 0; check < VEIL_N_RECEIPT_CHECKS; check++)
    if (!veil_receipt_check (self, check, error))
      return FALSE;
  return TRUE;
}

const char *
veil_receipt_check_get_nick (VeilReceiptCheck check)
{
  g_return_val_if_fail ((guint) check < VEIL_N_RECEIPT_CHECKS, NULL);

  return checks[check].nick;
}
