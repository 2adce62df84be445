/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "fetch.h"
#include "relay-client.h"
#include "seal-pool.h"
#include "test-enclave.h"
#include "test-peer.h"
#include "veil-error.h"

#include <string.h>

#define TOKEN "SECRET.TOKEN-1"
#define SINGLE_TYPE "Content-Type: message/ohttp-res\r\n"
#define STREAM_TYPE "Content-Type: message/ohttp-chunked-res\r\n"
#define CAP (256 * 1024)

static TestEnclave *enclave;
static TestEnclave *other_enclave;

typedef struct _Fixture Fixture;
typedef gboolean (*Reply) (Fixture *fixture, const TestPeerRequest *request, GSocketConnection *connection);

struct _Fixture
{
  TestPeer *peer;
  SoupSession *session;
  VeilRelayClient *client;
  VeilChatRequest *single;
  VeilChatRequest *stream;
  VeilRelayLimits limits;

  /* What the peer says, and what it was asked. */
  Reply reply;
  const char *text;         /* for Reply functions to use */
  VeilChatRequest *request; /* that is under way; owned elsewhere */
  GMutex mutex;
  GPtrArray *heads; /* of char */
  GPtrArray *encs;  /* of char: hex */
};

static gboolean
on_request (TestPeer *peer, const TestPeerRequest *request, GSocketConnection *connection, gpointer user_data)
{
  Fixture *fixture = user_data;
  const guint8 *data = g_bytes_get_data (request->body, NULL);
  GString *enc = g_string_new (NULL);

  for (gsize i = 7; i < 39 && i < g_bytes_get_size (request->body); i++)
    g_string_append_printf (enc, "%02x", data[i]);
  g_mutex_lock (&fixture->mutex);
  g_ptr_array_add (fixture->heads, g_strdup (request->head));
  g_ptr_array_add (fixture->encs, g_string_free (enc, FALSE));
  g_mutex_unlock (&fixture->mutex);
  return fixture->reply (fixture, request, connection);
}

static VeilChatRequest *
build_request (const char *rest)
{
  g_autofree char *body =
      g_strdup_printf ("{\"model\":\"openai/gpt-4.1\",\"messages\":[{\"role\":\"user\",\"content\":\"Say hi\"}],\"user\":\"me\"%s}",
                       rest);
  g_autoptr (GError) error = NULL;
  VeilChatRequest *request = veil_chat_request_new (body, strlen (body), VEIL_CHAT_REQUEST_OPENAI, &error);

  g_assert_no_error (error);
  return request;
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  const VeilRelayLimits *limits = data;

  g_mutex_init (&fixture->mutex);
  fixture->heads = g_ptr_array_new_with_free_func (g_free);
  fixture->encs = g_ptr_array_new_with_free_func (g_free);
  fixture->peer = test_peer_new (on_request, fixture);
  fixture->session = veil_fetch_session_new ();
  fixture->client = veil_relay_client_new (fixture->session, test_peer_get_url (fixture->peer), limits);
  fixture->single = build_request ("");
  fixture->stream = build_request (",\"stream\":true");
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_assert_finalize_object (fixture->client);
  soup_session_abort (fixture->session);
  g_object_unref (fixture->session);
  test_peer_free (fixture->peer);
  veil_chat_request_unref (fixture->single);
  veil_chat_request_unref (fixture->stream);
  g_ptr_array_unref (fixture->heads);
  g_ptr_array_unref (fixture->encs);
  g_mutex_clear (&fixture->mutex);
}

typedef struct
{
  gboolean done;
  VeilChatAnswer *answer;
  GError *error;
} Outcome;

static void
on_sent (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Outcome *outcome = user_data;

  outcome->answer = veil_relay_client_send_finish (VEIL_RELAY_CLIENT (source), result, &outcome->error);
  outcome->done = TRUE;
}

static VeilChatAnswer *
exchange_with (Fixture *fixture, TestEnclave *whom, VeilChatRequest *request, GError **error)
{
  Outcome outcome = { 0 };

  fixture->request = request;
  veil_relay_client_send_async (fixture->client, test_enclave_get_tee (whom), request, TOKEN, NULL, on_sent, &outcome);
  g_assert_false (outcome.done);
  TEST_ITERATE_UNTIL (outcome.done);
  g_assert_true ((outcome.answer == NULL) == (outcome.error != NULL));
  if (outcome.error != NULL)
    g_propagate_error (error, outcome.error);
  return outcome.answer;
}

static VeilChatAnswer *
exchange (Fixture *fixture, VeilChatRequest *request, GError **error)
{
  return exchange_with (fixture, enclave, request, error);
}

static void
assert_error_is (const GError *error, int code, const char *says)
{
  g_assert_error (error, VEIL_ERROR, code);
  if (says != NULL && strstr (error->message, says) == NULL)
    g_error ("“%s” does not say “%s”", error->message, says);
  g_assert_null (strstr (error->message, "SECRET"));
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  for (const char *c = error->message; *c != '\0'; c = g_utf8_next_char (c))
    g_assert_true (g_unichar_isprint (g_utf8_get_char (c)));
}

