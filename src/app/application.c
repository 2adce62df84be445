/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "application.h"

#include "about.h"
#include "app-tray.h"
#include "config.h"
#include "consent-dialog.h"
#include "direction.h"
#include "preferences.h"
#include "window.h"

#include <glib-unix.h>
#include <glib/gi18n.h>

struct _VeilApplication
{
  AdwApplication parent;

  VeilSettings *settings; /* owned; as the program began */
  gboolean sandbox;
  gboolean background;
  VeilFront *front;       /* owned; from startup to shutdown */
  VeilAppTray *tray;      /* owned; likewise */
  GCancellable *quitting; /* owned; NULL until somebody quits */
  gboolean told_to_end;   /* by a signal */
  gboolean again;         /* somebody started it while it was ending */
  guint sigint, sigterm;
};

G_DEFINE_FINAL_TYPE (VeilApplication, veil_application, ADW_TYPE_APPLICATION)

/* The application's own list leaves out what is transient for its windows. */
static GtkWindow *
find_window (GType type)
{
  GListModel *windows = gtk_window_get_toplevels ();

  for (guint i = 0; i < g_list_model_get_n_items (windows); i++)
    {
      g_autoptr (GtkWindow) window = g_list_model_get_item (windows, i);

      if (g_type_is_a (G_OBJECT_TYPE (window), type))
        return window;
    }
  return NULL;
}

/* %NULL while Veil ends: a window would only go again. */
static VeilWindow *
show_window (VeilApplication *self)
{
  GtkWindow *window = find_window (VEIL_TYPE_WINDOW);

  if (self->quitting != NULL)
    return NULL;
  if (window == NULL)
    window = GTK_WINDOW (veil_window_new (self));
  gtk_window_present (window);
  return VEIL_WINDOW (window);
}

/* The newest first, and none stays tied to what it stood before: GTK 4.8 remembers that beyond its end. */
static void
close_dialogs (gboolean of_signing_in)
{
  GListModel *windows = gtk_window_get_toplevels ();

  for (guint i = g_list_model_get_n_items (windows); i > 0; i--)
    {
      g_autoptr (GtkWindow) window = g_list_model_get_item (windows, i - 1);

      if (window == NULL || gtk_window_get_transient_for (window) == NULL || (veil_consent_dialog_is (window) && !of_signing_in))
        continue;
      gtk_window_close (window);
      gtk_window_set_transient_for (window, NULL);
    }
}

/* Not hidden: GTK 4.8 crashes when a screen reader asks for a window that is no more and all others are hidden. */
static void
close_windows (void)
{
  GtkWindow *window = find_window (VEIL_TYPE_WINDOW);

  close_dialogs (TRUE);
  if (window != NULL)
    gtk_window_destroy (window);
}

static void
on_stopped (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilApplication) self = user_data;

  veil_front_stop_finish (VEIL_FRONT (source), result);
  g_application_quit (G_APPLICATION (self));
}

/* Requests that run get a few seconds; asked twice, none. */
static void
quit (VeilApplication *self)
{
  if (self->quitting != NULL)
    {
      g_cancellable_cancel (self->quitting);
      return;
    }
  self->quitting = g_cancellable_new ();
  close_windows ();
  veil_front_stop_async (self->front, self->quitting, on_stopped, g_object_ref (self));
}

static void
on_quit (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  quit (user_data);
}

static void
on_about (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  VeilWindow *window = show_window (user_data);
  GtkWindow *shown = find_window (ADW_TYPE_ABOUT_WINDOW);

  if (window != NULL && shown != NULL)
    gtk_window_present (shown);
  else if (window != NULL)
    veil_about_show (GTK_WINDOW (window));
}

static void
on_preferences (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  VeilApplication *self = user_data;
  VeilWindow *window = show_window (self);
  GtkWindow *shown = find_window (VEIL_TYPE_PREFERENCES);

  if (window != NULL)
    gtk_window_present (shown != NULL ? shown : GTK_WINDOW (veil_preferences_new (GTK_WINDOW (window), self->front)));
}

/* Out of the sandbox, if that is where we are. */
static void
on_sign_in (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  VeilApplication *self = user_data;
  VeilWindow *window = show_window (self);

  if (window == NULL)
    return;
  veil_front_set_sandbox (self->front, FALSE);
  veil_window_sign_in (window);
}

static void
show_page (VeilApplication *self, const char *name)
{
  VeilWindow *window = show_window (self);

  if (window == NULL)
    return;
  close_dialogs (FALSE);
  veil_window_show_page (window, name);
}

/* At a page, from the tray. */
static void
on_show_page (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  show_page (user_data, g_variant_get_string (parameter, NULL));
}

/* The desktop's entry calls these, without a parameter. */
static void
on_page (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  show_page (user_data, g_action_get_name (G_ACTION (action)));
}

static void
on_show_request (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  VeilWindow *window = show_window (user_data);

  if (window == NULL)
    return;
  close_dialogs (FALSE);
  veil_window_show_request (window, g_variant_get_int64 (parameter));
}

static void
on_serve (GSimpleAction *action, GVariant *state, gpointer user_data)
{
  VeilApplication *self = user_data;

  veil_front_set_on (self->front, g_variant_get_boolean (state));
}

static void
on_sandbox (GSimpleAction *action, GVariant *state, gpointer user_data)
{
  VeilApplication *self = user_data;

  veil_front_set_sandbox (self->front, g_variant_get_boolean (state));
  if (g_variant_get_boolean (state))
    veil_front_set_on (self->front, TRUE);
}

