/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Honest exchanges: what leaves, what comes back, and with which keys. */
#include "relay-fixture.h"
#include "seal-pool.h"
#include "veil-error.h"

#include <string.h>

static void
assert_proof (const VeilProof *proof, const VeilChatRequest *request)
{
  VeilTee *tee = test_enclave_get_tee (relay_enclave);

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
assert_honest (RelayFixture *fixture, VeilChatRequest *request)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilChatAnswer) answer = relay_exchange (fixture, request, &error);
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
test_honest (RelayFixture *fixture, gconstpointer data)
{
  g_autoptr (VeilChatAnswer) answer = NULL;

  fixture->reply = relay_reply_honestly;
  assert_honest (fixture, fixture->single);
  assert_honest (fixture, fixture->stream);
  g_assert_cmpuint (test_peer_get_n_connections (fixture->peer), ==, 1);

  answer = relay_exchange (fixture, fixture->single, NULL);
  g_assert_false (answer->proof->sandbox);
  g_clear_pointer (&answer, veil_chat_answer_unref);
  veil_relay_client_set_sandbox (fixture->client, TRUE);
  answer = relay_exchange (fixture, fixture->single, NULL);
  g_assert_true (answer->proof->sandbox);
}

static gboolean
reply_parameters (RelayFixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  g_autoptr (GBytes) body = test_enclave_answer (relay_enclave, request->body, fixture->request, "Hi there");

  return test_peer_answer (connection, 201, "content-type: Message/OHTTP-Res; charset=binary\r\nX-Inference-Cost-OPG: 7\r\n", body);
}

static void
test_type_parameters (RelayFixture *fixture, gconstpointer data)
{
  fixture->reply = reply_parameters;
  assert_honest (fixture, fixture->single);
}

/* What leaves is the wire text, then spaces up to the step, and opens at the relay_enclave alone. */
static gboolean
reply_after_checking (RelayFixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  g_auto (TestOpened) opened = { 0 };
  g_auto (TestOpened) not_opened = { 0 };
  gsize wire_length, length;
  const char *wire = g_bytes_get_data (fixture->request->wire, &wire_length);
  const char *text;

  g_assert_true (test_enclave_open (relay_enclave, request->body, &opened));
  g_assert_false (test_enclave_open (relay_other_enclave, request->body, &not_opened));
  text = g_bytes_get_data (opened.plaintext, &length);
  g_assert_cmpuint (length, ==, veil_relay_padded_size (wire_length, VEIL_RELAY_MAX_REQUEST - VEIL_OHTTP_OVERHEAD));
  g_assert_cmpuint (length, >, wire_length);
  g_assert_cmpmem (text, wire_length, wire, wire_length);
  for (gsize i = wire_length; i < length; i++)
    g_assert_cmpint (text[i], ==, ' ');
  g_assert_null (g_strstr_len (text, (gssize) length, "\"user\":\"me\""));
  return relay_reply_honestly (fixture, request, connection);
}

static void
test_sealed (RelayFixture *fixture, gconstpointer data)
{
  fixture->reply = reply_after_checking;
  assert_honest (fixture, fixture->single);
  assert_honest (fixture, fixture->stream);
}

