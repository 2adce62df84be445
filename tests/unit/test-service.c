/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "fetch.h"
#include "service.h"
#include "test-enclave.h"
#include "test-peer.h"
#include "veil-error.h"

#include <string.h>

#define N_ENCLAVES 3
#define MANY 100
#define SINGLE_TYPE "Content-Type: message/ohttp-res\r\n"
#define STREAM_TYPE "Content-Type: message/ohttp-chunked-res\r\n"
#define JSON "Content-Type: application/json\r\n"

static TestEnclave *enclaves[N_ENCLAVES];

/* What the relay says to one request. */
typedef enum
{
  HONEST,
  STATUS,        /* plain: fixture->status and fixture->text */
  SEALED_STATUS, /* the same from inside the seal */
  ALTERED,
  WRONG_TYPE,
  HANG, /* until the gate opens, then honest */
} Behaviour;

typedef struct
{
  TestPeer *registry;
  TestPeer *relay;
  VeilSettings settings;
  VeilService *service;
  VeilChatRequest *single;
  VeilChatRequest *stream;

  guint first; /* the registry lists `count` enclaves from this one on */
  guint count;
  gboolean registry_down;
  gboolean registry_hangs;
  Behaviour behaviour;
  guint n_bad; /* so many requests get the behaviour, then all are honest */
  guint status;
  const char *text;
  gint gate; /* atomic */
  GMutex mutex;
  GPtrArray *tee_ids; /* of char: whom the relay was asked for, in order */
  GPtrArray *bodies;  /* of GBytes */
} Fixture;

/* --- the peers --- */

static gboolean
wait_for_gate (Fixture *fixture, TestPeer *peer, GSocketConnection *connection)
{
  while (!g_atomic_int_get (&fixture->gate))
    if (test_peer_pause (peer, connection, 5))
      return FALSE;
  return TRUE;
}

static gboolean
on_registry (TestPeer *peer, const TestPeerRequest *request, GSocketConnection *connection, gpointer user_data)
{
  Fixture *fixture = user_data;
  g_autofree char *call = g_strndup (g_bytes_get_data (request->body, NULL), g_bytes_get_size (request->body));
  const char *id = strstr (call, "\"id\":");
  g_autofree char *list = NULL;
  g_autoptr (GBytes) body = NULL;

  g_assert_nonnull (id);
  if (fixture->registry_hangs && !wait_for_gate (fixture, peer, connection))
    return FALSE;
  if (fixture->registry_down)
    return test_peer_answer (connection, 500, JSON, NULL);
  list = test_enclave_list (enclaves + fixture->first, fixture->count, g_ascii_strtoull (id + strlen ("\"id\":"), NULL, 10));
  body = g_bytes_new (list, strlen (list));
  return test_peer_answer (connection, 200, JSON, body);
}

static TestEnclave *
find_enclave (const TestPeerRequest *request, char **tee_id)
{
  const char *field = strstr (request->head, "\r\nX-TEE-ID: ");

  g_assert_nonnull (field);
  *tee_id = g_strndup (field + strlen ("\r\nX-TEE-ID: "), 66);
  for (guint i = 0; i < N_ENCLAVES; i++)
    if (g_str_equal (test_enclave_get_tee (enclaves[i])->id, *tee_id))
      return enclaves[i];
  g_assert_not_reached ();
}

static GBytes *
seal_status (Fixture *fixture, TestEnclave *enclave, const TestPeerRequest *request)
{
  g_auto (TestOpened) opened = { 0 };
  g_autofree char *text = g_strdup_printf ("{\"status\":%u,\"body\":%s}", fixture->status, fixture->text);

  g_assert_true (test_enclave_open (enclave, request->body, &opened));
  return test_opened_seal (&opened, text);
}