static const GActionEntry actions[] = {
  { "quit", on_quit, NULL, NULL, NULL },
  { "about", on_about, NULL, NULL, NULL },
  { "requests", on_page, NULL, NULL, NULL },
  { "connect", on_page, NULL, NULL, NULL },
  { "preferences", on_preferences, NULL, NULL, NULL },
  { "sign-in", on_sign_in, NULL, NULL, NULL },
  { "show-page", on_show_page, "s", NULL, NULL },
  { "show-request", on_show_request, "x", NULL, NULL },
  { "serve", NULL, NULL, "false", on_serve },
  { "sandbox", NULL, NULL, "false", on_sandbox },
};

static void
set_state (VeilApplication *self, const char *name, gboolean state)
{
  GAction *action = g_action_map_lookup_action (G_ACTION_MAP (self), name);

  g_simple_action_set_state (G_SIMPLE_ACTION (action), g_variant_new_boolean (state));
}

static void
on_front_changed (VeilFront *front, VeilApplication *self)
{
  set_state (self, "serve", veil_front_get_on (front));
  set_state (self, "sandbox", veil_front_get_sandbox (front));
}

static void
set_accels (VeilApplication *self)
{
  static const struct
  {
    const char *action;
    const char *accels[3];
  } table[] = {
    { "app.quit", { "<Control>q" } },
    { "app.preferences", { "<Control>comma" } },
    { "window.close", { "<Control>w" } },
    { "win.page::requests", { "<Alt>1" } },
    { "win.page::enclaves", { "<Alt>2" } },
    { "win.page::connect", { "<Alt>3" } },
    { "win.shortcuts", { "<Control>question" } },
    { "win.menu", { "F10" } },
  };

  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    gtk_application_set_accels_for_action (GTK_APPLICATION (self), table[i].action, table[i].accels);
}

static gboolean
on_signal (gpointer user_data)
{
  VeilApplication *self = user_data;

  self->told_to_end = TRUE;
  quit (self);
  return G_SOURCE_CONTINUE;
}

static void
veil_application_startup (GApplication *application)
{
  VeilApplication *self = VEIL_APPLICATION (application);

  G_APPLICATION_CLASS (veil_application_parent_class)->startup (application);
  gtk_window_set_default_icon_name (VEIL_APPLICATION_ID);
  veil_direction_set ();
  g_action_map_add_action_entries (G_ACTION_MAP (self), actions, G_N_ELEMENTS (actions), self);
  set_accels (self);
  self->sigint = g_unix_signal_add (SIGINT, on_signal, self);
  self->sigterm = g_unix_signal_add (SIGTERM, on_signal, self);

  self->front = veil_front_new (self->settings, self->sandbox);
  g_signal_connect_object (self->front, "changed", G_CALLBACK (on_front_changed), self, 0);
  veil_front_set_on (self->front, TRUE);
  self->tray = veil_app_tray_new (self);
  /* The endpoint serves without a window too. */
  g_application_hold (application);
}

static void
veil_application_shutdown (GApplication *application)
{
  VeilApplication *self = VEIL_APPLICATION (application);

  if (self->sigint != 0)
    g_source_remove (self->sigint);
  if (self->sigterm != 0)
    g_source_remove (self->sigterm);
  if (self->tray != NULL)
    veil_app_tray_stop (self->tray);
  if (self->front != NULL)
    veil_front_stop (self->front);
  G_APPLICATION_CLASS (veil_application_parent_class)->shutdown (application);
  g_clear_object (&self->tray);
  g_clear_object (&self->front);
}

static void
veil_application_activate (GApplication *application)
{
  VeilApplication *self = VEIL_APPLICATION (application);

  self->again = self->quitting != NULL;
  if (!self->background)
    veil_application_show_window (self);
  self->background = FALSE;
}

static void
veil_application_finalize (GObject *object)
{
  VeilApplication *self = VEIL_APPLICATION (object);

  g_clear_pointer (&self->settings, veil_settings_free);
  g_clear_object (&self->quitting);
  G_OBJECT_CLASS (veil_application_parent_class)->finalize (object);
}

static void
veil_application_class_init (VeilApplicationClass *klass)
{
  GApplicationClass *application_class = G_APPLICATION_CLASS (klass);

  application_class->startup = veil_application_startup;
  application_class->shutdown = veil_application_shutdown;
  application_class->activate = veil_application_activate;
  G_OBJECT_CLASS (klass)->finalize = veil_application_finalize;
}

static void
veil_application_init (VeilApplication *self)
{
}

/* Several homes are several programs to the desktop too. */
static char *
make_id (const VeilSettings *settings)
{
  g_autofree char *usual = g_build_filename (g_get_user_data_dir (), "veil", NULL);
  g_autofree char *digest = NULL;

  if (g_str_equal (settings->home, usual))
    return g_strdup (VEIL_APPLICATION_ID);
  digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, settings->home, -1);
  return g_strdup_printf (VEIL_APPLICATION_ID ".home%.16s", digest);
}

VeilApplication *
veil_application_new (const VeilSettings *settings, gboolean sandbox, gboolean background)
{
  g_autofree char *id = make_id (settings);
  VeilApplication *self = g_object_new (VEIL_TYPE_APPLICATION, "application-id", id, "resource-base-path", VEIL_RESOURCES, NULL);

  self->settings = veil_settings_copy (settings);
  self->sandbox = sandbox;
  self->background = background;
  return self;
}

gboolean
veil_application_is_wanted_again (VeilApplication *self)
{
  return self->again && !self->told_to_end;
}

VeilFront *
veil_application_get_front (VeilApplication *self)
{
  return self->front;
}

void
veil_application_show_window (VeilApplication *self)
{
  show_window (self);
}
