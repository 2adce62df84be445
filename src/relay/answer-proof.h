/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* From the outputs that an answer may have to the one that was signed. */
#pragma once

#include "chat-answer.h"
#include "output.h"
#include "verifier.h"

G_BEGIN_DECLS

/**
 * veil_chat_answer_verify:
 * @signed_object: the object with the tee_* members
 * @outputs: the candidates
 *
 * The signature check. The answer must still go through veil_coverage_finish() before it is handed out.
 *
 * Returns: (transfer full): an answer with text or tool calls that are exactly the bytes that were hashed, and what the signature
 *   proves; %NULL with a verification code.
 */
VeilChatAnswer *veil_chat_answer_verify (const VeilVerifierInput *input, const VeilJson *signed_object, const VeilOutput *outputs,
                                         guint n_outputs, GError **error);

G_END_DECLS
