/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The error table of product.md section 3, row by row, as a caller sees it. */
#include "server-fixture.h"

#include "error-details.h"

#include <string.h>

#define SECRET "the-answer-itself"

typedef struct
{
  VeilError code;
  guint upstream; /* status that the relay or gateway gave */
  guint status;
  const char *type;
  const char *json_code;
  gboolean dont_retry;
} Row;

static const Row rows[] = {
  { VEIL_ERROR_INVALID_JSON, 0, 400, "invalid_request_error", "invalid_request_error", FALSE },
  { VEIL_ERROR_INVALID_REQUEST, 0, 400, "invalid_request_error", "invalid_request_error", FALSE },
  { VEIL_ERROR_TOO_LARGE, 0, 413, "invalid_request_error", "request_too_large", FALSE },
  { VEIL_ERROR_NOT_SIGNED_IN, 0, 401, "authentication_error", "not_signed_in", FALSE },
  { VEIL_ERROR_SESSION_REFUSED, 403, 401, "authentication_error", "session_refused", FALSE },
  { VEIL_ERROR_REGISTRY, 0, 503, "api_error", "registry", FALSE },
  { VEIL_ERROR_NO_ACTIVE_TEE, 0, 503, "api_error", "no_active_tee", FALSE },
  { VEIL_ERROR_PIN_MISMATCH, 0, 503, "api_error", "pin_mismatch", FALSE },
  { VEIL_ERROR_PINNED_TEE_INACTIVE, 0, 503, "api_error", "pinned_tee_inactive", FALSE },
  { VEIL_ERROR_TEE_UNUSABLE, 0, 503, "api_error", "tee_unusable", FALSE },
  { VEIL_ERROR_RELAY_REFUSED, 401, 401, "authentication_error", "session_refused", FALSE },
  { VEIL_ERROR_RELAY_REFUSED, 402, 402, "insufficient_quota", "insufficient_quota", FALSE },
  { VEIL_ERROR_RELAY_REFUSED, 413, 413, "invalid_request_error", "request_too_large", FALSE },
  { VEIL_ERROR_RELAY_REFUSED, 429, 429, "rate_limit_error", "rate_limit_exceeded", FALSE },
  { VEIL_ERROR_RELAY_REFUSED, 500, 502, "api_error", "relay_error", FALSE },
  { VEIL_ERROR_RELAY_REFUSED, 503, 502, "api_error", "relay_error", FALSE },
  { VEIL_ERROR_RELAY_REFUSED, 404, 502, "api_error", "relay_error", FALSE },
  { VEIL_ERROR_GATEWAY, 400, 400, "invalid_request_error", "upstream_error", FALSE },
  { VEIL_ERROR_GATEWAY, 429, 429, "rate_limit_error", "upstream_error", FALSE },
  { VEIL_ERROR_GATEWAY, 500, 500, "api_error", "upstream_error", FALSE },
  { VEIL_ERROR_GATEWAY, 401, 502, "api_error", "upstream_error", FALSE },
  { VEIL_ERROR_GATEWAY, 200, 502, "api_error", "upstream_error", FALSE },
  { VEIL_ERROR_GATEWAY, 777, 502, "api_error", "upstream_error", FALSE },
  { VEIL_ERROR_GATEWAY, 0, 502, "api_error", "upstream_error", FALSE },
  { VEIL_ERROR_UNREACHABLE, 0, 502, "api_error", "unreachable", FALSE },
  { VEIL_ERROR_TIMED_OUT, 0, 504, "api_error", "timed_out", TRUE },
  { VEIL_ERROR_BROKEN_ANSWER, 0, 502, "api_error", "broken_answer", TRUE },
  { VEIL_ERROR_ANSWER_TOO_LARGE, 0, 502, "api_error", "answer_too_large", TRUE },
  { VEIL_ERROR_SEAL, 0, 502, "api_error", "verification_failed", TRUE },
  { VEIL_ERROR_MALFORMED_ANSWER, 0, 502, "api_error", "verification_failed", TRUE },
  { VEIL_ERROR_NO_SIGNED_FRAME, 0, 502, "api_error", "verification_failed", TRUE },
  { VEIL_ERROR_MISSING_FIELD, 0, 502, "api_error", "verification_failed", TRUE },
  { VEIL_ERROR_TIMESTAMP, 0, 502, "api_error", "verification_failed", TRUE },
  { VEIL_ERROR_TEE_ID, 0, 502, "api_error", "verification_failed", TRUE },
  { VEIL_ERROR_REQUEST_HASH, 0, 502, "api_error", "verification_failed", TRUE },
  { VEIL_ERROR_OUTPUT_HASH, 0, 502, "api_error", "verification_failed", TRUE },
  { VEIL_ERROR_SIGNING_KEY, 0, 502, "api_error", "verification_failed", TRUE },
  { VEIL_ERROR_SIGNATURE, 0, 502, "api_error", "verification_failed", TRUE },
  { VEIL_ERROR_STALE, 0, 502, "api_error", "stale_response", TRUE },
  { VEIL_ERROR_UNSIGNED_CONTENT, 0, 502, "api_error", "unsigned_content", TRUE },
  { VEIL_ERROR_SANDBOX, 0, 503, "api_error", "sandbox", FALSE },
  { VEIL_ERROR_INTERNAL, 0, 500, "api_error", "internal", FALSE },
};

