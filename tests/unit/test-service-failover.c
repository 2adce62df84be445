/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What becomes of a request that its TEE does not answer, or not as it should. */
#include "service-fixture.h"

#include "veil-error.h"

typedef struct
{
  RelayBehaviour behaviour;
  guint status;
  const char *text;
  int code; /* 0: another TEE answers */
} Failure;

static const Failure retried[] = {
  { RELAY_STATUS, 502, "{}", 0 },
  { RELAY_STATUS, 503, "{\"detail\":\"busy\"}", 0 },
  { RELAY_STATUS, 504, "{}", 0 },
  { RELAY_STATUS, 500, "{\"error\":\"x\",\"retryable\":true}", 0 },
  { RELAY_SEALED_STATUS, 503, "{\"error\":\"x\",\"retryable\":true}", 0 },
};

static const Failure reported[] = {
  { RELAY_STATUS, 400, "{}", VEIL_ERROR_RELAY_REFUSED },
  { RELAY_STATUS, 400, "{\"retryable\":true}", VEIL_ERROR_RELAY_REFUSED },
  { RELAY_STATUS, 401, "{}", VEIL_ERROR_SESSION_REFUSED },
  { RELAY_STATUS, 402, "{}", VEIL_ERROR_RELAY_REFUSED },
  { RELAY_STATUS, 403, "{}", VEIL_ERROR_SESSION_REFUSED },
  { RELAY_STATUS, 413, "{}", VEIL_ERROR_RELAY_REFUSED },
  { RELAY_STATUS, 429, "{\"retryable\":true}", VEIL_ERROR_RELAY_REFUSED },
  { RELAY_STATUS, 500, "{}", VEIL_ERROR_RELAY_REFUSED },
  { RELAY_STATUS, 302, "{}", VEIL_ERROR_BROKEN_ANSWER },
  { RELAY_SEALED_STATUS, 429, "{\"error\":\"x\",\"retryable\":true}", VEIL_ERROR_GATEWAY },
  { RELAY_SEALED_STATUS, 503, "{\"error\":\"x\"}", VEIL_ERROR_GATEWAY },
  { RELAY_WRONG_TYPE, 0, "", VEIL_ERROR_BROKEN_ANSWER },
  { RELAY_ALTERED, 0, "", VEIL_ERROR_SEAL },
};

static void
test_failure (ServiceFixture *fixture, gconstpointer data)
{
  const Failure *failure = data;

  fixture->behaviour = failure->behaviour;
  fixture->status = failure->status;
  fixture->text = failure->text;
  fixture->n_bad = 1;
  service_make (fixture);
  if (failure->code != 0)
    {
      service_assert_fails (fixture, failure->code, NULL);
      g_assert_cmpuint (test_peer_get_n_requests (fixture->relay), ==, 1);
      service_assert_health (fixture, "ok", 0, failure->behaviour == RELAY_ALTERED, failure->behaviour != RELAY_ALTERED);
      return;
    }
  service_assert_works (fixture);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->relay), ==, 2);
  g_assert_cmpstr (service_get_asked (fixture, 0), !=, service_get_asked (fixture, 1));
  /* The record names the one that answered, and to end it is not the service's. */
  g_assert_cmpstr (veil_record_get_tee_id (fixture->record), ==, service_get_asked (fixture, 1));
  g_assert_true (veil_record_get_sandbox (fixture->record));
  g_assert_cmpint (veil_record_get_queue (fixture->record), >, 0);
  g_assert_cmpint (veil_record_get_state (fixture->record), ==, VEIL_RECORD_WAITING);
  g_assert_false (g_bytes_equal (fixture->bodies->pdata[0], fixture->bodies->pdata[1]));
  service_assert_health (fixture, "ok", 1, 0, 0);
  /* The one that was not reached is set aside. */
  service_assert_works (fixture);
  g_assert_cmpstr (service_get_asked (fixture, 2), ==, service_get_asked (fixture, 1));
}

static void
test_all_fail (ServiceFixture *fixture, gconstpointer data)
{
  fixture->behaviour = RELAY_STATUS;
  fixture->status = 503;
  fixture->count = 3;
  service_make (fixture);
  service_assert_fails (fixture, VEIL_ERROR_RELAY_REFUSED, NULL);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->relay), ==, 2);
}

static void
test_only_one (ServiceFixture *fixture, gconstpointer data)
{
  fixture->behaviour = RELAY_STATUS;
  fixture->status = 503;
  fixture->count = 1;
  fixture->text = "{\"detail\":\"lonely\"}";
  service_make (fixture);
  service_assert_fails (fixture, VEIL_ERROR_RELAY_REFUSED, "lonely");
  g_assert_cmpuint (test_peer_get_n_requests (fixture->relay), ==, 1);
}

static void
test_relay_gone (ServiceFixture *fixture, gconstpointer data)
{
  TestPeer *gone = test_peer_new (service_on_relay, fixture);
  g_autoptr (VeilSession) session = service_build_session (test_peer_get_url (gone), test_peer_get_url (fixture->registry));

  test_peer_free (gone);
  fixture->service = veil_service_new (&fixture->settings);
  veil_service_set_session (fixture->service, session);
  service_assert_fails (fixture, VEIL_ERROR_UNREACHABLE, NULL);
  service_assert_health (fixture, "ok", 0, 0, 1);
}

/* A refused answer is told, the TEE set aside, and the registry asked anew before the next request: its keys may have changed. */
static void
test_refused (ServiceFixture *fixture, gconstpointer data)
{
  fixture->behaviour = RELAY_ALTERED;
  fixture->n_bad = 1;
  service_make (fixture);
  service_assert_fails (fixture, VEIL_ERROR_SEAL, NULL);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->registry), ==, 1);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->relay), ==, 1);

  service_assert_works (fixture);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->registry), ==, 2);
  g_assert_cmpstr (service_get_asked (fixture, 0), !=, service_get_asked (fixture, 1));
  service_assert_works (fixture);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->registry), ==, 2);
  service_assert_health (fixture, "ok", 2, 1, 0);
}

