/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Opened answers of the gateway, single and streamed: reading them, verifying them, and deciding what may be passed on
 * (protocol.md sections 4 and 5; the kinds of unsigned content: product.md section 3). Pure; safe in any thread. */
#pragma once

#include "chat-answer.h"
#include "verifier.h"

G_BEGIN_DECLS

/**
 * veil_response_verify_single:
 * @plaintext: what came out of the seal: the response object, or {"status","body"}
 *
 * Returns: (transfer full): the answer, with proof.{hashes,timestamp,signature,signed_,unsigned_} set and the rest left to the caller; %NULL with a
 *   verification code, or %VEIL_ERROR_GATEWAY for an error inside the seal (a status of 400 and more, or an "error" member).
 */
VeilChatAnswer *veil_response_verify_single (const VeilVerifierInput *input, const guint8 *plaintext, gsize length, GError **error);

/* Reads the events of a stream as they are opened, in pieces of any size, then verifies the whole. */
typedef struct _VeilStreamReader VeilStreamReader;

VeilStreamReader *veil_stream_reader_new (void);
void              veil_stream_reader_free (VeilStreamReader *self); /* wipes */
/* FALSE with VEIL_ERROR_MALFORMED_ANSWER, NO_SIGNED_FRAME (something after it), OUTPUT_HASH (content that cannot have been hashed), UNSIGNED_CONTENT,
 * ANSWER_TOO_LARGE or GATEWAY (an error frame). Once refused, every later call gives the same error. */
gboolean          veil_stream_reader_push (VeilStreamReader *self, const guint8 *data, gsize length, GError **error);
VeilChatAnswer   *veil_stream_reader_finish (VeilStreamReader *self, const VeilVerifierInput *input, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilStreamReader, veil_stream_reader_free)

G_END_DECLS
