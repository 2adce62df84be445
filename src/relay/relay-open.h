/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* From the sealed body of an answer to a verified one. Pure; safe in any thread. */
#pragma once

#include "chat-answer.h"
#include "chat-request.h"
#include "tee.h"

G_BEGIN_DECLS

/**
 * veil_relay_open_answer:
 * @context: what sealed @request for @tee
 * @body: single or chunked, by what @request asked for
 * @sandbox: the proof says so
 *
 * Returns: (transfer full): the answer with a complete proof and the timing's parse, open and verify; %NULL with a verification code or
 *   %VEIL_ERROR_GATEWAY. A seal that does not open is told before anything that its chunks held.
 */
VeilChatAnswer *veil_relay_open_answer (VeilOhttpClient *context, VeilTee *tee, VeilChatRequest *request, GBytes *body, gboolean sandbox,
                                        GError **error);

/**
 * veil_relay_verify_answer:
 * @plaintext: what came out of a seal that somebody else has opened
 * @now: seconds since 1970
 *
 * The second half of veil_relay_open_answer().
 */
VeilChatAnswer *veil_relay_verify_answer (VeilTee *tee, VeilChatRequest *request, GBytes *plaintext, gint64 now, gboolean sandbox,
                                          GError **error);

G_END_DECLS