static void
assert_fails (Fixture *fixture, VeilChatRequest *request, int code, const char *says)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilChatAnswer) answer = exchange (fixture, request, &error);

  g_assert_null (answer);
  assert_error_is (error, code, says);
}

/* --- honest answers --- */

static gboolean
reply_honestly (Fixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  const char *headers = fixture->request->stream ? STREAM_TYPE : SINGLE_TYPE;
  g_autoptr (GBytes) body = test_enclave_answer (enclave, request->body, fixture->request, "Hi there");

  if (body == NULL)
    body = test_enclave_answer (other_enclave, request->body, fixture->request, "Hi there");
  return test_peer_answer (connection, 200, headers, body);
}

static void
assert_proof (const VeilProof *proof, const VeilChatRequest *request)
{
  VeilTee *tee = test_enclave_get_tee (enclave);

  g_assert_cmpstr (proof->tee_id, ==, tee->id);
  g_assert_cmpstr (proof->tee_endpoint, ==, tee->endpoint);
  g_assert_cmpstr (proof->pcr_hash, ==, tee->pcr_hash);
  g_assert_cmpmem (proof->request_hash, 32, request->request_hash, 32);
  g_assert_true (g_bytes_equal (proof->signing_key, tee->signing_key_der));
  g_assert_cmpuint (g_bytes_get_size (proof->signature), ==, 256);
  g_assert_true (g_strv_contains ((const char *const *) proof->dropped, "user"));
  g_assert_true (g_strv_contains ((const char *const *) proof->signed_, "content"));
  g_assert_false (proof->effort_given);
  g_assert_false (proof->effort_signed);
}

static void
assert_honest (Fixture *fixture, VeilChatRequest *request)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilChatAnswer) answer = exchange (fixture, request, &error);
  const VeilTiming *timing;

  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (answer->text, NULL), g_bytes_get_size (answer->text), "Hi there", 8);
  assert_proof (answer->proof, request);
  timing = &answer->timing;
  g_assert_cmpint (timing->parse, ==, request->parse_us);
  g_assert_cmpint (timing->seal, >, 0);
  g_assert_cmpint (timing->relay, >, 0);
  g_assert_cmpint (timing->open, >=, 0);
  g_assert_cmpint (timing->verify, >, 0);
}

static void
test_honest (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilChatAnswer) answer = NULL;

  fixture->reply = reply_honestly;
  assert_honest (fixture, fixture->single);
  assert_honest (fixture, fixture->stream);
  g_assert_cmpuint (test_peer_get_n_connections (fixture->peer), ==, 1);

  answer = exchange (fixture, fixture->single, NULL);
  g_assert_false (answer->proof->sandbox);
  g_clear_pointer (&answer, veil_chat_answer_unref);
  veil_relay_client_set_sandbox (fixture->client, TRUE);
  answer = exchange (fixture, fixture->single, NULL);
  g_assert_true (answer->proof->sandbox);
}

static gboolean
reply_parameters (Fixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  g_autoptr (GBytes) body = test_enclave_answer (enclave, request->body, fixture->request, "Hi there");

  return test_peer_answer (connection, 201, "content-type: Message/OHTTP-Res; charset=binary\r\nX-Inference-Cost-OPG: 7\r\n", body);
}

static void
test_type_parameters (Fixture *fixture, gconstpointer data)
{
  fixture->reply = reply_parameters;
  assert_honest (fixture, fixture->single);
}

/* What leaves is the wire text, then spaces up to the step, and opens at the enclave alone. */
static gboolean
reply_after_checking (Fixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  g_auto (TestOpened) opened = { 0 };
  g_auto (TestOpened) not_opened = { 0 };
  gsize wire_length, length;
  const char *wire = g_bytes_get_data (fixture->request->wire, &wire_length);
  const char *text;

  g_assert_true (test_enclave_open (enclave, request->body, &opened));
  g_assert_false (test_enclave_open (other_enclave, request->body, &not_opened));
  text = g_bytes_get_data (opened.plaintext, &length);
  g_assert_cmpuint (length, ==, veil_relay_padded_size (wire_length, VEIL_RELAY_MAX_REQUEST - VEIL_OHTTP_OVERHEAD));
  g_assert_cmpuint (length, >, wire_length);
  g_assert_cmpmem (text, wire_length, wire, wire_length);
  for (gsize i = wire_length; i < length; i++)
    g_assert_cmpint (text[i], ==, ' ');
  g_assert_null (g_strstr_len (text, (gssize) length, "\"user\":\"me\""));
  return reply_honestly (fixture, request, connection);
}

static void
test_sealed (Fixture *fixture, gconstpointer data)
{
  fixture->reply = reply_after_checking;
  assert_honest (fixture, fixture->single);
  assert_honest (fixture, fixture->stream);
}

