/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "chat-request.h"

#include "json-writer.h"
#include "keccak.h"
#include "vectors.h"
#include "veil-error.h"

#include <string.h>

static VeilChatRequest *
build (const char *body, VeilChatRequestFlags flags, GError **error)
{
  return veil_chat_request_new (body, strlen (body), flags, error);
}

/* The canonical spelling of @text, as new bytes. */
static GBytes *
respell (GBytes *text)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(VeilJsonDoc) doc = veil_json_doc_new (g_bytes_get_data (text, NULL), g_bytes_get_size (text), &error);

  g_assert_no_error (error);
  return veil_json_to_bytes (veil_json_doc_get_root (doc), VEIL_JSON_CANONICAL);
}

static void
check_vector (const char *name, JsonObject *entry, gpointer user_data)
{
  g_autoptr(GBytes) body = vectors_base64 (entry, "body_json_b64");
  g_autoptr(GBytes) expected_canonical = vectors_base64 (entry, "canonical_b64");
  g_autoptr(GBytes) expected_wire = vectors_base64 (entry, "wire_canonical_b64");
  g_autoptr(GBytes) expected_hash = vectors_hex (entry, "request_hash_hex");
  g_autoptr(GError) error = NULL;
  g_autoptr(GBytes) canonical = NULL;
  g_autoptr(GBytes) wire = NULL;
  g_autoptr(VeilChatRequest) request =
      veil_chat_request_new (g_bytes_get_data (body, NULL), g_bytes_get_size (body), VEIL_CHAT_REQUEST_EXACT, &error);

  if (request == NULL)
    {
      g_assert_error (error, VEIL_ERROR, error->code);
      if (expected_canonical != NULL && !vectors_boolean (entry, "allow_refuse"))
        g_error ("%s is refused: %s", name, error->message);
      return;
    }
  if (expected_canonical == NULL)
    g_error ("%s is accepted", name);
  canonical =
      veil_chat_request_build_canonical (g_bytes_get_data (body, NULL), g_bytes_get_size (body), VEIL_CHAT_REQUEST_EXACT, &error);
  g_assert_no_error (error);
  wire = respell (request->wire);
  vectors_assert_equal (name, "canonical", g_bytes_get_data (canonical, NULL), g_bytes_get_size (canonical), expected_canonical);
  vectors_assert_equal (name, "wire", g_bytes_get_data (wire, NULL), g_bytes_get_size (wire), expected_wire);
  vectors_assert_equal (name, "hash", request->request_hash, 32, expected_hash);
  vectors_assert_equal (name, "plain hash", request->request_hash_plain, 32, expected_hash);
  g_assert_false (request->stream);
  ++*(guint *) user_data;
}

static void
test_vectors (void)
{
  g_autoptr(JsonObject) file = vectors_load ("build-request.json");
  guint accepted = 0;

  vectors_foreach (file, check_vector, &accepted);
  g_assert_cmpuint (accepted, >=, 243);
}

#define HI "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"

static void
assert_wire (const char *body, VeilChatRequestFlags flags, const char *expected)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(VeilChatRequest) request = build (body, flags, &error);
  g_autofree char *wire = NULL;

  g_assert_no_error (error);
  wire = g_strndup (g_bytes_get_data (request->wire, NULL), g_bytes_get_size (request->wire));
  g_assert_cmpstr (wire, ==, expected);
}

static void
test_openai_reading (void)
{
  const char *body = "{\"model\":\"openai/gpt/4\",\"max_completion_tokens\":7,\"stream\":true," HI "}";

  assert_wire (body, VEIL_CHAT_REQUEST_OPENAI,
               "{\"max_tokens\":7,\"messages\":[{\"content\":\"hi\",\"role\":\"user\"}],\"model\":\"gpt/"
               "4\",\"stream\":true,\"temperature\":0.0}");
  assert_wire (body, VEIL_CHAT_REQUEST_EXACT,
               "{\"messages\":[{\"content\":\"hi\",\"role\":\"user\"}],\"model\":\"openai/gpt/4\",\"temperature\":0.0}");
  assert_wire ("{\"model\":\"m\",\"max_tokens\":null,\"max_completion_tokens\":7,\"stream\":false,\"tool_choice\":\"none\"," HI "}",
               VEIL_CHAT_REQUEST_OPENAI,
               "{\"max_tokens\":7,\"messages\":[{\"content\":\"hi\",\"role\":\"user\"}],\"model\":\"m\",\"temperature\":0.0,"
               "\"tool_choice\":\"none\"}");
  assert_wire ("{\"model\":\"m\",\"max_tokens\":3,\"max_completion_tokens\":7," HI "}", VEIL_CHAT_REQUEST_OPENAI,
               "{\"max_tokens\":3,\"messages\":[{\"content\":\"hi\",\"role\":\"user\"}],\"model\":\"m\",\"temperature\":0.0}");
}

