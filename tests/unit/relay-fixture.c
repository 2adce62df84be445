/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "relay-fixture.h"

#include "fetch.h"
#include "veil-error.h"

#include <string.h>

TestEnclave *relay_enclave;
TestEnclave *relay_other_enclave;

static gboolean
on_request (TestPeer *peer, const TestPeerRequest *request, GSocketConnection *connection, gpointer user_data)
{
  RelayFixture *fixture = user_data;
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

VeilChatRequest *
relay_build_request (const char *rest)
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
set_up (RelayFixture *fixture, gconstpointer data)
{
  const VeilRelayLimits *limits = data;

  g_mutex_init (&fixture->mutex);
  fixture->heads = g_ptr_array_new_with_free_func (g_free);
  fixture->encs = g_ptr_array_new_with_free_func (g_free);
  fixture->peer = test_peer_new (on_request, fixture);
  fixture->session = veil_fetch_session_new ();
  fixture->client = veil_relay_client_new (fixture->session, test_peer_get_url (fixture->peer), limits);
  fixture->single = relay_build_request ("");
  fixture->stream = relay_build_request (",\"stream\":true");
}

static void
tear_down (RelayFixture *fixture, gconstpointer data)
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

void
relay_on_sent (GObject *source, GAsyncResult *result, gpointer user_data)
{
  RelayOutcome *outcome = user_data;

  outcome->answer = veil_relay_client_send_finish (VEIL_RELAY_CLIENT (source), result, &outcome->error);
  outcome->done = TRUE;
}

VeilChatAnswer *
relay_exchange_with (RelayFixture *fixture, TestEnclave *whom, VeilChatRequest *request, GError **error)
{
  RelayOutcome outcome = { 0 };

  fixture->request = request;
  veil_relay_client_send_async (fixture->client, test_enclave_get_tee (whom), request, RELAY_TOKEN, NULL, relay_on_sent, &outcome);
  g_assert_false (outcome.done);
  TEST_ITERATE_UNTIL (outcome.done);
  g_assert_true ((outcome.answer == NULL) == (outcome.error != NULL));
  if (outcome.error != NULL)
    g_propagate_error (error, outcome.error);
  return outcome.answer;
}

VeilChatAnswer *
relay_exchange (RelayFixture *fixture, VeilChatRequest *request, GError **error)
{
  return relay_exchange_with (fixture, relay_enclave, request, error);
}

void
relay_assert_error (const GError *error, int code, const char *says)
{
  g_assert_error (error, VEIL_ERROR, code);
  if (says != NULL && strstr (error->message, says) == NULL)
    g_error ("“%s” does not say “%s”", error->message, says);
  g_assert_null (strstr (error->message, "SECRET"));
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  for (const char *c = error->message; *c != '\0'; c = g_utf8_next_char (c))
    g_assert_true (g_unichar_isprint (g_utf8_get_char (c)));
}

void
relay_assert_fails (RelayFixture *fixture, VeilChatRequest *request, int code, const char *says)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilChatAnswer) answer = relay_exchange (fixture, request, &error);

  g_assert_null (answer);
  relay_assert_error (error, code, says);
}

gboolean
relay_reply_honestly (RelayFixture *fixture, const TestPeerRequest *request, GSocketConnection *connection)
{
  const char *headers = fixture->request->stream ? RELAY_STREAM_TYPE : RELAY_SINGLE_TYPE;
  g_autoptr (GBytes) body = test_enclave_answer (relay_enclave, request->body, fixture->request, "Hi there");

  if (body == NULL)
    body = test_enclave_answer (relay_other_enclave, request->body, fixture->request, "Hi there");
  return test_peer_answer (connection, 200, headers, body);
}

void
relay_add (const char *name, const VeilRelayLimits *limits, void (*func) (RelayFixture *, gconstpointer))
{
  g_autofree char *path = g_strconcat ("/relay-client/", name, NULL);

  g_test_add (path, RelayFixture, limits, set_up, func, tear_down);
}

int
relay_run (void (*add_tests) (void))
{
  int status;

  relay_enclave = test_enclave_new ("https://tee-1.example", 0x11);
  relay_other_enclave = test_enclave_new ("https://tee-2.example", 0x22);
  add_tests ();
  status = g_test_run ();
  test_enclave_free (relay_enclave);
  test_enclave_free (relay_other_enclave);
  return status;
}
