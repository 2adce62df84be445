/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Oblivious HTTP for those who bring their own transport (RFC 9458, protocol.md section 3). */
#pragma once

#include "veil-answer.h"
#include "veil-enclave.h"
#include "veil-macros.h"
#include "veil-request.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define VEIL_TYPE_SEAL (veil_seal_get_type ())

/**
 * VeilSeal:
 *
 * The seal around one request and its answer: for callers who do the HTTP exchange with the relay themselves.
 *
 * A seal has fresh keys and is good for one request. The exchange is a `POST` to the relay's `/api/v1/chat/ohttp` with the
 * encapsulated request
 * as its body, `Content-Type:` [const@Veil.CONTENT_TYPE_REQUEST], `Accept:` [const@Veil.CONTENT_TYPE_RESPONSE] (for streams
 * [const@Veil.CONTENT_TYPE_CHUNKED_RESPONSE] and `X-OHTTP-Stream: true`), `X-TEE-ID:` the id of the enclave, and what
 * authorizes the caller.
 *
 * ```c
 * g_autoptr (VeilSeal) seal = veil_seal_new (enclave, &error);
 * g_autoptr (GBytes) sealed = veil_seal_encapsulate (seal, request, &error);
 * // … post it, receive the whole body …
 * g_autoptr (VeilAnswer) answer = veil_seal_open_answer (seal, body, &error);
 * ```
 *
 * To be used from one thread at a time.
 */
VEIL_EXPORT
G_DECLARE_FINAL_TYPE (VeilSeal, veil_seal, VEIL, SEAL, GObject)

/**
 * VEIL_CONTENT_TYPE_REQUEST:
 *
 * The content type of an encapsulated request.
 */
#define VEIL_CONTENT_TYPE_REQUEST "message/ohttp-req"

/**
 * VEIL_CONTENT_TYPE_RESPONSE:
 *
 * The content type of a sealed single answer.
 */
#define VEIL_CONTENT_TYPE_RESPONSE "message/ohttp-res"

/**
 * VEIL_CONTENT_TYPE_CHUNKED_RESPONSE:
 *
 * The content type of a sealed stream.
 */
#define VEIL_CONTENT_TYPE_CHUNKED_RESPONSE "message/ohttp-chunked-res"

/**
 * veil_seal_new:
 * @enclave: who is to open the request
 * @error: return location for an error
 *
 * Makes fresh keys.
 *
 * Returns: (transfer full): a seal, or %NULL with %VEIL_ERROR_TEE_UNUSABLE
 */
VEIL_EXPORT VeilSeal *veil_seal_new (VeilEnclave *enclave, GError **error);

/**
 * VeilSeal:enclave: (getter get_enclave)
 *
 * The enclave that it is made for.
 */
/**
 * veil_seal_get_enclave:
 * @self: a seal
 *
 * Returns: (transfer none): the enclave that it is made for
 */
VEIL_EXPORT VeilEnclave *veil_seal_get_enclave (VeilSeal *self);

/**
 * veil_seal_encapsulate:
 * @self: a seal that was not used yet
 * @request: what to ask
 * @error: return location for an error
 *
 * Seals a request. It is padded with spaces to one of a few sizes first, so that its length tells little.
 *
 * Returns: (transfer full): the encapsulated request, or %NULL with %VEIL_ERROR_INVALID_ARGUMENT if the seal was used already
 */
VEIL_EXPORT GBytes *veil_seal_encapsulate (VeilSeal *self, VeilRequest *request, GError **error);

/**
 * veil_seal_encapsulate_bytes:
 * @self: a seal that was not used yet
 * @plaintext: what to seal, as it is
 * @error: return location for an error
 *
 * Seals anything else, such as a web search. What comes back is opened with [method@Veil.Seal.open]; verifying it is the
 * caller's part.
 *
 * Returns: (transfer full): the encapsulated request, or %NULL with %VEIL_ERROR_INVALID_ARGUMENT if the seal was used already
 */
VEIL_EXPORT GBytes *veil_seal_encapsulate_bytes (VeilSeal *self, GBytes *plaintext, GError **error);

/**
 * veil_seal_open_answer:
 * @self: a seal that a request was sealed with
 * @body: the whole body of the relay's answer, single or chunked as the request asked
 * @error: return location for an error
 *
 * Opens an answer and verifies it.
 *
 * Returns: (transfer full): the answer with its proof, or %NULL: %VEIL_ERROR_SEAL if it does not open, the code of the check
 *   that was not
 *   met, %VEIL_ERROR_GATEWAY if it tells of an error, %VEIL_ERROR_INVALID_ARGUMENT if no request was sealed
 */
VEIL_EXPORT VeilAnswer *veil_seal_open_answer (VeilSeal *self, GBytes *body, GError **error);

/**
 * veil_seal_open:
 * @self: a seal that was used
 * @body: the whole body of a single answer
 * @error: return location for an error
 *
 * Opens a single answer and verifies nothing but the seal: what comes out is what the enclave, or whoever has its HPKE key, has
 * said to
 * this one request. [method@Veil.Request.verify_response] verifies it.
 *
 * Returns: (transfer full): the plaintext, or %NULL with %VEIL_ERROR_SEAL
 */
VEIL_EXPORT GBytes *veil_seal_open (VeilSeal *self, GBytes *body, GError **error);

/**
 * veil_seal_open_chunked:
 * @self: a seal that was used
 * @body: the whole body of a chunked answer
 * @error: return location for an error
 *
 * Opens a chunked answer, like [method@Veil.Seal.open]. A body without its final chunk, or with chunks in another order, does
 * not open.
 *
 * Returns: (transfer full): the plaintext of all chunks, or %NULL with %VEIL_ERROR_SEAL
 */
VEIL_EXPORT GBytes *veil_seal_open_chunked (VeilSeal *self, GBytes *body, GError **error);

G_END_DECLS
