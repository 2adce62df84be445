/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The endpoint's routes, methods, headers and replies. */
#include "server-fixture.h"

#include "config.h"

#include <glib/gstdio.h>
#include <string.h>
#include <time.h>

static void
assert_header (const Reply *reply, const char *line)
{
  g_autofree char *needle = g_strdup_printf ("\r\n%s\r\n", line);

  if (strstr (reply->head, needle) == NULL)
    g_error ("no \"%s\" in:\n%s", line, reply->head);
}

static void
assert_no_header (const Reply *reply, const char *name)
{
  g_autofree char *needle = g_strdup_printf ("\r\n%s:", name);

  if (strstr (reply->head, needle) != NULL)
    g_error ("\"%s\" in:\n%s", name, reply->head);
}

static void
assert_body_has (const Reply *reply, const char *text)
{
  if (strstr (reply->body->str, text) == NULL)
    g_error ("no \"%s\" in:\n%s", text, reply->body->str);
}

static void
load_models (Fixture *fixture)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "..", "data", "models.json", NULL);
  g_autoptr (GError) error = NULL;

  veil_server_load_models (fixture->server, path, &error);
  g_assert_no_error (error);
}

typedef struct
{
  const char *request; /* Host and the end are added */
  guint status;
  const char *header; /* or NULL */
  const char *body;   /* or NULL */
} Case;

#define POST_HEAD "POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 2\r\n"

static const Case cases[] = {
  { "GET /v1/models HTTP/1.1", 200, "Content-Type: application/json", "{\"object\":\"list\",\"data\":[{\"id\":" },
  { "GET /v1/models?limit=3 HTTP/1.1", 200, NULL,
    "\"id\":\"gpt-4.1\",\"object\":\"model\",\"created\":0,\"owned_by\":\"openai\"}" },
  { "GET /v1/models/gpt-4.1 HTTP/1.1", 200, NULL,
    "{\"id\":\"gpt-4.1\",\"object\":\"model\",\"created\":0,\"owned_by\":\"openai\"}" },
  { "GET /v1/models/openai/gpt-4.1 HTTP/1.1", 200, NULL, "{\"id\":\"gpt-4.1\"," },
  { "GET /v1/models/openai%2Fgpt-4%2e1 HTTP/1.1", 200, NULL, "{\"id\":\"gpt-4.1\"," },
  { "GET /v1/models/google/gpt-4.1 HTTP/1.1", 404, NULL, "\"code\":\"model_not_found\"" },
  { "GET /v1/models/no%0d%0aX-Evil:%201 HTTP/1.1", 404, NULL, "\"code\":\"model_not_found\"" },
  { "GET /v1/models/ HTTP/1.1", 404, NULL, "\"code\":\"unknown_url\"" },
  { "HEAD /v1/models HTTP/1.1", 200, "Content-Type: application/json", NULL },
  { "GET /v1/models HTTP/1.1\r\nRange: bytes=0-1,0-1,0-1", 200, NULL, "{\"object\":\"list\"" },
  { "GET /health HTTP/1.1", 200, "Cache-Control: no-store",
    "{\"status\":\"ok\",\"version\":\"" VEIL_VERSION
    "\",\"active_tee_id\":\"0xab\",\"active_tee_endpoint\":\"https://tee.example\","
    "\"active_tee_pcr_hash\":\"0xcd\","
    "\"verified_inference\":true,\"sandbox\":false,\"counts\":{\"verified\":0,\"refused\":0,\"failed\":0}}" },
  { "GET /health HTTP/1.0", 200, NULL, NULL },
  { "GET http://127.0.0.1:PORT/health HTTP/1.1", 200, NULL, NULL },
  { "GET http://evil.example:PORT/health HTTP/1.1", 403, NULL, "\"code\":\"host_not_allowed\"" },
  { "POST /health HTTP/1.1\r\nContent-Length: 0", 405, "Allow: GET, HEAD, OPTIONS", "\"code\":\"method_not_allowed\"" },
  { "DELETE /v1/models/gpt-4.1 HTTP/1.1", 405, "Allow: GET, HEAD, OPTIONS", NULL },
  { "GET /v1/chat/completions HTTP/1.1", 405, "Allow: POST, OPTIONS", "\"type\":\"invalid_request_error\"" },
  { "HEAD /v1/chat/completions HTTP/1.1", 405, "Allow: POST, OPTIONS", NULL },
  { "post /v1/chat/completions HTTP/1.1\r\nContent-Length: 0", 405, NULL, NULL },
  { "CONNECT 127.0.0.1:PORT HTTP/1.1", 404, NULL, NULL },
  { "GET / HTTP/1.1", 404, NULL, "{\"error\":{\"message\":" },
  { "GET /v1/chat/completions/../models HTTP/1.1", 404, NULL, NULL },
  { "POST /v1/chat/completions/ HTTP/1.1\r\nContent-Length: 0", 404, NULL, NULL },
  { "POST /v1/completions HTTP/1.1\r\nContent-Length: 0", 404, NULL, "\"code\":\"unknown_url\"" },
  { "OPTIONS /v1/chat/completions HTTP/1.1", 204, "Allow: POST, OPTIONS", NULL },
  { "OPTIONS * HTTP/1.1", 204, "Allow: GET, HEAD, POST, OPTIONS", NULL },
  { "OPTIONS /nothing HTTP/1.1", 404, NULL, NULL },
  { POST_HEAD, 415, NULL, "\"code\":\"invalid_request_error\"" },
  { POST_HEAD "Content-Type: text/plain", 415, NULL, NULL },
  { POST_HEAD "Content-Type: application/jsonp", 415, NULL, NULL },
  { POST_HEAD "Content-Type: application/json; charset=latin1", 415, NULL, NULL },
  { POST_HEAD "Content-Type: application/json\r\nContent-Encoding: gzip", 415, NULL, NULL },
  { POST_HEAD "Content-Type: application/json\r\nContent-Type: text/plain", 415, NULL, NULL },
  { POST_HEAD "Content-Type: text/plain\r\nContent-Type: application/json", 415, NULL, NULL },
  { POST_HEAD "Content-Type: application/json\r\nTransfer-Encoding: chunked", 400, "Connection: close",
    "\"code\":\"bad_request\"" },
  { "POST /v1/chat/completions HTTP/1.1\r\nContent-Length: -1\r\nContent-Type: application/json", 400, NULL, NULL },
  { "POST /v1/chat/completions HTTP/1.1\r\nContent-Length: +1\r\nContent-Type: application/json", 400, NULL, NULL },
  { "POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\nContent-Type: application/json", 400, NULL,
    NULL },
  { "POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 99999999999999999999\r\nContent-Type: application/json", 400, NULL,
    NULL },
  { "POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 20971521\r\nContent-Type: application/json", 413, "Connection: close",
    "\"code\":\"request_too_large\"" },
  { "GET /health HTTP/1.1\r\nContent-Length: 20971521", 200, "Connection: close", NULL },
  { "GET /health HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5", 200, "Connection: close", NULL },
  { "GET /health HTTP/1.1\r\nOrigin: https://evil.example", 403, "Connection: close", "\"code\":\"origin_not_allowed\"" },
  { "GET /v1/models HTTP/1.1\r\nSec-Fetch-Site: cross-site", 403, NULL, "\"type\":\"permission_error\"" },
  { "GET /health HTTP/1.1\r\nHost: evil.example", 403, NULL, "\"code\":\"host_not_allowed\"" },
};

