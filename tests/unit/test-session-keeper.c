/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Renewals against a token endpoint that does what a test wants, with a clock that jumps where a test wants. */
#include "fetch.h"
#include "home-state.h"
#include "session-keeper.h"
#include "test-peer.h"
#include "veil-error.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>

#define JSON "Content-Type: application/json\r\n"

typedef struct
{
  TestPeer *peer;
  SoupSession *http;
  char *home;
  VeilTokenStore *store;
  VeilSessionKeeper *keeper;
  gint status; /* atomic: what the endpoint answers with; 0 closes the connection */
  gint rotation;
  gint hold; /* atomic: no answer for now */
  gint n_superseded;
  gboolean store_was_current; /* at each request, the token that came was the stored one */
} Fixture;

static gint64 clock_now;
static const char *home_of_test;

/* What is no answer with tokens, by status. */
static const char *const nonsense[] = {
  "",
  "<html>",
  "{\"access_token\":7,\"refresh_token\":\"refresh-1\"}",
  "{\"refresh_token\":\"refresh-1\",\"expires_in\":3600}",
  "{\"access_token\":\"a b\"}",
  "{\"access_token\":\"a\",\"expires_in\":-1}",
};

static gint64
get_clock (void)
{
  return clock_now;
}

static VeilSession *
build_session_at (const char *url, const char *relay, const char *number, gint64 expires_at)
{
  g_autofree char *bundle = g_strdup_printf (
      "{\"type\":\"opengradient-cli-auth\",\"access_token\":\"access-%s\",\"refresh_token\":\"refresh-%s\"%s%" G_GINT64_FORMAT
      ",\"config\":{\"supabase_url\":\"%s\",\"supabase_anon_key\":\"anon\",\"chat_api_base_url\":\"%s\"}}",
      number, number, expires_at > 0 ? ",\"expires_at\":" : ",\"unknown\":", expires_at, url, relay);
  g_autoptr (GError) error = NULL;
  VeilSession *session = veil_session_new_from_bundle (bundle, strlen (bundle), 0, &error);

  g_assert_no_error (error);
  return session;
}

static VeilSession *
build_session (const char *url, const char *number, gint64 expires_at)
{
  return build_session_at (url, url, number, expires_at);
}

static gboolean
on_request (TestPeer *peer, const TestPeerRequest *request, GSocketConnection *connection, gpointer user_data)
{
  Fixture *fixture = user_data;
  int status = g_atomic_int_get (&fixture->status);
  g_autofree char *sent = g_strndup (g_bytes_get_data (request->body, NULL), g_bytes_get_size (request->body));
  g_autofree char *expected = g_strdup_printf ("{\"refresh_token\":\"refresh-%d\"}", g_atomic_int_get (&fixture->rotation));
  g_autofree char *path = g_build_filename (fixture->home, "session.json", NULL);
  g_autofree char *token = g_strdup_printf ("\"refresh-%d\"", g_atomic_int_get (&fixture->rotation));
  g_autofree char *stored = NULL;
  g_autofree char *answer = NULL;
  g_autoptr (GBytes) body = NULL;

  g_assert_true (g_str_has_prefix (request->head, "POST /auth/v1/token?grant_type=refresh_token HTTP/1.1\r\n"));
  g_assert_nonnull (strstr (request->head, "\r\napikey: anon"));
  g_assert_cmpstr (sent, ==, expected);
  if (g_file_get_contents (path, &stored, NULL, NULL))
    fixture->store_was_current = strstr (stored, token) != NULL;
  while (g_atomic_int_get (&fixture->hold))
    if (test_peer_pause (peer, connection, 5))
      return FALSE;
  if (status == 0)
    return FALSE;
  if (status < 100)
    {
      body = g_bytes_new_static (nonsense[status], strlen (nonsense[status]));
      return test_peer_answer (connection, 200, JSON, body);
    }
  if (status != 200)
    return test_peer_answer (connection, (guint) status, JSON, NULL);
  answer =
      g_strdup_printf ("{\"access_token\":\"access-%d\",\"refresh_token\":\"refresh-%d\",\"expires_in\":3600,\"expires_at\":5}",
                       fixture->rotation + 1, fixture->rotation + 1);
  g_atomic_int_inc (&fixture->rotation);
  body = g_bytes_new (answer, strlen (answer));
  return test_peer_answer (connection, 200, JSON, body);
}

