/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Whom a home trusts, and signing in and out as one step. */
#include "home-state.h"
#include "session-commit.h"
#include "test-peer.h"
#include "trust.h"
#include "veil-error.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct
{
  char *home;
  char *trust; /* the file */
  VeilTokenStore *store;
  VeilSession *session;
} Fixture;

static VeilSession *
build_session (const char *token, const char *auth, const char *relay)
{
  g_autofree char *bundle = g_strdup_printf (
      "{\"type\":\"opengradient-cli-auth\",\"access_token\":\"access-%s\",\"refresh_token\":\"refresh-%s\",\"config\":{"
      "\"supabase_url\":\"%s\",\"supabase_anon_key\":\"anon\",\"chat_api_base_url\":\"%s\"}}",
      token, token, auth, relay);
  g_autoptr (GError) error = NULL;
  VeilSession *session = veil_session_new_from_bundle (bundle, strlen (bundle), 0, &error);

  g_assert_no_error (error);
  return session;
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->home = g_dir_make_tmp ("veil-commit-XXXXXX", NULL);
  fixture->trust = g_build_filename (fixture->home, "trust.json", NULL);
  fixture->store = veil_token_store_new ("file", fixture->home);
  fixture->session = build_session ("0", "https://auth.example", "https://relay.example");
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  static const char *const names[] = { "session.json", "session.lock", "session.renewing", "session.generation", "trust.json" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (fixture->home, names[i], NULL);

      g_remove (path);
    }
  g_assert_cmpint (g_rmdir (fixture->home), ==, 0);
  g_object_unref (fixture->store);
  veil_session_unref (fixture->session);
  g_free (fixture->trust);
  g_free (fixture->home);
}

/* --- trust --- */

static void
assert_trust (Fixture *fixture, VeilSession *session, VeilTrust expected, const char *said)
{
  g_autofree char *differences = NULL;

  g_assert_cmpint (veil_trust_check (fixture->home, session, &differences), ==, expected);
  if (said != NULL && (differences == NULL || strstr (differences, said) == NULL))
    g_error ("“%s” does not say “%s”", differences, said);
  g_assert_cmpint (veil_trust_check (fixture->home, session, NULL), ==, expected);
}

static void
write_trust (Fixture *fixture, const char *text)
{
  g_assert_true (g_file_set_contents_full (fixture->trust, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL));
}

static void
test_trust (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilSession) relay = build_session ("0", "https://auth.example", "https://other.example");
  g_autoptr (VeilSession) auth = build_session ("0", "https://other.example", "https://relay.example");

  assert_trust (fixture, fixture->session, VEIL_TRUST_FIRST, NULL);
  g_assert_true (veil_trust_set (fixture->home, fixture->session, NULL));
  assert_trust (fixture, fixture->session, VEIL_TRUST_SAME, "");
  assert_trust (fixture, relay, VEIL_TRUST_CHANGED, "relay: https://relay.example -> https://other.example");
  assert_trust (fixture, auth, VEIL_TRUST_CHANGED, "sign-in server: https://auth.example -> https://other.example");
}

/* Files of before the sign-in server counted: what they name holds, and the first server that comes joins it. */
static void
test_trust_without_auth (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilSession) relay = build_session ("0", "https://auth.example", "https://other.example");

  write_trust (fixture, "{\"relay\":\"https://relay.example\",\"registry\":\"\",\"contract\":\"\",\"tee_type\":\"0\"}");
  assert_trust (fixture, fixture->session, VEIL_TRUST_FIRST, "");
  assert_trust (fixture, relay, VEIL_TRUST_CHANGED, "relay: ");
  write_trust (fixture, "{\"relay\":\"https://relay.example\",\"registry\":\"\",\"contract\":\"\",\"tee_type\":\"0\",\"auth\":7}");
  assert_trust (fixture, fixture->session, VEIL_TRUST_CHANGED, "sign-in server: ? -> https://auth.example");
}