static gboolean
answer (Fixture *fixture, TestEnclave *enclave, const TestPeerRequest *request, GSocketConnection *connection, gboolean altered)
{
  gboolean stream = strstr (request->head, "\r\nX-OHTTP-Stream: true") != NULL;
  VeilChatRequest *asked = stream ? fixture->stream : fixture->single;
  g_autoptr (GBytes) body = test_enclave_answer (enclave, request->body, asked, "Hi there");
  g_autoptr (GBytes) cut = NULL;

  g_assert_nonnull (body);
  cut = g_bytes_new_from_bytes (body, 0, g_bytes_get_size (body) - (altered ? 1 : 0));
  return test_peer_answer (connection, 200, stream ? STREAM_TYPE : SINGLE_TYPE, cut);
}

static gboolean
on_relay (TestPeer *peer, const TestPeerRequest *request, GSocketConnection *connection, gpointer user_data)
{
  Fixture *fixture = user_data;
  char *tee_id;
  TestEnclave *enclave = find_enclave (request, &tee_id);
  g_autoptr (GBytes) body = NULL;
  gboolean bad;

  g_mutex_lock (&fixture->mutex);
  bad = fixture->tee_ids->len < fixture->n_bad;
  g_ptr_array_add (fixture->tee_ids, tee_id);
  g_ptr_array_add (fixture->bodies, g_bytes_ref (request->body));
  g_mutex_unlock (&fixture->mutex);
  switch (bad ? fixture->behaviour : HONEST)
    {
    case STATUS:
      body = g_bytes_new_static (fixture->text, strlen (fixture->text));
      return test_peer_answer (connection, fixture->status, JSON "Retry-After: 3\r\n", body);
    case SEALED_STATUS:
      body = seal_status (fixture, enclave, request);
      return test_peer_answer (connection, 200, SINGLE_TYPE, body);
    case WRONG_TYPE:
      return test_peer_answer (connection, 200, JSON, NULL);
    case HANG:
      return wait_for_gate (fixture, peer, connection) && answer (fixture, enclave, request, connection, FALSE);
    case ALTERED:
    case HONEST:
    default:
      return answer (fixture, enclave, request, connection, bad && fixture->behaviour == ALTERED);
    }
}

/* --- the fixture --- */

static VeilSession *
build_session (const char *relay_url, const char *registry_url)
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
set_up (Fixture *fixture, gconstpointer data)
{
  g_mutex_init (&fixture->mutex);
  fixture->tee_ids = g_ptr_array_new_with_free_func (g_free);
  fixture->bodies = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  fixture->registry = test_peer_new (on_registry, fixture);
  fixture->relay = test_peer_new (on_relay, fixture);
  fixture->single = build_request (FALSE);
  fixture->stream = build_request (TRUE);
  fixture->count = 2;
  fixture->n_bad = G_MAXUINT;
  fixture->text = "{}";
  fixture->settings.host = (char *) "127.0.0.1";
}

/* With whatever the test put into the settings. */
static void
make_service (Fixture *fixture)
{
  g_autoptr (VeilSession) session = build_session (test_peer_get_url (fixture->relay), test_peer_get_url (fixture->registry));

  fixture->service = veil_service_new (&fixture->settings);
  veil_service_set_session (fixture->service, session);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
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
  g_mutex_clear (&fixture->mutex);
}

typedef struct
{
  gboolean done;
  VeilChatAnswer *answer;
  GError *error;
} Outcome;

static void
on_chat (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Outcome *outcome = user_data;

  outcome->answer = veil_backend_chat_finish (VEIL_BACKEND (source), result, &outcome->error);
  outcome->done = TRUE;
}

static void
begin (Fixture *fixture, VeilChatRequest *request, GCancellable *cancellable, Outcome *outcome)
{
  veil_backend_chat_async (VEIL_BACKEND (fixture->service), request, cancellable, on_chat, outcome);
}

static void
outcome_clear (Outcome *outcome)
{
  g_clear_pointer (&outcome->answer, veil_chat_answer_unref);
  g_clear_error (&outcome->error);
  outcome->done = FALSE;
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Outcome, outcome_clear)

static void
chat (Fixture *fixture, VeilChatRequest *request, Outcome *outcome)
{
  outcome_clear (outcome);
  begin (fixture, request, NULL, outcome);
  TEST_ITERATE_UNTIL (outcome->done);
}