static void
on_superseded (VeilSessionKeeper *keeper, Fixture *fixture)
{
  fixture->n_superseded++;
}

static void
save_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_assert_true (veil_token_store_save_finish (VEIL_TOKEN_STORE (source), result, NULL));
  *(gboolean *) user_data = TRUE;
}

/* As another process does. */
static void
store_session (Fixture *fixture, VeilSession *session)
{
  gboolean saved = FALSE;

  veil_token_store_save_async (fixture->store, session, VEIL_STORE_QUIET, NULL, save_done, &saved);
  TEST_ITERATE_UNTIL (saved);
}

static void
start (Fixture *fixture, gint64 expires_at, guint look)
{
  const VeilKeeperTimes times = { look, 50, 60000, 20, 200, get_clock };
  g_autoptr (VeilSession) session = build_session (test_peer_get_url (fixture->peer), "0", expires_at);

  store_session (fixture, session);
  veil_session_keeper_set_times (fixture->keeper, &times);
  veil_session_keeper_set_session (fixture->keeper, session);
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  clock_now = g_get_real_time () / G_USEC_PER_SEC;
  fixture->status = 200;
  home_of_test = fixture->home = g_dir_make_tmp ("veil-keeper-XXXXXX", NULL);
  fixture->peer = test_peer_new (on_request, fixture);
  fixture->http = veil_fetch_session_new ();
  fixture->store = veil_token_store_new ("file", fixture->home);
  fixture->keeper = veil_session_keeper_new (fixture->http, fixture->store, fixture->home);
  g_signal_connect (fixture->keeper, "superseded", G_CALLBACK (on_superseded), fixture);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  static const char *const names[] = { "session.json", "session.lock", "session.renewing", "session.generation" };

  veil_session_keeper_stop (fixture->keeper);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_finalize_object (fixture->keeper);
  g_object_unref (fixture->store);
  g_object_unref (fixture->http);
  test_peer_free (fixture->peer);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (fixture->home, names[i], NULL);

      g_unlink (path);
    }
  g_assert_cmpint (g_rmdir (fixture->home), ==, 0);
  g_free (fixture->home);
}

static const char *
get_access (Fixture *fixture)
{
  return veil_session_keeper_get_session (fixture->keeper)->access_token;
}

static guint
get_requests (Fixture *fixture)
{
  return test_peer_get_n_requests (fixture->peer);
}

typedef struct
{
  guint n;
  char *access;
  gboolean stored; /* when it came */
  GError *error;
} Outcome;

static gboolean
is_stored (const char *home, const char *token)
{
  g_autofree char *path = g_build_filename (home, "session.json", NULL);
  g_autofree char *stored = NULL;

  return g_file_get_contents (path, &stored, NULL, NULL) && strstr (stored, token) != NULL;
}

static void
on_session (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Outcome *outcome = user_data;
  g_autoptr (VeilSession) session = NULL;

  g_clear_error (&outcome->error);
  g_clear_pointer (&outcome->access, g_free);
  session = veil_session_keeper_get_finish (VEIL_SESSION_KEEPER (source), result, &outcome->error);
  outcome->access = session != NULL ? g_strdup (session->access_token) : NULL;
  outcome->stored = session != NULL && is_stored (home_of_test, session->refresh_token);
  outcome->n++;
}

static void
ask (Fixture *fixture, const char *refused, guint times, Outcome *outcome)
{
  g_clear_error (&outcome->error);
  g_clear_pointer (&outcome->access, g_free);
  outcome->n = 0;
  for (guint i = 0; i < times; i++)
    veil_session_keeper_get_async (fixture->keeper, refused, NULL, on_session, outcome);
  TEST_ITERATE_UNTIL (outcome->n == times);
}