/* Just below the limit: sealed, it is as large as relays take, and not a byte larger. */
static void
test_large (RelayFixture *fixture, gconstpointer data)
{
  gsize room = VEIL_RELAY_MAX_REQUEST - VEIL_OHTTP_OVERHEAD - g_bytes_get_size (fixture->single->wire) - 100;
  g_autofree char *filler = g_strnfill (room, 'z');
  g_autofree char *rest = g_strdup_printf (",\"stop\":\"%s\"", filler);
  g_autoptr (VeilChatRequest) request = relay_build_request (rest);
  g_autoptr (VeilChatAnswer) answer = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *length = g_strdup_printf ("\r\nContent-Length: %u\r\n", VEIL_RELAY_MAX_REQUEST);

  fixture->reply = reply_after_checking;
  answer = relay_exchange (fixture, request, &error);
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
assert_head (RelayFixture *fixture, guint index, const char *accept, const char *rest)
{
  const char *host = test_peer_get_url (fixture->peer) + strlen ("http://");
  gsize length = VEIL_OHTTP_OVERHEAD + veil_relay_padded_size (g_bytes_get_size (fixture->request->wire), VEIL_RELAY_MAX_REQUEST);
  g_autofree char *expected =
      g_strdup_printf ("POST /api/v1/chat/ohttp HTTP/1.1\r\nHost: %s\r\nContent-Type: message/ohttp-req\r\n"
                       "Content-Length: %" G_GSIZE_FORMAT "\r\nAccept: %s\r\nAccept-Encoding: identity\r\n"
                       "Authorization: Bearer " RELAY_TOKEN "\r\nX-TEE-ID: %s\r\nUser-Agent: Mozilla/5.0\r\n"
                       "Connection: Keep-Alive\r\n%s",
                       host, length, accept, test_enclave_get_tee (relay_enclave)->id, rest);
  g_autofree char *expected_sorted = sort_lines (expected);
  g_autofree char *sorted = sort_lines (fixture->heads->pdata[index]);

  g_assert_cmpstr (sorted, ==, expected_sorted);
}

static void
test_headers (RelayFixture *fixture, gconstpointer data)
{
  fixture->reply = relay_reply_honestly;
  assert_honest (fixture, fixture->single);
  assert_head (fixture, 0, "message/ohttp-res", "");
  assert_honest (fixture, fixture->stream);
  assert_head (fixture, 1, "message/ohttp-chunked-res", "X-OHTTP-Stream: true\r\n");
}

static void
test_effort (RelayFixture *fixture, gconstpointer data)
{
  g_autoptr (VeilChatRequest) request = relay_build_request (",\"reasoning_effort\":\"high\"");
  g_autoptr (VeilChatAnswer) answer = NULL;
  g_autoptr (GError) error = NULL;

  fixture->reply = relay_reply_honestly;
  answer = relay_exchange (fixture, request, &error);
  g_assert_no_error (error);
  g_assert_true (answer->proof->effort_given && answer->proof->effort_signed);
}

static gboolean
reply_without_effort (RelayFixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  g_auto (TestOpened) opened = { 0 };
  g_autofree char *response = test_enclave_say (relay_enclave, fixture->request->request_hash_plain, "Hi there");
  g_autoptr (GBytes) body = NULL;

  g_assert_true (test_enclave_open (relay_enclave, request->body, &opened));
  body = test_opened_seal (&opened, response);
  return test_peer_answer (connection, 200, RELAY_SINGLE_TYPE, body);
}

static void
test_effort_unsigned (RelayFixture *fixture, gconstpointer data)
{
  g_autoptr (VeilChatRequest) request = relay_build_request (",\"reasoning_effort\":\"high\"");
  g_autoptr (VeilChatAnswer) answer = NULL;
  g_autoptr (GError) error = NULL;

  fixture->reply = reply_without_effort;
  answer = relay_exchange (fixture, request, &error);
  g_assert_no_error (error);
  g_assert_true (answer->proof->effort_given);
  g_assert_false (answer->proof->effort_signed);
}

/* --- contexts --- */

static void
test_fresh_keys (RelayFixture *fixture, gconstpointer data)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  fixture->reply = relay_reply_honestly;
  for (guint i = 0; i < 12; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (VeilChatAnswer) answer = NULL;
      TestEnclave *whom = i % 4 == 3 ? relay_other_enclave : relay_enclave;

      if (i % 2 == 0)
        veil_relay_client_prepare (fixture->client, test_enclave_get_tee (whom));
      while (i % 3 == 0 && g_main_context_iteration (NULL, FALSE))
        ;
      answer = relay_exchange_with (fixture, whom, fixture->single, &error);
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
  VeilTee *tee = test_enclave_get_tee (relay_enclave);
  VeilTee *other = test_enclave_get_tee (relay_other_enclave);

  g_assert_null (veil_seal_pool_take (pool, tee));
  veil_seal_pool_prepare (pool, tee);
  settle_loop ();
  assert_taken (pool, relay_enclave, seen);
  assert_taken (pool, relay_enclave, seen);
  g_assert_null (veil_seal_pool_take (pool, tee));
  settle_loop ();
  g_assert_null (veil_seal_pool_take (pool, other));
  assert_taken (pool, relay_enclave, seen);
  settle_loop ();

  veil_seal_pool_prepare (pool, other);
  g_assert_null (veil_seal_pool_take (pool, tee));
  g_assert_null (veil_seal_pool_take (pool, other));
  settle_loop ();
  assert_taken (pool, relay_other_enclave, seen);
  g_assert_cmpuint (g_hash_table_size (seen), ==, 4);
  veil_seal_pool_free (pool); /* with one context left and one on its way */
  settle_loop ();
}

static void
test_unusable (RelayFixture *fixture, gconstpointer data)
{
  g_autoptr (VeilTee) tee = veil_tee_new ();
  RelayOutcome outcome = { 0 };

  tee->id = g_strdup ("0x00");
  tee->unusable = g_strdup ("no HPKE key");
  veil_relay_client_prepare (fixture->client, tee);
  veil_relay_client_send_async (fixture->client, tee, fixture->single, RELAY_TOKEN, NULL, relay_on_sent, &outcome);
  TEST_ITERATE_UNTIL (outcome.done);
  relay_assert_error (outcome.error, VEIL_ERROR_TEE_UNUSABLE, "no HPKE key");
  g_error_free (outcome.error);
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
add_tests (void)
{
  relay_add ("honest", NULL, test_honest);
  relay_add ("type-parameters", NULL, test_type_parameters);
  relay_add ("sealed", NULL, test_sealed);
  relay_add ("large", NULL, test_large);
  relay_add ("headers", NULL, test_headers);
  relay_add ("effort", NULL, test_effort);
  relay_add ("effort-unsigned", NULL, test_effort_unsigned);
  relay_add ("fresh-keys", NULL, test_fresh_keys);
  relay_add ("unusable", NULL, test_unusable);
  g_test_add_func ("/seal-pool/once", test_pool);
  g_test_add_func ("/relay-client/padding", test_padding);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  return relay_run (add_tests);
}
