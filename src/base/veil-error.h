/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The one error domain. The code says what kind of thing went wrong, so that a caller can act on it; the message
 * says what happened and what to do about it. Errors that came from further away carry details (HTTP status, the
 * offending parameter, Retry-After) which survive g_error_copy(); error-details.h sets them. */
#pragma once

#include "veil-macros.h"

#include <glib.h>

G_BEGIN_DECLS

/**
 * VEIL_ERROR:
 *
 * The error domain of everything in this library. The codes are those of [error@Veil.Error].
 */
#define VEIL_ERROR (veil_error_quark ())

/**
 * VeilError:
 * @VEIL_ERROR_INVALID_JSON: not strict JSON, or too deep
 * @VEIL_ERROR_INVALID_REQUEST: a field is missing, has a wrong type or value; see veil_error_get_param()
 * @VEIL_ERROR_TOO_LARGE: over a size limit of ours
 * @VEIL_ERROR_INVALID_ARGUMENT: a setting, hash, id, URL or option that cannot be used
 * @VEIL_ERROR_REGISTRY: the registry could not be read, or answered nonsense
 * @VEIL_ERROR_NO_ACTIVE_TEE: it answered, and there is none
 * @VEIL_ERROR_PIN_MISMATCH: there are some, and none matches the PCR pins
 * @VEIL_ERROR_PINNED_TEE_INACTIVE: the one TEE that was asked for is not active
 * @VEIL_ERROR_TEE_UNUSABLE: a record that cannot be used: bad key, foreign suite, all-zero key
 * @VEIL_ERROR_NOT_SIGNED_IN: nobody is signed in, or nobody authorizes requests
 * @VEIL_ERROR_SESSION_REFUSED: the relay does not accept the session (401, 403)
 * @VEIL_ERROR_BUNDLE: a login bundle that is not one, or points at places it may not
 * @VEIL_ERROR_STORE: the session store or the settings file could not be read or written
 * @VEIL_ERROR_UNREACHABLE: connection refused, or lost before the request was sent: nothing ran
 * @VEIL_ERROR_TIMED_OUT: no answer in time: the request may have run and been billed
 * @VEIL_ERROR_BROKEN_ANSWER: the answer broke off, or is not of the accepted type, or is empty, or redirects
 * @VEIL_ERROR_ANSWER_TOO_LARGE: the answer is over a size limit
 * @VEIL_ERROR_RELAY_REFUSED: a plain error status from the relay; see veil_error_get_status()
 * @VEIL_ERROR_GATEWAY: an error from inside the seal: gateway or provider; status likewise
 * @VEIL_ERROR_SEAL: the OHTTP seal does not open: altered, cut, reordered, no final chunk
 * @VEIL_ERROR_MALFORMED_ANSWER: opened, but not the JSON or event stream that the protocol speaks of
 * @VEIL_ERROR_NO_SIGNED_FRAME: a stream that ended without its signed frame, or went on after it
 * @VEIL_ERROR_MISSING_FIELD: a tee_* field is missing or of a wrong type
 * @VEIL_ERROR_TIMESTAMP: tee_timestamp is not a non-negative integer in range
 * @VEIL_ERROR_TEE_ID: tee_id is not the chosen TEE's
 * @VEIL_ERROR_REQUEST_HASH: signed for another request
 * @VEIL_ERROR_OUTPUT_HASH: the output is not what was hashed
 * @VEIL_ERROR_SIGNING_KEY: the registry's signing key cannot be used
 * @VEIL_ERROR_SIGNATURE: the RSA-PSS signature is wrong
 * @VEIL_ERROR_STALE: signed too long ago, or in the future
 * @VEIL_ERROR_UNSIGNED_CONTENT: content that must be covered by the signature is not
 * @VEIL_ERROR_ATTEST_ENCODING: not base64, or not the strict CBOR that it must be, or too large
 * @VEIL_ERROR_ATTEST_COSE: not COSE_Sign1 with ES384
 * @VEIL_ERROR_ATTEST_FIELD: a field is missing, unknown, of a wrong type, size or value; see veil_error_get_param()
 * @VEIL_ERROR_ATTEST_CERTIFICATE: a certificate is malformed, or may not be used for what it was used for
 * @VEIL_ERROR_ATTEST_ROOT: the chain starts at another root
 * @VEIL_ERROR_ATTEST_CHAIN: a certificate was not issued by the one before it
 * @VEIL_ERROR_ATTEST_VALIDITY: a certificate was not valid at the time
 * @VEIL_ERROR_ATTEST_SIGNATURE: the document's own signature is wrong
 * @VEIL_ERROR_ATTEST_DEBUG: genuine, but of an enclave in debug mode, which its host can look into
 * @VEIL_ERROR_ATTEST_TIME: genuine, but made too long ago, or in the future
 * @VEIL_ERROR_ATTEST_NONCE: genuine, but not the answer to this question
 * @VEIL_ERROR_ATTEST_USER_DATA: genuine, but it does not say which keys are the enclave's
 * @VEIL_ERROR_ATTEST_PCR: runs another build than the registry says
 * @VEIL_ERROR_ATTEST_KEY: vouches for another signing key than the registry's
 * @VEIL_ERROR_ATTEST_TLS: vouches for, or shows, another TLS certificate than the registry's
 * @VEIL_ERROR_ATTEST_OHTTP: the OHTTP configuration is not signed by the enclave, or is not the registry's
 * @VEIL_ERROR_RECEIPT: a file that is no receipt, or of a version that is not known, or one that was changed; see veil_error_get_param()
 * @VEIL_ERROR_LISTEN: the local port cannot be had
 * @VEIL_ERROR_SANDBOX: the sandbox helper could not be started, or ended, or did not say under which root it attests
 * @VEIL_ERROR_INTERNAL: a mistake of this program
 *
 * What went wrong, so that a caller can act on it. From version 1.0 on, new codes come last: programs know the numbers.
 *
 * [func@Veil.Error.get_nick] gives the stable machine-readable name of each.
 */