static void
outcome_clear (Outcome *outcome)
{
  g_clear_error (&outcome->error);
  g_free (outcome->access);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Outcome, outcome_clear)

static void
assert_stored (Fixture *fixture, const char *token)
{
  g_assert_true (is_stored (fixture->home, token));
}

/* A minute ahead and no sooner; stored before it is given out; the reckoning of this machine's clock wins. */
static void
test_a_minute_ahead (Fixture *fixture, gconstpointer data)
{
  g_auto (Outcome) outcome = { 0 };

  start (fixture, clock_now + 100, 10);
  ask (fixture, NULL, 1, &outcome);
  g_assert_cmpstr (outcome.access, ==, "access-0");
  clock_now += 39;
  ask (fixture, NULL, 1, &outcome);
  g_assert_cmpuint (get_requests (fixture), ==, 0);
  clock_now += 1;
  TEST_ITERATE_UNTIL (g_str_equal (get_access (fixture), "access-1"));
  assert_stored (fixture, "refresh-1");
  g_assert_false (veil_home_is_renewing (fixture->home));
  g_assert_cmpint (veil_session_keeper_get_session (fixture->keeper)->expires_at, >, clock_now + 3000);
  g_assert_cmpuint (get_requests (fixture), ==, 1);
}

/* However many wait, one renewal; and each is of the token that was stored before. */
static void
test_one_for_all (Fixture *fixture, gconstpointer data)
{
  g_auto (Outcome) outcome = { 0 };

  start (fixture, clock_now - 10, 10000);
  ask (fixture, NULL, 50, &outcome);
  g_assert_cmpstr (outcome.access, ==, "access-1");
  g_assert_cmpuint (get_requests (fixture), ==, 1);
  g_assert_true (fixture->store_was_current);
  /* A late 401 for the former token costs nothing. */
  ask (fixture, "access-0", 10, &outcome);
  g_assert_cmpstr (outcome.access, ==, "access-1");
  g_assert_cmpuint (get_requests (fixture), ==, 1);
  /* One for the token that was renewed just now means that renewing does not help. */
  ask (fixture, "access-1", 1, &outcome);
  g_assert_error (outcome.error, VEIL_ERROR, VEIL_ERROR_SESSION_REFUSED);
  g_assert_cmpuint (get_requests (fixture), ==, 1);
}

/* Each token that is spent, and each that is given out, is in the store by then. */
static void
test_stored_before_used (Fixture *fixture, gconstpointer data)
{
  const VeilKeeperTimes times = { 10000, 0, 0, 20, 200, get_clock };
  g_auto (Outcome) outcome = { 0 };

  start (fixture, clock_now + 3600, 10000);
  veil_session_keeper_set_times (fixture->keeper, &times);
  for (guint i = 0; i < 4; i++)
    {
      g_autofree char *refused = g_strdup_printf ("access-%u", i);
      g_autofree char *renewed = g_strdup_printf ("access-%u", i + 1);

      fixture->store_was_current = FALSE;
      ask (fixture, refused, 1, &outcome);
      g_assert_true (fixture->store_was_current);
      g_assert_cmpstr (outcome.access, ==, renewed);
      g_assert_true (outcome.stored);
    }
}

static void
test_unknown_expiry (Fixture *fixture, gconstpointer data)
{
  g_auto (Outcome) outcome = { 0 };

  start (fixture, 0, 10);
  clock_now += 1000000;
  ask (fixture, NULL, 1, &outcome);
  g_assert_cmpstr (outcome.access, ==, "access-0");
  ask (fixture, "access-0", 3, &outcome);
  g_assert_cmpstr (outcome.access, ==, "access-1");
  g_assert_cmpuint (get_requests (fixture), ==, 1);
  assert_stored (fixture, "refresh-1");
}

