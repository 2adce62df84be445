/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tray-fixture.h"

#include <string.h>

gboolean
tray_fixture_wake (gpointer unused)
{
  return G_SOURCE_CONTINUE;
}

static GDBusConnection *
connect (TrayFixture *self)
{
  g_autoptr (GError) error = NULL;
  GDBusConnection *bus = g_dbus_connection_new_for_address_sync (g_test_dbus_get_bus_address (self->daemon),
                                                                 G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                                     G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                                                 NULL, NULL, &error);

  g_assert_no_error (error);
  return bus;
}

TrayFixture *
tray_fixture_new (void)
{
  TrayFixture *self = g_new0 (TrayFixture, 1);

  self->daemon = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_up (self->daemon);
  self->ours = connect (self);
  self->theirs = connect (self);
  self->heard = g_string_new (NULL);
  self->acted = g_string_new (NULL);
  self->actions = g_simple_action_group_new ();
  return self;
}

void
tray_fixture_free (TrayFixture *self)
{
  g_dbus_connection_close_sync (self->ours, NULL, NULL);
  g_dbus_connection_close_sync (self->theirs, NULL, NULL);
  g_object_unref (self->actions);
  g_object_unref (self->ours);
  g_object_unref (self->theirs);
  g_test_dbus_down (self->daemon);
  g_object_unref (self->daemon);
  g_string_free (self->heard, TRUE);
  g_string_free (self->acted, TRUE);
  g_free (self);
}

static void
on_activate (GSimpleAction *action, GVariant *target, gpointer user_data)
{
  TrayFixture *self = user_data;
  g_autofree char *text = target != NULL ? g_variant_print (target, FALSE) : g_strdup ("");

  g_string_append_printf (self->acted, "%s %s;", g_action_get_name (G_ACTION (action)), text);
}

void
tray_fixture_add_action (TrayFixture *self, const char *name, const char *parameter_type, GVariant *state)
{
  const GVariantType *type = parameter_type != NULL ? G_VARIANT_TYPE (parameter_type) : NULL;
  g_autoptr (GSimpleAction) action =
      state != NULL ? g_simple_action_new_stateful (name, type, state) : g_simple_action_new (name, type);

  g_signal_connect (action, "activate", G_CALLBACK (on_activate), self);
  g_action_map_add_action (G_ACTION_MAP (self->actions), G_ACTION (action));
}

/* New string: without the types, which are there only where something around it is of any type. */
static char *
print (GVariant *value)
{
  g_autoptr (GRegex) types = g_regex_new ("@[a-z(){}]+ ", 0, 0, NULL);
  g_autofree char *text = g_variant_print (value, FALSE);

  return g_regex_replace_literal (types, text, -1, 0, "", 0, NULL);
}

static void
on_called (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

char *
tray_fixture_call (TrayFixture *self, const char *path, const char *interface, const char *method, const char *arguments)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GVariant) answer = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *name = NULL;

  g_dbus_connection_call (self->theirs, g_dbus_connection_get_unique_name (self->ours), path, interface, method,
                          arguments != NULL ? g_variant_new_parsed (arguments) : NULL, NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL,
                          on_called, &result);
  tray_fixture_wait (result != NULL);
  answer = g_dbus_connection_call_finish (self->theirs, result, &error);
  if (answer != NULL)
    return print (answer);
  name = g_dbus_error_get_remote_error (error);
  g_test_message ("%s %.200s: %s", method, arguments, error->message);
  return g_strdup_printf ("error: %s", name);
}

static void
on_heard (GDBusConnection *bus, const char *sender, const char *path, const char *interface, const char *signal,
          GVariant *arguments, gpointer user_data)
{
  TrayFixture *self = user_data;
  g_autofree char *text = print (arguments);

  g_string_append_printf (self->heard, "%s %s;", signal, text);
}

void
tray_fixture_listen (TrayFixture *self, const char *interface)
{
  g_autofree char *sync = NULL;

  g_dbus_connection_signal_subscribe (self->theirs, g_dbus_connection_get_unique_name (self->ours), interface, NULL, NULL, NULL,
                                      G_DBUS_SIGNAL_FLAGS_NONE, on_heard, self, NULL);
  /* The bus has taken up the subscription once it has answered something later. */
  sync = tray_fixture_call (self, "/", "org.freedesktop.DBus.Peer", "Ping", NULL);
}

void
tray_fixture_expect_heard (TrayFixture *self, const char *heard)
{
  gint64 deadline = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;
  guint wake = g_timeout_add (20, tray_fixture_wake, NULL);

  while (strcmp (self->heard->str, heard) != 0 && g_get_monotonic_time () < deadline)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (wake);
  g_assert_cmpstr (self->heard->str, ==, heard);
  g_string_truncate (self->heard, 0);
}