static void
check_row (Fixture *fixture, const Row *row, const char *body)
{
  g_auto (Reply) reply = { 0 };
  g_autofree char *expected = NULL, *check = NULL;
  gboolean verification = veil_error_is_verification (row->code);

  g_clear_error (&fixture->backend->error);
  fixture->backend->error = g_error_new (VEIL_ERROR, row->code, "It is \"so\"");
  if (row->upstream != 0)
    veil_error_set_status (fixture->backend->error, row->upstream);
  veil_error_set_retry_after (fixture->backend->error, "17");
  if (row->code == VEIL_ERROR_INVALID_REQUEST)
    veil_error_set_param (fixture->backend->error, "messages[2].role");
  fixture_ask_chat (fixture, "", body, &reply);

  if (reply.status != row->status)
    g_error ("%s (%u): status %u, not %u", veil_error_get_nick (row->code), row->upstream, reply.status, row->status);
  check = verification ? g_strdup_printf (",\"check\":\"%s\"", veil_error_get_nick (row->code)) : g_strdup ("");
  expected = g_strdup_printf ("{\"error\":{\"message\":\"It is \\\"so\\\"%s\",\"type\":\"%s\",\"param\":%s,\"code\":\"%s\"%s}}",
                              row->status == 401 ? ". Sign in with: og-veil login" : "", row->type,
                              row->code == VEIL_ERROR_INVALID_REQUEST ? "\"messages[2].role\"" : "null", row->json_code, check);
  g_assert_cmpstr (reply.body->str, ==, expected);
  g_assert_nonnull (strstr (reply.head, "\r\nRetry-After: 17\r\n"));
  g_assert_nonnull (strstr (reply.head, "\r\nContent-Type: application/json\r\n"));
  g_assert_true ((strstr (reply.head, "\r\nx-should-retry: false\r\n") != NULL) == row->dont_retry);
  g_assert_null (strstr (reply.head, "X-OpenGradient"));
  g_assert_null (strstr (reply.head, SECRET));
  g_assert_null (strstr (reply.body->str, SECRET));
}

static void
test_rows (Fixture *fixture, gconstpointer data)
{
  veil_chat_answer_unref (fixture->backend->answer);
  fixture->backend->answer = fake_answer_new (SECRET, 0, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      check_row (fixture, &rows[i], CHAT_BODY);
      check_row (fixture, &rows[i], STREAM_BODY);
    }
}

/* What the caller itself got wrong never reaches the backend. */
static void
test_requests (Fixture *fixture, gconstpointer data)
{
  static const struct
  {
    const char *body, *param;
  } bad[] = {
    { "", "null" },
    { "{", "null" },
    { "{\"model\":NaN}", "null" },
    { "{\"model\":1,\"messages\":[]}", "\"model\"" },
    { "{\"model\":\"m\",\"messages\":[]}", "\"messages\"" },
    { "{\"model\":\"m\",\"messages\":[{\"role\":\"king\",\"content\":\"x\"}]}", "\"messages[0].role\"" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *param = g_strdup_printf ("\"param\":%s,\"code\":\"invalid_request_error\"", bad[i].param);
      g_auto (Reply) reply = { 0 };

      fixture_ask_chat (fixture, "", bad[i].body, &reply);
      g_assert_cmpuint (reply.status, ==, 400);
      if (strstr (reply.body->str, param) == NULL)
        g_error ("%s: no %s in %s", bad[i].body, param, reply.body->str);
    }
  g_assert_cmpuint (fixture->backend->calls, ==, 0);
}

static void
test_headers (Fixture *fixture, gconstpointer data)
{
  static const char *const evil[] = { "1\r\nX-Evil: 1", "1\nX-Evil: 1", "\x01", "\xc3\xa9",
                                      "12345678901234567890123456789012345678901234567890123456789012345" };

  for (gsize i = 0; i < G_N_ELEMENTS (evil); i++)
    {
      g_auto (Reply) reply = { 0 };

      g_clear_error (&fixture->backend->error);
      fixture->backend->error = g_error_new (VEIL_ERROR, VEIL_ERROR_RELAY_REFUSED, "Bad \xff bytes\r\nX-Evil: 1");
      veil_error_set_status (fixture->backend->error, 429);
      veil_error_set_retry_after (fixture->backend->error, evil[i]);
      fixture_ask_chat (fixture, "", CHAT_BODY, &reply);
      g_assert_cmpuint (reply.status, ==, 429);
      g_assert_true (g_str_has_prefix (reply.head, "HTTP/1.1 429 Too Many Requests\r\n"));
      g_assert_null (strstr (reply.head, "Retry-After"));
      g_assert_null (strstr (reply.head, "X-Evil"));
      g_assert_true (g_utf8_validate (reply.body->str, reply.body->len, NULL));
    }
}

/* Errors of other domains are ours to explain, and say nothing of what is inside. */
static void
test_foreign (Fixture *fixture, gconstpointer data)
{
  g_auto (Reply) reply = { 0 };

  fixture->backend->error = g_error_new (G_IO_ERROR, G_IO_ERROR_NOT_FOUND, SECRET);
  fixture_ask_chat (fixture, "", CHAT_BODY, &reply);
  g_assert_cmpuint (reply.status, ==, 500);
  g_assert_null (strstr (reply.body->str, SECRET));
  g_assert_nonnull (strstr (reply.body->str, "\"code\":\"internal_error\""));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, func) g_test_add (path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)
  ADD ("/server/errors/rows", test_rows);
  ADD ("/server/errors/requests", test_requests);
  ADD ("/server/errors/headers", test_headers);
  ADD ("/server/errors/foreign", test_foreign);
  return g_test_run ();
}