/* The clock is set on by a year, and back by two: at most one renewal for it, and a session that still works. */
static void
test_clock_jumps (Fixture *fixture, gconstpointer data)
{
  g_auto (Outcome) outcome = { 0 };

  start (fixture, clock_now + 3600, 10);
  clock_now += 366 * 86400;
  TEST_ITERATE_UNTIL (g_str_equal (get_access (fixture), "access-1"));
  clock_now -= 2 * 366 * 86400;
  ask (fixture, NULL, 1, &outcome);
  g_assert_cmpstr (outcome.access, ==, "access-1");
  g_assert_cmpuint (get_requests (fixture), ==, 1);
}

/* Trouble keeps the session, is tried again with growing pauses, and passes. */
static void
test_trouble (Fixture *fixture, gconstpointer data)
{
  const int *status = data;
  g_auto (Outcome) outcome = { 0 };

  g_atomic_int_set (&fixture->status, *status);
  start (fixture, clock_now - 10, 10);
  ask (fixture, NULL, 1, &outcome);
  g_assert_error (outcome.error, VEIL_ERROR, VEIL_ERROR_UNREACHABLE);
  g_assert_null (strstr (outcome.error->message, "refresh-"));
  g_assert_null (veil_session_keeper_get_end (fixture->keeper));
  TEST_ITERATE_UNTIL (get_requests (fixture) >= 3);
  assert_stored (fixture, "refresh-0");
  g_atomic_int_set (&fixture->status, 200);
  TEST_ITERATE_UNTIL (g_str_equal (get_access (fixture), "access-1"));
}

static void
test_refusal (Fixture *fixture, gconstpointer data)
{
  const int *status = data;
  g_auto (Outcome) outcome = { 0 };
  guint requests;

  g_atomic_int_set (&fixture->status, *status);
  start (fixture, clock_now - 10, 10);
  ask (fixture, NULL, 3, &outcome);
  g_assert_error (outcome.error, VEIL_ERROR, VEIL_ERROR_SESSION_REFUSED);
  g_assert_nonnull (strstr (outcome.error->message, "og-veil login"));
  g_assert_error (veil_session_keeper_get_end (fixture->keeper), VEIL_ERROR, VEIL_ERROR_SESSION_REFUSED);
  requests = get_requests (fixture);
  ask (fixture, NULL, 3, &outcome);
  g_assert_error (outcome.error, VEIL_ERROR, VEIL_ERROR_SESSION_REFUSED);
  g_assert_cmpuint (get_requests (fixture), ==, requests);
}

/* Another process renewed the session: what it stored is taken, and nobody has to sign in. */
static void
test_renewed_elsewhere (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilSession) theirs = build_session (test_peer_get_url (fixture->peer), "theirs", clock_now + 3600);
  g_auto (Outcome) outcome = { 0 };
  gboolean saved = FALSE;

  start (fixture, clock_now + 3600, 10000);
  veil_token_store_save_async (fixture->store, theirs, VEIL_STORE_QUIET, NULL, save_done, &saved);
  TEST_ITERATE_UNTIL (saved);
  g_atomic_int_set (&fixture->status, 400);
  ask (fixture, "access-0", 1, &outcome);
  g_assert_no_error (outcome.error);
  g_assert_cmpstr (outcome.access, ==, "access-theirs");
}

/* A renewal whose answer is held back. */
static void
begin_renewal (Fixture *fixture, Outcome *outcome)
{
  guint before = get_requests (fixture);

  g_atomic_int_set (&fixture->hold, TRUE);
  veil_session_keeper_get_async (fixture->keeper, get_access (fixture), NULL, on_session, outcome);
  TEST_ITERATE_UNTIL (get_requests (fixture) == before + 1);
}

static void
let_go (Fixture *fixture)
{
  g_atomic_int_set (&fixture->hold, FALSE);
}

/* Somebody signed in while a renewal was under way: theirs is not written over, but used, whether they said so or not. */
static void
test_login_amid_renewal (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilSession) theirs = build_session (test_peer_get_url (fixture->peer), "theirs", clock_now + 3600);
  g_auto (Outcome) outcome = { 0 };

  start (fixture, clock_now + 3600, 10000);
  begin_renewal (fixture, &outcome);
  store_session (fixture, theirs);
  if (data != NULL)
    g_assert_true (veil_home_bump_generation (fixture->home, NULL));
  let_go (fixture);
  TEST_ITERATE_UNTIL (outcome.n == 1);
  g_assert_cmpstr (outcome.access, ==, "access-theirs");
  assert_stored (fixture, "refresh-theirs");
  g_assert_false (veil_home_is_renewing (fixture->home));
}