static void
assert_verified (const Outcome *outcome)
{
  g_assert_no_error (outcome->error);
  g_assert_cmpmem (g_bytes_get_data (outcome->answer->text, NULL), g_bytes_get_size (outcome->answer->text), "Hi there", 8);
  g_assert_true (outcome->answer->proof->sandbox);
}

static void
assert_chat_works (Fixture *fixture)
{
  g_auto (Outcome) outcome = { 0 };

  chat (fixture, fixture->single, &outcome);
  assert_verified (&outcome);
}

static void
assert_chat_fails (Fixture *fixture, int code, const char *says)
{
  g_auto (Outcome) outcome = { 0 };

  chat (fixture, fixture->single, &outcome);
  g_assert_error (outcome.error, VEIL_ERROR, code);
  if (says != NULL && strstr (outcome.error->message, says) == NULL)
    g_error ("“%s” does not say “%s”", outcome.error->message, says);
}

static void
assert_health (Fixture *fixture, const char *status, guint64 verified, guint64 refused, guint64 failed)
{
  VeilBackendHealth health = { 0 };

  veil_backend_get_health (VEIL_BACKEND (fixture->service), &health);
  g_assert_cmpstr (health.status, ==, status);
  g_assert_cmpuint (health.verified, ==, verified);
  g_assert_cmpuint (health.refused, ==, refused);
  g_assert_cmpuint (health.failed, ==, failed);
  veil_backend_health_clear (&health);
}

static char *
dup_active_tee (Fixture *fixture)
{
  VeilBackendHealth health = { 0 };
  char *tee_id;

  veil_backend_get_health (VEIL_BACKEND (fixture->service), &health);
  tee_id = g_strdup (health.tee_id);
  veil_backend_health_clear (&health);
  return tee_id;
}

static const char *
get_asked (Fixture *fixture, guint index)
{
  g_assert_cmpuint (index, <, fixture->tee_ids->len);
  return fixture->tee_ids->pdata[index];
}

/* --- signed in or not --- */

static void
test_signed_out (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilSession) session = build_session (test_peer_get_url (fixture->relay), NULL);

  fixture->service = veil_service_new (&fixture->settings);
  assert_chat_fails (fixture, VEIL_ERROR_NOT_SIGNED_IN, "run `og-veil login`");
  assert_health (fixture, "not_signed_in", 0, 0, 1);
  g_assert_null (veil_service_get_session (fixture->service));

  veil_service_set_session (fixture->service, session);
  g_assert_true (veil_service_get_session (fixture->service) == session);
  assert_chat_fails (fixture, VEIL_ERROR_NOT_SIGNED_IN, "tee_registry_rpc_url");
  assert_health (fixture, "not_signed_in", 0, 0, 2);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->relay), ==, 0);
}

static void
test_honest (Fixture *fixture, gconstpointer data)
{
  g_auto (Outcome) outcome = { 0 };
  g_autofree char *active = NULL;

  make_service (fixture);
  assert_health (fixture, "ok", 0, 0, 0);
  assert_chat_works (fixture);
  chat (fixture, fixture->stream, &outcome);
  assert_verified (&outcome);
  assert_chat_works (fixture);
  assert_health (fixture, "ok", 3, 0, 0);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->registry), ==, 1);
  /* The choice stays. */
  active = dup_active_tee (fixture);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpstr (get_asked (fixture, i), ==, active);
  g_assert_cmpstr (outcome.answer->proof->tee_id, ==, active);
}

static void
run_many (Fixture *fixture, Outcome outcomes[static MANY])
{
  for (guint i = 0; i < MANY; i++)
    begin (fixture, i % 2 == 0 ? fixture->single : fixture->stream, NULL, &outcomes[i]);
  for (guint i = 0; i < MANY; i++)
    TEST_ITERATE_UNTIL (outcomes[i].done);
}