static void
test_rotated (ServiceFixture *fixture, gconstpointer data)
{
  fixture->behaviour = RELAY_ALTERED;
  fixture->n_bad = 1;
  fixture->count = 1;
  service_make (fixture);
  service_assert_fails (fixture, VEIL_ERROR_SEAL, NULL);
  fixture->first = 1;
  service_assert_works (fixture);
  g_assert_cmpstr (service_get_asked (fixture, 1), ==, test_enclave_get_tee (service_enclaves[1])->id);
}

static const guint outdated[] = { 400, 404, 410, 422 };

/* A relay that no longer knows the TEE: told, and the next request goes to what the registry now lists. */
static void
test_outdated (ServiceFixture *fixture, gconstpointer data)
{
  fixture->behaviour = RELAY_STATUS;
  fixture->status = *(const guint *) data;
  fixture->text = "{}";
  fixture->n_bad = 1;
  fixture->count = 1;
  service_make (fixture);
  fixture->first = 0;
  service_assert_fails (fixture, VEIL_ERROR_RELAY_REFUSED, NULL);
  fixture->first = 1;
  service_assert_works (fixture);
  g_assert_cmpstr (service_get_asked (fixture, 1), ==, test_enclave_get_tee (service_enclaves[1])->id);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->registry), ==, 2);
}

/* Such answers may mean anything: they do not make a reading each. */
static void
test_outdated_often (ServiceFixture *fixture, gconstpointer data)
{
  fixture->behaviour = RELAY_STATUS;
  fixture->status = 400;
  fixture->text = "{}";
  service_make (fixture);
  for (guint i = 0; i < 10; i++)
    service_assert_fails (fixture, VEIL_ERROR_RELAY_REFUSED, NULL);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->registry), ==, 2);
}

/* One that says it is not to be reached: the second try goes to what the registry now lists, though it knew one only. */
static void
test_replaced (ServiceFixture *fixture, gconstpointer data)
{
  fixture->count = 1;
  service_make (fixture);
  service_assert_works (fixture);
  fixture->behaviour = RELAY_STATUS;
  fixture->status = 503;
  fixture->text = "{}";
  fixture->n_bad = test_peer_get_n_requests (fixture->relay) + 1;
  fixture->first = 1;
  service_assert_works (fixture);
  g_assert_cmpstr (service_get_asked (fixture, 2), ==, test_enclave_get_tee (service_enclaves[1])->id);
}

static void
test_refused_while_registry_down (ServiceFixture *fixture, gconstpointer data)
{
  fixture->behaviour = RELAY_ALTERED;
  fixture->n_bad = 1;
  service_make (fixture);
  service_assert_fails (fixture, VEIL_ERROR_SEAL, NULL);
  fixture->registry_down = TRUE;
  service_assert_works (fixture);
  service_assert_works (fixture);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->registry), ==, 2);
  service_assert_health (fixture, "ok", 2, 1, 0);
}

static gboolean
set_true (gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
  return G_SOURCE_REMOVE;
}

/* A doubt that could not be settled costs one request the wait; later ones are served meanwhile, and the reading that works ends it. */
static void
test_refused_while_registry_hangs (ServiceFixture *fixture, gconstpointer data)
{
  gboolean forgotten = FALSE;
  gint64 start;

  fixture->behaviour = RELAY_ALTERED;
  fixture->n_bad = 1;
  service_make (fixture);
  service_assert_fails (fixture, VEIL_ERROR_SEAL, NULL);
  fixture->registry_down = TRUE;
  service_assert_works (fixture);
  g_timeout_add (1100, set_true, &forgotten);
  TEST_ITERATE_UNTIL (forgotten);

  fixture->registry_down = FALSE;
  fixture->registry_hangs = TRUE;
  start = g_get_monotonic_time ();
  service_assert_works (fixture);
  service_assert_works (fixture);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 10 * G_USEC_PER_SEC);
  TEST_ITERATE_UNTIL (test_peer_get_n_requests (fixture->registry) == 3);
  service_assert_health (fixture, "ok", 3, 1, 0);

  g_atomic_int_set (&fixture->gate, 1);
  service_assert_works (fixture);
  g_assert_cmpuint (test_peer_get_n_requests (fixture->registry), ==, 3);
}

static void
add_failures (const char *kind, const Failure *failures, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = g_strdup_printf ("%s/%u", kind, i);

      service_add_with (name, &failures[i], test_failure);
    }
}

static void
add_tests (void)
{
  add_failures ("retried", retried, G_N_ELEMENTS (retried));
  add_failures ("reported", reported, G_N_ELEMENTS (reported));
  service_add ("all-fail", test_all_fail);
  service_add ("only-one", test_only_one);
  service_add ("relay-gone", test_relay_gone);
  service_add ("refused", test_refused);
  service_add ("rotated", test_rotated);
  for (guint i = 0; i < G_N_ELEMENTS (outdated); i++)
    {
      g_autofree char *name = g_strdup_printf ("outdated/%u", outdated[i]);

      service_add_with (name, &outdated[i], test_outdated);
    }
  service_add ("outdated-often", test_outdated_often);
  service_add ("replaced", test_replaced);
  service_add ("refused-while-registry-down", test_refused_while_registry_down);
  service_add ("refused-while-registry-hangs", test_refused_while_registry_hangs);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  return service_run (add_tests);
}
