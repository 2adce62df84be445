/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The icon in the tray: registered with every watcher that comes, silent without one, and what a panel may ask of it. */
#include "tray-dbus.h"
#include "tray-fixture.h"
#include "tray.h"

#include <string.h>

#define PATH "/StatusNotifierItem"
#define INTERFACE "org.kde.StatusNotifierItem"
#define PROPERTIES "org.freedesktop.DBus.Properties"
#define INVALID "error: org.freedesktop.DBus.Error.InvalidArgs"
#define WATCHER "org.kde.StatusNotifierWatcher"

typedef struct
{
  TrayFixture *bus;
  VeilTray *tray;
  VeilDBusStatusWatcher *watcher; /* on theirs, from watcher_up to watcher_down */
  guint name;
  guint refusals;   /* so many registrations the watcher refuses */
  GString *items;   /* who registered, "name;" */
  GString *emitted; /* what the tray signalled */
  guint no_host;
  guint hosted_changes;
} Fixture;

static void
on_emitted (Fixture *self, const char *token)
{
  g_string_append_printf (self->emitted, "activate %s;", token != NULL ? token : "-");
}

static void
on_secondary (Fixture *self, const char *token)
{
  g_string_append_printf (self->emitted, "secondary %s;", token != NULL ? token : "-");
}

static void
on_scroll (Fixture *self, int delta, gboolean vertical)
{
  g_string_append_printf (self->emitted, "scroll %d %d;", delta, vertical);
}

static void
count (guint *counter)
{
  ++*counter;
}

static void
set_up (Fixture *self, gconstpointer data)
{
  self->bus = tray_fixture_new ();
  self->items = g_string_new (NULL);
  self->emitted = g_string_new (NULL);
  self->tray = veil_tray_new (self->bus->ours, "ai.opengradient.Veil", "/some/icons");
  g_signal_connect_swapped (self->tray, "activate", G_CALLBACK (on_emitted), self);
  g_signal_connect_swapped (self->tray, "secondary-activate", G_CALLBACK (on_secondary), self);
  g_signal_connect_swapped (self->tray, "scroll", G_CALLBACK (on_scroll), self);
  g_signal_connect_swapped (self->tray, "no-host", G_CALLBACK (count), &self->no_host);
  g_signal_connect_swapped (self->tray, "notify::hosted", G_CALLBACK (count), &self->hosted_changes);
}

static void
start (Fixture *self, guint grace_ms)
{
  g_autoptr (GMenu) model = g_menu_new ();
  g_autoptr (VeilTrayMenu) menu = NULL;
  g_autoptr (GError) error = NULL;

  g_menu_append (model, "Quit", "app.quit");
  menu = veil_tray_menu_new (G_MENU_MODEL (model), G_ACTION_GROUP (self->bus->actions), "app");
  veil_tray_start (self->tray, menu, grace_ms, &error);
  g_assert_no_error (error);
}

