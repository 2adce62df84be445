/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "service-fixture.h"

#include "veil-error.h"

#include <string.h>

#define SINGLE_TYPE "Content-Type: message/ohttp-res\r\n"
#define STREAM_TYPE "Content-Type: message/ohttp-chunked-res\r\n"
#define JSON "Content-Type: application/json\r\n"

TestEnclave *service_enclaves[SERVICE_N_ENCLAVES];

/* --- the peers --- */

static gboolean
wait_for_gate (ServiceFixture *fixture, TestPeer *peer, GSocketConnection *connection)
{
  while (!g_atomic_int_get (&fixture->gate))
    if (test_peer_pause (peer, connection, 5))
      return FALSE;
  return TRUE;
}

static gboolean
on_registry (TestPeer *peer, const TestPeerRequest *request, GSocketConnection *connection, gpointer user_data)
{
  ServiceFixture *fixture = user_data;
  g_autofree char *call = g_strndup (g_bytes_get_data (request->body, NULL), g_bytes_get_size (request->body));
  const char *id = strstr (call, "\"id\":");
  g_autofree char *list = NULL;
  g_autoptr (GBytes) body = NULL;

  g_assert_nonnull (id);
  if (fixture->registry_hangs && !wait_for_gate (fixture, peer, connection))
    return FALSE;
  if (fixture->registry_down)
    return test_peer_answer (connection, 500, JSON, NULL);
  list =
      test_enclave_list (service_enclaves + fixture->first, fixture->count, g_ascii_strtoull (id + strlen ("\"id\":"), NULL, 10));
  body = g_bytes_new (list, strlen (list));
  return test_peer_answer (connection, 200, JSON, body);
}

static TestEnclave *
find_enclave (const TestPeerRequest *request, char **tee_id)
{
  const char *field = strstr (request->head, "\r\nX-TEE-ID: ");

  g_assert_nonnull (field);
  *tee_id = g_strndup (field + strlen ("\r\nX-TEE-ID: "), 66);
  for (guint i = 0; i < SERVICE_N_ENCLAVES; i++)
    if (g_str_equal (test_enclave_get_tee (service_enclaves[i])->id, *tee_id))
      return service_enclaves[i];
  g_assert_not_reached ();
}

static GBytes *
seal_status (ServiceFixture *fixture, TestEnclave *enclave, const TestPeerRequest *request)
{
  g_auto (TestOpened) opened = { 0 };
  g_autofree char *text = g_strdup_printf ("{\"status\":%u,\"body\":%s}", fixture->status, fixture->text);

  g_assert_true (test_enclave_open (enclave, request->body, &opened));
  return test_opened_seal (&opened, text);
}

static gboolean
answer (ServiceFixture *fixture, TestEnclave *enclave, const TestPeerRequest *request, GSocketConnection *connection,
        gboolean altered)
{
  gboolean stream = strstr (request->head, "\r\nX-OHTTP-Stream: true") != NULL;
  VeilChatRequest *asked = stream ? fixture->stream : fixture->single;
  g_autoptr (GBytes) body = test_enclave_answer (enclave, request->body, asked, "Hi there");
  g_autoptr (GBytes) cut = NULL;

  g_assert_nonnull (body);
  cut = g_bytes_new_from_bytes (body, 0, g_bytes_get_size (body) - (altered ? 1 : 0));
  return test_peer_answer (connection, 200, stream ? STREAM_TYPE : SINGLE_TYPE, cut);
}

