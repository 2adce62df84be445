/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Signing in as a window does it: the ways to a session, whom it trusts, what is kept, and how it ends. */
#include "login-flow.h"

#include "session-file.h"
#include "test-peer.h"
#include "trust.h"
#include "veil-error.h"

#include <glib/gstdio.h>
#include <libsoup/soup.h>
#include <string.h>

#define APP "https://chat.opengradient.ai"

typedef struct
{
  char *home;             /* owned */
  char *file;             /* owned; the session */
  VeilSettings *settings; /* owned */
  VeilLoginFlow *flow;    /* owned */
  guint status;           /* that the page got */
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->home = g_dir_make_tmp ("veil-login-XXXXXX", NULL);
  fixture->settings = veil_settings_new (&error);
  g_assert_no_error (error);
  g_free (fixture->settings->home);
  fixture->settings->home = g_strdup (fixture->home);
  g_free (fixture->settings->session_store);
  fixture->settings->session_store = g_strdup ("file");
  fixture->file = veil_settings_get_session_path (fixture->settings);
  fixture->flow = veil_login_flow_new (fixture->settings);
}

static void
remove_home (const char *home)
{
  g_autoptr (GDir) dir = g_dir_open (home, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (home, name, NULL);

      g_assert_cmpint (g_remove (path), ==, 0);
    }
  g_assert_cmpint (g_rmdir (home), ==, 0);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  veil_login_flow_cancel (fixture->flow);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_finalize_object (fixture->flow);
  veil_settings_free (fixture->settings);
  remove_home (fixture->home);
  g_free (fixture->file);
  g_free (fixture->home);
}

static VeilLoginState
get_state (Fixture *fixture)
{
  return veil_login_flow_get_state (fixture->flow);
}

static char *
build_code (const char *relay)
{
  return g_strdup_printf (
      "{\"type\":\"opengradient-cli-auth\",\"access_token\":\"token-of-%s\",\"config\":{\"app_env\":\"test\","
      "\"supabase_url\":\"https://auth.example\",\"supabase_anon_key\":\"anon\",\"chat_api_base_url\":\"https://%s\","
      "\"tee_registry_rpc_url\":\"https://rpc.example\","
      "\"tee_registry_address\":\"0x0000000000000000000000000000000000000001\"}}",
      relay, relay);
}

static void
on_posted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *fixture = user_data;
  g_autoptr (GBytes) answer = soup_session_send_and_read_finish (SOUP_SESSION (source), result, NULL);

  fixture->status =
      answer != NULL ? soup_message_get_status (soup_session_get_async_result_message (SOUP_SESSION (source), result)) : 1;
}

/* As the sign-in page does. */
static void
post (Fixture *fixture, const char *code)
{
  g_autoptr (GUri) url = g_uri_parse (veil_login_flow_get_url (fixture->flow), G_URI_FLAGS_NONE, NULL);
  g_autoptr (GHashTable) query = g_uri_parse_params (g_uri_get_query (url), -1, "&", G_URI_PARAMS_NONE, NULL);
  g_autoptr (SoupMessage) message = soup_message_new ("POST", g_hash_table_lookup (query, "redirect_uri"));
  g_autoptr (SoupSession) session = soup_session_new ();
  g_autoptr (GBytes) body = g_bytes_new (code, strlen (code));

  soup_message_set_request_body_from_bytes (message, "application/json", body);
  soup_message_headers_replace (soup_message_get_request_headers (message), "Origin", APP);
  fixture->status = 0;
  soup_session_send_and_read_async (session, message, G_PRIORITY_DEFAULT, NULL, on_posted, fixture);
  TEST_ITERATE_UNTIL (fixture->status != 0);
}

static void
assert_stored (Fixture *fixture, const char *token)
{
  g_autoptr (VeilSession) session = veil_session_file_load (fixture->file, NULL);

  g_assert_cmpstr (session != NULL ? session->access_token : NULL, ==, token);
}

static void
sign_in (Fixture *fixture, const char *relay)
{
  g_autofree char *code = build_code (relay);
  g_autoptr (GError) error = NULL;

  g_assert_true (veil_login_flow_use_code (fixture->flow, code, &error));
  g_assert_no_error (error);
  TEST_ITERATE_UNTIL (get_state (fixture) == VEIL_LOGIN_DONE);
}

static void
test_browser (Fixture *fixture, gconstpointer data)
{
  g_autofree char *code = build_code ("relay.example");

  g_assert_cmpint (get_state (fixture), ==, VEIL_LOGIN_IDLE);
  veil_login_flow_begin (fixture->flow, 0);
  g_assert_cmpint (get_state (fixture), ==, VEIL_LOGIN_WAITING);
  g_assert_true (g_str_has_prefix (veil_login_flow_get_url (fixture->flow), APP));
  /* What is no login does not end the wait. */
  post (fixture, "{}");
  g_assert_cmpuint (fixture->status, ==, 400);
  g_assert_cmpint (get_state (fixture), ==, VEIL_LOGIN_WAITING);
  post (fixture, code);
  g_assert_cmpuint (fixture->status, ==, 200);
  TEST_ITERATE_UNTIL (get_state (fixture) == VEIL_LOGIN_DONE);
  g_assert_no_error (veil_login_flow_get_error (fixture->flow));
  assert_stored (fixture, "token-of-relay.example");
  g_assert_cmpint (veil_trust_check (fixture->home, veil_login_flow_get_session (fixture->flow), NULL), ==, VEIL_TRUST_SAME);
}