static void
test_cases (Fixture *fixture, gconstpointer data)
{
  load_models (fixture);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *trimmed = g_strchomp (g_strdup (cases[i].request));
      g_autofree char *request = g_strdup_printf ("%s\r\nHost: 127.0.0.1:PORT\r\n\r\n%s", trimmed,
                                                  strstr (cases[i].request, "Content-Length: 2\r\n") != NULL ? "{}" : "");
      g_auto (Reply) reply = { 0 };

      fixture_ask (fixture, request, &reply);
      if (reply.status != cases[i].status)
        g_error ("%s\nhas status %u, not %u", cases[i].request, reply.status, cases[i].status);
      assert_header (&reply, "Cache-Control: no-store");
      assert_header (&reply, "Vary: Origin");
      assert_no_header (&reply, "X-Evil");
      if (cases[i].header != NULL)
        assert_header (&reply, cases[i].header);
      if (cases[i].body != NULL)
        assert_body_has (&reply, cases[i].body);
    }
  g_assert_cmpuint (fixture->backend->calls, ==, 0);
}

/* What libsoup itself cannot read never gets further either. */
static void
test_nonsense (Fixture *fixture, gconstpointer data)
{
  static const char *const requests[] = { "GET /v1/models/%zz HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n",
                                          "GET /health HTTP/1.1\r\n\r\n",
                                          "GET /health\r\n\r\n",
                                          "\r\n\r\n\r\n\r\nHI\r\n\r\n",
                                          "GET /health HTTP/2.0\r\nHost: 127.0.0.1:PORT\r\n\r\n",
                                          "GET /health HTTP/1.1\r\nHost: 127.0.0.1:PORT/x\r\n\r\n" };

  for (gsize i = 0; i < G_N_ELEMENTS (requests); i++)
    {
      g_auto (Reply) reply = { 0 };

      fixture_ask (fixture, requests[i], &reply);
      g_assert_cmpuint (reply.status, >=, 400);
      g_assert_cmpuint (reply.status, !=, 500);
    }
  g_assert_cmpuint (fixture->backend->calls, ==, 0);
}