gboolean
service_on_relay (TestPeer *peer, const TestPeerRequest *request, GSocketConnection *connection, gpointer user_data)
{
  ServiceFixture *fixture = user_data;
  char *tee_id;
  TestEnclave *enclave = find_enclave (request, &tee_id);
  g_autoptr (GBytes) body = NULL;
  gboolean bad;

  g_mutex_lock (&fixture->mutex);
  bad = fixture->tee_ids->len < fixture->n_bad;
  g_ptr_array_add (fixture->tee_ids, tee_id);
  g_ptr_array_add (fixture->bodies, g_bytes_ref (request->body));
  g_mutex_unlock (&fixture->mutex);
  switch (bad ? fixture->behaviour : RELAY_HONEST)
    {
    case RELAY_STATUS:
      body = g_bytes_new_static (fixture->text, strlen (fixture->text));
      return test_peer_answer (connection, fixture->status, JSON "Retry-After: 3\r\n", body);
    case RELAY_SEALED_STATUS:
      body = seal_status (fixture, enclave, request);
      return test_peer_answer (connection, 200, SINGLE_TYPE, body);
    case RELAY_WRONG_TYPE:
      return test_peer_answer (connection, 200, JSON, NULL);
    case RELAY_HANG:
      return wait_for_gate (fixture, peer, connection) && answer (fixture, enclave, request, connection, FALSE);
    case RELAY_ALTERED:
    case RELAY_HONEST:
    default:
      return answer (fixture, enclave, request, connection, bad && fixture->behaviour == RELAY_ALTERED);
    }
}

/* --- the fixture --- */

VeilSession *
service_build_session (const char *relay_url, const char *registry_url)
{
  g_autofree char *bundle = g_strdup_printf (
      "{\"type\":\"opengradient-cli-auth\",\"access_token\":\"token\",\"config\":{\"app_env\":\"sandbox\",\"supabase_url\":\"%s\","
      "\"supabase_anon_key\":\"anon\",\"chat_api_base_url\":\"%s\"%s%s%s}}",
      relay_url, relay_url, registry_url != NULL ? ",\"tee_registry_rpc_url\":\"" : "", registry_url != NULL ? registry_url : "",
      registry_url != NULL ? "\",\"tee_registry_address\":\"0x0000000000000000000000000000000000000001\"" : "");
  g_autoptr (GError) error = NULL;
  VeilSession *session = veil_session_new_from_bundle (bundle, strlen (bundle), 0, &error);

  g_assert_no_error (error);
  return session;
}

static VeilChatRequest *
build_request (gboolean stream)
{
  const char *body = stream ? "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Say hi\"}],\"stream\":true}"
                            : "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Say hi\"}]}";
  g_autoptr (GError) error = NULL;
  VeilChatRequest *request = veil_chat_request_new (body, strlen (body), VEIL_CHAT_REQUEST_OPENAI, &error);

  g_assert_no_error (error);
  return request;
}

static void
set_up (ServiceFixture *fixture, gconstpointer data)
{
  g_mutex_init (&fixture->mutex);
  fixture->tee_ids = g_ptr_array_new_with_free_func (g_free);
  fixture->bodies = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  fixture->registry = test_peer_new (on_registry, fixture);
  fixture->relay = test_peer_new (service_on_relay, fixture);
  fixture->single = build_request (FALSE);
  fixture->stream = build_request (TRUE);
  fixture->count = 2;
  fixture->n_bad = G_MAXUINT;
  fixture->text = "{}";
  fixture->settings.host = (char *) "127.0.0.1";
}

/* With whatever the test put into the settings. */
void
service_make (ServiceFixture *fixture)
{
  g_autoptr (VeilSession) session =
      service_build_session (test_peer_get_url (fixture->relay), test_peer_get_url (fixture->registry));

  fixture->service = veil_service_new (&fixture->settings);
  veil_service_set_session (fixture->service, session);
}

static void
tear_down (ServiceFixture *fixture, gconstpointer data)
{
  g_atomic_int_set (&fixture->gate, 1);
  if (fixture->service != NULL)
    {
      veil_service_stop (fixture->service);
      g_assert_finalize_object (fixture->service);
    }
  test_peer_free (fixture->relay);
  test_peer_free (fixture->registry);
  veil_chat_request_unref (fixture->single);
  veil_chat_request_unref (fixture->stream);
  g_ptr_array_unref (fixture->tee_ids);
  g_ptr_array_unref (fixture->bodies);
  g_clear_object (&fixture->record);
  g_mutex_clear (&fixture->mutex);
}