static void
assert_dropped (Fixture *fixture, const Outcome *outcome)
{
  g_assert_error (outcome->error, VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN);
  g_assert_null (veil_session_keeper_get_session (fixture->keeper));
  g_assert_cmpint (fixture->n_superseded, ==, 1);
  g_assert_false (veil_home_is_renewing (fixture->home));
}

/* They signed in to another network: whether that is trusted is for others to say. */
static void
test_other_network_amid_renewal (Fixture *fixture, gconstpointer data)
{
  const char *url = test_peer_get_url (fixture->peer);
  g_autoptr (VeilSession) theirs = build_session_at (url, "https://relay.example", "theirs", clock_now + 3600);
  g_auto (Outcome) outcome = { 0 };

  start (fixture, clock_now + 3600, 10000);
  begin_renewal (fixture, &outcome);
  store_session (fixture, theirs);
  let_go (fixture);
  TEST_ITERATE_UNTIL (outcome.n == 1);
  assert_dropped (fixture, &outcome);
  assert_stored (fixture, "refresh-theirs");
}

static void
clear_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_assert_true (veil_token_store_clear_finish (VEIL_TOKEN_STORE (source), result, NULL));
  *(gboolean *) user_data = TRUE;
}

/* Somebody signed out, before the renewal began (and nobody told the keeper) or while it was under way: nothing is stored again. */
static void
test_logout (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->home, "session.json", NULL);
  g_auto (Outcome) outcome = { 0 };
  gboolean cleared = FALSE;

  start (fixture, clock_now + 3600, 10000);
  if (data != NULL)
    begin_renewal (fixture, &outcome);
  veil_token_store_clear_async (fixture->store, VEIL_STORE_QUIET, NULL, clear_done, &cleared);
  TEST_ITERATE_UNTIL (cleared);
  g_assert_true (veil_home_bump_generation (fixture->home, NULL));
  if (data == NULL)
    begin_renewal (fixture, &outcome);
  let_go (fixture);
  TEST_ITERATE_UNTIL (outcome.n == 1);
  assert_dropped (fixture, &outcome);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

static gboolean
is_locked (Fixture *fixture)
{
  g_autofree char *path = g_build_filename (fixture->home, "session.lock", NULL);
  int fd = g_open (path, O_RDWR | O_CLOEXEC, 0);
  gboolean locked = fd >= 0 && flock (fd, LOCK_EX | LOCK_NB) != 0;

  if (fd >= 0)
    g_close (fd, NULL);
  return locked;
}

/* A keyring that starts anew holds nothing for a moment. */
static void
test_store_that_comes_back (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->home, "session.json", NULL);
  g_autofree char *away = g_build_filename (fixture->home, "away", NULL);
  g_auto (Outcome) outcome = { 0 };

  start (fixture, clock_now + 3600, 10000);
  begin_renewal (fixture, &outcome);
  g_assert_cmpint (g_rename (path, away), ==, 0);
  let_go (fixture);
  TEST_ITERATE_UNTIL (is_locked (fixture));
  while (g_main_context_iteration (NULL, FALSE)) /* it is looked at, once */
    ;
  g_assert_cmpint (g_rename (away, path), ==, 0);
  TEST_ITERATE_UNTIL (outcome.n == 1);
  g_assert_cmpstr (outcome.access, ==, "access-1");
  assert_stored (fixture, "refresh-1");
}

/* Reading the same session again does not drop the token that is on its way. */
static void
test_same_session_amid_renewal (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilSession) same = build_session (test_peer_get_url (fixture->peer), "0", clock_now + 3600);
  g_auto (Outcome) outcome = { 0 };

  start (fixture, clock_now + 3600, 10000);
  begin_renewal (fixture, &outcome);
  veil_session_keeper_set_session (fixture->keeper, same);
  let_go (fixture);
  TEST_ITERATE_UNTIL (outcome.n == 1);
  g_assert_cmpstr (outcome.access, ==, "access-1");
  assert_stored (fixture, "refresh-1");
}

