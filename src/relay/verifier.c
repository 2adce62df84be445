/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "verifier.h"

#include "check.h"
#include "error-details.h"
#include "hex.h"
#include "keccak.h"
#include "proof.h"
#include "translate.h"

#include <string.h>

G_STATIC_ASSERT (VEIL_KECCAK256_SIZE == 32);

/* The members of a signed object, read but not yet believed. */
typedef struct
{
  const char *signature;
  gsize signature_length;
  const char *request_hash;
  const char *output_hash;
  const char *tee_id;
  guint64 timestamp;
} Claims;

static gboolean
refuse (GError **error, VeilError code, const char *message)
{
  g_set_error_literal (error, VEIL_ERROR, code, message);
  return FALSE;
}

/* Text with a NUL in it could be read as something shorter, so it counts as wrong. */
static gboolean
read_text (const VeilJson *object, const char *key, const char **text, gsize *length, GError **error)
{
  *text = veil_json_get_string (veil_json_get_member (object, key), length);
  if (*text != NULL && strlen (*text) == *length)
    return TRUE;
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_MISSING_FIELD, _ ("The answer cannot be verified: its %s is missing or not text"),
               key);
  return FALSE;
}

static gboolean
parse_digits (const char *text, gsize length, guint64 *out)
{
  guint64 number = 0;

  if (length == 0 || length > 19)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    {
      if (!g_ascii_isdigit (text[i]))
        return FALSE;
      number = number * 10 + (guint64) (text[i] - '0');
    }
  *out = number;
  return TRUE;
}

static gboolean
read_timestamp (const VeilJson *object, guint64 *out, GError **error)
{
  const VeilJson *value = veil_json_get_member (object, "tee_timestamp");
  gsize length;
  const char *text = veil_json_get_string (value, &length);

  if (value == NULL)
    return refuse (error, VEIL_ERROR_MISSING_FIELD, _ ("The answer cannot be verified: its tee_timestamp is missing"));
  if ((text != NULL ? parse_digits (text, length, out) : veil_json_get_uint64 (value, out)) && *out <= G_MAXINT64)
    return TRUE;
  return refuse (error, VEIL_ERROR_TIMESTAMP,
                 _ ("The answer cannot be verified: its tee_timestamp is not a whole number of seconds in range"));
}

static gboolean
read_claims (const VeilJson *object, Claims *claims, GError **error)
{
  gsize length;

  return read_text (object, "tee_signature", &claims->signature, &claims->signature_length, error) &&
         read_text (object, "tee_request_hash", &claims->request_hash, &length, error) &&
         read_text (object, "tee_output_hash", &claims->output_hash, &length, error) &&
         read_timestamp (object, &claims->timestamp, error) && read_text (object, "tee_id", &claims->tee_id, &length, error);
}

static gboolean
check_tee_id (const VeilVerifierInput *input, const Claims *claims, GError **error)
{
  guint8 derived[32];
  guint8 expected[32];
  guint8 claimed[32];

  veil_keccak256 (input->signing_key_der, input->signing_key_length, derived);
  if (input->tee_id == NULL || !veil_hex_decode (input->tee_id, expected, sizeof expected) ||
      memcmp (expected, derived, sizeof derived) != 0)
    return refuse (error, VEIL_ERROR_TEE_ID, _ ("The registry's signing key does not belong to the enclave that was chosen"));
  /* No gateway writes "0X", though people may. */
  if (g_str_has_prefix (claims->tee_id, "0X") || !veil_hex_decode (claims->tee_id, claimed, sizeof claimed) ||
      memcmp (claimed, derived, sizeof derived) != 0)
    return refuse (error, VEIL_ERROR_TEE_ID, _ ("The answer names another enclave than the one that was asked"));
  return TRUE;
}

/* Lower-case digits with or without "0x": the form that gateways write, and no other. */
static gboolean
hash_is (const char *text, const guint8 hash[static 32])
{
  char hex[65];

  veil_hex_encode (hash, 32, hex);
  if (g_str_has_prefix (text, "0x"))
    text += 2;
  return strcmp (text, hex) == 0;
}