static void
test_many (Fixture *fixture, gconstpointer data)
{
  Outcome outcomes[MANY] = { 0 };

  make_service (fixture);
  run_many (fixture, outcomes);
  for (guint i = 0; i < MANY; i++)
    {
      assert_verified (&outcomes[i]);
      outcome_clear (&outcomes[i]);
    }
  g_assert_cmpuint (test_peer_get_n_requests (fixture->registry), ==, 1);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->relay), ==, MANY);
  assert_health (fixture, "ok", MANY, 0, 0);
  for (guint i = 0; i < MANY; i++)
    for (guint j = 0; j < i; j++)
      g_assert_cmpint (memcmp ((const guint8 *) g_bytes_get_data (fixture->bodies->pdata[i], NULL) + 7,
                               (const guint8 *) g_bytes_get_data (fixture->bodies->pdata[j], NULL) + 7, 32),
                       !=, 0);
}

/* --- the registry --- */

static void
test_registry_down (Fixture *fixture, gconstpointer data)
{
  g_auto (Outcome) outcome = { 0 };
  Outcome outcomes[MANY] = { 0 };

  fixture->registry_down = TRUE;
  make_service (fixture);
  run_many (fixture, outcomes);
  for (guint i = 0; i < MANY; i++)
    {
      g_assert_error (outcomes[i].error, VEIL_ERROR, VEIL_ERROR_REGISTRY);
      outcome_clear (&outcomes[i]);
    }
  assert_chat_fails (fixture, VEIL_ERROR_REGISTRY, NULL);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->registry), ==, 1);
  assert_health (fixture, "registry_unreachable", 0, 0, MANY + 1);

  /* It is asked again, but not all the time. */
  fixture->registry_down = FALSE;
  do
    chat (fixture, fixture->single, &outcome);
  while (outcome.error != NULL);
  assert_verified (&outcome);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->registry), ==, 2);
  assert_chat_works (fixture);
}

static void
test_nobody_active (Fixture *fixture, gconstpointer data)
{
  fixture->count = 0;
  make_service (fixture);
  assert_chat_fails (fixture, VEIL_ERROR_NO_ACTIVE_TEE, NULL);
  assert_chat_fails (fixture, VEIL_ERROR_NO_ACTIVE_TEE, NULL);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->registry), ==, 1);
  assert_health (fixture, "no_tee", 0, 0, 2);
}

static void
test_pcr_pins (Fixture *fixture, gconstpointer data)
{
  char *pins[] = { test_enclave_get_tee (enclaves[2])->pcr_hash, NULL };

  fixture->settings.pcr_pins = pins;
  make_service (fixture);
  assert_chat_fails (fixture, VEIL_ERROR_PIN_MISMATCH, NULL);
  assert_health (fixture, "no_tee", 0, 0, 1);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->relay), ==, 0);
}

static void
test_pcr_pin_matches (Fixture *fixture, gconstpointer data)
{
  char *pins[] = { test_enclave_get_tee (enclaves[2])->pcr_hash, NULL };

  fixture->count = 3;
  fixture->settings.pcr_pins = pins;
  make_service (fixture);
  for (guint i = 0; i < 4; i++)
    {
      assert_chat_works (fixture);
      g_assert_cmpstr (get_asked (fixture, i), ==, test_enclave_get_tee (enclaves[2])->id);
    }
}

static void
test_pinned_tee (Fixture *fixture, gconstpointer data)
{
  fixture->settings.tee_id = test_enclave_get_tee (enclaves[1])->id;
  make_service (fixture);
  assert_chat_works (fixture);
  g_assert_cmpstr (get_asked (fixture, 0), ==, fixture->settings.tee_id);

  /* It, or nothing: no other takes its place. */
  fixture->behaviour = STATUS;
  fixture->status = 503;
  assert_chat_fails (fixture, VEIL_ERROR_RELAY_REFUSED, NULL);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->relay), ==, 2);
}

static void
test_pinned_tee_inactive (Fixture *fixture, gconstpointer data)
{
  fixture->settings.tee_id = test_enclave_get_tee (enclaves[2])->id;
  make_service (fixture);
  assert_chat_fails (fixture, VEIL_ERROR_PINNED_TEE_INACTIVE, NULL);
}

