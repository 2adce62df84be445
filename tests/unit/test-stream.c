/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "response.h"

#include "signer.h"
#include "vectors.h"
#include "veil-error.h"

static Signer *signer;

/* Pushes @text in pieces of @piece bytes (0: all at once), then finishes. */
static VeilChatAnswer *
read_pieces (const VeilVerifierInput *input, const char *text, gsize length, gsize piece, GError **error)
{
  g_autoptr(VeilStreamReader) reader = veil_stream_reader_new ();

  if (piece == 0)
    piece = MAX (length, 1);
  for (gsize offset = 0; offset < length; offset += piece)
    if (!veil_stream_reader_push (reader, (const guint8 *) text + offset, MIN (piece, length - offset), error))
      {
        g_autoptr(GError) again = NULL;

        /* Once refused, refused for good. */
        g_assert_null (veil_stream_reader_finish (reader, input, &again));
        g_assert_nonnull (again);
        return NULL;
      }
  return veil_stream_reader_finish (reader, input, error);
}

static VeilChatAnswer *
verify (const char *text, GError **error)
{
  VeilVerifierInput input = signer_input (signer);

  return read_pieces (&input, text, strlen (text), 0, error);
}

/* What is replayed: the deltas joined, or the tool calls in canonical spelling. */
static GBytes *
replay (VeilChatAnswer *answer)
{
  GByteArray *joined;
  gsize offset = 0;

  if (answer->tool_calls != NULL)
    {
      g_assert_null (answer->text);
      return veil_json_to_bytes (answer->tool_calls, VEIL_JSON_CANONICAL);
    }
  joined = g_byte_array_new ();
  for (guint i = 0; i < answer->deltas->len; i++)
    {
      VeilChatDelta delta = g_array_index (answer->deltas, VeilChatDelta, i);

      g_assert_cmpuint (delta.offset, ==, offset);
      offset += delta.length;
      g_assert_cmpuint (offset, <=, g_bytes_get_size (answer->text));
      g_byte_array_append (joined, (const guint8 *) g_bytes_get_data (answer->text, NULL) + delta.offset, (guint) delta.length);
    }
  g_assert_cmpuint (offset, ==, g_bytes_get_size (answer->text));
  return g_byte_array_free_to_bytes (joined);
}

static void
assert_replays (VeilChatAnswer *answer, const char *expected)
{
  g_autoptr(GBytes) replayed = replay (answer);

  g_assert_cmpmem (g_bytes_get_data (replayed, NULL), g_bytes_get_size (replayed), expected, strlen (expected));
}

typedef struct
{
  GBytes *der;
  const char *tee_id;
  guint8 request_hash[32];
  guint accepted;
  guint refused;
} VectorRun;

static GByteArray *
join_chunks (JsonObject *entry)
{
  JsonArray *chunks = json_object_get_array_member (entry, "chunks_b64");
  GByteArray *joined = g_byte_array_new ();

  for (guint i = 0; i < json_array_get_length (chunks); i++)
    {
      gsize length;
      g_autofree guchar *chunk = g_base64_decode (json_array_get_string_element (chunks, i), &length);

      g_byte_array_append (joined, chunk, (guint) length);
    }
  return joined;
}

static void
check_verdict (VectorRun *run, const char *name, JsonObject *entry, VeilChatAnswer *answer, GBytes *replayed, const GError *error)
{
  g_autoptr(GBytes) content = vectors_base64 (entry, "content_b64");
  gboolean valid = vectors_boolean (entry, "valid");
  gboolean either = vectors_boolean (entry, "either");

  if (answer == NULL)
    {
      g_assert_error (error, VEIL_ERROR, error->code);
      g_assert_true (veil_error_is_verification (error->code) || error->code == VEIL_ERROR_GATEWAY);
      if (valid && !either && !vectors_boolean (entry, "allow_refuse"))
        g_error ("%s is refused: %s", name, error->message);
      run->refused++;
      return;
    }
  if (!valid && !either)
    g_error ("%s is accepted", name);
  if (content != NULL)
    vectors_assert_equal (name, "content", g_bytes_get_data (replayed, NULL), g_bytes_get_size (replayed), content);
  run->accepted++;
}