/* Just below the limit: sealed, it is as large as relays take, and not a byte larger. */
static void
test_large (Fixture *fixture, gconstpointer data)
{
  gsize room = VEIL_RELAY_MAX_REQUEST - VEIL_OHTTP_OVERHEAD - g_bytes_get_size (fixture->single->wire) - 100;
  g_autofree char *filler = g_strnfill (room, 'z');
  g_autofree char *rest = g_strdup_printf (",\"stop\":\"%s\"", filler);
  g_autoptr (VeilChatRequest) request = build_request (rest);
  g_autoptr (VeilChatAnswer) answer = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *length = g_strdup_printf ("\r\nContent-Length: %u\r\n", VEIL_RELAY_MAX_REQUEST);

  fixture->reply = reply_after_checking;
  answer = exchange (fixture, request, &error);
  g_assert_no_error (error);
  g_assert_nonnull (answer);
  g_assert_nonnull (strstr (fixture->heads->pdata[0], length));
}

static int
compare_lines (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 (*(const char *const *) a, *(const char *const *) b);
}

static char *
sort_lines (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\r\n", -1);

  qsort (lines, g_strv_length (lines), sizeof *lines, compare_lines);
  return g_strjoinv ("\n", lines);
}

static void
assert_head (Fixture *fixture, guint index, const char *accept, const char *rest)
{
  const char *host = test_peer_get_url (fixture->peer) + strlen ("http://");
  gsize length = VEIL_OHTTP_OVERHEAD + veil_relay_padded_size (g_bytes_get_size (fixture->request->wire), VEIL_RELAY_MAX_REQUEST);
  g_autofree char *expected = g_strdup_printf ("POST /api/v1/chat/ohttp HTTP/1.1\r\nHost: %s\r\nContent-Type: message/ohttp-req\r\n"
                                               "Content-Length: %" G_GSIZE_FORMAT "\r\nAccept: %s\r\nAccept-Encoding: identity\r\n"
                                               "Authorization: Bearer " TOKEN "\r\nX-TEE-ID: %s\r\nUser-Agent: Mozilla/5.0\r\n"
                                               "Connection: Keep-Alive\r\n%s",
                                               host, length, accept, test_enclave_get_tee (enclave)->id, rest);
  g_autofree char *expected_sorted = sort_lines (expected);
  g_autofree char *sorted = sort_lines (fixture->heads->pdata[index]);

  g_assert_cmpstr (sorted, ==, expected_sorted);
}

static void
test_headers (Fixture *fixture, gconstpointer data)
{
  fixture->reply = reply_honestly;
  assert_honest (fixture, fixture->single);
  assert_head (fixture, 0, "message/ohttp-res", "");
  assert_honest (fixture, fixture->stream);
  assert_head (fixture, 1, "message/ohttp-chunked-res", "X-OHTTP-Stream: true\r\n");
}

static void
test_effort (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilChatRequest) request = build_request (",\"reasoning_effort\":\"high\"");
  g_autoptr (VeilChatAnswer) answer = NULL;
  g_autoptr (GError) error = NULL;

  fixture->reply = reply_honestly;
  answer = exchange (fixture, request, &error);
  g_assert_no_error (error);
  g_assert_true (answer->proof->effort_given && answer->proof->effort_signed);
}

static gboolean
reply_without_effort (Fixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  g_auto (TestOpened) opened = { 0 };
  g_autofree char *response = test_enclave_say (enclave, fixture->request->request_hash_plain, "Hi there");
  g_autoptr (GBytes) body = NULL;

  g_assert_true (test_enclave_open (enclave, request->body, &opened));
  body = test_opened_seal (&opened, response);
  return test_peer_answer (connection, 200, SINGLE_TYPE, body);
}

static void
test_effort_unsigned (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilChatRequest) request = build_request (",\"reasoning_effort\":\"high\"");
  g_autoptr (VeilChatAnswer) answer = NULL;
  g_autoptr (GError) error = NULL;

  fixture->reply = reply_without_effort;
  answer = exchange (fixture, request, &error);
  g_assert_no_error (error);
  g_assert_true (answer->proof->effort_given);
  g_assert_false (answer->proof->effort_signed);
}

/* --- contexts --- */

static void
test_fresh_keys (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  fixture->reply = reply_honestly;
  for (guint i = 0; i < 12; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (VeilChatAnswer) answer = NULL;
      TestEnclave *whom = i % 4 == 3 ? other_enclave : enclave;

      if (i % 2 == 0)
        veil_relay_client_prepare (fixture->client, test_enclave_get_tee (whom));
      while (i % 3 == 0 && g_main_context_iteration (NULL, FALSE))
        ;
      answer = exchange_with (fixture, whom, fixture->single, &error);
      g_assert_no_error (error);
      g_assert_true (g_hash_table_add (seen, fixture->encs->pdata[i]));
    }
}

static void
assert_taken (VeilSealPool *pool, TestEnclave *whom, GHashTable *seen)
{
  g_autoptr (VeilOhttpClient) context = veil_seal_pool_take (pool, test_enclave_get_tee (whom));
  g_autoptr (GBytes) sealed = NULL;
  g_auto (TestOpened) opened = { 0 };

  g_assert_nonnull (context);
  sealed = veil_ohttp_client_seal (context, (const guint8 *) "x", 1, 0);
  g_assert_true (test_enclave_open (whom, sealed, &opened));
  g_assert_true (g_hash_table_add (seen, g_bytes_new (veil_ohttp_client_get_enc (context), 32)));
}