static void
test_refresh (Fixture *fixture, gconstpointer data)
{
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  guint n;

  fixture->settings.refresh_interval = 1;
  make_service (fixture);
  assert_chat_works (fixture);
  before = dup_active_tee (fixture);
  TEST_ITERATE_UNTIL (test_peer_get_n_requests (fixture->registry) >= 3);
  after = dup_active_tee (fixture);
  g_assert_cmpstr (after, ==, before);

  /* A registry that is gone leaves what there is. */
  fixture->registry_down = TRUE;
  n = test_peer_get_n_requests (fixture->registry);
  TEST_ITERATE_UNTIL (test_peer_get_n_requests (fixture->registry) >= n + 2);
  assert_chat_works (fixture);
  assert_health (fixture, "ok", 2, 0, 0);

  /* When it is back and lists others, those are used. */
  fixture->registry_down = FALSE;
  fixture->first = 2;
  fixture->count = 1;
  do
    {
      g_free (g_steal_pointer (&after));
      after = dup_active_tee (fixture);
      g_main_context_iteration (NULL, TRUE);
    }
  while (g_strcmp0 (after, test_enclave_get_tee (enclaves[2])->id) != 0);
  assert_chat_works (fixture);
}

/* --- failing over --- */

typedef struct
{
  Behaviour behaviour;
  guint status;
  const char *text;
  int code; /* 0: another TEE answers */
} Failure;

static const Failure retried[] = {
  { STATUS, 502, "{}", 0 },
  { STATUS, 503, "{\"detail\":\"busy\"}", 0 },
  { STATUS, 504, "{}", 0 },
  { STATUS, 500, "{\"error\":\"x\",\"retryable\":true}", 0 },
  { SEALED_STATUS, 503, "{\"error\":\"x\",\"retryable\":true}", 0 },
};

static const Failure reported[] = {
  { STATUS, 400, "{}", VEIL_ERROR_RELAY_REFUSED },
  { STATUS, 400, "{\"retryable\":true}", VEIL_ERROR_RELAY_REFUSED },
  { STATUS, 401, "{}", VEIL_ERROR_SESSION_REFUSED },
  { STATUS, 402, "{}", VEIL_ERROR_RELAY_REFUSED },
  { STATUS, 403, "{}", VEIL_ERROR_SESSION_REFUSED },
  { STATUS, 413, "{}", VEIL_ERROR_RELAY_REFUSED },
  { STATUS, 429, "{\"retryable\":true}", VEIL_ERROR_RELAY_REFUSED },
  { STATUS, 500, "{}", VEIL_ERROR_RELAY_REFUSED },
  { STATUS, 302, "{}", VEIL_ERROR_BROKEN_ANSWER },
  { SEALED_STATUS, 429, "{\"error\":\"x\",\"retryable\":true}", VEIL_ERROR_GATEWAY },
  { SEALED_STATUS, 503, "{\"error\":\"x\"}", VEIL_ERROR_GATEWAY },
  { WRONG_TYPE, 0, "", VEIL_ERROR_BROKEN_ANSWER },
  { ALTERED, 0, "", VEIL_ERROR_SEAL },
};

static void
test_failure (Fixture *fixture, gconstpointer data)
{
  const Failure *failure = data;

  fixture->behaviour = failure->behaviour;
  fixture->status = failure->status;
  fixture->text = failure->text;
  fixture->n_bad = 1;
  make_service (fixture);
  if (failure->code != 0)
    {
      assert_chat_fails (fixture, failure->code, NULL);
      g_assert_cmpuint (test_peer_get_n_requests (fixture->relay), ==, 1);
      assert_health (fixture, "ok", 0, failure->behaviour == ALTERED, failure->behaviour != ALTERED);
      return;
    }
  assert_chat_works (fixture);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->relay), ==, 2);
  g_assert_cmpstr (get_asked (fixture, 0), !=, get_asked (fixture, 1));
  g_assert_false (g_bytes_equal (fixture->bodies->pdata[0], fixture->bodies->pdata[1]));
  assert_health (fixture, "ok", 1, 0, 0);
  /* The one that was not reached is set aside. */
  assert_chat_works (fixture);
  g_assert_cmpstr (get_asked (fixture, 2), ==, get_asked (fixture, 1));
}

