/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A stream's replay: server-sent events, written in one pass into one piece of wiped memory. */
#include "reply-fields.h"

#include "secret.h"

#include <string.h>

#define FRAME_OVERHEAD 320 /* about what a frame has beside its text */
#define MAX_FRAMES 100000  /* deltas of a stream that was cut finer are put together: a frame is hundreds of bytes */

typedef struct
{
  VeilChatAnswer *answer;          /* not owned */
  const VeilReplyOptions *options; /* not owned */
  GByteArray *out;                 /* owned; wiped */
  char *head;                      /* owned: "data: {…identity", without the closing brace */
} Stream;

static void
put (Stream *self, const char *text)
{
  veil_secret_byte_array_append (self->out, text, strlen (text));
}

static void
put_json (const guint8 *data, gsize length, gpointer user_data)
{
  Stream *self = user_data;

  veil_secret_byte_array_append (self->out, data, length);
}

static VeilJsonWriter *
open_writer (Stream *self)
{
  return veil_json_writer_new_sink (VEIL_JSON_COMPACT, put_json, self);
}

static void
close_writer (VeilJsonWriter *writer)
{
  g_bytes_unref (veil_json_writer_finish (writer));
}

static void
build_head (Stream *self)
{
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);
  g_autoptr (GBytes) json = NULL;
  gsize length;
  const char *text;

  veil_json_writer_begin_object (writer);
  veil_reply_write_identity (writer, self->answer, self->options, "chat.completion.chunk");
  veil_json_writer_end_object (writer);
  json = veil_json_writer_finish (writer);
  text = g_bytes_get_data (json, &length);
  self->head = g_strdup_printf ("data: %.*s", (int) (length - 1), text);
}

static void
begin_delta (Stream *self)
{
  put (self, self->head);
  put (self, ",\"choices\":[{\"index\":0,\"delta\":");
}

static void
end_delta (Stream *self)
{
  put (self, ",\"logprobs\":null,\"finish_reason\":null}]");
  put (self, self->options->include_usage ? ",\"usage\":null}\n\n" : "}\n\n");
}

static void
put_role (Stream *self)
{
  begin_delta (self);
  put (self, self->answer->tool_calls != NULL || self->answer->content_was_null
                 ? "{\"role\":\"assistant\",\"content\":null,\"refusal\":null}"
                 : "{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}");
  end_delta (self);
}

static void
put_text (Stream *self, const char *text, gsize length)
{
  VeilJsonWriter *writer;

  if (length == 0)
    return;
  begin_delta (self);
  put (self, "{\"content\":");
  writer = open_writer (self);
  veil_json_writer_string_len (writer, text, length);
  close_writer (writer);
  put (self, "}");
  end_delta (self);
}

/* The cuts come from outside: they have to cover the text, in order, without cutting a character. */
static gboolean
cuts_are_good (GArray *deltas, const char *text, gsize length)
{
  gsize position = 0;

  if (deltas == NULL)
    return FALSE;
  for (guint i = 0; i < deltas->len; i++)
    {
      const VeilChatDelta *delta = &g_array_index (deltas, VeilChatDelta, i);

      if (delta->offset != position || delta->length > length - position)
        return FALSE;
      position += delta->length;
      if (position < length && (text[position] & 0xc0) == 0x80)
        return FALSE;
    }
  return position == length;
}

static void
put_content (Stream *self)
{
  GArray *deltas = self->answer->deltas;
  guint step;
  gsize length;
  const char *text = g_bytes_get_data (self->answer->text, &length);

  if (!cuts_are_good (deltas, text, length))
    {
      put_text (self, text, length);
      return;
    }
  step = deltas->len / MAX_FRAMES + 1;
  for (guint i = 0; i < deltas->len; i += step)
    {
      const VeilChatDelta *first = &g_array_index (deltas, VeilChatDelta, i);
      const VeilChatDelta *last = &g_array_index (deltas, VeilChatDelta, MIN (i + step, deltas->len) - 1);

      put_text (self, text + first->offset, last->offset + last->length - first->offset);
    }
}