static void
settle_loop (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
test_pool (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);
  VeilSealPool *pool = veil_seal_pool_new ();
  VeilTee *tee = test_enclave_get_tee (enclave);
  VeilTee *other = test_enclave_get_tee (other_enclave);

  g_assert_null (veil_seal_pool_take (pool, tee));
  veil_seal_pool_prepare (pool, tee);
  settle_loop ();
  assert_taken (pool, enclave, seen);
  assert_taken (pool, enclave, seen);
  g_assert_null (veil_seal_pool_take (pool, tee));
  settle_loop ();
  g_assert_null (veil_seal_pool_take (pool, other));
  assert_taken (pool, enclave, seen);
  settle_loop ();

  veil_seal_pool_prepare (pool, other);
  g_assert_null (veil_seal_pool_take (pool, tee));
  g_assert_null (veil_seal_pool_take (pool, other));
  settle_loop ();
  assert_taken (pool, other_enclave, seen);
  g_assert_cmpuint (g_hash_table_size (seen), ==, 4);
  veil_seal_pool_free (pool); /* with one context left and one on its way */
  settle_loop ();
}

static void
test_unusable (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilTee) tee = veil_tee_new ();
  Outcome outcome = { 0 };

  tee->id = g_strdup ("0x00");
  tee->unusable = g_strdup ("no HPKE key");
  veil_relay_client_prepare (fixture->client, tee);
  veil_relay_client_send_async (fixture->client, tee, fixture->single, TOKEN, NULL, on_sent, &outcome);
  TEST_ITERATE_UNTIL (outcome.done);
  assert_error_is (outcome.error, VEIL_ERROR_TEE_UNUSABLE, "no HPKE key");
  g_error_free (outcome.error);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->peer), ==, 0);
}

/* --- plain answers --- */

typedef struct
{
  guint status;
  const char *headers;
  const char *body;
  int code;
  const char *says;
  const char *never_says;
  const char *retry_after;
  gboolean retryable;
} Plain;

#define JSON "Content-Type: application/json\r\n"

static const Plain plain[] = {
  { 401, JSON, "{\"detail\":\"expired\"}", VEIL_ERROR_SESSION_REFUSED, "run `og-veil login`", NULL, NULL, FALSE },
  { 403, JSON, "{\"error\":\"no\"}", VEIL_ERROR_SESSION_REFUSED, "run `og-veil login`", NULL, NULL, FALSE },
  { 402, JSON, "{\"detail\":\"Balance is 0\"}", VEIL_ERROR_RELAY_REFUSED, "Balance is 0", NULL, NULL, FALSE },
  { 413, JSON, "", VEIL_ERROR_RELAY_REFUSED, "too large", NULL, NULL, FALSE },
  { 429, JSON "Retry-After: 17\r\n", "{\"error\":{\"message\":\"slow down\"}}", VEIL_ERROR_RELAY_REFUSED, "slow down", NULL, "17",
    FALSE },
  { 429, JSON "Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n", "{}", VEIL_ERROR_RELAY_REFUSED, "429", NULL,
    "Wed, 21 Oct 2026 07:28:00 GMT", FALSE },
  { 429, JSON "Retry-After: \"<script>\"\r\n", "{}", VEIL_ERROR_RELAY_REFUSED, "429", "script", NULL, FALSE },
  { 400, JSON, "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"field required\",\"type\":\"x\"}]}", VEIL_ERROR_RELAY_REFUSED,
    "field required", NULL, NULL, FALSE },
  { 422, JSON, "{\"detail\":{\"error\":{\"message\":\"deep inside\"},\"retryable\":true}}", VEIL_ERROR_RELAY_REFUSED, "deep inside",
    NULL, NULL, TRUE },
  { 500, "Content-Type: text/html\r\n", "<html>oops</html>", VEIL_ERROR_RELAY_REFUSED, "500", "oops", NULL, FALSE },
  { 502, JSON, "{\"error\":\"no TEE\",\"source\":\"gateway\",\"retryable\":true}", VEIL_ERROR_RELAY_REFUSED, "no TEE", NULL, NULL,
    TRUE },
  { 503, JSON, "{\"error\":\"x\",\"retryable\":\"true\"}", VEIL_ERROR_RELAY_REFUSED, "503", NULL, NULL, FALSE },
  { 504, JSON "Retry-After: 1\r\n", "[1,2]", VEIL_ERROR_RELAY_REFUSED, "504", NULL, "1", FALSE },
  { 599, JSON, "{\"detail\":7,\"error\":\"second place\"}", VEIL_ERROR_RELAY_REFUSED, "second place", NULL, NULL, FALSE },
  { 400, JSON, "{\"detail\":\"a\\u0000\\u001b[2J\\r\\nb\\u202ec\\u2028\"}", VEIL_ERROR_RELAY_REFUSED, "b c", NULL, NULL, FALSE },
  { 400, JSON, "{\"detail\":\"lone \\ud800\"}", VEIL_ERROR_RELAY_REFUSED, "400", "lone", NULL, FALSE },
  { 400, JSON, "{\"detail\":\"Bearer " TOKEN " is odd\"}", VEIL_ERROR_RELAY_REFUSED, "400", "odd", NULL, FALSE },
  { 400, JSON, "{\"detail\":\"over”, and Veil says: “verified\"}", VEIL_ERROR_RELAY_REFUSED, "“over\", and Veil says: \"verified”",
    NULL, NULL, FALSE },
  { 400, JSON, "{\"detail\":\"cut off", VEIL_ERROR_RELAY_REFUSED, "400", "cut off", NULL, FALSE },
  { 301, JSON "Location: /elsewhere\r\n", "", VEIL_ERROR_BROKEN_ANSWER, "redirect", NULL, NULL, FALSE },
  { 302, JSON "Location: http://127.0.0.1:9/\r\n", "{\"detail\":\"go\"}", VEIL_ERROR_BROKEN_ANSWER, "redirect", NULL, NULL, FALSE },
  { 307, JSON "Location: /api/v1/chat/ohttp\r\n", "", VEIL_ERROR_BROKEN_ANSWER, "redirect", NULL, NULL, FALSE },
  { 308, SINGLE_TYPE, "sealed?", VEIL_ERROR_BROKEN_ANSWER, "redirect", NULL, NULL, FALSE },
  { 200, SINGLE_TYPE, "", VEIL_ERROR_BROKEN_ANSWER, "empty", NULL, NULL, FALSE },
  { 200, JSON, "{\"choices\":[]}", VEIL_ERROR_BROKEN_ANSWER, "message/ohttp-res", NULL, NULL, FALSE },
  { 200, STREAM_TYPE, "x", VEIL_ERROR_BROKEN_ANSWER, "message/ohttp-res", NULL, NULL, FALSE },
  { 200, "Content-Type: message/ohttp-resume\r\n", "x", VEIL_ERROR_BROKEN_ANSWER, "message/ohttp-res", NULL, NULL, FALSE },
  { 200, "", "x", VEIL_ERROR_BROKEN_ANSWER, "message/ohttp-res", NULL, NULL, FALSE },
  { 200, SINGLE_TYPE "Content-Encoding: gzip\r\n", "x", VEIL_ERROR_BROKEN_ANSWER, "compress", NULL, NULL, FALSE },
  { 200, SINGLE_TYPE, "x", VEIL_ERROR_SEAL, NULL, NULL, NULL, FALSE },
};