static void
test_all_fail (Fixture *fixture, gconstpointer data)
{
  fixture->behaviour = STATUS;
  fixture->status = 503;
  fixture->count = 3;
  make_service (fixture);
  assert_chat_fails (fixture, VEIL_ERROR_RELAY_REFUSED, NULL);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->relay), ==, 2);
}

static void
test_only_one (Fixture *fixture, gconstpointer data)
{
  fixture->behaviour = STATUS;
  fixture->status = 503;
  fixture->count = 1;
  fixture->text = "{\"detail\":\"lonely\"}";
  make_service (fixture);
  assert_chat_fails (fixture, VEIL_ERROR_RELAY_REFUSED, "lonely");
  g_assert_cmpuint (test_peer_get_n_requests (fixture->relay), ==, 1);
}

static void
test_relay_gone (Fixture *fixture, gconstpointer data)
{
  TestPeer *gone = test_peer_new (on_relay, fixture);
  g_autoptr (VeilSession) session = build_session (test_peer_get_url (gone), test_peer_get_url (fixture->registry));

  test_peer_free (gone);
  fixture->service = veil_service_new (&fixture->settings);
  veil_service_set_session (fixture->service, session);
  assert_chat_fails (fixture, VEIL_ERROR_UNREACHABLE, NULL);
  assert_health (fixture, "ok", 0, 0, 1);
}

/* A refused answer is told, the TEE set aside, and the registry asked anew before the next request: its keys may have changed. */
static void
test_refused (Fixture *fixture, gconstpointer data)
{
  fixture->behaviour = ALTERED;
  fixture->n_bad = 1;
  make_service (fixture);
  assert_chat_fails (fixture, VEIL_ERROR_SEAL, NULL);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->registry), ==, 1);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->relay), ==, 1);

  assert_chat_works (fixture);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->registry), ==, 2);
  g_assert_cmpstr (get_asked (fixture, 0), !=, get_asked (fixture, 1));
  assert_chat_works (fixture);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->registry), ==, 2);
  assert_health (fixture, "ok", 2, 1, 0);
}

static void
test_rotated (Fixture *fixture, gconstpointer data)
{
  fixture->behaviour = ALTERED;
  fixture->n_bad = 1;
  fixture->count = 1;
  make_service (fixture);
  assert_chat_fails (fixture, VEIL_ERROR_SEAL, NULL);
  fixture->first = 1;
  assert_chat_works (fixture);
  g_assert_cmpstr (get_asked (fixture, 1), ==, test_enclave_get_tee (enclaves[1])->id);
}

static void
test_refused_while_registry_down (Fixture *fixture, gconstpointer data)
{
  fixture->behaviour = ALTERED;
  fixture->n_bad = 1;
  make_service (fixture);
  assert_chat_fails (fixture, VEIL_ERROR_SEAL, NULL);
  fixture->registry_down = TRUE;
  assert_chat_works (fixture);
  assert_chat_works (fixture);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->registry), ==, 2);
  assert_health (fixture, "ok", 2, 1, 0);
}

/* --- cancelling, and sessions that change --- */

