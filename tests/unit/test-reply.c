/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "server-fixture.h"

#include "reply.h"

#include <json-glib/json-glib.h>
#include <string.h>

static const VeilReplyOptions plain = { "gpt-4.1", FALSE, FALSE };
static const VeilReplyOptions with_usage = { "gpt-4.1", TRUE, FALSE };
static const VeilReplyOptions with_proof = { "gpt-4.1", FALSE, TRUE };

static JsonObject *
parse_object (const char *text, gsize length)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;

  json_parser_load_from_data (parser, text, length, &error);
  g_assert_no_error (error);
  return json_object_ref (json_node_get_object (json_parser_get_root (parser)));
}

/* The frames of a stream, which must be well-formed and end with one [DONE]. */
static GPtrArray *
split_stream (GBytes *stream)
{
  g_autofree char *text = g_strndup (g_bytes_get_data (stream, NULL), g_bytes_get_size (stream));
  g_auto (GStrv) events = g_strsplit (text, "\n\n", -1);
  GPtrArray *frames = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  guint n = g_strv_length (events);

  g_assert_cmpstr (events[n - 1], ==, "");
  g_assert_cmpstr (events[n - 2], ==, "data: [DONE]");
  for (guint i = 0; i + 2 < n; i++)
    {
      g_assert_true (g_str_has_prefix (events[i], "data: {"));
      g_ptr_array_add (frames, parse_object (events[i] + 6, strlen (events[i]) - 6));
    }
  return frames;
}

static JsonObject *
get_choice (JsonObject *object)
{
  return json_array_get_object_element (json_object_get_array_member (object, "choices"), 0);
}

static char *
join_content (GPtrArray *frames)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < frames->len; i++)
    {
      JsonObject *frame = g_ptr_array_index (frames, i);

      if (json_array_get_length (json_object_get_array_member (frame, "choices")) > 0)
        {
          JsonObject *delta = json_object_get_object_member (get_choice (frame), "delta");

          if (json_object_has_member (delta, "content") && !json_object_get_null_member (delta, "content"))
            g_string_append (text, json_object_get_string_member (delta, "content"));
        }
    }
  return g_string_free (text, FALSE);
}

static void
test_single (void)
{
  g_autoptr (VeilChatAnswer) answer = fake_answer_new (
      "H\u00e9llo \"you\"\n", 0,
      "{\"id\":\"chatcmpl-x\",\"created\":5,\"model\":\"m\",\"usage\":{\"total_tokens\":3},\"citations\":[1],"
      "\"message.images\":[2],\"choices\":[],\"object\":\"no\",\"opengradient_verification\":{},\"message.content\":\"evil\","
      "\"message.tool_calls\":[]}");
  g_autoptr (GBytes) reply = veil_reply_single (answer, &plain);
  g_autoptr (JsonObject) object = parse_object (g_bytes_get_data (reply, NULL), g_bytes_get_size (reply));
  JsonObject *message = json_object_get_object_member (get_choice (object), "message");

  g_assert_cmpstr (json_object_get_string_member (object, "id"), ==, "chatcmpl-x");
  g_assert_cmpstr (json_object_get_string_member (object, "object"), ==, "chat.completion");
  g_assert_cmpint (json_object_get_int_member (object, "created"), ==, 5);
  g_assert_cmpstr (json_object_get_string_member (object, "model"), ==, "m");
  g_assert_cmpint (json_object_get_int_member (json_object_get_object_member (object, "usage"), "total_tokens"), ==, 3);
  g_assert_true (json_object_has_member (object, "citations"));
  g_assert_cmpstr (json_object_get_string_member (message, "role"), ==, "assistant");
  g_assert_cmpstr (json_object_get_string_member (message, "content"), ==, "H\u00e9llo \"you\"\n");
  g_assert_true (json_object_get_null_member (message, "refusal"));
  g_assert_true (json_object_has_member (message, "images"));
  g_assert_false (json_object_has_member (message, "tool_calls"));
  g_assert_cmpstr (json_object_get_string_member (get_choice (object), "finish_reason"), ==, "stop");
  g_assert_true (json_object_get_boolean_member (json_object_get_object_member (object, "opengradient_verification"), "verified"));
  /* Nothing stands twice, where readers would differ. */
  g_assert_null (strstr (g_bytes_get_data (reply, NULL), "evil"));
  g_assert_null (strstr (g_bytes_get_data (reply, NULL), "\"no\""));
}

