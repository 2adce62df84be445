/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "error-details.h"

typedef struct
{
  char *param;       /* owned */
  char *retry_after; /* owned */
  char *taken;       /* owned */
  guint status;
  guint passed;
  gboolean retryable;
} VeilErrorPrivate;

/* Not inlined: the macro below passes what its own g_return_val_if_fail() might have made NULL, and compilers tell. */
static G_GNUC_NO_INLINE void
veil_error_private_init (VeilErrorPrivate *priv)
{
  *priv = (VeilErrorPrivate){ 0 };
}

static G_GNUC_NO_INLINE void
veil_error_private_copy (const VeilErrorPrivate *from, VeilErrorPrivate *to)
{
  to->param = g_strdup (from->param);
  to->retry_after = g_strdup (from->retry_after);
  to->taken = g_strdup (from->taken);
  to->status = from->status;
  to->passed = from->passed;
  to->retryable = from->retryable;
}

static G_GNUC_NO_INLINE void
veil_error_private_clear (VeilErrorPrivate *priv)
{
  g_free (priv->param);
  g_free (priv->retry_after);
  g_free (priv->taken);
}

/* GLib's own cast from bytes to the details, which it has aligned. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-align"
G_DEFINE_EXTENDED_ERROR (VeilError, veil_error)
#pragma GCC diagnostic pop

static const char *const nicks[] = {
  [VEIL_ERROR_INVALID_JSON] = "invalid_json",
  [VEIL_ERROR_INVALID_REQUEST] = "invalid_request",
  [VEIL_ERROR_TOO_LARGE] = "too_large",
  [VEIL_ERROR_INVALID_ARGUMENT] = "invalid_argument",
  [VEIL_ERROR_REGISTRY] = "registry",
  [VEIL_ERROR_NO_ACTIVE_TEE] = "no_active_tee",
  [VEIL_ERROR_PIN_MISMATCH] = "pin_mismatch",
  [VEIL_ERROR_PINNED_TEE_INACTIVE] = "pinned_tee_inactive",
  [VEIL_ERROR_TEE_UNUSABLE] = "tee_unusable",
  [VEIL_ERROR_NOT_SIGNED_IN] = "not_signed_in",
  [VEIL_ERROR_SESSION_REFUSED] = "session_refused",
  [VEIL_ERROR_BUNDLE] = "bundle",
  [VEIL_ERROR_STORE] = "store",
  [VEIL_ERROR_UNREACHABLE] = "unreachable",
  [VEIL_ERROR_TIMED_OUT] = "timed_out",
  [VEIL_ERROR_BROKEN_ANSWER] = "broken_answer",
  [VEIL_ERROR_ANSWER_TOO_LARGE] = "answer_too_large",
  [VEIL_ERROR_RELAY_REFUSED] = "relay_refused",
  [VEIL_ERROR_GATEWAY] = "gateway",
  [VEIL_ERROR_SEAL] = "seal",
  [VEIL_ERROR_MALFORMED_ANSWER] = "malformed_answer",
  [VEIL_ERROR_NO_SIGNED_FRAME] = "no_signed_frame",
  [VEIL_ERROR_MISSING_FIELD] = "missing_field",
  [VEIL_ERROR_TIMESTAMP] = "timestamp",
  [VEIL_ERROR_TEE_ID] = "tee_id",
  [VEIL_ERROR_REQUEST_HASH] = "request_hash",
  [VEIL_ERROR_OUTPUT_HASH] = "output_hash",
  [VEIL_ERROR_SIGNING_KEY] = "signing_key",
  [VEIL_ERROR_SIGNATURE] = "signature",
  [VEIL_ERROR_STALE] = "stale_response",
  [VEIL_ERROR_UNSIGNED_CONTENT] = "unsigned_content",
  [VEIL_ERROR_ATTEST_ENCODING] = "attestation_encoding",
  [VEIL_ERROR_ATTEST_COSE] = "attestation_cose",
  [VEIL_ERROR_ATTEST_FIELD] = "attestation_field",
  [VEIL_ERROR_ATTEST_CERTIFICATE] = "attestation_certificate",
  [VEIL_ERROR_ATTEST_ROOT] = "attestation_root",
  [VEIL_ERROR_ATTEST_CHAIN] = "attestation_chain",
  [VEIL_ERROR_ATTEST_VALIDITY] = "attestation_validity",
  [VEIL_ERROR_ATTEST_SIGNATURE] = "attestation_signature",
  [VEIL_ERROR_ATTEST_DEBUG] = "attestation_debug",
  [VEIL_ERROR_ATTEST_TIME] = "attestation_time",
  [VEIL_ERROR_ATTEST_NONCE] = "attestation_nonce",
  [VEIL_ERROR_ATTEST_USER_DATA] = "attestation_user_data",
  [VEIL_ERROR_ATTEST_PCR] = "attestation_pcr",
  [VEIL_ERROR_ATTEST_KEY] = "attestation_key",
  [VEIL_ERROR_ATTEST_TLS] = "attestation_tls",
  [VEIL_ERROR_ATTEST_OHTTP] = "attestation_ohttp",
  [VEIL_ERROR_RECEIPT] = "receipt",
  [VEIL_ERROR_LISTEN] = "listen",
  [VEIL_ERROR_SANDBOX] = "sandbox",
  [VEIL_ERROR_INTERNAL] = "internal",
};

const char *
veil_error_get_nick (VeilError code)
{
  if ((guint) code >= G_N_ELEMENTS (nicks))
    return nicks[VEIL_ERROR_INTERNAL];
  return nicks[code];
}

gboolean
veil_error_is_verification (VeilError code)
{
  return code >= VEIL_ERROR_SEAL && code <= VEIL_ERROR_UNSIGNED_CONTENT;
}

/* NULL, with a complaint, for an error of somebody else. */
static VeilErrorPrivate *
editable (GError *error)
{
  g_return_val_if_fail (error != NULL && error->domain == VEIL_ERROR, NULL);
  return veil_error_get_private (error);
}