static gboolean
reply_plainly (Fixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  const Plain *answer = (gconstpointer) fixture->text;
  g_autoptr (GBytes) body = g_bytes_new_static (answer->body, strlen (answer->body));

  return test_peer_answer (connection, answer->status, answer->headers, body);
}

static void
test_plain (Fixture *fixture, gconstpointer data)
{
  fixture->reply = reply_plainly;
  for (guint i = 0; i < G_N_ELEMENTS (plain); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (VeilChatAnswer) answer = NULL;

      fixture->text = (gconstpointer) &plain[i];
      answer = exchange (fixture, fixture->single, &error);
      assert_error_is (error, plain[i].code, plain[i].says);
      g_assert_true (plain[i].never_says == NULL || strstr (error->message, plain[i].never_says) == NULL);
      if (plain[i].code == VEIL_ERROR_RELAY_REFUSED || plain[i].code == VEIL_ERROR_SESSION_REFUSED)
        g_assert_cmpuint (veil_error_get_status (error), ==, plain[i].status);
      g_assert_cmpstr (veil_error_get_retry_after (error), ==, plain[i].retry_after);
      g_assert_cmpint (veil_error_get_retryable (error), ==, plain[i].retryable);
      g_assert_cmpuint (test_peer_get_n_requests (fixture->peer), ==, i + 1);
    }
}

static gboolean
reply_long_text (Fixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  g_autofree char *text = g_strnfill (8000, 'y');
  g_autofree char *json = g_strdup_printf ("{\"detail\":\"x%sz\"}", text);
  g_autoptr (GBytes) body = g_bytes_new (json, strlen (json));

  return test_peer_answer (connection, 500, JSON, body);
}

static void
test_long_text (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilChatAnswer) answer = NULL;

  fixture->reply = reply_long_text;
  answer = exchange (fixture, fixture->single, &error);
  assert_error_is (error, VEIL_ERROR_RELAY_REFUSED, "xyyy");
  g_assert_cmpuint (strlen (error->message), <, 600);
}

static gboolean
reply_single_to_stream (Fixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  g_auto (TestOpened) opened = { 0 };
  g_autofree char *response = test_enclave_say (enclave, fixture->request->request_hash, "Hi there");
  g_autoptr (GBytes) body = NULL;

  g_assert_true (test_enclave_open (enclave, request->body, &opened));
  body = test_opened_seal (&opened, response);
  return test_peer_answer (connection, 200, fixture->text, body);
}

