/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The one error domain. The code says what kind of thing went wrong, so that a caller can act on it; the message
 * says what happened and what to do about it. Errors that came from further away carry details (HTTP status, the
 * offending parameter, Retry-After) which survive g_error_copy(). */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define VEIL_ERROR (veil_error_quark ())

/**
 * VeilErrorCode:
 *
 * What went wrong. veil_error_code_get_nick() gives the stable machine-readable name of each.
 */
typedef enum
{
  /* What the caller sent (protocol.md section 2, product.md section 3). */
  VEIL_ERROR_INVALID_JSON,    /* not strict JSON, or too deep */
  VEIL_ERROR_INVALID_REQUEST, /* a field is missing, has a wrong type or value; see veil_error_get_param() */
  VEIL_ERROR_TOO_LARGE,       /* over a size limit of ours */
  VEIL_ERROR_INVALID_ARGUMENT, /* a setting, hash, id, URL or option that cannot be used */

  /* Choosing an enclave (section 1). */
  VEIL_ERROR_REGISTRY,            /* the registry could not be read, or answered nonsense */
  VEIL_ERROR_NO_ACTIVE_TEE,       /* it answered, and there is none */
  VEIL_ERROR_PIN_MISMATCH,        /* there are some, and none matches the PCR pins */
  VEIL_ERROR_PINNED_TEE_INACTIVE, /* the one TEE that was asked for is not active */
  VEIL_ERROR_TEE_UNUSABLE,        /* a record that cannot be used: bad key, foreign suite, all-zero key */

  /* The session (section 6). */
  VEIL_ERROR_NOT_SIGNED_IN,
  VEIL_ERROR_SESSION_REFUSED, /* the relay does not accept the session (401, 403) */
  VEIL_ERROR_BUNDLE,          /* a login bundle that is not one, or points at places it may not */
  VEIL_ERROR_STORE,           /* the session store or the settings file could not be read or written */

  /* The exchange with the relay (section 4). */
  VEIL_ERROR_UNREACHABLE,     /* connection refused, or lost before the request was sent: nothing ran */
  VEIL_ERROR_TIMED_OUT,       /* no answer in time: the request may have run and been billed */
  VEIL_ERROR_BROKEN_ANSWER,   /* the answer broke off, or is not of the accepted type, or is empty, or redirects */
  VEIL_ERROR_ANSWER_TOO_LARGE,
  VEIL_ERROR_RELAY_REFUSED,   /* a plain error status from the relay; see veil_error_get_status() */
  VEIL_ERROR_GATEWAY,         /* an error from inside the seal: gateway or provider; status likewise */

  /* Verification (sections 3 and 5): one code per check, in the order in which they are made. */
  VEIL_ERROR_SEAL,             /* the OHTTP seal does not open: altered, cut, reordered, no final chunk */
  VEIL_ERROR_MALFORMED_ANSWER, /* opened, but not the JSON or event stream that the protocol speaks of */
  VEIL_ERROR_NO_SIGNED_FRAME,  /* a stream that ended without its signed frame, or went on after it */
  VEIL_ERROR_MISSING_FIELD,    /* a tee_* field is missing or of a wrong type */
  VEIL_ERROR_TIMESTAMP,        /* tee_timestamp is not a non-negative integer in range */
  VEIL_ERROR_TEE_ID,           /* tee_id is not the chosen TEE's */
  VEIL_ERROR_REQUEST_HASH,     /* signed for another request */
  VEIL_ERROR_OUTPUT_HASH,      /* the output is not what was hashed */
  VEIL_ERROR_SIGNING_KEY,      /* the registry's signing key cannot be used */
  VEIL_ERROR_SIGNATURE,        /* the RSA-PSS signature is wrong */
  VEIL_ERROR_STALE,            /* signed too long ago, or in the future */
  VEIL_ERROR_UNSIGNED_CONTENT, /* content that must be covered by the signature is not */

  /* This machine. */
  VEIL_ERROR_LISTEN,  /* the local port cannot be had */
  VEIL_ERROR_SANDBOX, /* the sandbox helper could not be started, or ended */
  VEIL_ERROR_INTERNAL,
} VeilErrorCode;

GQuark      veil_error_quark (void);

/**
 * veil_error_code_get_nick:
 *
 * Returns: the stable lower-case name of @code with underscores ("output_hash", "unreachable"), static.
 */
const char *veil_error_code_get_nick (VeilErrorCode code);

/**
 * veil_error_code_is_verification:
 *
 * Returns: %TRUE for the codes that mean "this answer failed verification" (%VEIL_ERROR_SEAL to
 *   %VEIL_ERROR_UNSIGNED_CONTENT); nothing of such an answer may reach the caller.
 */
gboolean    veil_error_code_is_verification (VeilErrorCode code);

/* Details. Each setter takes an error of VEIL_ERROR (anything else is left alone, g_return_if_fail) and copies. */
void        veil_error_set_param (GError *error, const char *param);
void        veil_error_set_status (GError *error, guint status);
void        veil_error_set_retry_after (GError *error, const char *value);
void        veil_error_set_retryable (GError *error, gboolean retryable);

const char *veil_error_get_param (const GError *error);       /* JSON path of the offending field, or NULL */
guint       veil_error_get_status (const GError *error);      /* HTTP status that the relay or gateway gave, or 0 */
const char *veil_error_get_retry_after (const GError *error); /* Retry-After as received, or NULL */
gboolean    veil_error_get_retryable (const GError *error);   /* the gateway said that another TEE may do better */

G_END_DECLS
