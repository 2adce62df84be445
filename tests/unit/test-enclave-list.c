/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The registry's enclaves as a person sees and chooses them, on the sandbox, with a settings file. */
#include "enclave-list.h"

#include "settings-change.h"
#include "settings-file.h"
#include "test-peer.h"
#include "trial.h"
#include "veil-error.h"

#include <glib/gstdio.h>
#include <libsoup/soup.h>
#include <string.h>

typedef struct
{
  char *home;            /* owned */
  VeilFront *front;      /* owned */
  VeilEnclaveList *list; /* owned */
  gboolean done;
} Fixture;

static void
set_flag (VeilSettings *settings, const char *flag, const char *value)
{
  const char *const values[] = { value, NULL };
  g_autoptr (GError) error = NULL;

  veil_settings_set_flag (settings, flag, values, &error);
  g_assert_no_error (error);
}

static guint
get_n (Fixture *fixture)
{
  return g_list_model_get_n_items (G_LIST_MODEL (fixture->list));
}

/* (transfer none) */
static VeilEnclaveItem *
get (Fixture *fixture, guint i)
{
  g_autoptr (VeilEnclaveItem) item = g_list_model_get_item (G_LIST_MODEL (fixture->list), i);

  return item;
}

static guint
count (Fixture *fixture, gboolean (*test) (VeilEnclaveItem *))
{
  guint n = 0;

  for (guint i = 0; i < get_n (fixture); i++)
    n += test (get (fixture, i));
  return n;
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilSettings) settings = veil_settings_new (NULL);

  fixture->home = g_dir_make_tmp ("veil-enclaves-XXXXXX", NULL);
  set_flag (settings, "home", fixture->home);
  set_flag (settings, "session-store", "file");
  set_flag (settings, "port", "0");
  fixture->front = veil_front_new (settings, TRUE);
  fixture->list = veil_enclave_list_new (fixture->front);
  g_assert_cmpuint (get_n (fixture), ==, 0);
  g_assert_false (veil_enclave_list_get_known (fixture->list));
  veil_front_set_on (fixture->front, TRUE);
  TEST_ITERATE_UNTIL (get_n (fixture) == 3 && veil_enclave_item_get_version (get (fixture, 0)) != NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GDir) dir = g_dir_open (fixture->home, 0, NULL);
  const char *name;

  veil_front_stop (fixture->front);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_finalize_object (fixture->list);
  g_clear_object (&fixture->front);
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (fixture->home, name, NULL);

      g_assert_cmpint (g_remove (path), ==, 0);
    }
  g_assert_cmpint (g_rmdir (fixture->home), ==, 0);
  g_free (fixture->home);
}

static void
on_settings_changed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *fixture = user_data;
  g_autoptr (GError) error = NULL;

  veil_settings_change_finish (result, &error);
  g_assert_no_error (error);
  veil_front_look (fixture->front);
  fixture->done = TRUE;
}

static void
select_tee (Fixture *fixture, const char *id)
{
  fixture->done = FALSE;
  veil_settings_change_async (veil_front_get_settings (fixture->front), "tee-id", g_variant_new_string (id), NULL,
                              on_settings_changed, fixture);
  TEST_ITERATE_UNTIL (fixture->done);
}

static void
on_told (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *fixture = user_data;
  g_autoptr (GBytes) answer = soup_session_send_and_read_finish (SOUP_SESSION (source), result, NULL);

  g_assert_nonnull (answer);
  fixture->done = TRUE;
}

static void
tell_sandbox (Fixture *fixture, const char *path, const char *text)
{
  VeilSession *session = veil_service_get_session (veil_front_get_service (fixture->front));
  g_autoptr (GUri) base = g_uri_parse (session->relay_url, G_URI_FLAGS_NONE, NULL);
  g_autofree char *url = g_strdup_printf ("http://127.0.0.1:%d/sandbox/%s", g_uri_get_port (base), path);
  g_autoptr (SoupMessage) message = soup_message_new ("POST", url);
  g_autoptr (SoupSession) soup = soup_session_new ();
  g_autoptr (GBytes) body = g_bytes_new (text, strlen (text));

  fixture->done = FALSE;
  soup_message_set_request_body_from_bytes (message, "application/json", body);
  soup_session_send_and_read_async (soup, message, G_PRIORITY_DEFAULT, NULL, on_told, fixture);
  TEST_ITERATE_UNTIL (fixture->done);
}

static void
on_asked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *fixture = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilTrial) trial = veil_trial_finish (result, &error);

  g_assert_no_error (error);
  g_assert_nonnull (trial);
  fixture->done = TRUE;
}

static void
test_automatic (Fixture *fixture, gconstpointer data)
{
  g_autofree char *heartbeat = veil_enclave_item_describe_heartbeat (get (fixture, 0));

  g_assert_cmpuint (count (fixture, veil_enclave_item_get_in_use), ==, 1);
  g_assert_cmpuint (count (fixture, veil_enclave_item_get_selected), ==, 0);
  g_assert_cmpuint (count (fixture, veil_enclave_item_get_pinned), ==, 0);
  g_assert_cmpuint (count (fixture, veil_enclave_item_get_excluded), ==, 0);
  g_assert_null (veil_enclave_list_get_problem (fixture->list));
  g_assert_null (veil_enclave_list_get_obstacle (fixture->list));
  g_assert_nonnull (strstr (heartbeat, "ago"));
  g_assert_cmpuint (strlen (veil_enclave_item_get_id (get (fixture, 1))), ==, 66);
  g_assert_nonnull (strstr (veil_enclave_item_get_endpoint (get (fixture, 1)), veil_enclave_item_get_host (get (fixture, 1))));
}