static void
check_inner (VectorRun *run, const VeilVerifierInput *input, const char *name, JsonObject *entry)
{
  g_autoptr(GBytes) plaintext = vectors_base64 (entry, "plaintext_b64");
  g_autoptr(GError) error = NULL;
  g_autoptr(VeilChatAnswer) answer =
      veil_response_verify_single (input, g_bytes_get_data (plaintext, NULL), g_bytes_get_size (plaintext), &error);
  g_autoptr(GBytes) replayed = NULL;

  if (answer != NULL)
    replayed = answer->tool_calls != NULL ? replay (answer) : g_bytes_ref (answer->text);
  if (json_object_has_member (entry, "inner_error"))
    {
      JsonObject *expected = json_object_get_object_member (entry, "inner_error");

      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_GATEWAY);
      g_assert_cmpuint (veil_error_get_status (error), ==, json_object_get_int_member (expected, "status"));
    }
  check_verdict (run, name, entry, answer, replayed, error);
}

static void
check_vector (const char *name, JsonObject *entry, gpointer user_data)
{
  static const gsize pieces[] = { 0, 1, 2, 7, 1000 };
  VectorRun *run = user_data;
  VeilVerifierInput input = {
    .tee_id = run->tee_id,
    .signing_key_der = g_bytes_get_data (run->der, NULL),
    .signing_key_length = g_bytes_get_size (run->der),
    .request_hash = run->request_hash,
    .now = 1700000123,
  };
  g_autoptr(GByteArray) text = NULL;
  int first_verdict = 0;

  if (g_str_equal (vectors_string (entry, "kind"), "inner"))
    {
      check_inner (run, &input, name, entry);
      return;
    }
  text = join_chunks (entry);
  for (guint i = 0; i < G_N_ELEMENTS (pieces); i++)
    {
      g_autoptr(GError) error = NULL;
      g_autoptr(VeilChatAnswer) answer = read_pieces (&input, (const char *) text->data, text->len, pieces[i], &error);
      g_autoptr(GBytes) replayed = answer != NULL ? replay (answer) : NULL;

      if (i == 0)
        first_verdict = error != NULL ? error->code : -1;
      g_assert_cmpint (error != NULL ? error->code : -1, ==, first_verdict);
      check_verdict (run, name, entry, answer, replayed, error);
    }
}

static void
test_vectors (void)
{
  g_autoptr(JsonObject) file = vectors_load ("verify-stream.json");
  JsonObject *key = json_object_get_object_member (file, "key");
  g_autoptr(GBytes) der = vectors_base64 (key, "spki_der_b64");
  g_autoptr(GBytes) request = vectors_base64 (file, "canonical_request_b64");
  VectorRun run = { der, vectors_string (key, "tee_id") };

  veil_keccak256 (g_bytes_get_data (request, NULL), g_bytes_get_size (request), run.request_hash);
  vectors_foreach (file, check_vector, &run);
  g_assert_cmpuint (run.accepted, >=, 5 * 37 + 4);
  g_assert_cmpuint (run.refused, >=, 5 * 24 + 11);
}

#define TEXT(text) "{\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}"

/* The signed frame over @output. */
static char *
make_end (const char *output, const char *finish_reason)
{
  g_autofree char *proof = signer_sign (signer, output);

  return g_strdup_printf ("{\"choices\":[{\"delta\":{},\"index\":0,\"finish_reason\":%s}],\"usage\":{\"total_tokens\":3},%s}",
                          finish_reason, proof);
}

/* @start, the signed frame over @output, then @rest. */
static char *
make_stream (const char *start, const char *output, const char *finish_reason, const char *rest)
{
  g_autofree char *end = make_end (output, finish_reason);

  return g_strdup_printf ("%sdata: %s\n\n%s", start, end, rest);
}

