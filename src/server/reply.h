/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A verified answer in OpenAI's shapes: chat.completion, and the chunks of a stream. Pure; safe in any thread. */
#pragma once

#include "chat-answer.h"
#include "receipt.h"

G_BEGIN_DECLS

typedef struct
{
  const char *model;         /* as sent, for answers that name none */
  gboolean    include_usage; /* stream_options.include_usage: a last frame with usage, "usage": null in the others */
  gboolean    include_proof; /* the last frame with opengradient_verification; include_usage asks for it as well */
  const VeilReceipt *receipt;  /* for member opengradient_receipt, beside the verification; NULL is none */
} VeilReplyOptions;

/* The chat.completion object, verification included. */
GBytes *veil_reply_single (VeilChatAnswer *answer, const VeilReplyOptions *options);

/* All events of the stream up to `data: [DONE]`, in one piece. Deltas come as the gateway cut them; if they do not cover the text exactly, or one would
 * cut a character, the text is one delta. */
GBytes *veil_reply_stream (VeilChatAnswer *answer, const VeilReplyOptions *options);

G_END_DECLS
