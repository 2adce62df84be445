/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Answers that are errors, lies, broken or without end, and callers who hang up. */
#include "check.h"
#include "error-details.h"
#include "relay-fixture.h"

#include <string.h>

#define CAP (256 * 1024)

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
  { 400, JSON, "{\"detail\":\"Bearer " RELAY_TOKEN " is odd\"}", VEIL_ERROR_RELAY_REFUSED, "400", "odd", NULL, FALSE },
  { 400, JSON, "{\"detail\":\"over”, and Veil says: “verified\"}", VEIL_ERROR_RELAY_REFUSED, "“over\", and Veil says: \"verified”",
    NULL, NULL, FALSE },
  { 400, JSON, "{\"detail\":\"cut off", VEIL_ERROR_RELAY_REFUSED, "400", "cut off", NULL, FALSE },
  { 301, JSON "Location: /elsewhere\r\n", "", VEIL_ERROR_BROKEN_ANSWER, "redirect", NULL, NULL, FALSE },
  { 302, JSON "Location: http://127.0.0.1:9/\r\n", "{\"detail\":\"go\"}", VEIL_ERROR_BROKEN_ANSWER, "redirect", NULL, NULL, FALSE },
  { 307, JSON "Location: /api/v1/chat/ohttp\r\n", "", VEIL_ERROR_BROKEN_ANSWER, "redirect", NULL, NULL, FALSE },
  { 308, RELAY_SINGLE_TYPE, "sealed?", VEIL_ERROR_BROKEN_ANSWER, "redirect", NULL, NULL, FALSE },
  { 200, RELAY_SINGLE_TYPE, "", VEIL_ERROR_BROKEN_ANSWER, "empty", NULL, NULL, FALSE },
  { 200, JSON, "{\"choices\":[]}", VEIL_ERROR_BROKEN_ANSWER, "message/ohttp-res", NULL, NULL, FALSE },
  { 200, RELAY_STREAM_TYPE, "x", VEIL_ERROR_BROKEN_ANSWER, "message/ohttp-res", NULL, NULL, FALSE },
  { 200, "Content-Type: message/ohttp-resume\r\n", "x", VEIL_ERROR_BROKEN_ANSWER, "message/ohttp-res", NULL, NULL, FALSE },
  { 200, "", "x", VEIL_ERROR_BROKEN_ANSWER, "message/ohttp-res", NULL, NULL, FALSE },
  { 200, RELAY_SINGLE_TYPE "Content-Encoding: gzip\r\n", "x", VEIL_ERROR_BROKEN_ANSWER, "compress", NULL, NULL, FALSE },
  { 200, RELAY_SINGLE_TYPE, "x", VEIL_ERROR_SEAL, NULL, NULL, NULL, FALSE },
};

static gboolean
reply_plainly (RelayFixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  const Plain *answer = (gconstpointer) fixture->text;
  g_autoptr (GBytes) body = g_bytes_new_static (answer->body, strlen (answer->body));

  return test_peer_answer (connection, answer->status, answer->headers, body);
}

static void
test_plain (RelayFixture *fixture, gconstpointer data)
{
  fixture->reply = reply_plainly;
  for (guint i = 0; i < G_N_ELEMENTS (plain); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (VeilChatAnswer) answer = NULL;

      fixture->text = (gconstpointer) &plain[i];
      answer = relay_exchange (fixture, fixture->single, &error);
      relay_assert_error (error, plain[i].code, plain[i].says);
      g_assert_true (plain[i].never_says == NULL || strstr (error->message, plain[i].never_says) == NULL);
      if (plain[i].code == VEIL_ERROR_RELAY_REFUSED || plain[i].code == VEIL_ERROR_SESSION_REFUSED)
        g_assert_cmpuint (veil_error_get_status (error), ==, plain[i].status);
      g_assert_cmpstr (veil_error_get_retry_after (error), ==, plain[i].retry_after);
      g_assert_cmpint (veil_error_get_retryable (error), ==, plain[i].retryable);
      g_assert_cmpuint (test_peer_get_n_requests (fixture->peer), ==, i + 1);
    }
}