static VeilSession *
build_sandbox (const char *root)
{
  g_autofree char *bundle =
      g_strdup_printf ("{\"type\":\"opengradient-cli-auth\",\"access_token\":\"a\",\"config\":{\"app_env\":\"sandbox\","
                       "\"supabase_url\":\"https://auth.example\",\"supabase_anon_key\":\"anon\",\"chat_api_base_url\":\"https://"
                       "relay.example\"%s%s}}",
                       root != NULL ? ",\"sandbox_attestation_root\":" : "", root != NULL ? root : "");
  g_autoptr (GError) error = NULL;
  VeilSession *session = veil_session_new_from_bundle (bundle, strlen (bundle), 0, &error);

  g_assert_no_error (error);
  return session;
}

#define ROOT_11 "1111111111111111111111111111111111111111111111111111111111111111"
#define ROOT_22 "2222222222222222222222222222222222222222222222222222222222222222"

/* The same servers, but somebody else vouches for their enclaves. */
static void
test_trust_of_root (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilSession) one = build_sandbox ("\"" ROOT_11 "\"");
  g_autoptr (VeilSession) two = build_sandbox ("\"" ROOT_22 "\"");
  g_autoptr (VeilSession) none = build_sandbox (NULL);

  g_assert_true (veil_trust_set (fixture->home, fixture->session, NULL));
  assert_trust (fixture, fixture->session, VEIL_TRUST_SAME, "");
  assert_trust (fixture, one, VEIL_TRUST_CHANGED, "attestation: AWS -> sandbox 0x" ROOT_11);
  assert_trust (fixture, none, VEIL_TRUST_CHANGED, "attestation: AWS -> sandbox");
  g_assert_true (veil_trust_set (fixture->home, one, NULL));
  assert_trust (fixture, one, VEIL_TRUST_SAME, "");
  assert_trust (fixture, two, VEIL_TRUST_CHANGED, "attestation: sandbox 0x" ROOT_11 " -> sandbox 0x" ROOT_22);
  assert_trust (fixture, none, VEIL_TRUST_CHANGED, "attestation: ");
  assert_trust (fixture, fixture->session, VEIL_TRUST_CHANGED, " -> AWS");
  write_trust (fixture, "{\"relay\":\"https://relay.example\",\"registry\":\"\",\"contract\":\"\",\"tee_type\":\"0\","
                        "\"auth\":\"https://auth.example\"}");
  assert_trust (fixture, fixture->session, VEIL_TRUST_FIRST, "");
  assert_trust (fixture, one, VEIL_TRUST_CHANGED, "attestation: ? -> sandbox");
}

static void
test_trust_of_others (Fixture *fixture, gconstpointer data)
{
  g_assert_true (veil_trust_set (fixture->home, fixture->session, NULL));
  g_assert_cmpint (g_chmod (fixture->trust, 0644), ==, 0);
  assert_trust (fixture, fixture->session, VEIL_TRUST_SAME, "");
  g_assert_cmpint (g_chmod (fixture->trust, 0620), ==, 0);
  assert_trust (fixture, fixture->session, VEIL_TRUST_BROKEN, "chmod 600");
  g_assert_cmpint (g_chmod (fixture->trust, 0602), ==, 0);
  assert_trust (fixture, fixture->session, VEIL_TRUST_BROKEN, "mode 0602");
  assert_trust (fixture, fixture->session, VEIL_TRUST_BROKEN, "relay: ? -> https://relay.example");
  g_assert_cmpint (g_chmod (fixture->trust, 0600), ==, 0);
  assert_trust (fixture, fixture->session, VEIL_TRUST_SAME, "");
}

/* As root a file can be given away; as anybody else, one of root's can be put there. */
static void
test_trust_of_another (Fixture *fixture, gconstpointer data)
{
  g_assert_true (veil_trust_set (fixture->home, fixture->session, NULL));
  if (geteuid () == 0)
    {
      g_assert_cmpint (chown (fixture->trust, 12345, -1), ==, 0);
      assert_trust (fixture, fixture->session, VEIL_TRUST_BROKEN, "another user");
    }
  else
    {
      g_unlink (fixture->trust);
      g_assert_cmpint (link ("/etc/passwd", fixture->trust) == 0 || symlink ("/etc/passwd", fixture->trust) == 0, ==, TRUE);
      assert_trust (fixture, fixture->session, VEIL_TRUST_BROKEN, "trust.json");
    }
}

