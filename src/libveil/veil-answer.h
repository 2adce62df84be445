/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A verified answer: what may be shown, and the proof. */
#pragma once

#include "veil-macros.h"
#include "veil-verification.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define VEIL_TYPE_ANSWER (veil_answer_get_type ())

/**
 * VeilAnswer:
 *
 * An answer that has passed every check.
 *
 * An object of this class exists only for answers that were received as a whole and verified: there is no state in between and
 * no way to
 * make one by hand.
 *
 * Immutable; may be used from any thread. The text is wiped from memory when the answer is freed.
 */
VEIL_EXPORT
G_DECLARE_FINAL_TYPE (VeilAnswer, veil_answer, VEIL, ANSWER, GObject)

/**
 * VeilAnswer:text: (getter get_text)
 *
 * The verified text, or %NULL if tool calls were signed instead or the text holds a NUL character, which no string can:
 * [method@Veil.Answer.get_content] has it.
 */
/**
 * veil_answer_get_text:
 * @self: an answer
 *
 * Returns: (transfer none) (nullable): the verified text, or %NULL if tool calls were signed instead or the text holds
 * a NUL character, which no string can: [method@Veil.Answer.get_content] has it
 */
VEIL_EXPORT const char *veil_answer_get_text (VeilAnswer *self);

/**
 * VeilAnswer:content: (getter get_content)
 *
 * The verified text as it was hashed, in UTF-8, or %NULL if tool calls were signed instead.
 */
/**
 * veil_answer_get_content:
 * @self: an answer
 *
 * Returns: (transfer none) (nullable): the verified text as it was hashed, in UTF-8, or %NULL if tool calls were signed
 * instead
 */
VEIL_EXPORT GBytes *veil_answer_get_content (VeilAnswer *self);

/**
 * VeilAnswer:tool-calls: (getter get_tool_calls)
 *
 * The verified list of tool calls as JSON, or %NULL if text was signed.
 */
/**
 * veil_answer_get_tool_calls:
 * @self: an answer
 *
 * Returns: (transfer none) (nullable): the verified list of tool calls as JSON, or %NULL if text was signed
 */
VEIL_EXPORT const char *veil_answer_get_tool_calls (VeilAnswer *self);

/**
 * VeilAnswer:finish-reason: (getter get_finish_reason)
 *
 * Why the enclave stopped: `stop`, `length`, `tool_calls`; no signature covers it.
 */
/**
 * veil_answer_get_finish_reason:
 * @self: an answer
 *
 * Returns: (transfer none) (nullable): why the enclave stopped: `stop`, `length`, `tool_calls`; no signature covers it
 */
VEIL_EXPORT const char *veil_answer_get_finish_reason (VeilAnswer *self);

/**
 * VeilAnswer:model: (getter get_model)
 *
 * The model that was asked for.
 */
/**
 * veil_answer_get_model:
 * @self: an answer
 *
 * Returns: (transfer none): the model that was asked for
 */
VEIL_EXPORT const char *veil_answer_get_model (VeilAnswer *self);

/**
 * VeilAnswer:verification: (getter get_verification)
 *
 * What was verified, and how.
 */
/**
 * veil_answer_get_verification:
 * @self: an answer
 *
 * Returns: (transfer none): what was verified, and how
 */
VEIL_EXPORT VeilVerification *veil_answer_get_verification (VeilAnswer *self);

/**
 * veil_answer_to_json:
 * @self: an answer
 *
 * The answer in OpenAI's shape: a `chat.completion` object, whose member `opengradient_verification` holds the proof. What no
 * signature covers is left out or named there, by kind.
 *
 * Returns: (transfer full): one JSON object
 */
VEIL_EXPORT char *veil_answer_to_json (VeilAnswer *self);

/**
 * veil_answer_to_events:
 * @self: an answer
 *
 * The answer as the events of an OpenAI stream, up to `data: [DONE]`, with the proof in the last one before that.
 *
 * Returns: (transfer full): the text of a `text/event-stream`
 */
VEIL_EXPORT char *veil_answer_to_events (VeilAnswer *self);

G_END_DECLS