static void
test_text (void)
{
  g_autofree char *stream =
      make_stream ("data: {\"id\":\"a\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{\"delta\":"
                   "{\"role\":\"assistant\",\"content\":\"Hel\",\"reasoning\":\"r\"}}]}\n\n"
                   "data: {\"id\":\"b\",\"choices\":[{\"delta\":{\"content\":\"lo\"}}]}\n\n",
                   "Hello", "\"stop\"", "data: [DONE]\n\n");
  g_autoptr(GError) error = NULL;
  g_autoptr(VeilChatAnswer) answer = verify (stream, &error);
  g_autofree char *uncovered = NULL;
  VeilChatExtra *extra;

  g_assert_no_error (error);
  assert_replays (answer, "Hello");
  g_assert_cmpuint (answer->deltas->len, ==, 2);
  g_assert_true (veil_json_equals (answer->finish_reason, "stop"));
  uncovered = g_strjoinv (" ", answer->proof->unsigned_);
  g_assert_cmpstr (uncovered, ==, "id model delta.reasoning finish_reason usage");
  g_assert_cmpuint (answer->extras->len, ==, 3);
  extra = &g_array_index (answer->extras, VeilChatExtra, 0);
  g_assert_cmpstr (extra->name, ==, "id");
  g_assert_true (veil_json_equals (extra->value, "a"));
}

/* However its lines are cut, a stream gives what was signed or nothing. */
static void
test_framing (void)
{
  static const struct
  {
    const char *start;
    gboolean accepted;
  } cases[] = {
    { "data: " TEXT ("Hello") "\n\n", TRUE },
    { "data: " TEXT ("Hello") "\r\r", TRUE },
    { "data: " TEXT ("Hello") "\r\n\r\n", TRUE },
    { "data: " TEXT ("Hel") "\rdata: " TEXT ("lo") "\r\r\n", TRUE },
    { "data:" TEXT ("Hel") "\ndata:" TEXT ("lo") "\n\n", TRUE },
    { "data: {\"choices\":[{\"delta\":\ndata: {\"content\":\"Hello\"}}]}\n\n", TRUE },
    { "data: {\"choices\":[{\"delta\":\rdata: {\"content\":\"Hello\"}}]}\r\r", TRUE },
    { "data: {\"choices\":[{\"delta\":\r\ndata: {\"content\":\"Hello\"}}]}\r\n\r\n", TRUE },
    { "data\ndata: " TEXT ("Hello") "\n\n", TRUE },
    { "data:\n\ndata: " TEXT ("Hello") "\n\n", TRUE },
    { ": data: " TEXT ("x") "\nevent: x\nid: 1\nretry: 2\ndata: " TEXT ("Hello") "\n\n", TRUE },
    { "\xef\xbb\xbf: comment\n\ndata: " TEXT ("Hello") "\n\n", TRUE },
    { "data:  " TEXT ("Hello") "\n\n", TRUE },
    { " data: " TEXT ("x") "\n\ndata: " TEXT ("Hello") "\n\n", TRUE },
    { "Data: " TEXT ("x") "\n\ndata: " TEXT ("Hello") "\n\n", TRUE },
    { "data: " TEXT ("Hello") "\xe2\x80\xa8\n\n", FALSE },
    { "data: {\"choices\":[{\"delta\":{\"content\":\"Hel\rdata: lo\"}}]}\n\n", FALSE },
    { "data: {\"choices\":[{\"delta\":{\"content\":\"Hel\ndata: lo\"}}]}\n\n", FALSE },
    { "data: " TEXT ("Hello") " " TEXT ("x") "\n\n", FALSE },
    { "data: {\"choices\":[\n\ndata: " TEXT ("Hello") "\n\n", FALSE },
    { "data: \ndata: [DONE]\n\ndata: " TEXT ("Hello") "\n\n", FALSE },
    { "data: [DONE]\n\ndata: " TEXT ("Hello") "\n\n", FALSE },
    { "data:  [DONE]\n\ndata: " TEXT ("Hello") "\n\n", FALSE },
    { "data: " TEXT ("Hello") "\n\ndata: [DONE]\n\n", FALSE },
    { "data: " TEXT ("Hello") "\n\ndata: [1]\n\n", FALSE },
    { "data: " TEXT ("Hello") "\n\ndata: \"x\"\n\n", FALSE },
    { "", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *stream = make_stream (cases[i].start, "Hello", "\"stop\"", "data: [DONE]\n\n");

      for (gsize piece = 0; piece <= 3; piece++)
        {
          VeilVerifierInput input = signer_input (signer);
          g_autoptr(GError) error = NULL;
          g_autoptr(VeilChatAnswer) answer = read_pieces (&input, stream, strlen (stream), piece, &error);

          g_test_message ("%s", cases[i].start);
          g_assert_cmpint (answer != NULL, ==, cases[i].accepted);
          if (answer != NULL)
            assert_replays (answer, "Hello");
          else
            g_assert_true (veil_error_is_verification (error->code));
        }
    }
}

static void
test_endings (void)
{
  static const struct
  {
    const char *rest;
    VeilError code; /* 0: accepted */
  } cases[] = {
    { "", 0 },
    { "data: [DONE]", 0 },
    { "data: [DONE]\n\n: bye\n\n", 0 },
    { "data: [DONE]\n\ndata: [DONE]\n\n", 0 },
    { "event: end\n\n", 0 },
    { "data: " TEXT ("more") "\n\n", VEIL_ERROR_NO_SIGNED_FRAME },
    { "data: [DONE]\n\ndata: " TEXT ("more") "\n\n", VEIL_ERROR_NO_SIGNED_FRAME },
    { "data: [DONE]\n\ndata: " TEXT ("more"), VEIL_ERROR_NO_SIGNED_FRAME },
    { "data: {}\n\n", VEIL_ERROR_NO_SIGNED_FRAME },
    { "data: {\"usage\":{}}\n\n", VEIL_ERROR_NO_SIGNED_FRAME },
    { "data: [DONE] \n\n", VEIL_ERROR_MALFORMED_ANSWER },
    { "data: [DONE]\ndata: x\n\n", VEIL_ERROR_MALFORMED_ANSWER },
    { "data: {\"error\":\"late\"}\n\n", VEIL_ERROR_GATEWAY },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *stream = make_stream ("data: " TEXT ("Hello") "\n\n", "Hello", "\"stop\"", cases[i].rest);
      g_autoptr(GError) error = NULL;
      g_autoptr(VeilChatAnswer) answer = verify (stream, &error);

      g_test_message ("%s", cases[i].rest);
      if (cases[i].code == 0)
        assert_replays (answer, "Hello");
      else
        g_assert_error (error, VEIL_ERROR, (int) cases[i].code);
    }
}

static void
test_no_signed_frame (void)
{
  static const char *const streams[] = {
    "",
    "\n\n",
    ": only a comment\n\n",
    "data: [DONE]\n\n",
    "data: " TEXT ("Hello") "\n\ndata: [DONE]\n\n",
    "data: " TEXT ("Hello") "\n\ndata: {\"choices\":[],\"tee_id\":\"x\",\"tee_signature\":null}\n\n",
  };

  for (guint i = 0; i < G_N_ELEMENTS (streams); i++)
    {
      g_autoptr(GError) error = NULL;

      g_assert_null (verify (streams[i], &error));
      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_NO_SIGNED_FRAME);
    }
}

