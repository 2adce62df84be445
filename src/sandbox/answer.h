/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What the simulated model says to a request. The user's text may hold wishes:
 *
 *   frames:N  the answer has N content frames
 *   bytes:N   the answer is N bytes long
 *   calls:N   N tool calls, when there are tools
 *   slow:MS   waits before it answers
 *
 * With tools, "weather" in the user's text or a tool_choice other than "none" brings a call of the first (or chosen) tool,
 * unless the last message is a tool's result. */
#pragma once

#include "json.h"

G_BEGIN_DECLS

typedef struct
{
  char *id;
  char *name;      /* owned */
  char *arguments; /* owned; JSON text */
} VeilSandboxCall;

typedef struct
{
  char      *id;
  gint64     created;
  char      *model;
  GPtrArray *words;   /* of char *; joined they are the text */
  GPtrArray *calls;   /* of VeilSandboxCall; empty for a text answer */
  guint64    prompt_tokens;
  guint64    completion_tokens;
  guint      delay_ms;
} VeilSandboxAnswer;

VeilSandboxAnswer *veil_sandbox_answer_new (const VeilJson *wire, gsize wire_length);
void               veil_sandbox_answer_free (VeilSandboxAnswer *answer);

/* All words. */
char              *veil_sandbox_answer_get_text (const VeilSandboxAnswer *answer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilSandboxAnswer, veil_sandbox_answer_free)

G_END_DECLS