typedef enum
{
  /* What the caller sent (protocol.md section 2, product.md section 3). */
  VEIL_ERROR_INVALID_JSON,
  VEIL_ERROR_INVALID_REQUEST,
  VEIL_ERROR_TOO_LARGE,
  VEIL_ERROR_INVALID_ARGUMENT,

  /* Choosing an enclave (section 1). */
  VEIL_ERROR_REGISTRY,
  VEIL_ERROR_NO_ACTIVE_TEE,
  VEIL_ERROR_PIN_MISMATCH,
  VEIL_ERROR_PINNED_TEE_INACTIVE,
  VEIL_ERROR_TEE_UNUSABLE,

  /* The session (section 6). */
  VEIL_ERROR_NOT_SIGNED_IN,
  VEIL_ERROR_SESSION_REFUSED,
  VEIL_ERROR_BUNDLE,
  VEIL_ERROR_STORE,

  /* The exchange with the relay (section 4). */
  VEIL_ERROR_UNREACHABLE,
  VEIL_ERROR_TIMED_OUT,
  VEIL_ERROR_BROKEN_ANSWER,
  VEIL_ERROR_ANSWER_TOO_LARGE,
  VEIL_ERROR_RELAY_REFUSED,
  VEIL_ERROR_GATEWAY,

  /* Verification (sections 3 and 5): one code per check, in the order in which they are made. */
  VEIL_ERROR_SEAL,
  VEIL_ERROR_MALFORMED_ANSWER,
  VEIL_ERROR_NO_SIGNED_FRAME,
  VEIL_ERROR_MISSING_FIELD,
  VEIL_ERROR_TIMESTAMP,
  VEIL_ERROR_TEE_ID,
  VEIL_ERROR_REQUEST_HASH,
  VEIL_ERROR_OUTPUT_HASH,
  VEIL_ERROR_SIGNING_KEY,
  VEIL_ERROR_SIGNATURE,
  VEIL_ERROR_STALE,
  VEIL_ERROR_UNSIGNED_CONTENT,

  /* An enclave's attestation document (section 7): likewise. */
  VEIL_ERROR_ATTEST_ENCODING,
  VEIL_ERROR_ATTEST_COSE,
  VEIL_ERROR_ATTEST_FIELD,
  VEIL_ERROR_ATTEST_CERTIFICATE,
  VEIL_ERROR_ATTEST_ROOT,
  VEIL_ERROR_ATTEST_CHAIN,
  VEIL_ERROR_ATTEST_VALIDITY,
  VEIL_ERROR_ATTEST_SIGNATURE,
  VEIL_ERROR_ATTEST_DEBUG,
  VEIL_ERROR_ATTEST_TIME,
  VEIL_ERROR_ATTEST_NONCE,
  VEIL_ERROR_ATTEST_USER_DATA,
  VEIL_ERROR_ATTEST_PCR,
  VEIL_ERROR_ATTEST_KEY,
  VEIL_ERROR_ATTEST_TLS,
  VEIL_ERROR_ATTEST_OHTTP,

  /* A receipt (product.md section 6). */
  VEIL_ERROR_RECEIPT,

  /* This machine. */
  VEIL_ERROR_LISTEN,
  VEIL_ERROR_SANDBOX,
  VEIL_ERROR_INTERNAL,
} VeilError;

/**
 * veil_error_quark:
 *
 * Returns: the quark behind %VEIL_ERROR
 */
VEIL_EXPORT GQuark veil_error_quark (void);

/**
 * veil_error_get_nick:
 * @code: what went wrong
 *
 * The stable name of a code: lower case, with underscores, as `output_hash` or `unreachable`.
 *
 * Returns: (transfer none): the name
 */
VEIL_EXPORT const char *veil_error_get_nick (VeilError code);

/**
 * veil_error_is_verification:
 * @code: what went wrong
 *
 * Tells the codes that mean "this answer failed verification" (%VEIL_ERROR_SEAL to %VEIL_ERROR_UNSIGNED_CONTENT) from those
 * that mean trouble on the way. Nothing of an answer that failed verification may be used.
 *
 * Returns: %TRUE if verification failed
 */
VEIL_EXPORT gboolean veil_error_is_verification (VeilError code);

/**
 * veil_error_get_param:
 * @error: any error
 *
 * Which field of a chat body was refused, as a path: `messages[2].role`.
 *
 * Like the other details of an error it is lost in language bindings that make an error of their own from code and message, as
 * PyGObject does.
 *
 * Returns: (transfer none) (nullable): the path, or %NULL if no field is to blame
 */
VEIL_EXPORT const char *veil_error_get_param (const GError *error);

/**
 * veil_error_get_status:
 * @error: any error
 *
 * Returns: the HTTP status that the relay or the gateway gave, or 0
 */
VEIL_EXPORT guint veil_error_get_status (const GError *error);

/**
 * veil_error_get_retry_after:
 * @error: any error
 *
 * Returns: (transfer none) (nullable): the `Retry-After` header as it was received, or %NULL
 */
VEIL_EXPORT const char *veil_error_get_retry_after (const GError *error);

/**
 * veil_error_get_retryable:
 * @error: any error
 *
 * Returns: %TRUE if the gateway said that another enclave may do better
 */
VEIL_EXPORT gboolean veil_error_get_retryable (const GError *error);

G_END_DECLS