static gboolean
check_request_hash (const VeilVerifierInput *input, const Claims *claims, VeilVerifierResult *result, GError **error)
{
  const guint8 *hash = NULL;

  if (hash_is (claims->request_hash, input->request_hash))
    hash = input->request_hash;
  else if (input->request_hash_plain != NULL && hash_is (claims->request_hash, input->request_hash_plain))
    {
      hash = input->request_hash_plain;
      result->plain_request = TRUE;
    }
  if (hash == NULL)
    return refuse (error, VEIL_ERROR_REQUEST_HASH, _ ("The answer was signed for another request than the one that was sent"));
  memcpy (result->request_hash, hash, 32);
  return TRUE;
}

static gboolean
check_output_hash (const Claims *claims, const guint8 (*outputs)[32], guint n_outputs, VeilVerifierResult *result, GError **error)
{
  for (guint i = 0; i < n_outputs; i++)
    if (hash_is (claims->output_hash, outputs[i]))
      {
        memcpy (result->output_hash, outputs[i], 32);
        result->output = i;
        return TRUE;
      }
  return refuse (error, VEIL_ERROR_OUTPUT_HASH,
                 _ ("The answer's output is not what the enclave hashed: it was changed on the way"));
}

static gboolean
check_signature (const VeilVerifierInput *input, const Claims *claims, VeilVerifierResult *result, GError **error)
{
  g_autoptr (VeilRsaKey) key = NULL;
  g_autoptr (GBytes) signature = NULL;
  guint8 digest[32];

  if (input->signing_key != NULL)
    key = veil_rsa_key_ref (input->signing_key);
  else
    key = veil_rsa_key_new_from_spki (input->signing_key_der, input->signing_key_length, error);
  if (key == NULL)
    return FALSE;
  signature = veil_base64_decode (claims->signature, claims->signature_length);
  if (signature == NULL)
    return refuse (error, VEIL_ERROR_SIGNATURE, _ ("The answer's signature is not valid base64"));
  veil_proof_digest (result->request_hash, result->output_hash, result->timestamp, digest);
  if (!veil_rsa_key_verify_pss (key, digest, sizeof digest, g_bytes_get_data (signature, NULL), g_bytes_get_size (signature)))
    return refuse (error, VEIL_ERROR_SIGNATURE, _ ("The answer's signature was not made by the enclave's key over this answer"));
  result->signature = g_steal_pointer (&signature);
  return TRUE;
}

static gboolean
check_fresh (const VeilVerifierInput *input, const VeilVerifierResult *result, GError **error)
{
  guint64 now = (guint64) MAX (input->now, 0);
  guint64 distance = result->timestamp > now ? result->timestamp - now : now - result->timestamp;

  if (distance <= VEIL_VERIFIER_MAX_SKEW)
    return TRUE;
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_STALE,
               result->timestamp > now ? veil_translate_plural ("The answer was signed %llu second ahead of this machine's clock; "
                                                                "check that the clock is right, then send the request again",
                                                                "The answer was signed %llu seconds ahead of this machine's clock; "
                                                                "check that the clock is right, then send the request again",
                                                                distance)
                                       : veil_translate_plural ("The answer was signed %llu second behind this machine's clock; "
                                                                "check that the clock is right, then send the request again",
                                                                "The answer was signed %llu seconds behind this machine's clock; "
                                                                "check that the clock is right, then send the request again",
                                                                distance),
               (unsigned long long) distance);
  return FALSE;
}

/* They are made in their order, so the one that was not met tells how many were. */
static gboolean
note_passed (GError **error)
{
  if (error != NULL && *error != NULL)
    veil_error_set_passed (*error, veil_check_from_code ((*error)->code));
  return FALSE;
}

gboolean
veil_verifier_check (const VeilVerifierInput *input, const VeilJson *signed_object, const guint8 (*outputs)[32], guint n_outputs,
                     VeilVerifierResult *result, GError **error)
{
  g_auto (VeilVerifierResult) found = { 0 };
  Claims claims;

  memset (result, 0, sizeof *result);
  if (!read_claims (signed_object, &claims, error))
    return note_passed (error);
  found.timestamp = claims.timestamp;
  if (!check_tee_id (input, &claims, error) || !check_request_hash (input, &claims, &found, error) ||
      !check_output_hash (&claims, outputs, n_outputs, &found, error) || !check_signature (input, &claims, &found, error) ||
      !check_fresh (input, &found, error))
    return note_passed (error);
  *result = found;
  found.signature = NULL;
  return TRUE;
}

void
veil_verifier_result_clear (VeilVerifierResult *result)
{
  g_clear_pointer (&result->signature, g_bytes_unref);
}