static void
test_code (Fixture *fixture, gconstpointer data)
{
  g_autofree char *code = build_code ("relay.example");
  g_autofree char *padded = g_strdup_printf ("\xef\xbb\xbf \n%s\r\n\t", code);
  g_autoptr (GError) error = NULL;

  veil_login_flow_begin (fixture->flow, 0);
  g_assert_false (veil_login_flow_use_code (fixture->flow, "token-of-somebody", &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_BUNDLE);
  g_assert_null (strstr (error->message, "token-of-somebody"));
  g_clear_error (&error);
  g_assert_false (veil_login_flow_use_code (fixture->flow, " \n", &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_BUNDLE);
  g_clear_error (&error);
  g_assert_cmpint (get_state (fixture), ==, VEIL_LOGIN_WAITING);
  g_assert_true (veil_login_flow_use_code (fixture->flow, padded, &error));
  g_assert_null (veil_login_flow_get_url (fixture->flow));
  TEST_ITERATE_UNTIL (get_state (fixture) == VEIL_LOGIN_DONE);
  assert_stored (fixture, "token-of-relay.example");
}

static void
test_time_is_up (Fixture *fixture, gconstpointer data)
{
  veil_login_flow_begin (fixture->flow, 20);
  TEST_ITERATE_UNTIL (get_state (fixture) == VEIL_LOGIN_TIMED_OUT);
  g_assert_null (veil_login_flow_get_url (fixture->flow));
  /* Again. */
  veil_login_flow_begin (fixture->flow, 0);
  g_assert_cmpint (get_state (fixture), ==, VEIL_LOGIN_WAITING);
}

static void
test_cancel (Fixture *fixture, gconstpointer data)
{
  veil_login_flow_begin (fixture->flow, 0);
  veil_login_flow_cancel (fixture->flow);
  g_assert_cmpint (get_state (fixture), ==, VEIL_LOGIN_CANCELLED);
  assert_stored (fixture, NULL);
  /* The first wait's end is not taken for the second's. */
  veil_login_flow_begin (fixture->flow, 0);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpint (get_state (fixture), ==, VEIL_LOGIN_WAITING);
}

static void
test_failed (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilLoginFlow) flow = NULL;

  g_free (fixture->settings->app_url);
  fixture->settings->app_url = g_strdup ("http://not-loopback.example");
  flow = veil_login_flow_new (fixture->settings);
  veil_login_flow_begin (flow, 0);
  g_assert_cmpint (veil_login_flow_get_state (flow), ==, VEIL_LOGIN_FAILED);
  g_assert_error (veil_login_flow_get_error (flow), VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT);
}

/* Another network than the trusted one changes nothing without consent. */
static void
test_consent (Fixture *fixture, gconstpointer data)
{
  g_autofree char *other = build_code ("other.example");

  sign_in (fixture, "relay.example");
  g_assert_true (veil_login_flow_use_code (fixture->flow, other, NULL));
  TEST_ITERATE_UNTIL (get_state (fixture) == VEIL_LOGIN_CONSENT);
  g_assert_nonnull (strstr (veil_login_flow_get_differences (fixture->flow), "https://relay.example -> https://other.example"));
  assert_stored (fixture, "token-of-relay.example");
  veil_login_flow_consent (fixture->flow, FALSE);
  g_assert_cmpint (get_state (fixture), ==, VEIL_LOGIN_CANCELLED);
  g_assert_null (veil_login_flow_get_session (fixture->flow));
  assert_stored (fixture, "token-of-relay.example");

  g_assert_true (veil_login_flow_use_code (fixture->flow, other, NULL));
  TEST_ITERATE_UNTIL (get_state (fixture) == VEIL_LOGIN_CONSENT);
  veil_login_flow_consent (fixture->flow, TRUE);
  g_assert_cmpint (get_state (fixture), ==, VEIL_LOGIN_STORING);
  TEST_ITERATE_UNTIL (get_state (fixture) == VEIL_LOGIN_DONE);
  assert_stored (fixture, "token-of-other.example");
  g_assert_cmpint (veil_trust_check (fixture->home, veil_login_flow_get_session (fixture->flow), NULL), ==, VEIL_TRUST_SAME);
}

/* Signed in all the same, and told that it will not last; the network is not trusted for good then. */
static void
test_not_kept (Fixture *fixture, gconstpointer data)
{
  g_assert_cmpint (g_mkdir (fixture->file, 0700), ==, 0);
  sign_in (fixture, "relay.example");
  g_assert_error (veil_login_flow_get_error (fixture->flow), VEIL_ERROR, VEIL_ERROR_STORE);
  g_assert_cmpstr (veil_login_flow_get_session (fixture->flow)->access_token, ==, "token-of-relay.example");
  g_assert_cmpint (veil_trust_check (fixture->home, veil_login_flow_get_session (fixture->flow), NULL), ==, VEIL_TRUST_FIRST);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/login-flow/browser", Fixture, NULL, set_up, test_browser, tear_down);
  g_test_add ("/login-flow/code", Fixture, NULL, set_up, test_code, tear_down);
  g_test_add ("/login-flow/time-is-up", Fixture, NULL, set_up, test_time_is_up, tear_down);
  g_test_add ("/login-flow/cancel", Fixture, NULL, set_up, test_cancel, tear_down);
  g_test_add ("/login-flow/failed", Fixture, NULL, set_up, test_failed, tear_down);
  g_test_add ("/login-flow/consent", Fixture, NULL, set_up, test_consent, tear_down);
  g_test_add ("/login-flow/not-kept", Fixture, NULL, set_up, test_not_kept, tear_down);
  return g_test_run ();
}