void
veil_error_set_param (GError *error, const char *param)
{
  VeilErrorPrivate *priv = editable (error);

  if (priv == NULL)
    return;
  g_free (priv->param);
  priv->param = g_strdup (param);
}

void
veil_error_set_status (GError *error, guint status)
{
  VeilErrorPrivate *priv = editable (error);

  if (priv != NULL)
    priv->status = status;
}

void
veil_error_set_retry_after (GError *error, const char *value)
{
  VeilErrorPrivate *priv = editable (error);

  if (priv == NULL)
    return;
  g_free (priv->retry_after);
  priv->retry_after = g_strdup (value);
}

void
veil_error_set_retryable (GError *error, gboolean retryable)
{
  VeilErrorPrivate *priv = editable (error);

  if (priv != NULL)
    priv->retryable = retryable;
}

void
veil_error_set_passed (GError *error, guint checks)
{
  VeilErrorPrivate *priv = editable (error);

  if (priv != NULL)
    priv->passed = checks;
}

void
veil_error_set_taken (GError *error, const char *address)
{
  VeilErrorPrivate *priv = editable (error);

  if (priv == NULL)
    return;
  g_free (priv->taken);
  priv->taken = g_strdup (address);
}

static const VeilErrorPrivate *
details (const GError *error)
{
  static const VeilErrorPrivate none = { 0 };
  const VeilErrorPrivate *priv = NULL;

  if (error != NULL && error->domain == VEIL_ERROR)
    priv = veil_error_get_private (error);
  return priv != NULL ? priv : &none;
}

const char *
veil_error_get_param (const GError *error)
{
  return details (error)->param;
}

guint
veil_error_get_status (const GError *error)
{
  return details (error)->status;
}

const char *
veil_error_get_retry_after (const GError *error)
{
  return details (error)->retry_after;
}

gboolean
veil_error_get_retryable (const GError *error)
{
  return details (error)->retryable;
}

guint
veil_error_get_passed (const GError *error)
{
  return details (error)->passed;
}

const char *
veil_error_get_taken (const GError *error)
{
  return details (error)->taken;
}