static gboolean
reply_long_text (RelayFixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  g_autofree char *text = g_strnfill (8000, 'y');
  g_autofree char *json = g_strdup_printf ("{\"detail\":\"x%sz\"}", text);
  g_autoptr (GBytes) body = g_bytes_new (json, strlen (json));

  return test_peer_answer (connection, 500, JSON, body);
}

static void
test_long_text (RelayFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilChatAnswer) answer = NULL;

  fixture->reply = reply_long_text;
  answer = relay_exchange (fixture, fixture->single, &error);
  relay_assert_error (error, VEIL_ERROR_RELAY_REFUSED, "xyyy");
  g_assert_cmpuint (strlen (error->message), <, 600);
}

static gboolean
reply_single_to_stream (RelayFixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  g_auto (TestOpened) opened = { 0 };
  g_autofree char *response = test_enclave_say (relay_enclave, fixture->request->request_hash, "Hi there");
  g_autoptr (GBytes) body = NULL;

  g_assert_true (test_enclave_open (relay_enclave, request->body, &opened));
  body = test_opened_seal (&opened, response);
  return test_peer_answer (connection, 200, fixture->text, body);
}

static void
test_single_to_stream (RelayFixture *fixture, gconstpointer data)
{
  fixture->reply = reply_single_to_stream;
  fixture->text = RELAY_SINGLE_TYPE;
  relay_assert_fails (fixture, fixture->stream, VEIL_ERROR_BROKEN_ANSWER, "message/ohttp-chunked-res");
  fixture->text = RELAY_STREAM_TYPE;
  relay_assert_fails (fixture, fixture->stream, VEIL_ERROR_SEAL, NULL);
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
reply_altered (RelayFixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  g_autoptr (GBytes) body = test_enclave_answer (relay_enclave, request->body, fixture->request, "Hi there");
  g_autoptr (GBytes) altered = alter (body, -1);

  return test_peer_answer (connection, 200, fixture->request->stream ? RELAY_STREAM_TYPE : RELAY_SINGLE_TYPE, altered);
}

static void
test_altered (RelayFixture *fixture, gconstpointer data)
{
  fixture->reply = reply_altered;
  relay_assert_fails (fixture, fixture->single, VEIL_ERROR_SEAL, NULL);
  relay_assert_fails (fixture, fixture->stream, VEIL_ERROR_SEAL, NULL);
}

static gboolean
reply_for_another (RelayFixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  g_autoptr (VeilChatRequest) another =
      relay_build_request (fixture->request->stream ? ",\"stream\":true,\"max_tokens\":1" : ",\"max_tokens\":1");
  g_autoptr (GBytes) body = test_enclave_answer (relay_enclave, request->body, another, "Hi there");

  return test_peer_answer (connection, 200, fixture->request->stream ? RELAY_STREAM_TYPE : RELAY_SINGLE_TYPE, body);
}

static void
test_for_another (RelayFixture *fixture, gconstpointer data)
{
  fixture->reply = reply_for_another;
  relay_assert_fails (fixture, fixture->single, VEIL_ERROR_REQUEST_HASH, NULL);
  relay_assert_fails (fixture, fixture->stream, VEIL_ERROR_REQUEST_HASH, NULL);
}

/* What the enclave itself says: not JSON, or a frame that no answer may have. */
static gboolean
reply_nonsense (RelayFixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  static const char *const frames[] = { "data: {\"choices\":[{\"delta\":{\"function_call\":{\"name\":\"f\"}}}]}\n\n", NULL };
  gboolean stream = fixture->request->stream;
  g_auto (TestOpened) opened = { 0 };
  g_autoptr (GBytes) body = NULL;

  g_assert_true (test_enclave_open (relay_enclave, request->body, &opened));
  body = stream ? test_opened_seal_chunks (&opened, frames) : test_opened_seal (&opened, "no JSON");
  return test_peer_answer (connection, 200, stream ? RELAY_STREAM_TYPE : RELAY_SINGLE_TYPE, body);
}

/* The error tells how many checks were surely passed before the one that was not. */
static void
test_passed (RelayFixture *fixture, gconstpointer data)
{
  static const struct
  {
    RelayReply reply;
    gboolean stream;
    VeilError code;
    guint passed;
  } cases[] = {
    { reply_altered, FALSE, VEIL_ERROR_SEAL, 0 },
    { reply_altered, TRUE, VEIL_ERROR_SEAL, 0 },
    { reply_nonsense, FALSE, VEIL_ERROR_MALFORMED_ANSWER, VEIL_CHECK_SEAL + 1 },
    { reply_nonsense, TRUE, VEIL_ERROR_UNSIGNED_CONTENT, VEIL_CHECK_SEAL + 1 },
    { reply_for_another, FALSE, VEIL_ERROR_REQUEST_HASH, VEIL_CHECK_REQUEST_HASH },
    { reply_for_another, TRUE, VEIL_ERROR_REQUEST_HASH, VEIL_CHECK_REQUEST_HASH },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      fixture->reply = cases[i].reply;
      g_assert_null (relay_exchange (fixture, cases[i].stream ? fixture->stream : fixture->single, &error));
      g_assert_error (error, VEIL_ERROR, (int) cases[i].code);
      g_assert_cmpuint (veil_error_get_passed (error), ==, cases[i].passed);
    }
}

static gboolean
reply_signed_elsewhere (RelayFixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  g_auto (TestOpened) opened = { 0 };
  g_autofree char *response = test_enclave_say (relay_other_enclave, fixture->request->request_hash, "Hi there");
  g_autoptr (GBytes) body = NULL;

  g_assert_true (test_enclave_open (relay_enclave, request->body, &opened));
  body = test_opened_seal (&opened, response);
  return test_peer_answer (connection, 200, RELAY_SINGLE_TYPE, body);
}

static void
test_signed_elsewhere (RelayFixture *fixture, gconstpointer data)
{
  fixture->reply = reply_signed_elsewhere;
  relay_assert_fails (fixture, fixture->single, VEIL_ERROR_TEE_ID, NULL);
}

static gboolean
reply_gateway_error (RelayFixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  const char *const frames[] = { "data: {\"error\":\"provider is down\"}\n\n", NULL };
  g_auto (TestOpened) opened = { 0 };
  g_autoptr (GBytes) whole = NULL;
  g_autoptr (GBytes) body = NULL;

  g_assert_true (test_enclave_open (relay_enclave, request->body, &opened));
  if (!fixture->request->stream)
    body = test_opened_seal (&opened, "{\"status\":503,\"body\":{\"error\":\"provider is down\",\"retryable\":true}}");
  else
    {
      whole = test_opened_seal_chunks (&opened, frames);
      body = g_bytes_new_from_bytes (whole, 0, g_bytes_get_size (whole) - (fixture->text != NULL ? 1 : 0));
    }
  return test_peer_answer (connection, 200, fixture->request->stream ? RELAY_STREAM_TYPE : RELAY_SINGLE_TYPE, body);
}

static void
test_gateway_error (RelayFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilChatAnswer) answer = NULL;

  fixture->reply = reply_gateway_error;
  answer = relay_exchange (fixture, fixture->single, &error);
  relay_assert_error (error, VEIL_ERROR_GATEWAY, "provider is down");
  g_assert_cmpuint (veil_error_get_status (error), ==, 503);
  g_assert_true (veil_error_get_retryable (error));
  relay_assert_fails (fixture, fixture->stream, VEIL_ERROR_GATEWAY, "provider is down");
  /* Cut short, nobody vouches for how it ended. */
  fixture->text = "cut";
  relay_assert_fails (fixture, fixture->stream, VEIL_ERROR_SEAL, NULL);
}

