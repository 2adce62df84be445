/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* From an OpenAI chat body to what is sealed and what is hashed (protocol.md section 2). */
#pragma once

#include "veil-answer.h"
#include "veil-enclave.h"
#include "veil-macros.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define VEIL_TYPE_REQUEST (veil_request_get_type ())

/**
 * VeilRequest:
 *
 * A chat request: what is sealed for the enclave, and the hash that the enclave will sign.
 *
 * The body of an OpenAI chat completion is reduced to what enclaves understand; nothing else of it is sent, and
 * [property@Veil.Request:dropped-fields] names what was left out.
 *
 * ```python
 * request = Veil.Request.new('{"model": "gpt-4.1", "messages": [{"role": "user", "content": "Hello!"}]}')
 * print(request.get_hash(), request.get_dropped_fields())
 * ```
 *
 * Immutable; may be used from any thread.
 */
VEIL_EXPORT
G_DECLARE_FINAL_TYPE (VeilRequest, veil_request, VEIL, REQUEST, GObject)

/**
 * veil_request_new:
 * @body: an OpenAI chat body, as JSON
 * @error: return location for an error
 *
 * Reads a chat body, strictly: what JSON does not allow and what enclaves would read in another way is refused, never changed.
 *
 * A `provider/` in front of the model is cut off, `max_completion_tokens` stands in for an absent `max_tokens`, and `stream`
 * says whether a
 * stream is asked for.
 *
 * Returns: (transfer full): the request, or %NULL with %VEIL_ERROR_INVALID_JSON or %VEIL_ERROR_INVALID_REQUEST
 *   ([func@Veil.Error.get_param] then names the field)
 */
VEIL_EXPORT VeilRequest *veil_request_new (const char *body, GError **error);

/**
 * veil_request_new_for_prompt:
 * @model: the model, with or without its provider
 * @prompt: what the user says
 * @error: return location for an error
 *
 * Makes a request of one message. For anything more, write the body and use [ctor@Veil.Request.new].
 *
 * Returns: (transfer full): the request, or %NULL with %VEIL_ERROR_INVALID_ARGUMENT or %VEIL_ERROR_INVALID_REQUEST
 */
VEIL_EXPORT VeilRequest *veil_request_new_for_prompt (const char *model, const char *prompt, GError **error);

/**
 * VeilRequest:hash: (getter get_hash)
 *
 * The Keccak-256 of the canonical text, which the enclave signs: `0x` and 64 digits.
 */
/**
 * veil_request_get_hash:
 * @self: a request
 *
 * Returns: (transfer none): the Keccak-256 of the canonical text, which the enclave signs: `0x` and 64 digits
 */
VEIL_EXPORT const char *veil_request_get_hash (VeilRequest *self);

/**
 * VeilRequest:hash-without-effort: (getter get_hash_without_effort)
 *
 * The hash that enclaves sign which do not know `reasoning_effort`; the same as the other if none was given.
 */
/**
 * veil_request_get_hash_without_effort:
 * @self: a request
 *
 * Returns: (transfer none): the hash that enclaves sign which do not know `reasoning_effort`; the same as the other if
 * none was given
 */
VEIL_EXPORT const char *veil_request_get_hash_without_effort (VeilRequest *self);

/**
 * VeilRequest:wire: (getter get_wire)
 *
 * The JSON to seal, without padding.
 */
/**
 * veil_request_get_wire:
 * @self: a request
 *
 * Returns: (transfer none): the JSON to seal, without padding
 */
VEIL_EXPORT GBytes *veil_request_get_wire (VeilRequest *self);

/**
 * VeilRequest:canonical: (getter get_canonical)
 *
 * The canonical text, whose hash is signed.
 */
/**
 * veil_request_get_canonical:
 * @self: a request
 *
 * Returns: (transfer none): the canonical text, whose hash is signed
 */
VEIL_EXPORT GBytes *veil_request_get_canonical (VeilRequest *self);

/**
 * VeilRequest:model: (getter get_model)
 *
 * The model as it is sent.
 */
/**
 * veil_request_get_model:
 * @self: a request
 *
 * Returns: (transfer none): the model as it is sent
 */
VEIL_EXPORT const char *veil_request_get_model (VeilRequest *self);

/**
 * VeilRequest:stream: (getter get_stream)
 *
 * Whether a stream was asked for.
 */
/**
 * veil_request_get_stream:
 * @self: a request
 *
 * Returns: whether a stream was asked for
 */
VEIL_EXPORT gboolean veil_request_get_stream (VeilRequest *self);

/**
 * VeilRequest:dropped-fields: (getter get_dropped_fields)
 *
 * Names of the fields that are not sent; those of messages as `messages[].name`.
 */
/**
 * veil_request_get_dropped_fields:
 * @self: a request
 *
 * Returns: (transfer none) (array zero-terminated=1): names of the fields that are not sent; those of messages as
 * `messages[].name`
 */
VEIL_EXPORT const char *const *veil_request_get_dropped_fields (VeilRequest *self);

/**
 * veil_request_verify_response:
 * @self: what was asked
 * @enclave: who was asked
 * @response: the opened response: for a single answer the JSON object, for a stream all of its events
 * @at: when it was received, in seconds since 1970, or -1 for now; answers that were signed more than ten minutes earlier or
 *   later are refused
 * @error: return location for an error
 *
 * Verifies a response that was obtained in some other way: enclave, request hash, output hash, signature and time, and that it
 * holds no
 * content that must be covered by the signature and is not.
 *
 * Returns: (transfer full): the answer with its proof, or %NULL with the code of the check that was not met
 *   ([func@Veil.Error.is_verification]), or with %VEIL_ERROR_GATEWAY if the response tells of an error, or with
 *   %VEIL_ERROR_INVALID_ARGUMENT if @at is no time of a clock
 */
VEIL_EXPORT VeilAnswer *veil_request_verify_response (VeilRequest *self, VeilEnclave *enclave, GBytes *response, gint64 at,
                                                      GError **error);

G_END_DECLS