static void
test_single_to_stream (Fixture *fixture, gconstpointer data)
{
  fixture->reply = reply_single_to_stream;
  fixture->text = SINGLE_TYPE;
  assert_fails (fixture, fixture->stream, VEIL_ERROR_BROKEN_ANSWER, "message/ohttp-chunked-res");
  fixture->text = STREAM_TYPE;
  assert_fails (fixture, fixture->stream, VEIL_ERROR_SEAL, NULL);
}

/* --- answers that lie, inside the seal or about it --- */

static GBytes *
alter (GBytes *body, gssize index)
{
  gsize length;
  const guint8 *data = g_bytes_get_data (body, &length);
  guint8 *copy = g_memdup2 (data, length);

  copy[index < 0 ? (gssize) length + index : index] ^= 1;
  return g_bytes_new_take (copy, length);
}

static gboolean
reply_altered (Fixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  g_autoptr (GBytes) body = test_enclave_answer (enclave, request->body, fixture->request, "Hi there");
  g_autoptr (GBytes) altered = alter (body, -1);

  return test_peer_answer (connection, 200, fixture->request->stream ? STREAM_TYPE : SINGLE_TYPE, altered);
}

static void
test_altered (Fixture *fixture, gconstpointer data)
{
  fixture->reply = reply_altered;
  assert_fails (fixture, fixture->single, VEIL_ERROR_SEAL, NULL);
  assert_fails (fixture, fixture->stream, VEIL_ERROR_SEAL, NULL);
}

static gboolean
reply_for_another (Fixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  g_autoptr (VeilChatRequest) another =
      build_request (fixture->request->stream ? ",\"stream\":true,\"max_tokens\":1" : ",\"max_tokens\":1");
  g_autoptr (GBytes) body = test_enclave_answer (enclave, request->body, another, "Hi there");

  return test_peer_answer (connection, 200, fixture->request->stream ? STREAM_TYPE : SINGLE_TYPE, body);
}

static void
test_for_another (Fixture *fixture, gconstpointer data)
{
  fixture->reply = reply_for_another;
  assert_fails (fixture, fixture->single, VEIL_ERROR_REQUEST_HASH, NULL);
  assert_fails (fixture, fixture->stream, VEIL_ERROR_REQUEST_HASH, NULL);
}

static gboolean
reply_signed_elsewhere (Fixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  g_auto (TestOpened) opened = { 0 };
  g_autofree char *response = test_enclave_say (other_enclave, fixture->request->request_hash, "Hi there");
  g_autoptr (GBytes) body = NULL;

  g_assert_true (test_enclave_open (enclave, request->body, &opened));
  body = test_opened_seal (&opened, response);
  return test_peer_answer (connection, 200, SINGLE_TYPE, body);
}

static void
test_signed_elsewhere (Fixture *fixture, gconstpointer data)
{
  fixture->reply = reply_signed_elsewhere;
  assert_fails (fixture, fixture->single, VEIL_ERROR_TEE_ID, NULL);
}

static gboolean
reply_gateway_error (Fixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  const char *const frames[] = { "data: {\"error\":\"provider is down\"}\n\n", NULL };
  g_auto (TestOpened) opened = { 0 };
  g_autoptr (GBytes) whole = NULL;
  g_autoptr (GBytes) body = NULL;

  g_assert_true (test_enclave_open (enclave, request->body, &opened));
  if (!fixture->request->stream)
    body = test_opened_seal (&opened, "{\"status\":503,\"body\":{\"error\":\"provider is down\",\"retryable\":true}}");
  else
    {
      whole = test_opened_seal_chunks (&opened, frames);
      body = g_bytes_new_from_bytes (whole, 0, g_bytes_get_size (whole) - (fixture->text != NULL ? 1 : 0));
    }
  return test_peer_answer (connection, 200, fixture->request->stream ? STREAM_TYPE : SINGLE_TYPE, body);
}

static void
test_gateway_error (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilChatAnswer) answer = NULL;

  fixture->reply = reply_gateway_error;
  answer = exchange (fixture, fixture->single, &error);
  assert_error_is (error, VEIL_ERROR_GATEWAY, "provider is down");
  g_assert_cmpuint (veil_error_get_status (error), ==, 503);
  g_assert_true (veil_error_get_retryable (error));
  assert_fails (fixture, fixture->stream, VEIL_ERROR_GATEWAY, "provider is down");
  /* Cut short, nobody vouches for how it ended. */
  fixture->text = "cut";
  assert_fails (fixture, fixture->stream, VEIL_ERROR_SEAL, NULL);
}

/* --- broken transport --- */

static gboolean
reply_with_hang (Fixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  if (fixture->text != NULL)
    test_peer_send_text (connection, fixture->text);
  test_peer_wait_closed (fixture->peer, connection);
  return FALSE;
}

static gboolean
reply_with_drip (Fixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  test_peer_send_text (connection, "HTTP/1.1 200 OK\r\n" SINGLE_TYPE "Transfer-Encoding: chunked\r\n\r\n");
  while (!test_peer_pause (fixture->peer, connection, 5))
    test_peer_send_text (connection, "1\r\nx\r\n");
  return FALSE;
}

