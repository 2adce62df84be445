/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "reply-fields.h"

#include "hex.h"

#include <string.h>

#define MAX_NAME 256 /* bytes of an id or model: they are in every chunk of a stream */

const VeilJson *
veil_reply_find_extra (VeilChatAnswer *answer, const char *name, VeilJsonType type)
{
  for (guint i = 0; answer->extras != NULL && i < answer->extras->len; i++)
    {
      const VeilChatExtra *extra = &g_array_index (answer->extras, VeilChatExtra, i);

      if (!extra->in_message && g_str_equal (extra->name, name) && veil_json_is (extra->value, type))
        return extra->value;
    }
  return NULL;
}

/* Nothing that takes more room in a reply than it has bytes, or that breaks a line where somebody prints it. */
static gboolean
is_short_name (const VeilJson *value)
{
  gsize length;
  const char *text = veil_json_get_string (value, &length);

  if (text == NULL || length == 0 || length > MAX_NAME || !veil_json_string_is_utf8 (value))
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (g_ascii_iscntrl (text[i]))
      return FALSE;
  return TRUE;
}

static void
write_model (VeilJsonWriter *writer, VeilChatAnswer *answer, const char *asked)
{
  const VeilJson *given = veil_reply_find_extra (answer, "model", VEIL_JSON_STRING);
  gsize length = strlen (asked);

  if (is_short_name (given))
    {
      veil_json_writer_value (writer, given);
      return;
    }
  if (length > MAX_NAME)
    for (length = MAX_NAME; length > 0 && (asked[length] & 0xc0) == 0x80; length--)
      ;
  veil_json_writer_string_len (writer, asked, length);
}

static void
write_id (VeilJsonWriter *writer, VeilChatAnswer *answer)
{
  const VeilJson *given = veil_reply_find_extra (answer, "id", VEIL_JSON_STRING);
  char id[9 + 24 + 1] = "chatcmpl-";

  if (is_short_name (given))
    {
      veil_json_writer_value (writer, given);
      return;
    }
  veil_hex_encode (answer->proof->request_hash, 12, id + 9);
  veil_json_writer_string (writer, id);
}

void
veil_reply_write_identity (VeilJsonWriter *writer, VeilChatAnswer *answer, const VeilReplyOptions *options, const char *object)
{
  guint64 created = answer->proof->timestamp;

  veil_json_writer_key (writer, "id");
  write_id (writer, answer);
  veil_json_writer_key (writer, "object");
  veil_json_writer_string (writer, object);
  veil_json_writer_key (writer, "created");
  veil_json_get_uint64 (veil_reply_find_extra (answer, "created", VEIL_JSON_INTEGER), &created);
  veil_json_writer_uint (writer, created);
  veil_json_writer_key (writer, "model");
  write_model (writer, answer, options->model);
}

void
veil_reply_write_extras (VeilJsonWriter *writer, VeilChatAnswer *answer, gboolean in_message)
{
  /* Whatever an extra is called, it never stands beside or in place of what is written from the verified data. */
  static const char *const of_answer[] = {
    "id", "object", "created", "model", "choices", "usage", "opengradient_verification", "opengradient_receipt", NULL
  };
  static const char *const of_message[] = { "role", "content", "refusal", "tool_calls", "function_call", NULL };
  const char *const *reserved = in_message ? of_message : of_answer;

  for (guint i = 0; answer->extras != NULL && i < answer->extras->len; i++)
    {
      const VeilChatExtra *extra = &g_array_index (answer->extras, VeilChatExtra, i);

      if (!extra->in_message != !in_message || g_strv_contains (reserved, extra->name))
        continue;
      veil_json_writer_key (writer, extra->name);
      veil_json_writer_value (writer, extra->value);
    }
}

void
veil_reply_write_usage (VeilJsonWriter *writer, VeilChatAnswer *answer, gboolean or_null)
{
  const VeilJson *usage = veil_reply_find_extra (answer, "usage", VEIL_JSON_OBJECT);

  if (usage == NULL && !or_null)
    return;
  veil_json_writer_key (writer, "usage");
  veil_json_writer_value (writer, usage);
}

void
veil_reply_write_proof (VeilJsonWriter *writer, VeilChatAnswer *answer, const VeilReplyOptions *options)
{
  veil_json_writer_key (writer, "opengradient_verification");
  veil_proof_write_json (answer->proof, writer);
  if (options->receipt == NULL)
    return;
  veil_json_writer_key (writer, "opengradient_receipt");
  veil_receipt_write_json (options->receipt, writer);
}

static void
write_message (VeilJsonWriter *writer, VeilChatAnswer *answer)
{
  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "role");
  veil_json_writer_string (writer, "assistant");
  veil_json_writer_key (writer, "content");
  if (answer->tool_calls != NULL || answer->text == NULL || answer->content_was_null)
    veil_json_writer_null (writer);
  else
    {
      gsize length;
      const char *text = g_bytes_get_data (answer->text, &length);

      veil_json_writer_string_len (writer, length > 0 ? text : "", length);
    }
  veil_json_writer_key (writer, "refusal");
  veil_json_writer_null (writer);
  if (answer->tool_calls != NULL)
    {
      veil_json_writer_key (writer, "tool_calls");
      veil_json_writer_value (writer, answer->tool_calls);
    }
  veil_reply_write_extras (writer, answer, TRUE);
  veil_json_writer_end_object (writer);
}

GBytes *
veil_reply_single (VeilChatAnswer *answer, const VeilReplyOptions *options)
{
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);

  veil_json_writer_begin_object (writer);
  veil_reply_write_identity (writer, answer, options, "chat.completion");
  veil_json_writer_key (writer, "choices");
  veil_json_writer_begin_array (writer);
  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "index");
  veil_json_writer_uint (writer, 0);
  veil_json_writer_key (writer, "message");
  write_message (writer, answer);
  veil_json_writer_key (writer, "logprobs");
  veil_json_writer_null (writer);
  veil_json_writer_key (writer, "finish_reason");
  veil_json_writer_value (writer, answer->finish_reason);
  veil_json_writer_end_object (writer);
  veil_json_writer_end_array (writer);
  veil_reply_write_usage (writer, answer, FALSE);
  veil_reply_write_extras (writer, answer, FALSE);
  veil_reply_write_proof (writer, answer, options);
  veil_json_writer_end_object (writer);
  return veil_json_writer_finish (writer);
}