static void
test_trust_that_is_none (Fixture *fixture, gconstpointer data)
{
  static const char *const texts[] = { "", "{", "[]", "7", "{\"relay\":\"a\",\"relay\":\"b\"}", "{}{}" };
  g_autofree char *large = g_strnfill (65537, ' ');

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      write_trust (fixture, texts[i]);
      assert_trust (fixture, fixture->session, VEIL_TRUST_BROKEN, "not the file that Veil wrote");
    }
  write_trust (fixture, large);
  assert_trust (fixture, fixture->session, VEIL_TRUST_BROKEN, "not the file that Veil wrote");
  write_trust (fixture, "{}");
  assert_trust (fixture, fixture->session, VEIL_TRUST_CHANGED, "relay: ? -> ");
  g_unlink (fixture->trust);
  g_assert_cmpint (mkfifo (fixture->trust, 0600), ==, 0);
  assert_trust (fixture, fixture->session, VEIL_TRUST_BROKEN, "not the file that Veil wrote");
  g_unlink (fixture->trust);
  g_assert_cmpint (symlink ("/dev/null", fixture->trust), ==, 0);
  assert_trust (fixture, fixture->session, VEIL_TRUST_BROKEN, "cannot be read");
}

/* --- one step --- */

typedef struct
{
  gboolean done;
  gboolean good;
  char *differences;
  GError *error;
} Outcome;

static void
outcome_clear (Outcome *outcome)
{
  g_clear_error (&outcome->error);
  g_clear_pointer (&outcome->differences, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Outcome, outcome_clear)

static void
on_committed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Outcome *outcome = user_data;

  outcome->good = veil_session_commit_finish (result, &outcome->differences, &outcome->error);
  outcome->done = TRUE;
}

static void
commit (Fixture *fixture, VeilTokenStore *store, VeilSession *session, const char *consented, Outcome *outcome)
{
  outcome_clear (outcome);
  outcome->done = FALSE;
  veil_session_commit_async (fixture->home, store, session, consented, NULL, on_committed, outcome);
  TEST_ITERATE_UNTIL (outcome->done);
}

static void
assert_stored (Fixture *fixture, const char *token)
{
  g_autofree char *path = g_build_filename (fixture->home, "session.json", NULL);
  g_autofree char *stored = NULL;

  g_assert_cmpint (g_file_get_contents (path, &stored, NULL, NULL), ==, token != NULL);
  if (token != NULL)
    g_assert_nonnull (strstr (stored, token));
}

static void
test_in_and_out (Fixture *fixture, gconstpointer data)
{
  g_autofree char *generation = NULL;
  g_autofree char *after = NULL;
  g_auto (Outcome) outcome = { 0 };

  veil_home_set_renewing (fixture->home, TRUE);
  commit (fixture, fixture->store, fixture->session, NULL, &outcome);
  g_assert_no_error (outcome.error);
  assert_stored (fixture, "refresh-0");
  assert_trust (fixture, fixture->session, VEIL_TRUST_SAME, "");
  g_assert_false (veil_home_is_renewing (fixture->home));
  generation = veil_home_get_generation (fixture->home);
  g_assert_cmpstr (generation, !=, "");
  commit (fixture, fixture->store, NULL, NULL, &outcome);
  g_assert_no_error (outcome.error);
  assert_stored (fixture, NULL);
  after = veil_home_get_generation (fixture->home);
  g_assert_cmpstr (after, !=, generation);
  assert_trust (fixture, fixture->session, VEIL_TRUST_SAME, "");
}