static gboolean
reply_with_header_drip (Fixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  test_peer_send_text (connection, "HTTP/1.1 200 OK\r\n");
  while (!test_peer_pause (fixture->peer, connection, 5))
    test_peer_send_text (connection, "X-A: b\r\n");
  return FALSE;
}

static void
assert_timed_out (Fixture *fixture, VeilChatRequest *request, Reply reply, const char *text)
{
  guint closed = test_peer_get_n_closed (fixture->peer);

  fixture->reply = reply;
  fixture->text = text;
  assert_fails (fixture, request, VEIL_ERROR_TIMED_OUT, NULL);
  TEST_ITERATE_UNTIL (test_peer_get_n_closed (fixture->peer) == closed + 1);
}

static const VeilRelayLimits short_single = { .single_deadline_ms = 150 };
static const VeilRelayLimits short_stream = { .stream_deadline_ms = 150 };
static const VeilRelayLimits small_answer = { .max_answer_bytes = CAP };

static void
test_deadline (Fixture *fixture, gconstpointer data)
{
  VeilChatRequest *request = data == &short_single ? fixture->single : fixture->stream;

  assert_timed_out (fixture, request, reply_with_hang, NULL);
  assert_timed_out (fixture, request, reply_with_hang, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123");
  assert_timed_out (fixture, request, reply_with_drip, NULL);
  assert_timed_out (fixture, request, reply_with_header_drip, NULL);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->peer), ==, 4);
}

static gboolean
reply_broken (Fixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  if (g_str_has_prefix (fixture->text, "reset"))
    {
      test_peer_reset (connection);
      return FALSE;
    }
  test_peer_send_text (connection, fixture->text);
  return FALSE;
}

static void
test_broken (Fixture *fixture, gconstpointer data)
{
  static const char *const broken[] = {
    "reset",
    "",
    "HTTP/1.1 200 OK\r\n" SINGLE_TYPE "Content-Length: 100\r\n\r\nshort",
    "HTTP/1.1 200 OK\r\n" SINGLE_TYPE "Content-Length: 100\r\nConnection: close\r\n\r\nshort",
    "HTTP/1.1 200 OK\r\n" SINGLE_TYPE "Transfer-Encoding: chunked\r\n\r\n5\r\nhe",
    "what is this\r\n\r\n",
  };

  fixture->reply = reply_broken;
  for (guint i = 0; i < G_N_ELEMENTS (broken); i++)
    {
      fixture->text = broken[i];
      assert_fails (fixture, fixture->single, VEIL_ERROR_BROKEN_ANSWER, NULL);
      /* It may have run and been billed: never sent again. */
      g_assert_cmpuint (test_peer_get_n_requests (fixture->peer), ==, i + 1);
    }
}

/* A connection that was idle and is gone when the next request is written. */
static gboolean
reply_then_close (Fixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  reply_honestly (fixture, request, connection);
  return FALSE;
}

static void
test_stale_connection (Fixture *fixture, gconstpointer data)
{
  fixture->reply = reply_then_close;
  for (guint i = 0; i < 20; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (VeilChatAnswer) answer = exchange (fixture, fixture->single, &error);

      if (answer == NULL && !g_error_matches (error, VEIL_ERROR, VEIL_ERROR_UNREACHABLE))
        g_assert_error (error, VEIL_ERROR, VEIL_ERROR_BROKEN_ANSWER);
      g_assert_cmpuint (test_peer_get_n_requests (fixture->peer), <=, i + 1);
    }
}

static gboolean
reply_too_much (Fixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  g_autofree char *slab = g_strnfill (64 * 1024, 'x');

  test_peer_send_text (connection, fixture->text);
  while (test_peer_send_text (connection, slab))
    ;
  return FALSE;
}

static void
test_too_much (Fixture *fixture, gconstpointer data)
{
  fixture->reply = reply_too_much;
  fixture->text = "HTTP/1.1 200 OK\r\n" SINGLE_TYPE "Content-Length: 1000000000\r\n\r\n";
  assert_fails (fixture, fixture->single, VEIL_ERROR_ANSWER_TOO_LARGE, NULL);
  fixture->text = "HTTP/1.0 200 OK\r\n" SINGLE_TYPE "\r\n";
  assert_fails (fixture, fixture->single, VEIL_ERROR_ANSWER_TOO_LARGE, NULL);
  fixture->text = "HTTP/1.1 500 Oh\r\n" JSON "Content-Length: 1000000000\r\n\r\n";
  assert_fails (fixture, fixture->single, VEIL_ERROR_ANSWER_TOO_LARGE, NULL);
}

static void
test_unreachable (Fixture *fixture, gconstpointer data)
{
  TestPeer *gone = test_peer_new (on_request, fixture);
  g_autofree char *url = g_strdup (test_peer_get_url (gone));

  test_peer_free (gone);
  g_object_unref (fixture->client);
  fixture->client = veil_relay_client_new (fixture->session, url, NULL);
  assert_fails (fixture, fixture->single, VEIL_ERROR_UNREACHABLE, NULL);
}

/* --- cancelling --- */