/* --- broken transport --- */

static gboolean
reply_with_hang (RelayFixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  if (fixture->text != NULL)
    test_peer_send_text (connection, fixture->text);
  test_peer_wait_closed (fixture->peer, connection);
  return FALSE;
}

static gboolean
reply_with_drip (RelayFixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  test_peer_send_text (connection, "HTTP/1.1 200 OK\r\n" RELAY_SINGLE_TYPE "Transfer-Encoding: chunked\r\n\r\n");
  while (!test_peer_pause (fixture->peer, connection, 5))
    test_peer_send_text (connection, "1\r\nx\r\n");
  return FALSE;
}

static gboolean
reply_with_header_drip (RelayFixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  test_peer_send_text (connection, "HTTP/1.1 200 OK\r\n");
  while (!test_peer_pause (fixture->peer, connection, 5))
    test_peer_send_text (connection, "X-A: b\r\n");
  return FALSE;
}

static void
assert_timed_out (RelayFixture *fixture, VeilChatRequest *request, RelayReply reply, const char *text)
{
  guint closed = test_peer_get_n_closed (fixture->peer);

  fixture->reply = reply;
  fixture->text = text;
  relay_assert_fails (fixture, request, VEIL_ERROR_TIMED_OUT, NULL);
  TEST_ITERATE_UNTIL (test_peer_get_n_closed (fixture->peer) == closed + 1);
}