/* The stream flag is sent but not hashed. */
static void
test_stream (void)
{
  g_autoptr(VeilChatRequest) single = build ("{\"model\":\"m\"," HI "}", VEIL_CHAT_REQUEST_OPENAI, NULL);
  g_autoptr(VeilChatRequest) stream =
      build ("{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_usage\":true}," HI "}", VEIL_CHAT_REQUEST_OPENAI,
             NULL);

  g_assert_false (single->stream);
  g_assert_false (single->include_usage);
  g_assert_true (stream->stream);
  g_assert_true (stream->include_usage);
  g_assert_cmpmem (single->request_hash, 32, stream->request_hash, 32);
  g_assert_cmpuint (g_strv_length (stream->dropped), ==, 0);
}

static void
test_effort (void)
{
  const char *body = "{\"model\":\"m\",\"reasoning_effort\":\"high\"," HI "}";
  const char *canonical =
      "{\"messages\": [{\"content\": \"hi\", \"role\": \"user\"}], \"model\": \"m\", \"reasoning_effort\": \"high\", "
      "\"temperature\": 0.0}";
  const char *plain = "{\"messages\": [{\"content\": \"hi\", \"role\": \"user\"}], \"model\": \"m\", \"temperature\": 0.0}";
  g_autoptr(VeilChatRequest) request = build (body, VEIL_CHAT_REQUEST_OPENAI, NULL);
  guint8 hash[32];

  g_assert_true (request->effort_given);
  veil_keccak256 (canonical, strlen (canonical), hash);
  g_assert_cmpmem (request->request_hash, 32, hash, 32);
  veil_keccak256 (plain, strlen (plain), hash);
  g_assert_cmpmem (request->request_hash_plain, 32, hash, 32);
  assert_wire (
      body, VEIL_CHAT_REQUEST_OPENAI,
      "{\"messages\":[{\"content\":\"hi\",\"role\":\"user\"}],\"model\":\"m\",\"reasoning_effort\":\"high\",\"temperature\":0.0}");
  assert_wire ("{\"model\":\"m\",\"reasoning_effort\":\"\"," HI "}", VEIL_CHAT_REQUEST_OPENAI,
               "{\"messages\":[{\"content\":\"hi\",\"role\":\"user\"}],\"model\":\"m\",\"temperature\":0.0}");
}

static void
test_dropped (void)
{
  g_autoptr(VeilChatRequest) request = build (
      "{\"user\":\"bob\",\"model\":\"m\",\"n\":1,\"functions\":[],\"function_call\":\"auto\",\"seed\":null,\"top_p\":0.5,"
      "\"max_tokens\":1,\"max_completion_tokens\":2,\"stream\":true,\"stream_options\":{},\"metadata\":{\"a\":1},\"x\\u0000y\":1,"
      "\"messages\":[{\"role\":\"user\",\"content\":\"hi\",\"name\":\"bob\"},{\"role\":\"user\",\"content\":\"hi\",\"name\":"
      "\"bob\"},"
      "{\"role\":\"function\",\"name\":\"f\",\"content\":\"\"},{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null,"
      "\"tool_calls\":[]}]}",
      VEIL_CHAT_REQUEST_OPENAI, NULL);
  g_autofree char *dropped = g_strjoinv (",", request->dropped);

  g_assert_cmpstr (dropped, ==,
                   "user,n,functions,function_call,top_p,max_completion_tokens,metadata,x\357\277\275y,messages[].name");
  g_assert_null (memmem (g_bytes_get_data (request->wire, NULL), g_bytes_get_size (request->wire), "bob", 3));
}

/* However many fields a caller sends, the list of their names stays short. */
static void
test_dropped_bounded (void)
{
  g_autoptr(GString) body = g_string_new ("{\"model\":\"m\"," HI);
  g_autoptr(VeilChatRequest) request = NULL;

  for (guint i = 0; i < 5000; i++)
    g_string_append_printf (body, ",\"%u%0100u\":1", i, i);
  g_string_append_c (body, '}');
  request = build (body->str, VEIL_CHAT_REQUEST_OPENAI, NULL);
  g_assert_nonnull (request);
  g_assert_cmpuint (g_strv_length (request->dropped), ==, 65);
  for (guint i = 0; i < 65; i++)
    g_assert_cmpuint (strlen (request->dropped[i]), <, 80);
}