static void
test_cancel_waiting (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (Outcome) stays = { 0 };
  g_auto (Outcome) goes = { 0 };

  fixture->registry_hangs = TRUE;
  make_service (fixture);
  begin (fixture, fixture->single, NULL, &stays);
  begin (fixture, fixture->single, cancellable, &goes);
  TEST_ITERATE_UNTIL (test_peer_get_n_requests (fixture->registry) == 1);
  g_cancellable_cancel (cancellable);
  TEST_ITERATE_UNTIL (goes.done);
  g_assert_error (goes.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (stays.done);
  g_atomic_int_set (&fixture->gate, 1);
  TEST_ITERATE_UNTIL (stays.done);
  assert_verified (&stays);
  assert_health (fixture, "ok", 1, 0, 0);
}

static void
test_cancel_sent (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (Outcome) outcome = { 0 };

  fixture->behaviour = HANG;
  make_service (fixture);
  begin (fixture, fixture->stream, cancellable, &outcome);
  TEST_ITERATE_UNTIL (test_peer_get_n_requests (fixture->relay) == 1);
  g_cancellable_cancel (cancellable);
  TEST_ITERATE_UNTIL (outcome.done && test_peer_get_n_closed (fixture->relay) == 1);
  g_assert_error (outcome.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  assert_health (fixture, "ok", 0, 0, 0);
}

static void
test_new_session (Fixture *fixture, gconstpointer data)
{
  TestPeer *second_relay = test_peer_new (on_relay, fixture);
  g_autoptr (VeilSession) second = build_session (test_peer_get_url (second_relay), test_peer_get_url (fixture->registry));
  g_auto (Outcome) running = { 0 };

  fixture->behaviour = HANG;
  fixture->n_bad = 1;
  make_service (fixture);
  begin (fixture, fixture->single, NULL, &running);
  TEST_ITERATE_UNTIL (test_peer_get_n_requests (fixture->relay) == 1);
  veil_service_set_session (fixture->service, second);
  assert_chat_works (fixture);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->relay), ==, 1);
  g_assert_cmpuint (test_peer_get_n_requests (second_relay), ==, 1);
  veil_service_set_session (fixture->service, NULL);
  assert_chat_fails (fixture, VEIL_ERROR_NOT_SIGNED_IN, NULL);

  g_assert_false (running.done);
  g_atomic_int_set (&fixture->gate, 1);
  TEST_ITERATE_UNTIL (running.done);
  assert_verified (&running);
  assert_health (fixture, "not_signed_in", 2, 0, 1);
  test_peer_free (second_relay);
}

/* Signing out while the registry is being read for a request: it still gets its answer. */
static void
test_sign_out_waiting (Fixture *fixture, gconstpointer data)
{
  g_auto (Outcome) outcome = { 0 };

  fixture->registry_hangs = TRUE;
  make_service (fixture);
  begin (fixture, fixture->single, NULL, &outcome);
  TEST_ITERATE_UNTIL (test_peer_get_n_requests (fixture->registry) == 1);
  veil_service_set_session (fixture->service, NULL);
  g_atomic_int_set (&fixture->gate, 1);
  TEST_ITERATE_UNTIL (outcome.done);
  assert_verified (&outcome);
}

/* --- the endpoint --- */

static void
on_fetched (GObject *source, GAsyncResult *result, gpointer user_data)
{
  VeilFetchResult **fetched = user_data;
  g_autoptr (GError) error = NULL;

  *fetched = veil_fetch_finish (SOUP_SESSION (source), result, &error);
  g_assert_no_error (error);
}

static char *
ask_endpoint (Fixture *fixture, SoupSession *session, const char *path, const char *body)
{
  g_autofree char *url =
      g_strdup_printf ("http://127.0.0.1:%u%s", veil_server_get_port (veil_service_get_server (fixture->service)), path);
  g_autoptr (SoupMessage) message = soup_message_new (body != NULL ? "POST" : "GET", url);
  g_autoptr (VeilFetchResult) fetched = NULL;
  g_autoptr (GBytes) bytes = NULL;

  if (body != NULL)
    {
      bytes = g_bytes_new (body, strlen (body));
      soup_message_set_request_body_from_bytes (message, "application/json", bytes);
    }
  veil_fetch_async (session, message, 1 << 20, 0, NULL, on_fetched, &fetched);
  TEST_ITERATE_UNTIL (fetched != NULL);
  g_assert_cmpuint (fetched->status, ==, 200);
  return g_strndup (g_bytes_get_data (fetched->body, NULL), g_bytes_get_size (fetched->body));
}

