/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Sessions, the registry, cancelling and the endpoint. */
#include "service-fixture.h"

#include "fetch.h"
#include "veil-error.h"

#include <string.h>

#define MANY 100

/* --- signed in or not --- */

static void
test_signed_out (ServiceFixture *fixture, gconstpointer data)
{
  g_autoptr (VeilSession) session = service_build_session (test_peer_get_url (fixture->relay), NULL);

  fixture->service = veil_service_new (&fixture->settings);
  service_assert_fails (fixture, VEIL_ERROR_NOT_SIGNED_IN, "run `og-veil login`");
  service_assert_health (fixture, "not_signed_in", 0, 0, 1);
  g_assert_null (veil_service_get_session (fixture->service));

  veil_service_set_session (fixture->service, session);
  g_assert_true (veil_service_get_session (fixture->service) == session);
  service_assert_fails (fixture, VEIL_ERROR_NOT_SIGNED_IN, "tee_registry_rpc_url");
  service_assert_health (fixture, "not_signed_in", 0, 0, 2);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->relay), ==, 0);
}

static void
test_honest (ServiceFixture *fixture, gconstpointer data)
{
  g_auto (ChatOutcome) outcome = { 0 };
  g_autofree char *active = NULL;

  service_make (fixture);
  service_assert_health (fixture, "ok", 0, 0, 0);
  service_assert_works (fixture);
  service_chat (fixture, fixture->stream, &outcome);
  service_assert_verified (&outcome);
  service_assert_works (fixture);
  service_assert_health (fixture, "ok", 3, 0, 0);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->registry), ==, 1);
  /* The choice stays. */
  active = service_dup_active_tee (fixture);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpstr (service_get_asked (fixture, i), ==, active);
  g_assert_cmpstr (outcome.answer->proof->tee_id, ==, active);
}

static void
run_many (ServiceFixture *fixture, ChatOutcome outcomes[static MANY])
{
  for (guint i = 0; i < MANY; i++)
    service_begin (fixture, i % 2 == 0 ? fixture->single : fixture->stream, NULL, &outcomes[i]);
  for (guint i = 0; i < MANY; i++)
    TEST_ITERATE_UNTIL (outcomes[i].done);
}

static void
test_many (ServiceFixture *fixture, gconstpointer data)
{
  ChatOutcome outcomes[MANY] = { 0 };

  service_make (fixture);
  run_many (fixture, outcomes);
  for (guint i = 0; i < MANY; i++)
    {
      service_assert_verified (&outcomes[i]);
      chat_outcome_clear (&outcomes[i]);
    }
  g_assert_cmpuint (test_peer_get_n_requests (fixture->registry), ==, 1);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->relay), ==, MANY);
  service_assert_health (fixture, "ok", MANY, 0, 0);
  for (guint i = 0; i < MANY; i++)
    for (guint j = 0; j < i; j++)
      g_assert_cmpint (memcmp ((const guint8 *) g_bytes_get_data (fixture->bodies->pdata[i], NULL) + 7,
                               (const guint8 *) g_bytes_get_data (fixture->bodies->pdata[j], NULL) + 7, 32),
                       !=, 0);
}

/* --- the registry --- */

static void
test_registry_down (ServiceFixture *fixture, gconstpointer data)
{
  g_auto (ChatOutcome) outcome = { 0 };
  ChatOutcome outcomes[MANY] = { 0 };

  fixture->registry_down = TRUE;
  service_make (fixture);
  run_many (fixture, outcomes);
  for (guint i = 0; i < MANY; i++)
    {
      g_assert_error (outcomes[i].error, VEIL_ERROR, VEIL_ERROR_REGISTRY);
      chat_outcome_clear (&outcomes[i]);
    }
  service_assert_fails (fixture, VEIL_ERROR_REGISTRY, NULL);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->registry), ==, 1);
  service_assert_health (fixture, "registry_unreachable", 0, 0, MANY + 1);

  /* It is asked again, but not all the time. */
  fixture->registry_down = FALSE;
  do
    service_chat (fixture, fixture->single, &outcome);
  while (outcome.error != NULL);
  service_assert_verified (&outcome);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->registry), ==, 2);
  service_assert_works (fixture);
}