static void
test_cancel (Fixture *fixture, gconstpointer data)
{
  static const char *const begun[] = { NULL, "HTTP/1.1 200 OK\r\n" STREAM_TYPE "Content-Length: 900\r\n\r\nsome" };

  fixture->reply = reply_with_hang;
  for (guint i = 0; i < G_N_ELEMENTS (begun); i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      Outcome outcome = { 0 };

      fixture->text = begun[i];
      fixture->request = fixture->stream;
      veil_relay_client_send_async (fixture->client, test_enclave_get_tee (enclave), fixture->stream, TOKEN, cancellable, on_sent,
                                    &outcome);
      TEST_ITERATE_UNTIL (test_peer_get_n_requests (fixture->peer) == i + 1);
      g_assert_false (outcome.done);
      g_cancellable_cancel (cancellable);
      TEST_ITERATE_UNTIL (outcome.done && test_peer_get_n_closed (fixture->peer) == i + 1);
      g_assert_error (outcome.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_error_free (outcome.error);
    }
}

static void
test_cancel_at_once (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Outcome before = { 0 };
  Outcome after = { 0 };

  fixture->reply = reply_with_hang;
  veil_relay_client_send_async (fixture->client, test_enclave_get_tee (enclave), fixture->single, TOKEN, cancellable, on_sent,
                                &after);
  g_cancellable_cancel (cancellable);
  veil_relay_client_send_async (fixture->client, test_enclave_get_tee (enclave), fixture->single, TOKEN, cancellable, on_sent,
                                &before);
  TEST_ITERATE_UNTIL (before.done && after.done);
  g_assert_error (before.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_error (after.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_error_free (before.error);
  g_error_free (after.error);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->peer), ==, 0);
}

/* --- padding --- */

static void
test_padding (void)
{
  const gsize limit = VEIL_RELAY_MAX_REQUEST - VEIL_OHTTP_OVERHEAD;
  gsize sizes = 0;
  gsize last = 0;

  for (gsize length = 0; length <= limit + 2; length += length < 70000 ? 1 : 997)
    {
      gsize padded = veil_relay_padded_size (length, limit);

      g_assert_cmpuint (padded, >=, length);
      g_assert_cmpuint (padded, >=, last);
      g_assert_true (padded <= limit || padded == length);
      g_assert_true (padded % 256 == 0 || padded == limit || length > limit);
      if (length >= 2048)
        g_assert_cmpuint (padded - length, <=, length / 8);
      else
        g_assert_cmpuint (padded - length, <, 256);
      g_assert_cmpuint (veil_relay_padded_size (padded, limit), ==, padded);
      sizes += padded != last;
      last = padded;
    }
  g_assert_cmpuint (sizes, <, 130);
  g_assert_cmpuint (veil_relay_padded_size (limit, limit), ==, limit);
  g_assert_cmpuint (veil_relay_padded_size (limit - 1, limit), ==, limit);
  g_assert_cmpuint (veil_relay_padded_size (limit + 1, limit), ==, limit + 1);
  g_assert_cmpuint (veil_relay_padded_size (G_MAXSIZE - 1, G_MAXSIZE), ==, G_MAXSIZE);
}

static void
add (const char *name, const VeilRelayLimits *limits, void (*func) (Fixture *, gconstpointer))
{
  g_autofree char *path = g_strconcat ("/relay-client/", name, NULL);

  g_test_add (path, Fixture, limits, set_up, func, tear_down);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  enclave = test_enclave_new ("https://tee-1.example", 0x11);
  other_enclave = test_enclave_new ("https://tee-2.example", 0x22);

  add ("honest", NULL, test_honest);
  add ("type-parameters", NULL, test_type_parameters);
  add ("sealed", NULL, test_sealed);
  add ("large", NULL, test_large);
  add ("headers", NULL, test_headers);
  add ("effort", NULL, test_effort);
  add ("effort-unsigned", NULL, test_effort_unsigned);
  add ("fresh-keys", NULL, test_fresh_keys);
  add ("unusable", NULL, test_unusable);
  add ("plain", NULL, test_plain);
  add ("long-text", NULL, test_long_text);
  add ("single-to-stream", NULL, test_single_to_stream);
  add ("altered", NULL, test_altered);
  add ("for-another", NULL, test_for_another);
  add ("signed-elsewhere", NULL, test_signed_elsewhere);
  add ("gateway-error", NULL, test_gateway_error);
  add ("deadline-single", &short_single, test_deadline);
  add ("deadline-stream", &short_stream, test_deadline);
  add ("broken", NULL, test_broken);
  add ("stale-connection", NULL, test_stale_connection);
  add ("too-much", &small_answer, test_too_much);
  add ("unreachable", NULL, test_unreachable);
  add ("cancel", NULL, test_cancel);
  add ("cancel-at-once", NULL, test_cancel_at_once);
  g_test_add_func ("/seal-pool/once", test_pool);
  g_test_add_func ("/relay-client/padding", test_padding);
  status = g_test_run ();
  test_enclave_free (enclave);
  test_enclave_free (other_enclave);
  return status;
}