static const VeilRelayLimits short_single = { .single_deadline_ms = 600 };
static const VeilRelayLimits short_stream = { .stream_deadline_ms = 600 };
static const VeilRelayLimits small_answer = { .max_answer_bytes = CAP };

static void
test_deadline (RelayFixture *fixture, gconstpointer data)
{
  VeilChatRequest *request = data == &short_single ? fixture->single : fixture->stream;

  assert_timed_out (fixture, request, reply_with_hang, NULL);
  assert_timed_out (fixture, request, reply_with_hang, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123");
  assert_timed_out (fixture, request, reply_with_drip, NULL);
  assert_timed_out (fixture, request, reply_with_header_drip, NULL);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->peer), ==, 4);
}

static gboolean
reply_broken (RelayFixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
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
test_broken (RelayFixture *fixture, gconstpointer data)
{
  static const char *const broken[] = {
    "reset",
    "",
    "HTTP/1.1 200 OK\r\n" RELAY_SINGLE_TYPE "Content-Length: 100\r\n\r\nshort",
    "HTTP/1.1 200 OK\r\n" RELAY_SINGLE_TYPE "Content-Length: 100\r\nConnection: close\r\n\r\nshort",
    "HTTP/1.1 200 OK\r\n" RELAY_SINGLE_TYPE "Transfer-Encoding: chunked\r\n\r\n5\r\nhe",
    "what is this\r\n\r\n",
  };

  fixture->reply = reply_broken;
  for (guint i = 0; i < G_N_ELEMENTS (broken); i++)
    {
      fixture->text = broken[i];
      relay_assert_fails (fixture, fixture->single, VEIL_ERROR_BROKEN_ANSWER, NULL);
      /* It may have run and been billed: never sent again. */
      g_assert_cmpuint (test_peer_get_n_requests (fixture->peer), ==, i + 1);
    }
}

/* A connection that was idle and is gone when the next request is written. */
static gboolean
reply_then_close (RelayFixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  relay_reply_honestly (fixture, request, connection);
  return FALSE;
}

static void
test_stale_connection (RelayFixture *fixture, gconstpointer data)
{
  fixture->reply = reply_then_close;
  for (guint i = 0; i < 20; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (VeilChatAnswer) answer = relay_exchange (fixture, fixture->single, &error);

      if (answer == NULL && !g_error_matches (error, VEIL_ERROR, VEIL_ERROR_UNREACHABLE))
        g_assert_error (error, VEIL_ERROR, VEIL_ERROR_BROKEN_ANSWER);
      g_assert_cmpuint (test_peer_get_n_requests (fixture->peer), <=, i + 1);
    }
}

static gboolean
reply_too_much (RelayFixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  g_autofree char *slab = g_strnfill (64 * 1024, 'x');

  test_peer_send_text (connection, fixture->text);
  while (test_peer_send_text (connection, slab))
    ;
  return FALSE;
}

static void
test_too_much (RelayFixture *fixture, gconstpointer data)
{
  fixture->reply = reply_too_much;
  fixture->text = "HTTP/1.1 200 OK\r\n" RELAY_SINGLE_TYPE "Content-Length: 1000000000\r\n\r\n";
  relay_assert_fails (fixture, fixture->single, VEIL_ERROR_ANSWER_TOO_LARGE, NULL);
  fixture->text = "HTTP/1.0 200 OK\r\n" RELAY_SINGLE_TYPE "\r\n";
  relay_assert_fails (fixture, fixture->single, VEIL_ERROR_ANSWER_TOO_LARGE, NULL);
  fixture->text = "HTTP/1.1 500 Oh\r\n" JSON "Content-Length: 1000000000\r\n\r\n";
  relay_assert_fails (fixture, fixture->single, VEIL_ERROR_ANSWER_TOO_LARGE, NULL);
}

static void
test_unreachable (RelayFixture *fixture, gconstpointer data)
{
  TestPeer *gone = test_peer_new (NULL, NULL);
  g_autofree char *url = g_strdup (test_peer_get_url (gone));

  test_peer_free (gone);
  g_object_unref (fixture->client);
  fixture->client = veil_relay_client_new (fixture->session, url, NULL);
  relay_assert_fails (fixture, fixture->single, VEIL_ERROR_UNREACHABLE, NULL);
}

/* --- cancelling --- */

static void
test_cancel (RelayFixture *fixture, gconstpointer data)
{
  static const char *const begun[] = { NULL, "HTTP/1.1 200 OK\r\n" RELAY_STREAM_TYPE "Content-Length: 900\r\n\r\nsome" };

  fixture->reply = reply_with_hang;
  for (guint i = 0; i < G_N_ELEMENTS (begun); i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      RelayOutcome outcome = { 0 };

      fixture->text = begun[i];
      fixture->request = fixture->stream;
      veil_relay_client_send_async (fixture->client, test_enclave_get_tee (relay_enclave), fixture->stream, RELAY_TOKEN,
                                    cancellable, relay_on_sent, &outcome);
      TEST_ITERATE_UNTIL (test_peer_get_n_requests (fixture->peer) == i + 1);
      g_assert_false (outcome.done);
      g_cancellable_cancel (cancellable);
      TEST_ITERATE_UNTIL (outcome.done && test_peer_get_n_closed (fixture->peer) == i + 1);
      g_assert_error (outcome.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_error_free (outcome.error);
    }
}

static void
test_cancel_at_once (RelayFixture *fixture, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  RelayOutcome before = { 0 };
  RelayOutcome after = { 0 };

  fixture->reply = reply_with_hang;
  veil_relay_client_send_async (fixture->client, test_enclave_get_tee (relay_enclave), fixture->single, RELAY_TOKEN, cancellable,
                                relay_on_sent, &after);
  g_cancellable_cancel (cancellable);
  veil_relay_client_send_async (fixture->client, test_enclave_get_tee (relay_enclave), fixture->single, RELAY_TOKEN, cancellable,
                                relay_on_sent, &before);
  TEST_ITERATE_UNTIL (before.done && after.done);
  g_assert_error (before.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_error (after.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_error_free (before.error);
  g_error_free (after.error);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->peer), ==, 0);
}

static void
add_tests (void)
{
  relay_add ("plain", NULL, test_plain);
  relay_add ("long-text", NULL, test_long_text);
  relay_add ("single-to-stream", NULL, test_single_to_stream);
  relay_add ("altered", NULL, test_altered);
  relay_add ("for-another", NULL, test_for_another);
  relay_add ("passed", NULL, test_passed);
  relay_add ("signed-elsewhere", NULL, test_signed_elsewhere);
  relay_add ("gateway-error", NULL, test_gateway_error);
  relay_add ("deadline-single", &short_single, test_deadline);
  relay_add ("deadline-stream", &short_stream, test_deadline);
  relay_add ("broken", NULL, test_broken);
  relay_add ("stale-connection", NULL, test_stale_connection);
  relay_add ("too-much", &small_answer, test_too_much);
  relay_add ("unreachable", NULL, test_unreachable);
  relay_add ("cancel", NULL, test_cancel);
  relay_add ("cancel-at-once", NULL, test_cancel_at_once);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  return relay_run (add_tests);
}
