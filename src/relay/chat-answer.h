/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A verified answer: what may be shown, and the proof. There is no other way to make one than by verification. */
#pragma once

#include "json.h"
#include "proof.h"

G_BEGIN_DECLS

/* A run of the verified text, as one event of the stream brought it. */
typedef struct
{
  gsize offset; /* into VeilChatAnswer.text */
  gsize length;
} VeilChatDelta;

/* A field that is passed on though no signature covers it (id, model, created, usage, images, citations, moderation, cost block). */
typedef struct
{
  const char     *name;  /* static, or of the document */
  const VeilJson *value; /* of VeilChatAnswer.docs */
  gboolean        in_message; /* belongs into choices[0].message (images, citations there), not to the top level */
} VeilChatExtra;

/* Immutable once it is handed out; reference-counted (atomic); wiped with the last reference. */
typedef struct
{
  GPtrArray      *docs;          /* owned, of VeilJsonDoc: keeps what the others point to */
  GBytes         *text;          /* owned: the verified text, UTF-8; NULL when tool calls were signed */
  GArray         *deltas;        /* owned, of VeilChatDelta: how a stream was cut, covering the text exactly; NULL for single answers */
  const VeilJson *tool_calls;    /* of docs: the verified list; NULL when text was signed */
  const VeilJson *finish_reason; /* of docs; string or null */
  gboolean        content_was_null; /* message.content was null or absent: say null, not "" */
  GArray         *extras;        /* owned, of VeilChatExtra */
  VeilProof      *proof;         /* owned */
  VeilTiming      timing;
} VeilChatAnswer;

VeilChatAnswer *veil_chat_answer_new (void);
VeilChatAnswer *veil_chat_answer_ref (VeilChatAnswer *self);
void            veil_chat_answer_unref (VeilChatAnswer *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilChatAnswer, veil_chat_answer_unref)

G_END_DECLS