static void
test_refused_frames (void)
{
  static const struct
  {
    const char *frame;
    VeilError code;
  } cases[] = {
    { "{\"error\":\"boom\"}", VEIL_ERROR_GATEWAY },
    { "{\"error\":{\"message\":\"boom\"}}", VEIL_ERROR_GATEWAY },
    { "{\"error\":{}}", VEIL_ERROR_GATEWAY },
    { "{\"error\":\"boom\",\"choices\":[{\"delta\":{\"content\":\"x\"}}]}", VEIL_ERROR_GATEWAY },
    { "{\"choices\":[{\"delta\":{}},{\"delta\":{}}]}", VEIL_ERROR_UNSIGNED_CONTENT },
    { "{\"choices\":[{\"index\":1,\"delta\":{\"content\":\"x\"}}]}", VEIL_ERROR_UNSIGNED_CONTENT },
    { "{\"choices\":[{\"delta\":{\"function_call\":{\"name\":\"f\"}}}]}", VEIL_ERROR_UNSIGNED_CONTENT },
    { "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0}]}}]}", VEIL_ERROR_UNSIGNED_CONTENT },
    { "{\"tool_calls\":[{\"index\":0}]}", VEIL_ERROR_UNSIGNED_CONTENT },
    { "{\"choices\":[{\"delta\":{\"content\":\"x\",\"content\":\"\"}}]}", VEIL_ERROR_UNSIGNED_CONTENT },
    { "{\"choices\":{}}", VEIL_ERROR_MALFORMED_ANSWER },
    { "{\"choices\":[5]}", VEIL_ERROR_MALFORMED_ANSWER },
    { "{\"choices\":[{\"delta\":[]}]}", VEIL_ERROR_MALFORMED_ANSWER },
    { "{\"choices\":[{\"finish_reason\":5}]}", VEIL_ERROR_MALFORMED_ANSWER },
    { "{\"choices\":[{\"finish_reason\":\"stop\\n\\ndata: x\"}]}", VEIL_ERROR_MALFORMED_ANSWER },
    { "{\"choices\":[{\"finish_reason\":\"length\"}]}", VEIL_ERROR_MALFORMED_ANSWER },
    { "{\"choices\":[{\"delta\":{\"content\":5}}]}", VEIL_ERROR_OUTPUT_HASH },
    { "{\"choices\":[{\"delta\":{\"content\":\"\\ud800\"}}]}", VEIL_ERROR_OUTPUT_HASH },
    { "{\"choices\":[{\"delta\":{\"content\":\"!\"}}]}", VEIL_ERROR_OUTPUT_HASH },
    { "{\"choices\":[{\"delta\":{\"tool_calls\":{\"a\":1}}}]}", VEIL_ERROR_MALFORMED_ANSWER },
    { "{\"choices\":[{\"delta\":{\"tool_calls\":[null]}}]}", VEIL_ERROR_MALFORMED_ANSWER },
    { "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":-1}]}}]}", VEIL_ERROR_MALFORMED_ANSWER },
    { "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":null}]}}]}", VEIL_ERROR_MALFORMED_ANSWER },
    { "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"function\":{\"arguments\":{\"a\":1}}}]}}]}", VEIL_ERROR_MALFORMED_ANSWER },
    { "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"function\":\"f\"}]}}]}", VEIL_ERROR_MALFORMED_ANSWER },
    { "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"id\":5}]}}]}", VEIL_ERROR_MALFORMED_ANSWER },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *start = g_strdup_printf ("data: " TEXT ("Hello") "\n\ndata: %s\n\n", cases[i].frame);
      g_autofree char *stream = make_stream (start, "Hello", "\"stop\"", "data: [DONE]\n\n");
      g_autoptr(GError) error = NULL;

      g_test_message ("%s", cases[i].frame);
      g_assert_null (verify (stream, &error));
      g_assert_error (error, VEIL_ERROR, (int) cases[i].code);
    }
}

