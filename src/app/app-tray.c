/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "app-tray.h"

#include "config.h"
#include "refusals.h"
#include "settings-change.h"
#include "snippets.h"
#include "tray-menu-model.h"
#include "tray.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <unistd.h>

/* A panel may come up later than Veil at login. */
#define GRACE_MS 10000
/* Requests may end a hundred times a second; panels draw slowly. */
#define PAUSE_MS 250

struct _VeilAppTray
{
  GObject parent;

  VeilApplication *application; /* not owned: it owns this */
  VeilFront *front;             /* owned */
  VeilTray *tray;               /* owned; NULL without a session bus */
  VeilTrayMenuModel *model;     /* owned */
  VeilRefusals *refusals;       /* owned */
  GCancellable *cancellable;    /* owned */
  guint pause;
  gboolean stale; /* something changed during the pause */
};

G_DEFINE_FINAL_TYPE (VeilAppTray, veil_app_tray, G_TYPE_OBJECT)

static void refresh (VeilAppTray *self);

/* Where the person looks: in the window, if there is one; dialogs have no room for it, but stand over one that has. */
static void
tell (VeilAppTray *self, const char *id, const char *text)
{
  GtkWindow *window = gtk_application_get_active_window (GTK_APPLICATION (self->application));
  g_autoptr (GNotification) notification = NULL;

  for (; window != NULL; window = gtk_window_get_transient_for (window))
    if (gtk_widget_activate_action (GTK_WIDGET (window), "win.toast", "s", text))
      return;
  notification = g_notification_new ("Veil");
  g_notification_set_body (notification, text);
  g_notification_set_default_action (notification, "app.open");
  g_application_send_notification (G_APPLICATION (self->application), id, notification);
}

static void
on_open (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  VeilAppTray *self = user_data;

  veil_application_show_window (self->application);
}

static void
on_tee_saved (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilAppTray) self = user_data;
  g_autoptr (GError) error = NULL;

  if (!veil_settings_change_finish (result, &error))
    tell (self, "settings", error->message);
  if (!g_cancellable_is_cancelled (self->cancellable))
    veil_service_reload (veil_front_get_service (self->front));
}

static void
on_tee (GSimpleAction *action, GVariant *state, gpointer user_data)
{
  VeilAppTray *self = user_data;

  veil_settings_change_async (veil_front_get_settings (self->front), "tee-id", state, NULL, on_tee_saved, g_object_ref (self));
}

/* Wayland gives the clipboard to none but the focused window: there, the page with the same lines is shown too. */
static void
on_copy_environment (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  VeilAppTray *self = user_data;
  GdkDisplay *display = gdk_display_get_default ();
  g_autofree char *url = veil_front_get_url (self->front);
  g_autofree char *text = NULL;

  if (url == NULL)
    return;
  text = veil_snippet_get_text (VEIL_SNIPPET_ENVIRONMENT, url, veil_settings_wants_key (veil_front_get_settings (self->front)));
  gdk_clipboard_set_text (gdk_display_get_clipboard (display), text);
  if (!g_str_equal (G_OBJECT_TYPE_NAME (display), "GdkX11Display"))
    g_action_group_activate_action (G_ACTION_GROUP (self->application), "show-page", g_variant_new_string ("connect"));
}

static void
on_signed_out (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilAppTray) self = user_data;
  g_autoptr (GError) error = NULL;

  if (veil_front_sign_out_finish (VEIL_FRONT (source), result, &error))
    tell (self, "account", _ ("Signed out"));
  else
    tell (self, "account", error->message);
}

static void
on_sign_out (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  VeilAppTray *self = user_data;

  veil_front_sign_out_async (self->front, on_signed_out, g_object_ref (self));
}

static const GActionEntry entries[] = {
  { "open", on_open, NULL, NULL, NULL },
  { "tee", NULL, "s", "'auto'", on_tee },
  { "copy-environment", on_copy_environment, NULL, NULL, NULL },
  { "sign-out", on_sign_out, NULL, NULL, NULL },
};

static void
update_actions (VeilAppTray *self)
{
  const VeilSettings *settings = veil_front_get_settings (self->front);
  GActionMap *map = G_ACTION_MAP (self->application);
  GSimpleAction *tee = G_SIMPLE_ACTION (g_action_map_lookup_action (map, "tee"));

  g_simple_action_set_state (tee, g_variant_new_string (settings->tee_id != NULL ? settings->tee_id : "auto"));
  g_simple_action_set_enabled (tee, !veil_settings_is_given (settings, "tee-id"));
  g_simple_action_set_enabled (G_SIMPLE_ACTION (g_action_map_lookup_action (map, "copy-environment")),
                               veil_front_get_state (self->front) == VEIL_FRONT_ON);
}

static void
update_icon (VeilAppTray *self)
{
  VeilTrayState state = veil_tray_state_get (self->front, veil_refusals_has_news (self->refusals));
  g_autofree char *status = veil_front_describe (self->front);
  const char *title = veil_front_get_sandbox (self->front) ? _ ("Veil (sandbox)") : "Veil";

  veil_tray_set_title (self->tray, title);
  veil_tray_set_icon (self->tray, veil_tray_state_get_icon (state), veil_tray_state_describe (state));
  veil_tray_set_tooltip (self->tray, title, status);
  veil_tray_set_attention (self->tray, state == VEIL_TRAY_ATTENTION);
}

