/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A checked OpenAI chat body, and the writing of its two forms. */
#pragma once

#include "chat-message.h"

G_BEGIN_DECLS

/* All of it points into @doc. */
typedef struct
{
  VeilJsonDoc    *doc; /* owned */
  const VeilJson *root;
  gboolean        openai; /* the endpoint's reading: see VEIL_CHAT_REQUEST_OPENAI */
  const char     *model;
  gsize           model_length;
  const VeilJson *messages;
  double          temperature;
  const VeilJson *max_tokens;      /* NULL when none is sent, and likewise below */
  gboolean        completion_stood_in; /* max_tokens is the caller's max_completion_tokens */
  const VeilJson *effort;
  const VeilJson *response_format;
  const VeilJson *stop;
  const VeilJson *tool_choice;
  const VeilJson *tools;
  gboolean        web_search;
  gboolean        stream;
  gboolean        include_usage;
} VeilChatBody;

/* FALSE with VEIL_ERROR_INVALID_JSON or VEIL_ERROR_INVALID_REQUEST; @self must be cleared either way. */
gboolean veil_chat_body_read (VeilChatBody *self, const char *text, gsize length, gboolean openai, GError **error);
void     veil_chat_body_clear (VeilChatBody *self);

/* Members in sorted order, as the canonical spelling asks for. */
void     veil_chat_body_write (const VeilChatBody *self, VeilChatForm form, gboolean with_effort, VeilJsonWriter *writer);

/* Names of what neither form holds. */
GStrv    veil_chat_body_list_dropped (const VeilChatBody *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VeilChatBody, veil_chat_body_clear)

G_END_DECLS