static void
test_done_in_text (void)
{
  const char *text = "say [DONE]\n\ndata: [DONE]\n\n";
  g_autofree char *stream = make_stream ("data: " TEXT ("say [DONE]") "\n\ndata: " TEXT ("\\n\\ndata: [DONE]\\n\\n") "\n\n", text,
                                         "\"stop\"", "data: [DONE]\n\n");
  g_autoptr(VeilChatAnswer) answer = verify (stream, NULL);

  g_assert_nonnull (answer);
  assert_replays (answer, text);
}

#define FRAGMENT(call) "data: {\"choices\":[{\"delta\":{\"tool_calls\":[" call "]}}]}\n\n"

/* An id that was always null may have been hashed as null or as ""; the form that was signed is the form that is handed on. */
static void
test_null_ids (void)
{
  static const char *const forms[] = {
    "[{\"function\": {\"arguments\": \"{}\", \"name\": \"f\"}, \"id\": null, \"type\": \"function\"}]",
    "[{\"function\": {\"arguments\": \"{}\", \"name\": \"f\"}, \"id\": \"\", \"type\": \"function\"}]",
    "[{\"function\": {\"arguments\": \"{}\", \"name\": \"f\"}, \"id\": \"x\", \"type\": \"function\"}]",
  };
  const char *start = FRAGMENT ("{\"index\":0,\"id\":null,\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}")
      FRAGMENT ("{\"index\":0,\"id\":null,\"function\":{\"arguments\":\"}\"}}");

  for (guint i = 0; i < G_N_ELEMENTS (forms); i++)
    {
      g_autofree char *stream = make_stream (start, forms[i], "\"tool_calls\"", "");
      g_autoptr(GError) error = NULL;
      g_autoptr(VeilChatAnswer) answer = verify (stream, &error);

      if (i < 2)
        assert_replays (answer, forms[i]);
      else
        g_assert_error (error, VEIL_ERROR, VEIL_ERROR_OUTPUT_HASH);
    }
}