static void
test_single (Fixture *fixture, gconstpointer data)
{
  g_auto (Reply) reply = { 0 }, second = { 0 };

  fixture_ask_chat (fixture, "Authorization: Bearer whatever\r\nSec-Fetch-Site: none\r\n", CHAT_BODY, &reply);
  g_assert_cmpuint (reply.status, ==, 200);
  assert_header (&reply, "Content-Type: application/json");
  assert_header (&reply, "X-OpenGradient-Verified: true");
  assert_header (&reply, "X-OpenGradient-TEE-Id: 0x0000000000000000000000000000000000000000000000000000000000000007");
  assert_no_header (&reply, "X-OpenGradient-Sandbox");
  assert_body_has (&reply, "\"content\":\"Hello\"");
  assert_body_has (&reply, "\"opengradient_verification\":{");
  g_assert_cmpstr (fixture->backend->model, ==, "gpt-4.1");

  fixture->backend->answer->proof->sandbox = TRUE;
  fixture_ask_chat (fixture, "", CHAT_BODY, &second);
  assert_header (&second, "X-OpenGradient-Sandbox: true");
  assert_body_has (&second, "\"sandbox\":true");
}

/* Names from outside never become header lines. */
static void
test_injection (Fixture *fixture, gconstpointer data)
{
  g_auto (Reply) reply = { 0 };

  g_free (fixture->backend->answer->proof->tee_id);
  fixture->backend->answer->proof->tee_id = g_strdup ("0x7\r\nX-Evil: 1");
  fixture_ask_chat (fixture, "", "{\"model\":\"m\\r\\nX-Evil: 1\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}", &reply);
  g_assert_cmpuint (reply.status, ==, 200);
  assert_no_header (&reply, "X-Evil");
  assert_no_header (&reply, "X-OpenGradient-TEE-Id");
  assert_body_has (&reply, "\"model\":\"m\\r\\nX-Evil: 1\"");
}

static void
test_stream (Fixture *fixture, gconstpointer data)
{
  static const struct
  {
    const char *headers, *options;
    gboolean proof, usage;
  } ways[] = {
    { "", "", FALSE, FALSE },
    { "X-OpenGradient-Proof: 1\r\n", "", TRUE, TRUE },
    { "X-OpenGradient-Proof: 0\r\n", "", FALSE, FALSE },
    { "", ",\"stream_options\":{\"include_usage\":true}", TRUE, TRUE },
  };

  veil_chat_answer_unref (fixture->backend->answer);
  fixture->backend->answer = fake_answer_new ("Hello there", 4, "{\"usage\":{\"total_tokens\":3}}");
  for (gsize i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_autofree char *body =
          g_strdup_printf ("{\"model\":\"gpt-4.1\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]%s}",
                           ways[i].options);
      g_auto (Reply) reply = { 0 };

      fixture_ask_chat (fixture, ways[i].headers, body, &reply);
      g_assert_cmpuint (reply.status, ==, 200);
      g_assert_true (fixture->backend->stream);
      assert_header (&reply, "Content-Type: text/event-stream");
      assert_header (&reply, "X-OpenGradient-Verified: true");
      g_assert_true (g_str_has_suffix (reply.body->str, "\n\ndata: [DONE]\n\n"));
      g_assert_true ((strstr (reply.body->str, "opengradient_verification") != NULL) == ways[i].proof);
      g_assert_true ((strstr (reply.body->str, "total_tokens") != NULL) == ways[i].usage);
    }
}

static void
test_content_types (Fixture *fixture, gconstpointer data)
{
  static const char *const types[] = { "application/json", "Application/JSON", "application/json; charset=utf-8",
                                       "application/json;charset=\"UTF-8\"", "application/json ; profile=x" };

  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_autofree char *request =
          g_strdup_printf ("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost:PORT\r\nContent-Type: %s\r\n"
                           "Content-Length: %zu\r\n\r\n%s",
                           types[i], strlen (CHAT_BODY), CHAT_BODY);
      g_auto (Reply) reply = { 0 };

      fixture_ask (fixture, request, &reply);
      g_assert_cmpuint (reply.status, ==, 200);
    }
}