static void
test_nobody_active (ServiceFixture *fixture, gconstpointer data)
{
  fixture->count = 0;
  service_make (fixture);
  service_assert_fails (fixture, VEIL_ERROR_NO_ACTIVE_TEE, NULL);
  service_assert_fails (fixture, VEIL_ERROR_NO_ACTIVE_TEE, NULL);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->registry), ==, 1);
  service_assert_health (fixture, "no_tee", 0, 0, 2);
}

static void
test_pcr_pins (ServiceFixture *fixture, gconstpointer data)
{
  char *pins[] = { test_enclave_get_tee (service_enclaves[2])->pcr_hash, NULL };

  fixture->settings.pcr_pins = pins;
  service_make (fixture);
  service_assert_fails (fixture, VEIL_ERROR_PIN_MISMATCH, NULL);
  service_assert_health (fixture, "no_tee", 0, 0, 1);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->relay), ==, 0);
}

static void
test_pcr_pin_matches (ServiceFixture *fixture, gconstpointer data)
{
  char *pins[] = { test_enclave_get_tee (service_enclaves[2])->pcr_hash, NULL };

  fixture->count = 3;
  fixture->settings.pcr_pins = pins;
  service_make (fixture);
  for (guint i = 0; i < 4; i++)
    {
      service_assert_works (fixture);
      g_assert_cmpstr (service_get_asked (fixture, i), ==, test_enclave_get_tee (service_enclaves[2])->id);
    }
}

static void
test_pinned_tee (ServiceFixture *fixture, gconstpointer data)
{
  fixture->settings.tee_id = test_enclave_get_tee (service_enclaves[1])->id;
  service_make (fixture);
  service_assert_works (fixture);
  g_assert_cmpstr (service_get_asked (fixture, 0), ==, fixture->settings.tee_id);

  /* It, or nothing: no other takes its place. */
  fixture->behaviour = RELAY_STATUS;
  fixture->status = 503;
  service_assert_fails (fixture, VEIL_ERROR_RELAY_REFUSED, NULL);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->relay), ==, 2);
}

static void
test_pinned_tee_inactive (ServiceFixture *fixture, gconstpointer data)
{
  fixture->settings.tee_id = test_enclave_get_tee (service_enclaves[2])->id;
  service_make (fixture);
  service_assert_fails (fixture, VEIL_ERROR_PINNED_TEE_INACTIVE, NULL);
}

static void
test_refresh (ServiceFixture *fixture, gconstpointer data)
{
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;
  guint n;

  fixture->settings.refresh_interval = 1;
  service_make (fixture);
  service_assert_works (fixture);
  before = service_dup_active_tee (fixture);
  TEST_ITERATE_UNTIL (test_peer_get_n_requests (fixture->registry) >= 3);
  after = service_dup_active_tee (fixture);
  g_assert_cmpstr (after, ==, before);

  /* A registry that is gone leaves what there is. */
  fixture->registry_down = TRUE;
  n = test_peer_get_n_requests (fixture->registry);
  TEST_ITERATE_UNTIL (test_peer_get_n_requests (fixture->registry) >= n + 2);
  service_assert_works (fixture);
  service_assert_health (fixture, "ok", 2, 0, 0);

  /* When it is back and lists others, those are used. */
  fixture->registry_down = FALSE;
  fixture->first = 2;
  fixture->count = 1;
  do
    {
      g_free (g_steal_pointer (&after));
      after = service_dup_active_tee (fixture);
      g_main_context_iteration (NULL, TRUE);
    }
  while (g_strcmp0 (after, test_enclave_get_tee (service_enclaves[2])->id) != 0);
  service_assert_works (fixture);
}

/* --- cancelling, and sessions that change --- */