static void
test_endpoint (Fixture *fixture, gconstpointer data)
{
  g_autoptr (SoupSession) session = veil_fetch_session_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *models = NULL;
  g_autofree char *reply = NULL;
  g_autofree char *health = NULL;

  make_service (fixture);
  g_assert_null (veil_service_get_server (fixture->service));
  g_assert_true (veil_service_start (fixture->service, &error));
  g_assert_no_error (error);
  /* The registry is read ahead. */
  TEST_ITERATE_UNTIL (test_peer_get_n_requests (fixture->registry) == 1);
  models = ask_endpoint (fixture, session, "/v1/models", NULL);
  g_assert_nonnull (strstr (models, "\"gpt-4.1\""));
  reply = ask_endpoint (fixture, session, "/v1/chat/completions",
                        "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Say hi\"}]}");
  g_assert_nonnull (strstr (reply, "Hi there"));
  g_assert_nonnull (strstr (reply, "opengradient_verification"));
  health = ask_endpoint (fixture, session, "/health", NULL);
  g_assert_nonnull (strstr (health, "\"ok\""));
  g_assert_null (strstr (health, "token"));
  g_assert_cmpuint (test_peer_get_n_requests (fixture->registry), ==, 1);
  veil_service_stop (fixture->service);
  g_assert_null (veil_service_get_server (fixture->service));
  g_assert_true (veil_service_start (fixture->service, &error));
  soup_session_abort (session);
}

static void
test_port_taken (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->settings.port = (guint16) g_ascii_strtoull (strrchr (test_peer_get_url (fixture->relay), ':') + 1, NULL, 10);
  make_service (fixture);
  g_assert_false (veil_service_start (fixture->service, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_LISTEN);
  g_assert_null (veil_service_get_server (fixture->service));
}

static void
add_with (const char *name, gconstpointer data, void (*func) (Fixture *, gconstpointer))
{
  g_autofree char *path = g_strconcat ("/service/", name, NULL);

  g_test_add (path, Fixture, data, set_up, func, tear_down);
}

static void
add (const char *name, void (*func) (Fixture *, gconstpointer))
{
  add_with (name, NULL, func);
}

static void
add_failures (const char *kind, const Failure *failures, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = g_strdup_printf ("%s/%u", kind, i);

      add_with (name, &failures[i], test_failure);
    }
}

static void
add_tests (void)
{
  add ("signed-out", test_signed_out);
  add ("honest", test_honest);
  add ("many", test_many);
  add ("registry-down", test_registry_down);
  add ("nobody-active", test_nobody_active);
  add ("pcr-pins", test_pcr_pins);
  add ("pcr-pin-matches", test_pcr_pin_matches);
  add ("pinned-tee", test_pinned_tee);
  add ("pinned-tee-inactive", test_pinned_tee_inactive);
  add ("refresh", test_refresh);
  add_failures ("retried", retried, G_N_ELEMENTS (retried));
  add_failures ("reported", reported, G_N_ELEMENTS (reported));
  add ("all-fail", test_all_fail);
  add ("only-one", test_only_one);
  add ("relay-gone", test_relay_gone);
  add ("refused", test_refused);
  add ("rotated", test_rotated);
  add ("refused-while-registry-down", test_refused_while_registry_down);
  add ("cancel-waiting", test_cancel_waiting);
  add ("cancel-sent", test_cancel_sent);
  add ("new-session", test_new_session);
  add ("sign-out-waiting", test_sign_out_waiting);
  add ("endpoint", test_endpoint);
  add ("port-taken", test_port_taken);
}

int
main (int argc, char **argv)
{
  g_autofree char *models = NULL;
  int status;

  g_test_init (&argc, &argv, NULL);
  models = g_test_build_filename (G_TEST_DIST, "..", "data", "models.json", NULL);
  g_setenv ("VEIL_MODELS_FILE", models, TRUE);
  for (guint i = 0; i < N_ENCLAVES; i++)
    enclaves[i] = test_enclave_new ("https://tee.example", (guint8) (0x11 * (i + 1)));
  add_tests ();
  status = g_test_run ();
  for (guint i = 0; i < N_ENCLAVES; i++)
    test_enclave_free (enclaves[i]);
  return status;
}
