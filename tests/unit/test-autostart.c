/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The autostart entry, and a portal that lets one wait; tests/e2e/test_setup.py has the portal's other answers. */
#include "autostart.h"

#include "veil-error.h"

#include <glib/gstdio.h>
#include <sys/stat.h>

#define DEADLINE_S 60
#define CANCELS 50

static const char *const command[] = { "/opt/my veil/og-veil", "--home", "/a $b`c\"d\\e%f", NULL };

typedef struct
{
  gboolean done;
  gboolean good;
  GError *error;
} Outcome;

static void
on_set (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Outcome *outcome = user_data;

  outcome->good = veil_autostart_set_finish (result, &outcome->error);
  outcome->done = TRUE;
}

static void
set (gboolean enabled, Outcome *outcome)
{
  veil_autostart_set_async (g_get_user_data_dir (), enabled, command, NULL, on_set, outcome);
  while (!outcome->done)
    g_main_context_iteration (NULL, TRUE);
}

static void
set_well (gboolean enabled)
{
  Outcome outcome = { FALSE };

  set (enabled, &outcome);
  g_assert_no_error (outcome.error);
  g_assert_true (outcome.good);
}

static gboolean
is_enabled (void)
{
  return veil_autostart_is_enabled (g_get_user_data_dir ());
}

