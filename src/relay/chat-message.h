/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The messages of a chat request: checked once, then written in their wire or canonical form (protocol.md section 2). */
#pragma once

#include "json-writer.h"

G_BEGIN_DECLS

typedef enum
{
  VEIL_CHAT_FORM_WIRE,      /* full content of user messages */
  VEIL_CHAT_FORM_CANONICAL, /* what is hashed: attachments reduced to their type and file name */
} VeilChatForm;

/**
 * veil_chat_message_check:
 * @index: its place, for the error's param
 * @strict_types: refuse content that OpenAI's API knows no such type of
 *
 * Returns: %TRUE if both forms of @message can be written, or %FALSE with %VEIL_ERROR_INVALID_REQUEST.
 */
gboolean veil_chat_message_check (const VeilJson *message, guint index, gboolean strict_types, GError **error);

/* Of a checked message. */
void     veil_chat_message_write (const VeilJson *message, VeilChatForm form, VeilJsonWriter *writer);

/* TRUE if a checked message's member @key is part of neither form. */
gboolean veil_chat_message_drops (const VeilJson *message, const char *key);

/* Sets %VEIL_ERROR_INVALID_REQUEST with @param. Returns: %FALSE. */
gboolean veil_chat_refuse (GError **error, const char *param, const char *format, ...) G_GNUC_PRINTF (3, 4);

G_END_DECLS