/* Each is used once it is selected, at once. */
static void
test_select (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GVariant) kept = NULL;

  for (guint i = 0; i < 3; i++)
    {
      select_tee (fixture, veil_enclave_item_get_id (get (fixture, i)));
      g_assert_true (veil_enclave_item_get_selected (get (fixture, i)));
      g_assert_true (veil_enclave_item_get_in_use (get (fixture, i)));
      g_assert_cmpuint (count (fixture, veil_enclave_item_get_selected), ==, 1);
      g_assert_cmpuint (count (fixture, veil_enclave_item_get_in_use), ==, 1);
    }
  kept = veil_settings_file_get (veil_front_get_settings (fixture->front), "tee-id", NULL);
  g_assert_cmpstr (g_variant_get_string (kept, NULL), ==, veil_enclave_item_get_id (get (fixture, 2)));
  select_tee (fixture, "auto");
  g_assert_cmpuint (count (fixture, veil_enclave_item_get_selected), ==, 0);
}

static void
test_pin (Fixture *fixture, gconstpointer data)
{
  const char *foreign = "0x00000000000000000000000000000000000000000000000000000000000000aa";

  veil_pin_add_async (veil_front_get_settings (fixture->front), foreign, "mine", NULL, on_settings_changed, fixture);
  TEST_ITERATE_UNTIL (fixture->done);
  g_assert_cmpuint (count (fixture, veil_enclave_item_get_excluded), ==, 3);
  g_assert_cmpuint (count (fixture, veil_enclave_item_get_in_use), ==, 0);
  g_assert_error (veil_enclave_list_get_obstacle (fixture->list), VEIL_ERROR, VEIL_ERROR_PIN_MISMATCH);

  fixture->done = FALSE;
  veil_pin_add_async (veil_front_get_settings (fixture->front), veil_enclave_item_get_pcr_hash (get (fixture, 0)), NULL, NULL,
                      on_settings_changed, fixture);
  TEST_ITERATE_UNTIL (fixture->done);
  g_assert_true (veil_enclave_item_get_pinned (get (fixture, 0)));
  g_assert_null (veil_enclave_list_get_obstacle (fixture->list));

  fixture->done = FALSE;
  veil_pin_remove_async (veil_front_get_settings (fixture->front), veil_enclave_item_get_pcr_hash (get (fixture, 0)), NULL,
                         on_settings_changed, fixture);
  TEST_ITERATE_UNTIL (fixture->done);
  fixture->done = FALSE;
  veil_pin_remove_async (veil_front_get_settings (fixture->front), foreign, NULL, on_settings_changed, fixture);
  TEST_ITERATE_UNTIL (fixture->done);
  g_assert_cmpuint (count (fixture, veil_enclave_item_get_excluded), ==, 0);
}

static void
test_set_aside (Fixture *fixture, gconstpointer data)
{
  g_autofree char *url = veil_front_get_url (fixture->front);
  g_autofree char *text = NULL;
  VeilEnclaveItem *aside = NULL;

  veil_trial_async (url, NULL, "fault-wrong-signature", "?", NULL, on_asked, fixture);
  TEST_ITERATE_UNTIL (fixture->done);
  veil_enclave_list_update (fixture->list);
  for (guint i = 0; i < 3; i++)
    if (veil_enclave_item_get_aside (get (fixture, i)) > 0)
      aside = get (fixture, i);
  g_assert_nonnull (aside);
  text = veil_enclave_item_describe (aside);
  g_assert_nonnull (strstr (text, "Set aside"));
  g_assert_false (veil_enclave_item_get_in_use (aside));
}

static void
test_registry_down (Fixture *fixture, gconstpointer data)
{
  tell_sandbox (fixture, "fault", "{\"fault\":\"registry-500\"}");
  veil_enclave_list_refresh (fixture->list);
  g_assert_true (veil_enclave_list_get_reading (fixture->list));
  TEST_ITERATE_UNTIL (veil_enclave_list_get_problem (fixture->list) != NULL);
  g_assert_error (veil_enclave_list_get_problem (fixture->list), VEIL_ERROR, VEIL_ERROR_REGISTRY);
  /* What is known stays. */
  g_assert_cmpuint (get_n (fixture), ==, 3);
  g_assert_null (veil_enclave_list_get_obstacle (fixture->list));
  tell_sandbox (fixture, "fault", "{\"fault\":null}");
  tell_sandbox (fixture, "tees", "{\"active\":[1]}");
  veil_enclave_list_refresh (fixture->list);
  TEST_ITERATE_UNTIL (get_n (fixture) == 1);
  g_assert_null (veil_enclave_list_get_problem (fixture->list));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/enclave-list/automatic", Fixture, NULL, set_up, test_automatic, tear_down);
  g_test_add ("/enclave-list/select", Fixture, NULL, set_up, test_select, tear_down);
  g_test_add ("/enclave-list/pin", Fixture, NULL, set_up, test_pin, tear_down);
  g_test_add ("/enclave-list/set-aside", Fixture, NULL, set_up, test_set_aside, tear_down);
  g_test_add ("/enclave-list/registry-down", Fixture, NULL, set_up, test_registry_down, tear_down);
  return g_test_run ();
}