static void
test_single_defaults (void)
{
  g_autofree char *long_name = g_strnfill (100000, 'x');
  g_autofree char *extras =
      g_strdup_printf ("{\"id\":\"%s\",\"model\":\"%s\",\"created\":-1,\"usage\":\"many\"}", long_name, long_name);
  g_autoptr (VeilChatAnswer) answer = fake_answer_new ("", 0, extras);
  g_autoptr (GBytes) reply = NULL;
  g_autoptr (JsonObject) object = NULL;

  answer->content_was_null = TRUE;
  reply = veil_reply_single (answer, &plain);
  object = parse_object (g_bytes_get_data (reply, NULL), g_bytes_get_size (reply));
  g_assert_cmpstr (json_object_get_string_member (object, "id"), ==, "chatcmpl-abababababababababababab");
  g_assert_cmpstr (json_object_get_string_member (object, "model"), ==, "gpt-4.1");
  g_assert_cmpint (json_object_get_int_member (object, "created"), ==, 1700000000);
  g_assert_false (json_object_has_member (object, "usage"));
  g_assert_true (json_object_get_null_member (json_object_get_object_member (get_choice (object), "message"), "content"));
}

#define CALLS                                                                                                 \
  "[{\"function\":{\"arguments\":\"{\\\"q\\\":1}\",\"name\":\"f\"},\"id\":\"call_1\",\"type\":\"function\"}," \
  "{\"function\":{\"arguments\":\"\",\"name\":\"g\"},\"id\":null,\"type\":\"function\"}]"

/* What would break a line where it is printed, or take six bytes for one in every chunk. */
static void
test_odd_names (void)
{
  static const char *const odd[] = { "a\\nb", "\\r", "\\u0001", "\\u0000", "\\u001b[2J", "\\u007f", "\\ud800", "" };

  for (gsize i = 0; i < G_N_ELEMENTS (odd); i++)
    {
      g_autofree char *extras = g_strdup_printf ("{\"id\":\"%s\",\"model\":\"%s\"}", odd[i], odd[i]);
      g_autoptr (VeilChatAnswer) answer = fake_answer_new ("x", 0, extras);
      g_autoptr (GBytes) reply = veil_reply_single (answer, &plain);
      g_autoptr (JsonObject) object = parse_object (g_bytes_get_data (reply, NULL), g_bytes_get_size (reply));

      g_assert_cmpstr (json_object_get_string_member (object, "id"), ==, "chatcmpl-abababababababababababab");
      g_assert_cmpstr (json_object_get_string_member (object, "model"), ==, "gpt-4.1");
    }
}

static void
test_single_tools (void)
{
  g_autoptr (VeilChatAnswer) answer = fake_answer_new_tools (CALLS);
  g_autoptr (GBytes) reply = veil_reply_single (answer, &plain);
  g_autoptr (JsonObject) object = parse_object (g_bytes_get_data (reply, NULL), g_bytes_get_size (reply));
  JsonObject *message = json_object_get_object_member (get_choice (object), "message");

  g_assert_true (json_object_get_null_member (message, "content"));
  g_assert_nonnull (strstr (g_bytes_get_data (reply, NULL), "\"tool_calls\":" CALLS));
  g_assert_cmpstr (json_object_get_string_member (get_choice (object), "finish_reason"), ==, "tool_calls");
}