static void
test_cors (Fixture *fixture, gconstpointer data)
{
  static const char *const origins[] = { "https://app.example", NULL };
  g_auto (Reply) preflight = { 0 }, stranger = { 0 }, chat = { 0 }, refused = { 0 };

  veil_server_set_allowed_origins (fixture->server, origins);
  veil_server_set_api_key (fixture->server, "k");
  fixture_ask (fixture,
               "OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: localhost:PORT\r\nOrigin: https://app.example\r\n"
               "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Private-Network: true\r\n\r\n",
               &preflight);
  g_assert_cmpuint (preflight.status, ==, 204);
  assert_header (&preflight, "Access-Control-Allow-Origin: https://app.example");
  assert_header (&preflight, "Access-Control-Allow-Methods: POST, OPTIONS");
  assert_header (&preflight, "Access-Control-Allow-Headers: Authorization, *");
  assert_header (&preflight, "Access-Control-Allow-Private-Network: true");

  fixture_ask (fixture,
               "OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: localhost:PORT\r\nOrigin: https://evil.example\r\n"
               "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Private-Network: true\r\n\r\n",
               &stranger);
  g_assert_cmpuint (stranger.status, ==, 403);
  assert_no_header (&stranger, "Access-Control-Allow-Origin");
  assert_no_header (&stranger, "Access-Control-Allow-Private-Network");

  fixture_ask_chat (fixture, "Origin: https://app.example\r\nAuthorization: Bearer k\r\n", CHAT_BODY, &chat);
  g_assert_cmpuint (chat.status, ==, 200);
  assert_header (&chat, "Access-Control-Allow-Origin: https://app.example");
  assert_header (&chat, "Vary: Origin");

  fixture_ask_chat (fixture, "Origin: https://app.example\r\n", CHAT_BODY, &refused);
  g_assert_cmpuint (refused.status, ==, 401);
  assert_header (&refused, "WWW-Authenticate: Bearer");
  assert_header (&refused, "Access-Control-Allow-Origin: https://app.example");
  assert_body_has (&refused, "\"type\":\"authentication_error\"");
}

typedef struct
{
  gint64 last, longest; /* microseconds of this thread's own work */
} Beats;

static gint64
thread_cpu_us (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

static gboolean
on_beat (gpointer user_data)
{
  Beats *beats = user_data;
  gint64 now = thread_cpu_us ();

  beats->longest = MAX (beats->longest, now - beats->last);
  beats->last = now;
  return G_SOURCE_CONTINUE;
}

static gint64
measure_longest_hold (Fixture *fixture, VeilChatAnswer *answer, guint *status)
{
  g_auto (Reply) reply = { 0 };
  Beats beats = { thread_cpu_us (), 0 };
  guint beat = g_timeout_add_full (G_PRIORITY_HIGH, 1, on_beat, &beats, NULL);

  g_clear_pointer (&fixture->backend->answer, veil_chat_answer_unref);
  fixture->backend->answer = answer;
  fixture_ask_chat (fixture, "", CHAT_BODY, &reply);
  g_source_remove (beat);
  *status = reply.status;
  return beats.longest;
}

/* An answer is large in more ways than by its text: other callers wait for none of them. On the main loop these replies take half a second. */
static void
test_large_unsigned (Fixture *fixture, gconstpointer data)
{
  g_autofree char *numbers = g_strnfill (6 * 500000, ' ');
  g_autofree char *extras = NULL;
  g_autofree char *calls = NULL;
  guint status;

  for (gsize i = 0; i < 500000; i++)
    memcpy (numbers + 6 * i, i < 499999 ? "1e300," : "1e300 ", 6);
  extras = g_strdup_printf ("{\"usage\":{\"x\":[%s]}}", numbers);
  calls = g_strdup_printf ("[%s]", numbers);
  g_assert_cmpint (measure_longest_hold (fixture, fake_answer_new ("x", 0, extras), &status), <, 200000);
  g_assert_cmpuint (status, ==, 200);
  g_assert_cmpint (measure_longest_hold (fixture, fake_answer_new_tools (calls), &status), <, 200000);
  g_assert_cmpuint (status, ==, 200);
}

static void
test_models_file (void)
{
  g_autoptr (FakeBackend) backend = g_object_new (FAKE_TYPE_BACKEND, NULL);
  g_autoptr (VeilServer) server = veil_server_new (VEIL_BACKEND (backend));
  g_autofree char *dir = g_dir_make_tmp ("veil-models-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "models.json", NULL);
  static const char *const bad[] = { "[]", "{\"models\":[{}]}", "{\"models\":[{\"id\":1,\"provider\":\"x\"}]}", "{", "" };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_true (g_file_set_contents (path, bad[i], -1, NULL));
      g_assert_false (veil_server_load_models (server, path, &error));
      g_assert_nonnull (error);
    }
  g_assert_cmpint (g_remove (path), ==, 0);
  g_assert_false (veil_server_load_models (server, path, NULL));
  g_assert_cmpint (g_rmdir (dir), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, func) g_test_add (path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)
  ADD ("/server/cases", test_cases);
  ADD ("/server/nonsense", test_nonsense);
  ADD ("/server/single", test_single);
  ADD ("/server/injection", test_injection);
  ADD ("/server/stream", test_stream);
  ADD ("/server/content-types", test_content_types);
  ADD ("/server/cors", test_cors);
  ADD ("/server/large-unsigned", test_large_unsigned);
  g_test_add_func ("/server/models-file", test_models_file);
  return g_test_run ();
}