static void
write_tool_call (VeilJsonWriter *writer, guint index, const VeilJson *call)
{
  const VeilJson *function = veil_json_get_member (call, "function");

  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "index");
  veil_json_writer_uint (writer, index);
  veil_json_writer_key (writer, "id");
  veil_json_writer_value (writer, veil_json_get_member (call, "id"));
  veil_json_writer_key (writer, "type");
  veil_json_writer_value (writer, veil_json_get_member (call, "type"));
  veil_json_writer_key (writer, "function");
  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "name");
  veil_json_writer_value (writer, veil_json_get_member (function, "name"));
  veil_json_writer_key (writer, "arguments");
  veil_json_writer_value (writer, veil_json_get_member (function, "arguments"));
  veil_json_writer_end_object (writer);
  veil_json_writer_end_object (writer);
}

static void
put_tool_calls (Stream *self)
{
  for (guint i = 0; i < veil_json_get_size (self->answer->tool_calls); i++)
    {
      VeilJsonWriter *writer;

      begin_delta (self);
      put (self, "{\"tool_calls\":[");
      writer = open_writer (self);
      write_tool_call (writer, i, veil_json_get_element (self->answer->tool_calls, i));
      close_writer (writer);
      put (self, "]}");
      end_delta (self);
    }
}

/* The chunk with the finish reason; what no signature covers and has no place in a stream of its own rides on it. */
static void
put_finish (Stream *self)
{
  VeilJsonWriter *writer;

  put (self, "data: ");
  writer = open_writer (self);
  veil_json_writer_begin_object (writer);
  veil_reply_write_identity (writer, self->answer, self->options, "chat.completion.chunk");
  veil_json_writer_key (writer, "choices");
  veil_json_writer_begin_array (writer);
  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "index");
  veil_json_writer_uint (writer, 0);
  veil_json_writer_key (writer, "delta");
  veil_json_writer_begin_object (writer);
  veil_reply_write_extras (writer, self->answer, TRUE);
  veil_json_writer_end_object (writer);
  veil_json_writer_key (writer, "logprobs");
  veil_json_writer_null (writer);
  veil_json_writer_key (writer, "finish_reason");
  veil_json_writer_value (writer, self->answer->finish_reason);
  veil_json_writer_end_object (writer);
  veil_json_writer_end_array (writer);
  if (self->options->include_usage)
    {
      veil_json_writer_key (writer, "usage");
      veil_json_writer_null (writer);
    }
  veil_reply_write_extras (writer, self->answer, FALSE);
  veil_json_writer_end_object (writer);
  close_writer (writer);
  put (self, "\n\n");
}

static void
put_usage_and_proof (Stream *self)
{
  VeilJsonWriter *writer;

  put (self, "data: ");
  writer = open_writer (self);
  veil_json_writer_begin_object (writer);
  veil_reply_write_identity (writer, self->answer, self->options, "chat.completion.chunk");
  veil_json_writer_key (writer, "choices");
  veil_json_writer_begin_array (writer);
  veil_json_writer_end_array (writer);
  veil_reply_write_usage (writer, self->answer, TRUE);
  veil_reply_write_proof (writer, self->answer, self->options);
  veil_json_writer_end_object (writer);
  close_writer (writer);
  put (self, "\n\n");
}

GBytes *
veil_reply_stream (VeilChatAnswer *answer, const VeilReplyOptions *options)
{
  gsize text = answer->text != NULL ? g_bytes_get_size (answer->text) : 0;
  gsize frames = 4 + (answer->deltas != NULL ? MIN (answer->deltas->len, MAX_FRAMES) : 1);
  Stream self = { .answer = answer, .options = options, .out = g_byte_array_new () };
  gsize length;
  guint8 *data;

  veil_secret_byte_array_reserve (self.out, text + frames * FRAME_OVERHEAD);
  build_head (&self);
  put_role (&self);
  if (answer->tool_calls != NULL)
    put_tool_calls (&self);
  else if (answer->text != NULL)
    put_content (&self);
  put_finish (&self);
  if (options->include_usage || options->include_proof || options->receipt != NULL)
    put_usage_and_proof (&self);
  put (&self, "data: [DONE]\n\n");
  g_free (self.head);
  data = g_byte_array_steal (self.out, &length);
  g_byte_array_unref (self.out);
  return veil_secret_bytes_new_take (data, length);
}