/* An absent id is "", and only that. */
static void
test_absent_id_is_not_null (void)
{
  const char *null_form = "[{\"function\": {\"arguments\": \"\", \"name\": \"f\"}, \"id\": null, \"type\": \"function\"}]";
  g_autofree char *absent = make_stream (FRAGMENT ("{\"function\":{\"name\":\"f\"}}"), null_form, "\"tool_calls\"", "");
  g_autofree char *mixed = make_stream (FRAGMENT ("{\"id\":\"\",\"function\":{\"name\":\"f\"}}") FRAGMENT ("{\"id\":null}"),
                                        null_form, "\"tool_calls\"", "");
  g_autoptr(GError) first = NULL;
  g_autoptr(GError) second = NULL;

  g_assert_null (verify (absent, &first));
  g_assert_error (first, VEIL_ERROR, VEIL_ERROR_OUTPUT_HASH);
  g_assert_null (verify (mixed, &second));
  g_assert_error (second, VEIL_ERROR, VEIL_ERROR_OUTPUT_HASH);
}

/* Halves of a surrogate pair in two fragments join as they do in Python, and what is handed on is read from the text that was hashed. */
static void
test_split_surrogates_in_arguments (void)
{
  const char *form =
      "[{\"function\": {\"arguments\": \"\\ud83d\\ude00\", \"name\": \"f\"}, \"id\": \"c\", \"type\": \"function\"}]";
  g_autofree char *stream = make_stream (FRAGMENT ("{\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\"\\ud83d\"}}")
                                             FRAGMENT ("{\"function\":{\"arguments\":\"\\ude00\"}}"),
                                         form, "\"tool_calls\"", "");
  g_autoptr(GError) error = NULL;
  g_autoptr(VeilChatAnswer) answer = verify (stream, &error);
  const VeilJson *arguments;

  g_assert_no_error (error);
  arguments = veil_json_get_member (veil_json_get_member (veil_json_get_element (answer->tool_calls, 0), "function"), "arguments");
  g_assert_true (veil_json_string_is_utf8 (arguments));
  g_assert_true (veil_json_equals (arguments, "\360\237\230\200"));
}

static void
test_text_beside_calls (void)
{
  const char *form = "[{\"function\": {\"arguments\": \"\", \"name\": \"f\"}, \"id\": \"c\", \"type\": \"function\"}]";
  g_autofree char *stream =
      make_stream ("data: " TEXT ("not signed") "\n\n" FRAGMENT ("{\"id\":\"c\",\"function\":{\"name\":\"f\"},\"x\":1}"), form,
                   "\"tool_calls\"", "data: [DONE]\n\n");
  g_autoptr(VeilChatAnswer) answer = verify (stream, NULL);
  const char *const *uncovered;

  g_assert_nonnull (answer);
  assert_replays (answer, form);
  g_assert_null (answer->deltas);
  uncovered = (const char *const *) answer->proof->unsigned_;
  g_assert_true (g_strv_contains (uncovered, "delta.content"));
  g_assert_true (g_strv_contains (uncovered, "delta.tool_calls[].x"));
}