static gboolean
on_pause_over (gpointer user_data)
{
  VeilAppTray *self = user_data;

  self->pause = 0;
  if (self->stale)
    refresh (self);
  return G_SOURCE_REMOVE;
}

static void
refresh (VeilAppTray *self)
{
  if (self->pause != 0)
    {
      self->stale = TRUE;
      return;
    }
  self->stale = FALSE;
  self->pause = g_timeout_add (PAUSE_MS, on_pause_over, self);
  update_actions (self);
  veil_tray_menu_model_update (self->model, self->front);
  if (self->tray != NULL)
    update_icon (self);
}

static void
on_activate (VeilTray *tray, const char *token, VeilAppTray *self)
{
  GdkDisplay *display = gdk_display_get_default ();
  GtkWindow *window;

  veil_application_show_window (self->application);
  window = gtk_application_get_active_window (GTK_APPLICATION (self->application));
  if (token != NULL && display != NULL && window != NULL)
    gtk_window_set_startup_id (window, token);
  veil_refusals_seen (self->refusals);
}

/* TRUE the first time in this home; again if that cannot be remembered. */
static gboolean
is_first_time (VeilAppTray *self)
{
  const char *home = veil_front_get_settings (self->front)->home;
  g_autofree char *path = g_build_filename (home, "no-tray-told", NULL);
  int fd;

  g_mkdir_with_parents (home, 0700);
  fd = g_open (path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0)
    return errno != EEXIST;
  close (fd);
  return TRUE;
}

static void
on_no_host (VeilTray *tray, VeilAppTray *self)
{
  g_message ("No panel shows tray icons here; Veil is reached by its entry among the applications");
  if (is_first_time (self))
    tell (self, "no-tray",
          _ ("This desktop shows no tray icons. Veil serves on when its window is closed; open it again from the applications."));
}

static void
start_tray (VeilAppTray *self)
{
  GDBusConnection *bus = g_application_get_dbus_connection (G_APPLICATION (self->application));
  const char *icons = g_getenv ("VEIL_ICONS"); /* of an uninstalled build */
  g_autoptr (VeilTrayMenu) menu = NULL;
  g_autoptr (GError) error = NULL;

  if (bus == NULL)
    return;
  menu = veil_tray_menu_new (veil_tray_menu_model_get (self->model), G_ACTION_GROUP (self->application), "app");
  veil_tray_menu_set_right_to_left (menu, gtk_widget_get_default_direction () == GTK_TEXT_DIR_RTL);
  self->tray = veil_tray_new (bus, VEIL_APPLICATION_ID, icons != NULL ? icons : VEIL_ICONSDIR);
  g_signal_connect_object (self->tray, "activate", G_CALLBACK (on_activate), self, 0);
  g_signal_connect_object (self->tray, "no-host", G_CALLBACK (on_no_host), self, 0);
  update_icon (self);
  if (!veil_tray_start (self->tray, menu, GRACE_MS, &error))
    g_warning ("No tray icon: %s", error->message);
}

VeilAppTray *
veil_app_tray_new (VeilApplication *application)
{
  VeilAppTray *self = g_object_new (VEIL_TYPE_APP_TRAY, NULL);

  self->application = application;
  self->front = g_object_ref (veil_application_get_front (application));
  self->refusals = veil_refusals_new (GTK_APPLICATION (application), self->front);
  g_action_map_add_action_entries (G_ACTION_MAP (application), entries, G_N_ELEMENTS (entries), self);
  g_signal_connect_object (self->front, "changed", G_CALLBACK (refresh), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->refusals, "notify::news", G_CALLBACK (refresh), self, G_CONNECT_SWAPPED);
  /* Who has the window before them has seen what there is. */
  g_signal_connect_object (application, "notify::active-window", G_CALLBACK (veil_refusals_seen), self->refusals,
                           G_CONNECT_SWAPPED);
  refresh (self);
  start_tray (self);
  return self;
}

void
veil_app_tray_stop (VeilAppTray *self)
{
  g_cancellable_cancel (self->cancellable);
  g_clear_handle_id (&self->pause, g_source_remove);
  g_signal_handlers_disconnect_by_data (self->front, self);
  if (self->tray != NULL)
    veil_tray_stop (self->tray);
}

static void
veil_app_tray_finalize (GObject *object)
{
  VeilAppTray *self = VEIL_APP_TRAY (object);

  veil_app_tray_stop (self);
  g_clear_object (&self->tray);
  g_clear_object (&self->refusals);
  veil_tray_menu_model_free (self->model);
  g_object_unref (self->cancellable);
  g_object_unref (self->front);
  G_OBJECT_CLASS (veil_app_tray_parent_class)->finalize (object);
}

static void
veil_app_tray_class_init (VeilAppTrayClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_app_tray_finalize;
}

static void
veil_app_tray_init (VeilAppTray *self)
{
  self->cancellable = g_cancellable_new ();
  self->model = veil_tray_menu_model_new ();
}