static void
test_refused (void)
{
  static const struct
  {
    const char *body;
    const char *param;
    gboolean exact_accepts;
  } cases[] = {
    { "[]", NULL },
    { "{" HI "}", "model" },
    { "{\"model\":\"openai/\"," HI "}", "model", TRUE },
    { "{\"model\":\"a\\u0000b\"," HI "}", "model" },
    { "{\"model\":\"a\\ud800b\"," HI "}", "model" },
    { "{\"model\":\"m\"}", "messages" },
    { "{\"model\":\"m\",\"messages\":{}}", "messages" },
    { "{\"model\":\"m\",\"messages\":[\"x\"]}", "messages[0]" },
    { "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"\"},{\"role\":\"nobody\"}]}", "messages[1].role" },
    { "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":5}]}", "messages[0].content" },
    { "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":{}}]}", "messages[0].content" },
    { "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":5}]}", "messages[0].content", TRUE },
    { "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[5]}]}", "messages[0].content[0]" },
    { "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[\"\",{\"type\":\"text\",\"text\":5}]}]}",
      "messages[0].content[1]" },
    { "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"file\",\"filename\":5}]}]}",
      "messages[0].content[0]" },
    { "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[5]}]}", "messages[0].tool_calls" },
    { "{\"model\":\"m\",\"temperature\":\"0.5\"," HI "}", "temperature" },
    { "{\"model\":\"m\",\"temperature\":true," HI "}", "temperature" },
    { "{\"model\":\"m\",\"max_tokens\":\"7\"," HI "}", "max_tokens", TRUE },
    { "{\"model\":\"m\",\"max_tokens\":7.5," HI "}", "max_tokens", TRUE },
    { "{\"model\":\"m\",\"max_completion_tokens\":\"7\"," HI "}", "max_completion_tokens", TRUE },
    { "{\"model\":\"m\",\"tools\":{\"a\":1}," HI "}", "tools" },
    { "{\"model\":\"m\",\"tools\":{}," HI "}", "tools", TRUE },
    { "{\"model\":\"m\",\"tool_choice\":5," HI "}", "tool_choice", TRUE },
    { "{\"model\":\"m\",\"response_format\":\"json\"," HI "}", "response_format", TRUE },
    { "{\"model\":\"m\",\"stop\":[1]," HI "}", "stop", TRUE },
    { "{\"model\":\"m\",\"stop\":5," HI "}", "stop", TRUE },
    { "{\"model\":\"m\",\"reasoning_effort\":3," HI "}", "reasoning_effort", TRUE },
    { "{\"model\":\"m\",\"n\":2," HI "}", "n", TRUE },
    { "{\"model\":\"m\",\"n\":1.0," HI "}", "n", TRUE },
    { "{\"model\":\"m\",\"n\":0," HI "}", "n", TRUE },
    { "{\"model\":\"m\",\"stream\":\"true\"," HI "}", "stream", TRUE },
    { "{\"model\":\"m\",\"stream\":1," HI "}", "stream", TRUE },
    { "{\"model\":\"m\",\"stream_options\":true," HI "}", "stream_options", TRUE },
    { "{\"model\":\"m\",\"stream_options\":{\"include_usage\":1}," HI "}", "stream_options.include_usage", TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(GError) error = NULL;
      g_autoptr(VeilChatRequest) request = build (cases[i].body, VEIL_CHAT_REQUEST_OPENAI, &error);
      g_autoptr(VeilChatRequest) exact = build (cases[i].body, VEIL_CHAT_REQUEST_EXACT, NULL);

      g_test_message ("%s", cases[i].body);
      g_assert_null (request);
      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_REQUEST);
      g_assert_cmpstr (veil_error_get_param (error), ==, cases[i].param);
      g_assert_cmpint (exact != NULL, ==, cases[i].exact_accepts);
    }
}

static void
test_not_json (void)
{
  static const char *const bodies[] = {
    "", "{", "{\"model\":NaN}", "{} x", "{\"model\":\"m\",}", "{\"model\":\"\xff\"}", "{\"a\":1e999}"
  };

  for (guint i = 0; i < G_N_ELEMENTS (bodies); i++)
    {
      g_autoptr(GError) error = NULL;

      g_assert_null (build (bodies[i], VEIL_CHAT_REQUEST_OPENAI, &error));
      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_JSON);
    }
}

/* Attachments are sent in full and hashed as their type, so hashing them costs nothing and a change of one byte is the enclave's to see. */
static void
test_large_attachment (void)
{
  gsize size = 8 * 1024 * 1024;
  g_autofree char *data = g_strnfill (size, 'A');
  g_autofree char *body =
      g_strdup_printf ("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{"
                       "\"url\":\"data:image/png;base64,%s\"}}]}]}",
                       data);
  g_autoptr(GBytes) canonical = veil_chat_request_build_canonical (body, strlen (body), VEIL_CHAT_REQUEST_OPENAI, NULL);
  g_autoptr(VeilChatRequest) request = build (body, VEIL_CHAT_REQUEST_OPENAI, NULL);

  g_assert_cmpuint (g_bytes_get_size (canonical), <, 200);
  g_assert_cmpuint (g_bytes_get_size (request->wire), >, size);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/chat-request/vectors", test_vectors);
  g_test_add_func ("/chat-request/openai-reading", test_openai_reading);
  g_test_add_func ("/chat-request/stream", test_stream);
  g_test_add_func ("/chat-request/effort", test_effort);
  g_test_add_func ("/chat-request/dropped", test_dropped);
  g_test_add_func ("/chat-request/dropped-bounded", test_dropped_bounded);
  g_test_add_func ("/chat-request/refused", test_refused);
  g_test_add_func ("/chat-request/not-json", test_not_json);
  g_test_add_func ("/chat-request/large-attachment", test_large_attachment);
  return g_test_run ();
}