static void
test_consent (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilSession) other = build_session ("1", "https://auth.example", "https://other.example");
  g_autoptr (VeilSession) third = build_session ("2", "https://auth.example", "https://third.example");
  g_autofree char *differences = NULL;
  g_auto (Outcome) outcome = { 0 };

  commit (fixture, fixture->store, fixture->session, NULL, &outcome);
  commit (fixture, fixture->store, other, NULL, &outcome);
  g_assert_error (outcome.error, VEIL_ERROR, VEIL_ERROR_BUNDLE);
  differences = g_strdup (outcome.differences);
  g_assert_nonnull (differences);
  assert_stored (fixture, "refresh-0");
  assert_trust (fixture, fixture->session, VEIL_TRUST_SAME, "");
  /* What was agreed to is not this. */
  commit (fixture, fixture->store, third, differences, &outcome);
  g_assert_error (outcome.error, VEIL_ERROR, VEIL_ERROR_BUNDLE);
  assert_stored (fixture, "refresh-0");
  commit (fixture, fixture->store, other, differences, &outcome);
  g_assert_no_error (outcome.error);
  g_assert_null (outcome.differences);
  assert_stored (fixture, "refresh-1");
  assert_trust (fixture, other, VEIL_TRUST_SAME, "");
}

/* Two first sign-ins at once: one of them decides, the other one needs consent. */
static void
test_two_at_once (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilSession) other = build_session ("1", "https://auth.example", "https://other.example");
  g_auto (Outcome) a = { 0 };
  g_auto (Outcome) b = { 0 };

  veil_session_commit_async (fixture->home, fixture->store, fixture->session, NULL, NULL, on_committed, &a);
  veil_session_commit_async (fixture->home, fixture->store, other, NULL, NULL, on_committed, &b);
  TEST_ITERATE_UNTIL (a.done && b.done);
  g_assert_no_error (a.error);
  g_assert_error (b.error, VEIL_ERROR, VEIL_ERROR_BUNDLE);
  g_assert_nonnull (strstr (b.differences, "relay: https://relay.example -> https://other.example"));
  assert_stored (fixture, "refresh-0");
  assert_trust (fixture, fixture->session, VEIL_TRUST_SAME, "");
}

/* What is stored already is trusted, and not written again. */
static void
test_trust_alone (Fixture *fixture, gconstpointer data)
{
  g_autofree char *generation = NULL;
  g_autofree char *after = NULL;
  g_auto (Outcome) outcome = { 0 };

  commit (fixture, NULL, fixture->session, NULL, &outcome);
  g_assert_no_error (outcome.error);
  assert_stored (fixture, NULL);
  assert_trust (fixture, fixture->session, VEIL_TRUST_SAME, "");
  generation = veil_home_get_generation (fixture->home);
  commit (fixture, NULL, fixture->session, NULL, &outcome);
  g_assert_no_error (outcome.error);
  after = veil_home_get_generation (fixture->home);
  g_assert_cmpstr (after, ==, generation);
}

/* The network cannot be noted down: the store is what it was. */
static void
test_trust_that_cannot_be_set (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilSession) other = build_session ("1", "https://auth.example", "https://other.example");
  g_autofree char *below = g_build_filename (fixture->trust, "below", NULL);
  g_autofree char *differences = NULL;
  g_auto (Outcome) outcome = { 0 };
  const char *former = data;

  if (former != NULL)
    commit (fixture, fixture->store, fixture->session, NULL, &outcome);
  g_unlink (fixture->trust);
  g_assert_cmpint (g_mkdir_with_parents (below, 0700), ==, 0);
  commit (fixture, fixture->store, other, NULL, &outcome);
  g_assert_error (outcome.error, VEIL_ERROR, VEIL_ERROR_BUNDLE);
  differences = g_strdup (outcome.differences);
  commit (fixture, fixture->store, other, differences, &outcome);
  g_assert_error (outcome.error, VEIL_ERROR, VEIL_ERROR_STORE);
  g_assert_nonnull (strstr (outcome.error->message, "Nothing was changed"));
  g_assert_null (outcome.differences);
  assert_stored (fixture, former);
  g_rmdir (below);
}

/* --- a store that can be written once --- */

#define TYPE_ONCE (once_get_type ())
G_DECLARE_FINAL_TYPE (Once, once, TEST, ONCE, GObject)

struct _Once
{
  GObject parent;

  guint changes;
};