/* Whatever tells two sign-ins apart. */
static void
test_other_session_amid_renewal (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilSession) other = build_session (test_peer_get_url (fixture->peer), "0", clock_now + 3600);
  g_auto (Outcome) outcome = { 0 };

  g_free (other->user_id);
  other->user_id = g_strdup ("another");
  start (fixture, clock_now + 3600, 10000);
  begin_renewal (fixture, &outcome);
  veil_session_keeper_set_session (fixture->keeper, other);
  TEST_ITERATE_UNTIL (outcome.n == 1);
  g_assert_cmpstr (outcome.access, ==, "access-0");
  g_assert_true (veil_session_keeper_get_session (fixture->keeper) == other);
  TEST_ITERATE_UNTIL (veil_session_keeper_is_settled (fixture->keeper));
}

static void
on_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  veil_session_keeper_close_finish (VEIL_SESSION_KEEPER (source), result);
  *(gboolean *) user_data = TRUE;
}

/* Renewed, while the store cannot be used. */
static void
renew_unstored (Fixture *fixture, guint backoff, Outcome *outcome)
{
  const VeilKeeperTimes times = { 10000, 50, 0, backoff, backoff, get_clock };
  g_autofree char *path = g_build_filename (fixture->home, "session.json", NULL);
  GLogLevelFlags fatal;

  start (fixture, clock_now + 3600, 10000);
  veil_session_keeper_set_times (fixture->keeper, &times);
  g_assert_cmpint (g_chmod (path, 0644), ==, 0);
  fatal = g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR); /* a warning is due */
  ask (fixture, "access-0", 1, outcome);
  g_log_set_always_fatal (fatal);
  g_assert_cmpstr (outcome->access, ==, "access-1");
  assert_stored (fixture, "refresh-0");
  g_assert_true (veil_home_is_renewing (fixture->home));
}

/* What could not be stored is used, and its successor takes the place of the one that was spent long ago. */
static void
test_store_that_fails_once (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->home, "session.json", NULL);
  g_auto (Outcome) outcome = { 0 };

  renew_unstored (fixture, 60000, &outcome);
  g_assert_cmpint (g_chmod (path, 0600), ==, 0);
  ask (fixture, "access-1", 1, &outcome);
  g_assert_cmpstr (outcome.access, ==, "access-2");
  assert_stored (fixture, "refresh-2");
  g_assert_false (veil_home_is_renewing (fixture->home));
}

/* And is stored once that can be done, whoever reads the spent one meanwhile. */
static void
test_store_that_fails_for_a_while (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->home, "session.json", NULL);
  g_autoptr (VeilSession) spent = build_session (test_peer_get_url (fixture->peer), "0", clock_now + 3600);
  g_auto (Outcome) outcome = { 0 };

  renew_unstored (fixture, 10, &outcome);
  for (guint i = 0; i < 3; i++)
    {
      TEST_ITERATE_UNTIL (!veil_session_keeper_is_settled (fixture->keeper));
      TEST_ITERATE_UNTIL (veil_session_keeper_is_settled (fixture->keeper));
      veil_session_keeper_set_session (fixture->keeper, spent);
      g_assert_cmpstr (get_access (fixture), ==, "access-1");
    }
  g_assert_cmpint (g_chmod (path, 0600), ==, 0);
  TEST_ITERATE_UNTIL (is_stored (fixture->home, "refresh-1"));
  TEST_ITERATE_UNTIL (veil_session_keeper_is_settled (fixture->keeper));
  g_assert_false (veil_home_is_renewing (fixture->home));
  g_assert_cmpuint (get_requests (fixture), ==, 1);
  ask (fixture, "access-1", 1, &outcome);
  g_assert_cmpstr (outcome.access, ==, "access-2");
  assert_stored (fixture, "refresh-2");
}

