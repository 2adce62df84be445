/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What was verified, and how: the facts behind one verified answer. */
#pragma once

#include "veil-macros.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define VEIL_TYPE_VERIFICATION (veil_verification_get_type ())

/**
 * VeilVerification:
 *
 * The proof that comes with a verified answer: who signed what, when, and with which key.
 *
 * There is no other way to get one than a verification that succeeded.
 *
 * The signature covers the request hash, the output hash and the timestamp, and the signing key makes the TEE id. The rest is what was
 * known when the answer was verified: in an answer that was verified here, by this library; in a receipt that was read, by
 * whoever wrote it, so that there the endpoint, the PCR hash, the names of fields and the mark of the sandbox are that one's word.
 *
 * Nothing in it needs to be kept secret, but it shows which
 * enclave was asked and when.
 *
 * Immutable; may be used from any thread.
 */
VEIL_EXPORT
G_DECLARE_FINAL_TYPE (VeilVerification, veil_verification, VEIL, VERIFICATION, GObject)

/**
 * VeilVerification:tee-id: (getter get_tee_id)
 *
 * The enclave that answered: `0x` and 64 digits, derived from its signing key.
 */
/**
 * veil_verification_get_tee_id:
 * @self: a verification
 *
 * Returns: (transfer none): the enclave that answered: `0x` and 64 digits, derived from its signing key
 */
VEIL_EXPORT const char *veil_verification_get_tee_id (VeilVerification *self);

/**
 * VeilVerification:tee-endpoint: (getter get_tee_endpoint)
 *
 * Its address as the registry gives it.
 */
/**
 * veil_verification_get_tee_endpoint:
 * @self: a verification
 *
 * Returns: (transfer none): its address as the registry gives it
 */
VEIL_EXPORT const char *veil_verification_get_tee_endpoint (VeilVerification *self);

/**
 * VeilVerification:pcr-hash: (getter get_pcr_hash)
 *
 * The build that it runs, as the registry says: `0x` and 64 digits.
 */
/**
 * veil_verification_get_pcr_hash:
 * @self: a verification
 *
 * Returns: (transfer none): the build that it runs, as the registry says: `0x` and 64 digits
 */
VEIL_EXPORT const char *veil_verification_get_pcr_hash (VeilVerification *self);

/**
 * VeilVerification:request-hash: (getter get_request_hash)
 *
 * The Keccak-256 of the canonical request that was signed: `0x` and 64 digits.
 */
/**
 * veil_verification_get_request_hash:
 * @self: a verification
 *
 * Returns: (transfer none): the Keccak-256 of the canonical request that was signed: `0x` and 64 digits
 */
VEIL_EXPORT const char *veil_verification_get_request_hash (VeilVerification *self);

/**
 * VeilVerification:output-hash: (getter get_output_hash)
 *
 * The Keccak-256 of the text or the tool calls that were signed: `0x` and 64 digits.
 */
/**
 * veil_verification_get_output_hash:
 * @self: a verification
 *
 * Returns: (transfer none): the Keccak-256 of the text or the tool calls that were signed: `0x` and 64 digits
 */
VEIL_EXPORT const char *veil_verification_get_output_hash (VeilVerification *self);

/**
 * VeilVerification:timestamp: (getter get_timestamp)
 *
 * When the enclave signed, in seconds since 1970.
 */
/**
 * veil_verification_get_timestamp:
 * @self: a verification
 *
 * Returns: when the enclave signed, in seconds since 1970
 */
VEIL_EXPORT gint64 veil_verification_get_timestamp (VeilVerification *self);

/**
 * VeilVerification:signature: (getter get_signature)
 *
 * The RSA-PSS signature over the hashes and the time.
 */
/**
 * veil_verification_get_signature:
 * @self: a verification
 *
 * Returns: (transfer none): the RSA-PSS signature over the hashes and the time
 */
VEIL_EXPORT GBytes *veil_verification_get_signature (VeilVerification *self);

/**
 * VeilVerification:signing-key: (getter get_signing_key)
 *
 * The key that it was checked with, a SubjectPublicKeyInfo in DER.
 */
/**
 * veil_verification_get_signing_key:
 * @self: a verification
 *
 * Returns: (transfer none): the key that it was checked with, a SubjectPublicKeyInfo in DER
 */
VEIL_EXPORT GBytes *veil_verification_get_signing_key (VeilVerification *self);

/**
 * VeilVerification:signed-fields: (getter get_signed_fields)
 *
 * What the signature covers: `content` or `tool_calls`.
 */
/**
 * veil_verification_get_signed_fields:
 * @self: a verification
 *
 * Returns: (transfer none) (array zero-terminated=1): what the signature covers: `content` or `tool_calls`
 */
VEIL_EXPORT const char *const *veil_verification_get_signed_fields (VeilVerification *self);

/**
 * VeilVerification:unsigned-fields: (getter get_unsigned_fields)
 *
 * Names of what the answer holds outside the signature.
 */
/**
 * veil_verification_get_unsigned_fields:
 * @self: a verification
 *
 * Returns: (transfer none) (array zero-terminated=1): names of what the answer holds outside the signature
 */
VEIL_EXPORT const char *const *veil_verification_get_unsigned_fields (VeilVerification *self);

/**
 * VeilVerification:dropped-fields: (getter get_dropped_fields)
 *
 * Names of the request's fields that were not sent.
 */
/**
 * veil_verification_get_dropped_fields:
 * @self: a verification
 *
 * Returns: (transfer none) (array zero-terminated=1): names of the request's fields that were not sent
 */
VEIL_EXPORT const char *const *veil_verification_get_dropped_fields (VeilVerification *self);

/**
 * VeilVerification:effort-signed: (getter get_effort_signed)
 *
 * Whether the request asked for a reasoning effort and the enclave signed for that.
 */
/**
 * veil_verification_get_effort_signed:
 * @self: a verification
 *
 * Returns: whether the request asked for a reasoning effort and the enclave signed for that
 */
VEIL_EXPORT gboolean veil_verification_get_effort_signed (VeilVerification *self);

/**
 * VeilVerification:sandbox: (getter get_sandbox)
 *
 * Whether it was the sandbox that answered, which vouches for nothing.
 */
/**
 * veil_verification_get_sandbox:
 * @self: a verification
 *
 * Returns: whether it was the sandbox that answered, which vouches for nothing
 */
VEIL_EXPORT gboolean veil_verification_get_sandbox (VeilVerification *self);

/**
 * veil_verification_to_json:
 * @self: a verification
 *
 * The `opengradient_verification` object that the local endpoint puts into its answers.
 *
 * Returns: (transfer full): one JSON object
 */
VEIL_EXPORT char *veil_verification_to_json (VeilVerification *self);

G_END_DECLS