static void
test_on_and_off (void)
{
  g_autofree char *path = veil_autostart_get_path ();

  g_assert_false (is_enabled ());
  set_well (FALSE);
  set_well (TRUE);
  g_assert_true (is_enabled ());
  set_well (TRUE);
  g_assert_true (g_str_has_suffix (path, "/autostart/ai.opengradient.Veil.desktop"));
  set_well (FALSE);
  g_assert_false (is_enabled ());
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

/* Of the desktop entry specification: quoted, quotes escaped, field codes made plain, and all of it escaped once more for the file. */
static void
test_command (void)
{
  g_autofree char *path = veil_autostart_get_path ();
  g_autofree char *text = NULL;

  set_well (TRUE);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  set_well (FALSE);
  g_assert_nonnull (strstr (text, "\nExec=\"/opt/my veil/og-veil\" \"--home\" \"/a \\\\$b\\\\`c\\\\\"d\\\\\\\\e%%f\"\n"));
}

static void
test_entry_of_the_person (void)
{
  static const char *const hiding[] = { "Hidden=true", "X-GNOME-Autostart-enabled=false", "Exec[", "Hidden=perhaps\nHidden=true" };
  g_autofree char *path = veil_autostart_get_path ();

  set_well (TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (hiding); i++)
    {
      g_autofree char *before =
          g_strdup_printf ("# mine\n[Desktop Entry]\nName=My Veil\nName[de]=Mein Veil\nExec=veil\n%s\n", hiding[i]);
      g_autofree char *after = NULL;

      g_assert_true (g_file_set_contents (path, before, -1, NULL));
      g_assert_false (is_enabled ());
      set_well (TRUE);
      g_assert_true (is_enabled ());
      g_assert_true (g_file_get_contents (path, &after, NULL, NULL));
      /* What is no key file at all is written anew. */
      if (i == 2)
        continue;
      g_assert_true (g_str_has_prefix (after, "# mine\n"));
      g_assert_nonnull (strstr (after, "\nName=My Veil\nName[de]=Mein Veil\n"));
    }
  set_well (FALSE);
}

static void
test_what_cannot_be_written (void)
{
  g_autofree char *path = veil_autostart_get_path ();
  g_autofree char *folder = g_path_get_dirname (path);
  Outcome outcome = { FALSE };

  set_well (TRUE);
  set_well (FALSE);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  g_assert_true (g_file_set_contents (folder, "", 0, NULL));
  set (TRUE, &outcome);
  g_assert_false (outcome.good);
  g_assert_error (outcome.error, VEIL_ERROR, VEIL_ERROR_STORE);
  g_assert_nonnull (strstr (outcome.error->message, path));
  g_clear_error (&outcome.error);
  g_assert_false (is_enabled ());
  set_well (FALSE);
  g_assert_cmpint (g_unlink (folder), ==, 0);
}

static void
test_pipe_is_no_entry (void)
{
  g_autofree char *path = veil_autostart_get_path ();

  set_well (TRUE);
  g_unlink (path);
  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  g_assert_false (is_enabled ());
  set_well (TRUE);
  g_assert_true (is_enabled ());
  set_well (FALSE);
}

/* A portal of our own on a bus of our own, whose question the person never answers. */
typedef struct
{
  GTestDBus *bus;
  GDBusConnection *connection;
  GDBusNodeInfo *info;
  guint request; /* its registration */
  char *asked;   /* the request's handle, once asked */
  char *closed;  /* the handle that was closed */
} Portal;

static void
on_closed (GDBusConnection *connection, const char *sender, const char *path, const char *interface, const char *method,
           GVariant *parameters, GDBusMethodInvocation *invocation, gpointer user_data)
{
  Portal *portal = user_data;

  g_free (portal->closed);
  portal->closed = g_strdup (path);
  g_dbus_method_invocation_return_value (invocation, NULL);
}

static void
on_asked (GDBusConnection *connection, const char *sender, const char *path, const char *interface, const char *method,
          GVariant *parameters, GDBusMethodInvocation *invocation, gpointer user_data)
{
  static const GDBusInterfaceVTable vtable = { .method_call = on_closed };
  Portal *portal = user_data;
  g_autoptr (GVariant) options = NULL;
  g_autofree char *name = g_strdelimit (g_strdup (sender + 1), ".", '_');
  const char *token = NULL;

  g_variant_get (parameters, "(&s@a{sv})", NULL, &options);
  g_assert_true (g_variant_lookup (options, "handle_token", "&s", &token));
  portal->asked = g_strdup_printf ("/org/freedesktop/portal/desktop/request/%s/%s", name, token);
  portal->request =
      g_dbus_connection_register_object (connection, portal->asked, portal->info->interfaces[1], &vtable, portal, NULL, NULL);
  g_dbus_method_invocation_return_value (invocation, g_variant_new ("(o)", portal->asked));
}

static void
portal_up (Portal *portal)
{
  static const GDBusInterfaceVTable vtable = { .method_call = on_asked };
  g_autoptr (GVariant) owned = NULL;

  portal->info = g_dbus_node_info_new_for_xml (
      "<node><interface name='org.freedesktop.portal.Background'><method name='RequestBackground'><arg direction='in' type='s'/>"
      "<arg direction='in' type='a{sv}'/><arg direction='out' type='o'/></method></interface>"
      "<interface name='org.freedesktop.portal.Request'><method name='Close'/></interface></node>",
      NULL);
  portal->bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_up (portal->bus);
  g_setenv ("GTK_USE_PORTAL", "1", TRUE);
  portal->connection = g_dbus_connection_new_for_address_sync (g_test_dbus_get_bus_address (portal->bus),
                                                               G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                                   G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                                               NULL, NULL, NULL);
  g_assert_nonnull (portal->connection);
  g_assert_cmpuint (g_dbus_connection_register_object (portal->connection, "/org/freedesktop/portal/desktop",
                                                       portal->info->interfaces[0], &vtable, portal, NULL, NULL),
                    !=, 0);
  owned = g_dbus_connection_call_sync (portal->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                       "RequestName", g_variant_new ("(su)", "org.freedesktop.portal.Desktop", 0), NULL,
                                       G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL);
  g_assert_nonnull (owned);
}

static void
portal_forget (Portal *portal)
{
  if (portal->request != 0)
    g_dbus_connection_unregister_object (portal->connection, portal->request);
  portal->request = 0;
  g_clear_pointer (&portal->asked, g_free);
  g_clear_pointer (&portal->closed, g_free);
}

static void
portal_down (Portal *portal)
{
  portal_forget (portal);
  g_unsetenv ("GTK_USE_PORTAL");
  g_clear_object (&portal->connection);
  g_test_dbus_down (portal->bus);
  g_clear_object (&portal->bus);
  g_clear_pointer (&portal->info, g_dbus_node_info_unref);
}

static gboolean
on_deadline (gpointer what)
{
  g_error ("waited %d s for %s", DEADLINE_S, (const char *) what);
  return G_SOURCE_REMOVE;
}

/* Runs the main loop until *@place is set. */
static void
wait_for (gpointer place, const char *what)
{
  guint deadline = g_timeout_add_seconds (DEADLINE_S, on_deadline, (gpointer) what);

  while (*(gpointer *) place == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (deadline);
}

/* Who no longer waits is told so, and the person is no longer asked; each time, as it must not matter who is faster: the connection,
 * which ends with the question, or what it is still to say. */
static void
test_cancel (void)
{
  Portal portal = { NULL };

  portal_up (&portal);
  for (guint i = 0; i < CANCELS; i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      Outcome outcome = { FALSE };

      veil_autostart_set_async (g_get_user_data_dir (), TRUE, command, cancellable, on_set, &outcome);
      wait_for (&portal.asked, "the question");
      g_assert_false (outcome.done);
      g_cancellable_cancel (cancellable);
      wait_for (&outcome.error, "the end of the question");
      g_assert_error (outcome.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_clear_error (&outcome.error);
      wait_for (&portal.closed, "the question to be withdrawn");
      g_assert_cmpstr (portal.closed, ==, portal.asked);
      g_assert_false (is_enabled ());
      portal_forget (&portal);
    }
  portal_down (&portal);
}

static void
test_cancelled_before (void)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Outcome outcome = { FALSE };
  Portal portal = { NULL };

  portal_up (&portal);
  g_cancellable_cancel (cancellable);
  veil_autostart_set_async (g_get_user_data_dir (), TRUE, command, cancellable, on_set, &outcome);
  wait_for (&outcome.error, "the end of the question");
  g_assert_error (outcome.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&outcome.error);
  portal_down (&portal);
}

int
main (int argc, char **argv)
{
  g_autofree char *folder = g_dir_make_tmp ("veil-autostart-XXXXXX", NULL);
  g_autofree char *autostart = g_build_filename (folder, "autostart", NULL);
  g_autofree char *data = g_build_filename (folder, "data", NULL);
  int status;

  g_setenv ("XDG_CONFIG_HOME", folder, TRUE);
  g_setenv ("XDG_DATA_HOME", data, TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/autostart/on-and-off", test_on_and_off);
  g_test_add_func ("/autostart/command", test_command);
  g_test_add_func ("/autostart/entry-of-the-person", test_entry_of_the_person);
  g_test_add_func ("/autostart/what-cannot-be-written", test_what_cannot_be_written);
  g_test_add_func ("/autostart/pipe-is-no-entry", test_pipe_is_no_entry);
  g_test_add_func ("/autostart/portal/cancel", test_cancel);
  g_test_add_func ("/autostart/portal/cancelled-before", test_cancelled_before);
  status = g_test_run ();
  g_rmdir (autostart);
  g_rmdir (folder);
  return status;
}