/* A keyring that starts anew says that it is empty: that is no sign-out by anybody, and what is nowhere else is not dropped for it. */
static void
test_store_that_is_empty_then (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->home, "session.json", NULL);
  g_auto (Outcome) outcome = { 0 };

  renew_unstored (fixture, 10, &outcome);
  g_assert_cmpint (g_unlink (path), ==, 0);
  TEST_ITERATE_UNTIL (!veil_session_keeper_is_settled (fixture->keeper));
  TEST_ITERATE_UNTIL (veil_session_keeper_is_settled (fixture->keeper));
  g_assert_cmpstr (get_access (fixture), ==, "access-1");
  g_assert_cmpint (fixture->n_superseded, ==, 0);
  g_assert_true (veil_home_is_renewing (fixture->home));
}

/* Somebody else's session is there: it is that which counts. */
static void
test_login_before_it_is_stored (Fixture *fixture, gconstpointer data)
{
  const gboolean same_network = data == NULL;
  const char *url = test_peer_get_url (fixture->peer);
  g_autoptr (VeilSession) other = build_session_at (url, same_network ? url : "https://relay.example", "7", clock_now + 3600);
  g_auto (Outcome) outcome = { 0 };

  renew_unstored (fixture, 10, &outcome);
  store_session (fixture, other);
  if (same_network)
    TEST_ITERATE_UNTIL (g_str_equal (get_access (fixture), "access-7"));
  else
    TEST_ITERATE_UNTIL (fixture->n_superseded == 1);
  TEST_ITERATE_UNTIL (veil_session_keeper_is_settled (fixture->keeper));
  assert_stored (fixture, "refresh-7");
  g_assert_false (veil_home_is_renewing (fixture->home));
}

/* The end waits for one more try. */
static void
test_close_unstored (Fixture *fixture, gconstpointer data)
{
  g_autofree char *path = g_build_filename (fixture->home, "session.json", NULL);
  g_auto (Outcome) outcome = { 0 };
  gboolean closed = FALSE;

  renew_unstored (fixture, 60000, &outcome);
  g_assert_cmpint (g_chmod (path, 0600), ==, 0);
  veil_session_keeper_close_async (fixture->keeper, 60000, NULL, on_closed, &closed);
  TEST_ITERATE_UNTIL (closed);
  assert_stored (fixture, "refresh-1");
  g_assert_false (veil_home_is_renewing (fixture->home));
}

/* The end waits for the token that is on its way, and begins no further renewal. */
static void
test_close (Fixture *fixture, gconstpointer data)
{
  const VeilKeeperTimes times = { 10, 0, 0, 20, 200, get_clock };
  g_auto (Outcome) outcome = { 0 };
  gboolean closed = FALSE;

  start (fixture, clock_now + 3600, 10);
  veil_session_keeper_set_times (fixture->keeper, &times);
  begin_renewal (fixture, &outcome);
  veil_session_keeper_close_async (fixture->keeper, 60000, NULL, on_closed, &closed);
  g_assert_false (closed);
  let_go (fixture);
  TEST_ITERATE_UNTIL (closed);
  assert_stored (fixture, "refresh-1");
  g_assert_cmpint (outcome.n, ==, 1);
  clock_now += 7200;
  ask (fixture, NULL, 1, &outcome);
  g_assert_cmpuint (get_requests (fixture), ==, 1);
  closed = FALSE;
  veil_session_keeper_close_async (fixture->keeper, 60000, NULL, on_closed, &closed);
  TEST_ITERATE_UNTIL (closed);
}

/* It does not wait for ever, nor for somebody who is in a hurry; the mark stays, to tell what was lost. */
static void
test_close_in_vain (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (Outcome) outcome = { 0 };
  gboolean closed = FALSE;

  start (fixture, clock_now + 3600, 10000);
  begin_renewal (fixture, &outcome);
  veil_session_keeper_close_async (fixture->keeper, data != NULL ? 60000 : 30, cancellable, on_closed, &closed);
  if (data != NULL)
    g_cancellable_cancel (cancellable);
  TEST_ITERATE_UNTIL (closed);
  g_assert_false (veil_session_keeper_is_settled (fixture->keeper));
  veil_session_keeper_stop (fixture->keeper);
  TEST_ITERATE_UNTIL (veil_session_keeper_is_settled (fixture->keeper));
  g_assert_true (veil_home_is_renewing (fixture->home));
}