static void
test_cancel_waiting (ServiceFixture *fixture, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (ChatOutcome) stays = { 0 };
  g_auto (ChatOutcome) goes = { 0 };

  fixture->registry_hangs = TRUE;
  service_make (fixture);
  service_begin (fixture, fixture->single, NULL, &stays);
  service_begin (fixture, fixture->single, cancellable, &goes);
  TEST_ITERATE_UNTIL (test_peer_get_n_requests (fixture->registry) == 1);
  g_cancellable_cancel (cancellable);
  TEST_ITERATE_UNTIL (goes.done);
  g_assert_error (goes.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_false (stays.done);
  g_atomic_int_set (&fixture->gate, 1);
  TEST_ITERATE_UNTIL (stays.done);
  service_assert_verified (&stays);
  service_assert_health (fixture, "ok", 1, 0, 0);
}

static void
test_cancel_sent (ServiceFixture *fixture, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (ChatOutcome) outcome = { 0 };

  fixture->behaviour = RELAY_HANG;
  service_make (fixture);
  service_begin (fixture, fixture->stream, cancellable, &outcome);
  TEST_ITERATE_UNTIL (test_peer_get_n_requests (fixture->relay) == 1);
  g_cancellable_cancel (cancellable);
  TEST_ITERATE_UNTIL (outcome.done && test_peer_get_n_closed (fixture->relay) == 1);
  g_assert_error (outcome.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  service_assert_health (fixture, "ok", 0, 0, 0);
}

static void
test_new_session (ServiceFixture *fixture, gconstpointer data)
{
  TestPeer *second_relay = test_peer_new (service_on_relay, fixture);
  g_autoptr (VeilSession) second = service_build_session (test_peer_get_url (second_relay), test_peer_get_url (fixture->registry));
  g_auto (ChatOutcome) running = { 0 };

  fixture->behaviour = RELAY_HANG;
  fixture->n_bad = 1;
  service_make (fixture);
  service_begin (fixture, fixture->single, NULL, &running);
  TEST_ITERATE_UNTIL (test_peer_get_n_requests (fixture->relay) == 1);
  veil_service_set_session (fixture->service, second);
  service_assert_works (fixture);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->relay), ==, 1);
  g_assert_cmpuint (test_peer_get_n_requests (second_relay), ==, 1);
  veil_service_set_session (fixture->service, NULL);
  service_assert_fails (fixture, VEIL_ERROR_NOT_SIGNED_IN, NULL);

  g_assert_false (running.done);
  g_atomic_int_set (&fixture->gate, 1);
  TEST_ITERATE_UNTIL (running.done);
  service_assert_verified (&running);
  service_assert_health (fixture, "not_signed_in", 2, 0, 1);
  test_peer_free (second_relay);
}

/* Signing out while the registry is being read for a request: it still gets its answer. */
static void
test_sign_out_waiting (ServiceFixture *fixture, gconstpointer data)
{
  g_auto (ChatOutcome) outcome = { 0 };

  fixture->registry_hangs = TRUE;
  service_make (fixture);
  service_begin (fixture, fixture->single, NULL, &outcome);
  TEST_ITERATE_UNTIL (test_peer_get_n_requests (fixture->registry) == 1);
  veil_service_set_session (fixture->service, NULL);
  g_atomic_int_set (&fixture->gate, 1);
  TEST_ITERATE_UNTIL (outcome.done);
  service_assert_verified (&outcome);
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
ask_endpoint (ServiceFixture *fixture, SoupSession *session, const char *path, const char *body)
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
test_endpoint (ServiceFixture *fixture, gconstpointer data)
{
  g_autoptr (SoupSession) session = veil_fetch_session_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *models = NULL;
  g_autofree char *reply = NULL;
  g_autofree char *health = NULL;

  service_make (fixture);
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
test_port_taken (ServiceFixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->settings.port = (guint16) g_ascii_strtoull (strrchr (test_peer_get_url (fixture->relay), ':') + 1, NULL, 10);
  service_make (fixture);
  g_assert_false (veil_service_start (fixture->service, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_LISTEN);
  g_assert_null (veil_service_get_server (fixture->service));
}

static void
add_tests (void)
{
  service_add ("signed-out", test_signed_out);
  service_add ("honest", test_honest);
  service_add ("many", test_many);
  service_add ("registry-down", test_registry_down);
  service_add ("nobody-active", test_nobody_active);
  service_add ("pcr-pins", test_pcr_pins);
  service_add ("pcr-pin-matches", test_pcr_pin_matches);
  service_add ("pinned-tee", test_pinned_tee);
  service_add ("pinned-tee-inactive", test_pinned_tee_inactive);
  service_add ("refresh", test_refresh);
  service_add ("cancel-waiting", test_cancel_waiting);
  service_add ("cancel-sent", test_cancel_sent);
  service_add ("new-session", test_new_session);
  service_add ("sign-out-waiting", test_sign_out_waiting);
  service_add ("endpoint", test_endpoint);
  service_add ("port-taken", test_port_taken);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  return service_run (add_tests);
}