static void
on_chat (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ChatOutcome *outcome = user_data;

  outcome->answer = veil_backend_chat_finish (VEIL_BACKEND (source), result, &outcome->error);
  outcome->done = TRUE;
}

void
service_begin (ServiceFixture *fixture, VeilChatRequest *request, GCancellable *cancellable, ChatOutcome *outcome)
{
  g_clear_object (&fixture->record);
  fixture->record = veil_record_new ();
  veil_backend_chat_async (VEIL_BACKEND (fixture->service), request, fixture->record, cancellable, on_chat, outcome);
}

void
chat_outcome_clear (ChatOutcome *outcome)
{
  g_clear_pointer (&outcome->answer, veil_chat_answer_unref);
  g_clear_error (&outcome->error);
  outcome->done = FALSE;
}

void
service_chat (ServiceFixture *fixture, VeilChatRequest *request, ChatOutcome *outcome)
{
  chat_outcome_clear (outcome);
  service_begin (fixture, request, NULL, outcome);
  TEST_ITERATE_UNTIL (outcome->done);
}

void
service_assert_verified (const ChatOutcome *outcome)
{
  g_assert_no_error (outcome->error);
  g_assert_cmpmem (g_bytes_get_data (outcome->answer->text, NULL), g_bytes_get_size (outcome->answer->text), "Hi there", 8);
  g_assert_true (outcome->answer->proof->sandbox);
}

void
service_assert_works (ServiceFixture *fixture)
{
  g_auto (ChatOutcome) outcome = { 0 };

  service_chat (fixture, fixture->single, &outcome);
  service_assert_verified (&outcome);
}

void
service_assert_fails (ServiceFixture *fixture, int code, const char *says)
{
  g_auto (ChatOutcome) outcome = { 0 };

  service_chat (fixture, fixture->single, &outcome);
  g_assert_error (outcome.error, VEIL_ERROR, code);
  if (says != NULL && strstr (outcome.error->message, says) == NULL)
    g_error ("“%s” does not say “%s”", outcome.error->message, says);
}

void
service_assert_health (ServiceFixture *fixture, const char *status, guint64 verified, guint64 refused, guint64 failed)
{
  VeilBackendHealth health = { 0 };

  veil_backend_get_health (VEIL_BACKEND (fixture->service), &health);
  g_assert_cmpstr (health.status, ==, status);
  g_assert_cmpuint (health.verified, ==, verified);
  g_assert_cmpuint (health.refused, ==, refused);
  g_assert_cmpuint (health.failed, ==, failed);
  veil_backend_health_clear (&health);
}

char *
service_dup_active_tee (ServiceFixture *fixture)
{
  VeilBackendHealth health = { 0 };
  char *tee_id;

  veil_backend_get_health (VEIL_BACKEND (fixture->service), &health);
  tee_id = g_strdup (health.tee_id);
  veil_backend_health_clear (&health);
  return tee_id;
}

const char *
service_get_asked (ServiceFixture *fixture, guint index)
{
  g_assert_cmpuint (index, <, fixture->tee_ids->len);
  return fixture->tee_ids->pdata[index];
}

void
service_add_with (const char *name, gconstpointer data, void (*func) (ServiceFixture *, gconstpointer))
{
  g_autofree char *path = g_strconcat ("/service/", name, NULL);

  g_test_add (path, ServiceFixture, data, set_up, func, tear_down);
}

void
service_add (const char *name, void (*func) (ServiceFixture *, gconstpointer))
{
  service_add_with (name, NULL, func);
}

int
service_run (void (*add_tests) (void))
{
  g_autofree char *models = g_test_build_filename (G_TEST_DIST, "..", "data", "models.json", NULL);
  int status;

  g_setenv ("VEIL_MODELS_FILE", models, TRUE);
  for (guint i = 0; i < SERVICE_N_ENCLAVES; i++)
    service_enclaves[i] = test_enclave_new ("https://tee.example", (guint8) (0x11 * (i + 1)));
  add_tests ();
  status = g_test_run ();
  for (guint i = 0; i < SERVICE_N_ENCLAVES; i++)
    test_enclave_free (service_enclaves[i]);
  return status;
}