static void
test_too_many_calls (void)
{
  g_autoptr(GString) stream = g_string_new (NULL);
  g_autoptr(GError) error = NULL;

  for (guint i = 0; i < 1025; i++)
    g_string_append_printf (stream, FRAGMENT ("{\"index\":%u}"), i);
  g_assert_null (verify (stream->str, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_MALFORMED_ANSWER);
}

/* Once refused, refused for good. */
static void
test_refusal_stays (void)
{
  g_autoptr(VeilStreamReader) reader = veil_stream_reader_new ();
  g_autofree char *good = make_stream ("data: " TEXT ("Hello") "\n\n", "Hello", "\"stop\"", "data: [DONE]\n\n");
  VeilVerifierInput input = signer_input (signer);
  const char *bad = "data: [1]\n\n";
  g_autoptr(GError) first = NULL;
  g_autoptr(GError) second = NULL;
  g_autoptr(GError) third = NULL;

  g_assert_false (veil_stream_reader_push (reader, (const guint8 *) bad, strlen (bad), &first));
  g_assert_false (veil_stream_reader_push (reader, (const guint8 *) good, strlen (good), &second));
  g_assert_null (veil_stream_reader_finish (reader, &input, &third));
  g_assert_error (second, VEIL_ERROR, first->code);
  g_assert_error (third, VEIL_ERROR, first->code);
}

/* Signed over the bytes that we keep it in: still no text. */
static void
test_lone_surrogate (void)
{
  g_autofree char *stream = make_stream ("data: " TEXT ("\\ud83d") "\n\n", "\xed\xa0\xbd", "\"stop\"", "");
  g_autoptr(GError) error = NULL;

  g_assert_null (verify (stream, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_OUTPUT_HASH);
}

/* Each of these never ends; all must be given up at a bound. */
static void
test_endless (void)
{
  static const struct
  {
    const char *unit;
    VeilError code;
  } cases[] = {
    { "x", VEIL_ERROR_MALFORMED_ANSWER },
    { "data: {..............................................................\n", VEIL_ERROR_MALFORMED_ANSWER },
    { "data: {}\n", VEIL_ERROR_MALFORMED_ANSWER },
    { ": keep alive\n\n", VEIL_ERROR_ANSWER_TOO_LARGE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr(VeilStreamReader) reader = veil_stream_reader_new ();
      g_autoptr(GString) block = g_string_new (NULL);
      g_autoptr(GError) error = NULL;
      gsize pushed = 0;

      while (block->len < 1024 * 1024)
        g_string_append (block, cases[i].unit);
      while (veil_stream_reader_push (reader, (const guint8 *) block->str, block->len, &error))
        g_assert_cmpuint (pushed += block->len, <, 130 * 1024 * 1024);
      g_assert_error (error, VEIL_ERROR, (int) cases[i].code);
    }
}

static void
test_many_frames (void)
{
  g_autoptr(GString) start = g_string_new (NULL);
  g_autoptr(GString) text = g_string_new (NULL);
  g_autofree char *stream = NULL;
  g_autoptr(GError) error = NULL;
  g_autoptr(VeilChatAnswer) answer = NULL;
  gint64 begin;

  for (guint i = 0; i < 10000; i++)
    {
      g_string_append_printf (text, "%u ", i);
      g_string_append_printf (
          start,
          "data: {\"id\":\"x\",\"model\":\"m\",\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"%u \"},"
          "\"index\":0,\"finish_reason\":null}]}\n\n",
          i);
    }
  stream = make_stream (start->str, text->str, "\"stop\"", "data: [DONE]\n\n");
  begin = g_get_monotonic_time ();
  answer = verify (stream, &error);
  g_test_minimized_result ((double) (g_get_monotonic_time () - begin) / 1000, "10000 frames, milliseconds");
  g_assert_no_error (error);
  g_assert_cmpuint (answer->deltas->len, ==, 10000);
  assert_replays (answer, text->str);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  signer = signer_new ();
  g_test_add_func ("/stream/vectors", test_vectors);
  g_test_add_func ("/stream/text", test_text);
  g_test_add_func ("/stream/framing", test_framing);
  g_test_add_func ("/stream/endings", test_endings);
  g_test_add_func ("/stream/no-signed-frame", test_no_signed_frame);
  g_test_add_func ("/stream/refused-frames", test_refused_frames);
  g_test_add_func ("/stream/done-in-text", test_done_in_text);
  g_test_add_func ("/stream/null-ids", test_null_ids);
  g_test_add_func ("/stream/absent-id-is-not-null", test_absent_id_is_not_null);
  g_test_add_func ("/stream/split-surrogates-in-arguments", test_split_surrogates_in_arguments);
  g_test_add_func ("/stream/text-beside-calls", test_text_beside_calls);
  g_test_add_func ("/stream/too-many-calls", test_too_many_calls);
  g_test_add_func ("/stream/refusal-stays", test_refusal_stays);
  g_test_add_func ("/stream/lone-surrogate", test_lone_surrogate);
  g_test_add_func ("/stream/endless", test_endless);
  g_test_add_func ("/stream/many-frames", test_many_frames);
  status = g_test_run ();
  signer_free (signer);
  return status;
}
