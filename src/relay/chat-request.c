/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "chat-request.h"

#include "chat-body.h"
#include "keccak.h"

#include <string.h>

static void
update_keccak (const guint8 *data, gsize length, gpointer user_data)
{
  veil_keccak256_update (user_data, data, length);
}

static void
hash_canonical (const VeilChatBody *body, gboolean with_effort, guint8 hash[static VEIL_KECCAK256_SIZE])
{
  VeilKeccak256 keccak;
  VeilJsonWriter *writer;

  veil_keccak256_init (&keccak);
  writer = veil_json_writer_new_sink (VEIL_JSON_CANONICAL, update_keccak, &keccak);
  veil_chat_body_write (body, VEIL_CHAT_FORM_CANONICAL, with_effort, writer);
  g_bytes_unref (veil_json_writer_finish (writer));
  veil_keccak256_digest (&keccak, hash);
}

static GBytes *
build_wire (const VeilChatBody *body)
{
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);

  veil_chat_body_write (body, VEIL_CHAT_FORM_WIRE, TRUE, writer);
  return veil_json_writer_finish (writer);
}

VeilChatRequest *
veil_chat_request_new (const char *body, gsize length, VeilChatRequestFlags flags, GError **error)
{
  gint64 start = g_get_monotonic_time ();
  g_auto(VeilChatBody) parsed = { NULL };
  VeilChatRequest *self;

  if (!veil_chat_body_read (&parsed, body, length, (flags & VEIL_CHAT_REQUEST_OPENAI) != 0, error))
    return NULL;

  self = g_atomic_rc_box_new0 (VeilChatRequest);
  self->wire = build_wire (&parsed);
  hash_canonical (&parsed, TRUE, self->request_hash);
  self->effort_given = parsed.effort != NULL;
  if (self->effort_given)
    hash_canonical (&parsed, FALSE, self->request_hash_plain);
  else
    memcpy (self->request_hash_plain, self->request_hash, sizeof self->request_hash);
  self->model = g_strndup (parsed.model, parsed.model_length);
  self->stream = parsed.stream;
  self->include_usage = parsed.include_usage;
  self->dropped = veil_chat_body_list_dropped (&parsed);
  self->parse_us = g_get_monotonic_time () - start;
  return self;
}

VeilChatRequest *
veil_chat_request_ref (VeilChatRequest *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
veil_chat_request_clear (gpointer data)
{
  VeilChatRequest *self = data;

  g_bytes_unref (self->wire);
  g_free (self->model);
  g_strfreev (self->dropped);
}

void
veil_chat_request_unref (VeilChatRequest *self)
{
  g_atomic_rc_box_release_full (self, veil_chat_request_clear);
}

GBytes *
veil_chat_request_build_canonical (const char *body, gsize length, VeilChatRequestFlags flags, GError **error)
{
  g_auto(VeilChatBody) parsed = { NULL };
  VeilJsonWriter *writer;

  if (!veil_chat_body_read (&parsed, body, length, (flags & VEIL_CHAT_REQUEST_OPENAI) != 0, error))
    return NULL;
  writer = veil_json_writer_new (VEIL_JSON_CANONICAL);
  veil_chat_body_write (&parsed, VEIL_CHAT_FORM_CANONICAL, TRUE, writer);
  return veil_json_writer_finish (writer);
}