static void
test_interrupted (Fixture *fixture, gconstpointer data)
{
  g_auto (Outcome) outcome = { 0 };

  veil_home_set_renewing (fixture->home, TRUE);
  g_atomic_int_set (&fixture->status, 400);
  start (fixture, clock_now - 10, 10000);
  ask (fixture, NULL, 1, &outcome);
  g_assert_error (outcome.error, VEIL_ERROR, VEIL_ERROR_SESSION_REFUSED);
  g_assert_nonnull (strstr (outcome.error->message, "between renewing and storing"));
}

static void
test_nobody (Fixture *fixture, gconstpointer data)
{
  g_auto (Outcome) outcome = { 0 };

  ask (fixture, NULL, 1, &outcome);
  g_assert_error (outcome.error, VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN);
}

#define ADD(name, data, func) g_test_add ("/session-keeper/" name, Fixture, data, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  static const int status[] = { 0, 500, 429, 400, 401, 403, 1, 2, 3, 4, 5 };

  g_test_init (&argc, &argv, NULL);
  ADD ("a-minute-ahead", NULL, test_a_minute_ahead);
  ADD ("one-for-all", NULL, test_one_for_all);
  ADD ("stored-before-used", NULL, test_stored_before_used);
  ADD ("unknown-expiry", NULL, test_unknown_expiry);
  ADD ("clock-jumps", NULL, test_clock_jumps);
  ADD ("trouble/closed", &status[0], test_trouble);
  ADD ("trouble/500", &status[1], test_trouble);
  ADD ("trouble/429", &status[2], test_trouble);
  ADD ("trouble/html", &status[6], test_trouble);
  ADD ("trouble/token-is-a-number", &status[7], test_trouble);
  ADD ("trouble/no-token", &status[8], test_trouble);
  ADD ("trouble/token-with-a-space", &status[9], test_trouble);
  ADD ("trouble/life-below-zero", &status[10], test_trouble);
  ADD ("refusal/400", &status[3], test_refusal);
  ADD ("refusal/401", &status[4], test_refusal);
  ADD ("refusal/403", &status[5], test_refusal);
  ADD ("renewed-elsewhere", NULL, test_renewed_elsewhere);
  ADD ("login-amid-renewal/told", "", test_login_amid_renewal);
  ADD ("login-amid-renewal/silent", NULL, test_login_amid_renewal);
  ADD ("other-network-amid-renewal", NULL, test_other_network_amid_renewal);
  ADD ("logout/before", NULL, test_logout);
  ADD ("logout/amid", "", test_logout);
  ADD ("store-that-comes-back", NULL, test_store_that_comes_back);
  ADD ("store-that-fails-once", NULL, test_store_that_fails_once);
  ADD ("store-that-fails-for-a-while", NULL, test_store_that_fails_for_a_while);
  ADD ("store-that-is-empty-then", NULL, test_store_that_is_empty_then);
  ADD ("login-before-it-is-stored/same-network", NULL, test_login_before_it_is_stored);
  ADD ("login-before-it-is-stored/other-network", "", test_login_before_it_is_stored);
  ADD ("same-session-amid-renewal", NULL, test_same_session_amid_renewal);
  ADD ("other-session-amid-renewal", NULL, test_other_session_amid_renewal);
  ADD ("close/in-time", NULL, test_close);
  ADD ("close/too-late", NULL, test_close_in_vain);
  ADD ("close/in-a-hurry", "", test_close_in_vain);
  ADD ("close/unstored", NULL, test_close_unstored);
  ADD ("interrupted", NULL, test_interrupted);
  ADD ("nobody", NULL, test_nobody);
  return g_test_run ();
}