static void
once_load (VeilTokenStore *store, VeilStorePrompt prompt, GCancellable *cancellable, GAsyncReadyCallback callback,
           gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (store, cancellable, callback, user_data);

  g_task_return_new_error (task, VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN, "nobody");
}

static void
once_change (VeilTokenStore *store, VeilStorePrompt prompt, GCancellable *cancellable, GAsyncReadyCallback callback,
             gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (store, cancellable, callback, user_data);

  if (TEST_ONCE (store)->changes++ == 0)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_new_error (task, VEIL_ERROR, VEIL_ERROR_STORE, "once is enough");
}

static void
once_save (VeilTokenStore *store, VeilSession *session, VeilStorePrompt prompt, GCancellable *cancellable,
           GAsyncReadyCallback callback, gpointer user_data)
{
  once_change (store, prompt, cancellable, callback, user_data);
}

static void
once_iface_init (VeilTokenStoreInterface *iface)
{
  iface->load_async = once_load;
  iface->save_async = once_save;
  iface->clear_async = once_change;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (Once, once, G_TYPE_OBJECT, G_IMPLEMENT_INTERFACE (VEIL_TYPE_TOKEN_STORE, once_iface_init))

static void
once_init (Once *self)
{
}

static void
once_class_init (OnceClass *klass)
{
}

/* If the store cannot be changed back either, that is said. */
static void
test_store_that_stays_changed (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilTokenStore) store = g_object_new (TYPE_ONCE, NULL);
  g_autofree char *below = g_build_filename (fixture->trust, "below", NULL);
  g_autofree char *generation = NULL;
  g_autofree char *differences = NULL;
  g_auto (Outcome) outcome = { 0 };

  g_assert_cmpint (g_mkdir_with_parents (below, 0700), ==, 0);
  veil_trust_check (fixture->home, fixture->session, &differences);
  commit (fixture, store, fixture->session, differences, &outcome);
  g_assert_error (outcome.error, VEIL_ERROR, VEIL_ERROR_STORE);
  g_assert_nonnull (strstr (outcome.error->message, "will not be used"));
  g_assert_nonnull (strstr (outcome.error->message, "og-veil logout"));
  g_assert_nonnull (strstr (outcome.error->message, "once is enough"));
  /* Servers that run look, and find it untrusted. */
  generation = veil_home_get_generation (fixture->home);
  g_assert_cmpstr (generation, !=, "");
  g_rmdir (below);
}

/* A store that cannot be written changes nothing. */
static void
test_store_that_fails (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilTokenStore) store = g_object_new (TYPE_ONCE, NULL);
  g_auto (Outcome) outcome = { 0 };

  TEST_ONCE (store)->changes = 1;
  commit (fixture, store, fixture->session, NULL, &outcome);
  g_assert_error (outcome.error, VEIL_ERROR, VEIL_ERROR_STORE);
  assert_trust (fixture, fixture->session, VEIL_TRUST_FIRST, NULL);
}

#define ADD(name, data, func) g_test_add (name, Fixture, data, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/trust/differences", NULL, test_trust);
  ADD ("/trust/without-sign-in-server", NULL, test_trust_without_auth);
  ADD ("/trust/root", NULL, test_trust_of_root);
  ADD ("/trust/open-mode", NULL, test_trust_of_others);
  ADD ("/trust/owner", NULL, test_trust_of_another);
  ADD ("/trust/content", NULL, test_trust_that_is_none);
  ADD ("/session-commit/in-and-out", NULL, test_in_and_out);
  ADD ("/session-commit/consent", NULL, test_consent);
  ADD ("/session-commit/two-at-once", NULL, test_two_at_once);
  ADD ("/session-commit/trust-alone", NULL, test_trust_alone);
  ADD ("/session-commit/trust-that-cannot-be-set/first", NULL, test_trust_that_cannot_be_set);
  ADD ("/session-commit/trust-that-cannot-be-set/later", "refresh-0", test_trust_that_cannot_be_set);
  ADD ("/session-commit/store-that-stays-changed", NULL, test_store_that_stays_changed);
  ADD ("/session-commit/store-that-fails", NULL, test_store_that_fails);
  return g_test_run ();
}
