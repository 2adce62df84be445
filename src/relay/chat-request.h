/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* From an OpenAI chat body to what is sealed (wire) and what is hashed (canonical): protocol.md section 2. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  VEIL_CHAT_REQUEST_EXACT = 0, /* as the vectors have it: model as given, max_completion_tokens not read */
  VEIL_CHAT_REQUEST_OPENAI = 1 << 0, /* the endpoint's reading: provider/ cut off the model, max_completion_tokens stands in for max_tokens, `stream` read */
} VeilChatRequestFlags;

/* Immutable; reference-counted (atomic). */
typedef struct
{
  GBytes  *wire;            /* owned, wiped: the JSON to seal, "stream": true included for streams */
  guint8   request_hash[32]; /* keccak256 of the canonical text */
  guint8   request_hash_plain[32]; /* the same without reasoning_effort; equal to the first when none was given */
  gboolean effort_given;
  char    *model;           /* owned: as sent */
  gboolean stream;
  gboolean include_usage;   /* stream_options.include_usage */
  GStrv    dropped;         /* owned: top-level fields of the body that are not sent, in source order (null ones are not counted), then
                            those of messages as "messages[].name" */
  gint64   parse_us;        /* what building took */
} VeilChatRequest;

/**
 * veil_chat_request_new:
 * @body: the caller's JSON, UTF-8
 *
 * Pure; safe in any thread.
 *
 * Returns: (transfer full): the request; %NULL with %VEIL_ERROR_INVALID_JSON or %VEIL_ERROR_INVALID_REQUEST (veil_error_get_param() names the
 *   field, as "messages[2].role").
 */
VeilChatRequest *veil_chat_request_new (const char *body, gsize length, VeilChatRequestFlags flags, GError **error);
VeilChatRequest *veil_chat_request_ref (VeilChatRequest *self);
void             veil_chat_request_unref (VeilChatRequest *self);

/* For tests and receipts: the canonical text itself. */
GBytes          *veil_chat_request_build_canonical (const char *body, gsize length, VeilChatRequestFlags flags, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilChatRequest, veil_chat_request_unref)

G_END_DECLS