static void
test_stream (void)
{
  g_autoptr (VeilChatAnswer) answer =
      fake_answer_new ("abcdefghij", 5, "{\"usage\":{\"total_tokens\":3},\"moderation\":1,\"message.images\":[2]}");
  g_autoptr (GBytes) stream = veil_reply_stream (answer, &plain);
  g_autoptr (GPtrArray) frames = split_stream (stream);
  g_autofree char *content = join_content (frames);
  JsonObject *first = g_ptr_array_index (frames, 0), *last = g_ptr_array_index (frames, frames->len - 1);
  JsonObject *delta = json_object_get_object_member (get_choice (first), "delta");

  g_assert_cmpuint (frames->len, ==, 1 + 5 + 1);
  g_assert_cmpstr (content, ==, "abcdefghij");
  g_assert_cmpstr (json_object_get_string_member (delta, "role"), ==, "assistant");
  g_assert_true (json_object_get_null_member (get_choice (first), "finish_reason"));
  g_assert_cmpstr (json_object_get_string_member (get_choice (last), "finish_reason"), ==, "stop");
  g_assert_true (json_object_has_member (last, "moderation"));
  g_assert_true (json_object_has_member (json_object_get_object_member (get_choice (last), "delta"), "images"));
  for (guint i = 0; i < frames->len; i++)
    {
      JsonObject *frame = g_ptr_array_index (frames, i);

      g_assert_cmpstr (json_object_get_string_member (frame, "object"), ==, "chat.completion.chunk");
      g_assert_cmpstr (json_object_get_string_member (frame, "id"), ==, "chatcmpl-abababababababababababab");
      g_assert_false (json_object_has_member (frame, "opengradient_verification"));
      g_assert_false (json_object_has_member (frame, "usage"));
    }
}

static void
check_last_frame (const VeilReplyOptions *options)
{
  g_autoptr (VeilChatAnswer) answer = fake_answer_new ("abc", 3, "{\"usage\":{\"total_tokens\":3}}");
  g_autoptr (GBytes) stream = veil_reply_stream (answer, options);
  g_autoptr (GPtrArray) frames = split_stream (stream);
  JsonObject *last = g_ptr_array_index (frames, frames->len - 1), *first = g_ptr_array_index (frames, 0);

  g_assert_cmpuint (json_array_get_length (json_object_get_array_member (last, "choices")), ==, 0);
  g_assert_cmpstr (json_object_get_string_member (last, "object"), ==, "chat.completion.chunk");
  g_assert_true (json_object_has_member (last, "opengradient_verification"));
  g_assert_cmpint (json_object_get_int_member (json_object_get_object_member (last, "usage"), "total_tokens"), ==, 3);
  g_assert_true (json_object_has_member (first, "usage") == options->include_usage);
}

static void
test_stream_last_frame (void)
{
  check_last_frame (&with_usage);
  check_last_frame (&with_proof);
}

static void
test_stream_tools (void)
{
  g_autoptr (VeilChatAnswer) answer = fake_answer_new_tools (CALLS);
  g_autoptr (GBytes) stream = veil_reply_stream (answer, &plain);
  g_autoptr (GPtrArray) frames = split_stream (stream);

  g_assert_cmpuint (frames->len, ==, 1 + 2 + 1);
  for (guint i = 0; i < 2; i++)
    {
      JsonObject *delta = json_object_get_object_member (get_choice (g_ptr_array_index (frames, 1 + i)), "delta");
      JsonObject *call = json_array_get_object_element (json_object_get_array_member (delta, "tool_calls"), 0);
      JsonObject *function = json_object_get_object_member (call, "function");

      g_assert_cmpint (json_object_get_int_member (call, "index"), ==, i);
      g_assert_cmpstr (json_object_get_string_member (call, "type"), ==, "function");
      g_assert_cmpstr (json_object_get_string_member (function, "name"), ==, i == 0 ? "f" : "g");
      g_assert_cmpstr (json_object_get_string_member (function, "arguments"), ==, i == 0 ? "{\"q\":1}" : "");
    }
}