static gboolean
on_register (Fixture *self, GDBusMethodInvocation *invocation, const char *service)
{
  if (self->refusals > 0)
    {
      self->refusals--;
      g_dbus_method_invocation_return_error (invocation, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED, "not now");
      return G_DBUS_METHOD_INVOCATION_HANDLED;
    }
  g_string_append_printf (self->items, "%s;", service);
  veil_dbus_status_watcher_complete_register_status_notifier_item (self->watcher, invocation);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static void
watcher_up (Fixture *self, gboolean host)
{
  g_autoptr (GError) error = NULL;

  self->watcher = veil_dbus_status_watcher_skeleton_new ();
  veil_dbus_status_watcher_set_is_status_notifier_host_registered (self->watcher, host);
  g_signal_connect_swapped (self->watcher, "handle-register-status-notifier-item", G_CALLBACK (on_register), self);
  g_dbus_interface_skeleton_export (G_DBUS_INTERFACE_SKELETON (self->watcher), self->bus->theirs, "/StatusNotifierWatcher", &error);
  g_assert_no_error (error);
  self->name = g_bus_own_name_on_connection (self->bus->theirs, WATCHER, G_BUS_NAME_OWNER_FLAGS_NONE, NULL, NULL, NULL, NULL);
}

static void
watcher_down (Fixture *self)
{
  g_bus_unown_name (self->name);
  g_dbus_interface_skeleton_unexport (G_DBUS_INTERFACE_SKELETON (self->watcher));
  g_clear_object (&self->watcher);
}

static void
tear_down (Fixture *self, gconstpointer data)
{
  veil_tray_stop (self->tray);
  if (self->watcher != NULL)
    watcher_down (self);
  /* Calls under way hold the tray. */
  tray_fixture_wait (G_OBJECT (self->tray)->ref_count == 1);
  g_assert_finalize_object (self->tray);
  tray_fixture_free (self->bus);
  g_string_free (self->items, TRUE);
  g_string_free (self->emitted, TRUE);
}

static void
expect (Fixture *self, const char *interface, const char *method, const char *arguments, const char *answer)
{
  g_autofree char *got = tray_fixture_call (self->bus, PATH, interface, method, arguments);

  g_assert_cmpstr (got, ==, answer);
}

/* By the name that every connection has: a sandbox may own no other. */
static void
test_registers (Fixture *self, gconstpointer data)
{
  g_autofree char *once = g_strdup_printf ("%s;", g_dbus_connection_get_unique_name (self->bus->ours));

  watcher_up (self, TRUE);
  start (self, 60000);
  tray_fixture_wait (veil_tray_get_hosted (self->tray));
  g_assert_cmpstr (self->items->str, ==, once);
  g_assert_cmpuint (self->no_host, ==, 0);
}

static void
test_comes_back (Fixture *self, gconstpointer data)
{
  start (self, 60000);
  for (guint i = 0; i < 3; i++)
    {
      watcher_up (self, TRUE);
      tray_fixture_wait (veil_tray_get_hosted (self->tray));
      g_assert_cmpuint (self->items->len, >, 0);
      g_string_truncate (self->items, 0);
      watcher_down (self);
      tray_fixture_wait (!veil_tray_get_hosted (self->tray));
    }
  g_assert_cmpuint (self->hosted_changes, ==, 6);
  g_assert_cmpuint (self->no_host, ==, 0);
}

static void
test_no_host (Fixture *self, gconstpointer data)
{
  start (self, 1);
  tray_fixture_wait (self->no_host == 1);
  /* A watcher that nobody looks at is no host, and told no second time. */
  watcher_up (self, FALSE);
  tray_fixture_wait (self->items->len > 0);
  g_assert_false (veil_tray_get_hosted (self->tray));
  veil_dbus_status_watcher_set_is_status_notifier_host_registered (self->watcher, TRUE);
  veil_dbus_status_watcher_emit_status_notifier_host_registered (self->watcher);
  tray_fixture_wait (veil_tray_get_hosted (self->tray));
  veil_dbus_status_watcher_set_is_status_notifier_host_registered (self->watcher, FALSE);
  veil_dbus_status_watcher_emit_status_notifier_host_unregistered (self->watcher);
  tray_fixture_wait (!veil_tray_get_hosted (self->tray));
  g_assert_cmpuint (self->no_host, ==, 1);
}

/* A panel that is just starting says no at first. */
static void
test_refused (Fixture *self, gconstpointer data)
{
  self->refusals = 2;
  watcher_up (self, TRUE);
  start (self, 60000);
  tray_fixture_wait (veil_tray_get_hosted (self->tray));
  g_assert_cmpuint (self->refusals, ==, 0);
}

static void
test_properties (Fixture *self, gconstpointer data)
{
  g_autofree char *all = NULL;

  veil_tray_set_title (self->tray, "Veil");
  veil_tray_set_icon (self->tray, "veil-on", "On");
  start (self, 60000);
  all = tray_fixture_call (self->bus, PATH, PROPERTIES, "GetAll", "('" INTERFACE "',)");
  g_assert_nonnull (strstr (all, "'Category': <'SystemServices'>"));
  g_assert_nonnull (strstr (all, "'Id': <'ai.opengradient.Veil'>"));
  g_assert_nonnull (strstr (all, "'IconThemePath': <'/some/icons'>"));
  g_assert_nonnull (strstr (all, "'Menu': <objectpath '/StatusNotifierItem/Menu'>"));
  g_assert_nonnull (strstr (all, "'ItemIsMenu': <false>"));
  g_assert_nonnull (strstr (all, "'IconName': <'veil-on'>"));
  g_assert_nonnull (strstr (all, "'IconAccessibleDesc': <'On'>"));
  g_assert_nonnull (strstr (all, "'Status': <'Active'>"));
  g_assert_nonnull (strstr (all, "'ToolTip': <('', [], '', '')>"));

  tray_fixture_listen (self->bus, INTERFACE);
  veil_tray_set_icon (self->tray, "veil-on", "On");
  veil_tray_set_icon (self->tray, "veil-off", "Off");
  veil_tray_set_attention (self->tray, TRUE);
  veil_tray_set_tooltip (self->tray, "Veil", "a_b");
  veil_tray_set_tooltip (self->tray, "Veil", "a_b");
  veil_tray_set_title (self->tray, "Veil (sandbox)");
  tray_fixture_expect_heard (self->bus, "NewIcon ();NewAttentionIcon ();NewStatus ('NeedsAttention',);NewToolTip ();NewTitle ();");
  expect (self, PROPERTIES, "Get", "('" INTERFACE "', 'AttentionIconName')", "(<'veil-off'>,)");
  expect (self, PROPERTIES, "Get", "('" INTERFACE "', 'ToolTip')", "(<('', [], 'Veil', 'a_b')>,)");
  expect (self, PROPERTIES, "Set", "('" INTERFACE "', 'Title', <'Evil'>)", INVALID);
}

static void
test_methods (Fixture *self, gconstpointer data)
{
  g_autofree char *endless = g_strnfill (1025, 't');
  g_autofree char *endless_argument = g_strdup_printf ("('%s',)", endless);

  start (self, 60000);
  expect (self, INTERFACE, "Activate", "(1, 2)", "()");
  expect (self, INTERFACE, "ProvideXdgActivationToken", "('token',)", "()");
  expect (self, INTERFACE, "Activate", "(-1, -2)", "()");
  expect (self, INTERFACE, "SecondaryActivate", "(0, 0)", "()");
  expect (self, INTERFACE, "ContextMenu", "(0, 0)", "()");
  expect (self, INTERFACE, "Scroll", "(-120, 'vertical')", "()");
  expect (self, INTERFACE, "Scroll", "(1, 'Horizontal')", "()");
  g_assert_cmpstr (self->emitted->str, ==, "activate -;activate token;secondary -;activate -;scroll -120 1;scroll 1 0;");

  expect (self, INTERFACE, "Scroll", "(1, 'sideways')", INVALID);
  expect (self, INTERFACE, "Activate", "('1', 2)", INVALID);
  expect (self, INTERFACE, "Activate", NULL, INVALID);
  expect (self, INTERFACE, "ProvideXdgActivationToken", endless_argument, INVALID);
}

/* Everything is taken off the bus, and can be put there again. */
static void
test_stop (Fixture *self, gconstpointer data)
{
  watcher_up (self, TRUE);
  start (self, 60000);
  veil_tray_stop (self->tray);
  expect (self, INTERFACE, "Activate", "(1, 2)", "error: org.freedesktop.DBus.Error.UnknownMethod");
  start (self, 60000);
  tray_fixture_wait (veil_tray_get_hosted (self->tray));
  veil_tray_stop (self->tray);
  g_assert_false (veil_tray_get_hosted (self->tray));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add ("/tray/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("registers", test_registers);
  ADD ("comes-back", test_comes_back);
  ADD ("no-host", test_no_host);
  ADD ("refused", test_refused);
  ADD ("properties", test_properties);
  ADD ("methods", test_methods);
  ADD ("stop", test_stop);
  return g_test_run ();
}
