/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A verified answer as a file that anybody can check again (product.md section 6). */
#pragma once

#include "veil-answer.h"
#include "veil-macros.h"
#include "veil-request.h"
#include "veil-verification.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define VEIL_TYPE_SIGNED_RECEIPT (veil_signed_receipt_get_type ())

/**
 * VeilSignedReceipt:
 *
 * A receipt: one JSON object that shows which enclave has signed for which request and which output, without holding either.
 *
 * It can be checked by anybody, without network: the enclave's id is the hash of its key, and the key's signature covers the
 * hashes and the time. Whether
 * the registry listed that key at the time, a receipt cannot show, and anybody can make a key: compare the id with one that you
 * know. Nothing else in a receipt is signed, not the build, the model or whether it was the sandbox.
 *
 * Every object of this class was verified: it was made from a verified answer, or read from JSON and checked.
 *
 * Immutable; may be used from any thread.
 */
VEIL_EXPORT
G_DECLARE_FINAL_TYPE (VeilSignedReceipt, veil_signed_receipt, VEIL, SIGNED_RECEIPT, GObject)

/**
 * veil_signed_receipt_new:
 * @answer: a verified answer
 *
 * Returns: (transfer full): a receipt for it
 */
VEIL_EXPORT VeilSignedReceipt *veil_signed_receipt_new (VeilAnswer *answer);

/**
 * veil_signed_receipt_new_from_json:
 * @json: a receipt, as [method@Veil.SignedReceipt.to_json] or the application wrote it
 * @error: return location for an error
 *
 * Reads a receipt and verifies it: that it is whole, the enclave's id, the signature, the time. Nothing comes out of one that
 * fails a check.
 *
 * Returns: (transfer full): the receipt, or %NULL with %VEIL_ERROR_INVALID_JSON, %VEIL_ERROR_TOO_LARGE or %VEIL_ERROR_RECEIPT
 *   if it is none, and
 *   with %VEIL_ERROR_TEE_ID, %VEIL_ERROR_SIGNING_KEY, %VEIL_ERROR_SIGNATURE or %VEIL_ERROR_STALE if that check is not met
 */
VEIL_EXPORT VeilSignedReceipt *veil_signed_receipt_new_from_json (const char *json, GError **error);

/**
 * VeilSignedReceipt:verification: (getter get_verification)
 *
 * What was verified, and how.
 */
/**
 * veil_signed_receipt_get_verification:
 * @self: a receipt
 *
 * Returns: (transfer none): what was verified, and how
 */
VEIL_EXPORT VeilVerification *veil_signed_receipt_get_verification (VeilSignedReceipt *self);

/**
 * VeilSignedReceipt:time: (getter get_time)
 *
 * When the request was made, in microseconds since 1970; no signature covers it, but the signed time is close to it.
 */
/**
 * veil_signed_receipt_get_time:
 * @self: a receipt
 *
 * Returns: when the request was made, in microseconds since 1970; no signature covers it, but the signed time is close
 * to it
 */
VEIL_EXPORT gint64 veil_signed_receipt_get_time (VeilSignedReceipt *self);

/**
 * VeilSignedReceipt:model: (getter get_model)
 *
 * The model that was asked for; no signature covers it.
 */
/**
 * veil_signed_receipt_get_model:
 * @self: a receipt
 *
 * Returns: (transfer none): the model that was asked for; no signature covers it
 */
VEIL_EXPORT const char *veil_signed_receipt_get_model (VeilSignedReceipt *self);

/**
 * VeilSignedReceipt:stream: (getter get_stream)
 *
 * Whether a stream was asked for; no signature covers it.
 */
/**
 * veil_signed_receipt_get_stream:
 * @self: a receipt
 *
 * Returns: whether a stream was asked for; no signature covers it
 */
VEIL_EXPORT gboolean veil_signed_receipt_get_stream (VeilSignedReceipt *self);

/**
 * veil_signed_receipt_to_json:
 * @self: a receipt
 *
 * Returns: (transfer full): the JSON text, one line
 */
VEIL_EXPORT char *veil_signed_receipt_to_json (VeilSignedReceipt *self);

/**
 * veil_signed_receipt_check_request:
 * @self: a receipt
 * @request: what is said to have been asked
 * @error: return location for an error
 *
 * Checks whether the receipt is for this request.
 *
 * Returns: %TRUE, or %FALSE with %VEIL_ERROR_REQUEST_HASH
 */
VEIL_EXPORT gboolean veil_signed_receipt_check_request (VeilSignedReceipt *self, VeilRequest *request, GError **error);

/**
 * veil_signed_receipt_check_output:
 * @self: a receipt
 * @output: what is said to have been answered: the text in UTF-8, or the canonical JSON of the list of tool calls
 * @error: return location for an error
 *
 * Checks whether the receipt is for this answer.
 *
 * Returns: %TRUE, or %FALSE with %VEIL_ERROR_OUTPUT_HASH
 */
VEIL_EXPORT gboolean veil_signed_receipt_check_output (VeilSignedReceipt *self, GBytes *output, GError **error);

G_END_DECLS