/* Text that looks like the stream's own framing stays text. */
static void
test_stream_framing (void)
{
  const char *text = "data: [DONE]\n\ndata: {\"x\":1}\r\n\r\n: c\r[DONE]\u2028\xc2\x85";
  g_autoptr (VeilChatAnswer) answer = fake_answer_new (text, 1, NULL);
  g_autoptr (GBytes) stream = veil_reply_stream (answer, &plain);
  g_autoptr (GPtrArray) frames = split_stream (stream);
  g_autofree char *content = join_content (frames);

  g_assert_cmpstr (content, ==, text);
  g_assert_cmpuint (frames->len, ==, 3);
}

static void
check_cuts (const VeilChatDelta *deltas, guint n, guint expected)
{
  g_autoptr (VeilChatAnswer) answer = fake_answer_new ("a\u00e9b", 1, NULL); /* 4 bytes */
  g_autoptr (GBytes) stream = NULL;
  g_autoptr (GPtrArray) frames = NULL;
  g_autofree char *content = NULL;

  g_array_set_size (answer->deltas, 0);
  g_array_append_vals (answer->deltas, deltas, n);
  stream = veil_reply_stream (answer, &plain);
  frames = split_stream (stream);
  content = join_content (frames);
  g_assert_cmpstr (content, ==, "a\u00e9b");
  g_assert_cmpuint (frames->len, ==, 2 + expected);
}

static void
test_stream_cuts (void)
{
  check_cuts ((VeilChatDelta[]){ { 0, 1 }, { 1, 2 }, { 3, 0 }, { 3, 1 } }, 4, 3);
  check_cuts ((VeilChatDelta[]){ { 0, 2 }, { 2, 2 } }, 2, 1);         /* through a character */
  check_cuts ((VeilChatDelta[]){ { 0, 1 }, { 3, 1 } }, 2, 1);         /* a gap */
  check_cuts ((VeilChatDelta[]){ { 0, 1 } }, 1, 1);                   /* too short */
  check_cuts ((VeilChatDelta[]){ { 0, 4 }, { 4, 1 } }, 2, 1);         /* too long */
  check_cuts ((VeilChatDelta[]){ { 0, 1 }, { 1, G_MAXSIZE } }, 2, 1); /* far too long */
  check_cuts ((VeilChatDelta[]){ { 1, 1 }, { 0, 3 } }, 2, 1);         /* in another order */
}

static void
test_stream_large (void)
{
  g_autofree char *text = g_strnfill (200000, 'x');
  g_autoptr (VeilChatAnswer) fine = fake_answer_new (text, 10000, NULL);
  g_autoptr (VeilChatAnswer) finer = fake_answer_new (text, 200000, NULL);
  gint64 start = g_get_monotonic_time ();
  g_autoptr (GBytes) stream = veil_reply_stream (fine, &plain);
  gint64 took = g_get_monotonic_time () - start;
  g_autoptr (GPtrArray) frames = split_stream (stream);
  g_autofree char *content = join_content (frames);
  g_autoptr (GBytes) second = veil_reply_stream (finer, &plain);

  g_assert_cmpuint (frames->len, ==, 10002);
  g_assert_cmpstr (content, ==, text);
  g_test_message ("10,000 frames, %" G_GSIZE_FORMAT " bytes: %.1f ms", g_bytes_get_size (stream), took / 1e3);
  /* Cut finer than is good for anybody: put together. */
  g_assert_cmpuint (g_bytes_get_size (second), <, 40u * 1000 * 1000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/reply/single", test_single);
  g_test_add_func ("/reply/single/defaults", test_single_defaults);
  g_test_add_func ("/reply/odd-names", test_odd_names);
  g_test_add_func ("/reply/single/tools", test_single_tools);
  g_test_add_func ("/reply/stream", test_stream);
  g_test_add_func ("/reply/stream/last-frame", test_stream_last_frame);
  g_test_add_func ("/reply/stream/tools", test_stream_tools);
  g_test_add_func ("/reply/stream/framing", test_stream_framing);
  g_test_add_func ("/reply/stream/cuts", test_stream_cuts);
  g_test_add_func ("/reply/stream/large", test_stream_large);
  return g_test_run ();
}
