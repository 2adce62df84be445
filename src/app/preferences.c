/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "preferences.h"

#include "account-group.h"
#include "autostart.h"
#include "change.h"
#include "key-group.h"
#include "pins-group.h"
#include "window.h"

#include <glib/gi18n.h>

struct _VeilPreferences
{
  AdwPreferencesWindow parent;

  VeilFront *front; /* owned */
  gboolean updating;

  AdwEntryRow *host_row;
  AdwEntryRow *port_row;
  GtkWidget *given_label;
  AdwActionRow *login_row;
  GtkSwitch *login_switch;
  AdwActionRow *history_row;
  GtkSwitch *history_switch;
  AdwComboRow *refresh_row;
  VeilKeyGroup *key;
  VeilPinsGroup *pins;
  VeilAccountGroup *account;
};

G_DEFINE_FINAL_TYPE (VeilPreferences, veil_preferences, ADW_TYPE_PREFERENCES_WINDOW)

/* In the order of the row's choices. */
static const guint intervals[] = { 0, 60, 300, 900, 3600 };

static void
set_entry (AdwEntryRow *row, const char *text)
{
  /* Not while somebody writes into it. */
  if (gtk_widget_has_focus (GTK_WIDGET (gtk_editable_get_delegate (GTK_EDITABLE (row)))))
    return;
  if (g_strcmp0 (gtk_editable_get_text (GTK_EDITABLE (row)), text) != 0)
    gtk_editable_set_text (GTK_EDITABLE (row), text);
}

static void
show_refresh (VeilPreferences *self, guint seconds)
{
  guint best = 0;

  for (guint i = 1; i < G_N_ELEMENTS (intervals); i++)
    if (seconds >= intervals[i])
      best = i;
  if (seconds > 0 && best == 0)
    best = 1;
  adw_combo_row_set_selected (self->refresh_row, best);
}

static void
update (VeilPreferences *self)
{
  const VeilSettings *settings = veil_front_get_settings (self->front);
  gboolean host_given = veil_settings_is_given (settings, "host"), port_given = veil_settings_is_given (settings, "port");
  g_autofree char *port = g_strdup_printf ("%u", settings->port);

  self->updating = TRUE;
  set_entry (self->host_row, settings->host);
  set_entry (self->port_row, port);
  gtk_widget_set_sensitive (GTK_WIDGET (self->host_row), !host_given);
  gtk_widget_set_sensitive (GTK_WIDGET (self->port_row), !port_given);
  gtk_widget_set_visible (self->given_label, host_given || port_given);
  show_refresh (self, settings->refresh_interval);
  gtk_switch_set_active (self->history_switch, settings->history);
  gtk_widget_set_sensitive (GTK_WIDGET (self->history_row), !veil_settings_is_given (settings, "history"));
  gtk_widget_set_sensitive (GTK_WIDGET (self->refresh_row), !veil_settings_is_given (settings, "refresh-interval"));
  gtk_switch_set_active (self->login_switch, veil_autostart_is_enabled (settings->home));
  self->updating = FALSE;
}

/* %FALSE, and told, if @text is nothing that @key may be. */
static gboolean
check (VeilPreferences *self, AdwEntryRow *row, const char *key, const char *name, const char *text)
{
  const char *const values[] = { text, NULL };
  g_autoptr (VeilSettings) copy = veil_settings_copy (veil_front_get_settings (self->front));
  g_autoptr (GError) error = NULL;

  if (veil_settings_set_saved (copy, key, name, values, &error))
    {
      gtk_widget_remove_css_class (GTK_WIDGET (row), "error");
      return TRUE;
    }
  gtk_widget_add_css_class (GTK_WIDGET (row), "error");
  gtk_widget_activate_action (GTK_WIDGET (self), "win.toast", "s", error->message);
  return FALSE;
}

static void
on_host (VeilPreferences *self)
{
  g_autofree char *text = g_strstrip (g_strdup (gtk_editable_get_text (GTK_EDITABLE (self->host_row))));

  if (check (self, self->host_row, "host", _ ("The address"), text))
    veil_change_setting (GTK_WIDGET (self), self->front, "host", g_variant_new_string (text));
}

static void
on_port (VeilPreferences *self)
{
  g_autofree char *text = g_strstrip (g_strdup (gtk_editable_get_text (GTK_EDITABLE (self->port_row))));

  if (check (self, self->port_row, "port", _ ("The port"), text))
    veil_change_setting (GTK_WIDGET (self), self->front, "port",
                         g_variant_new_uint16 ((guint16) g_ascii_strtoull (text, NULL, 10)));
}

static void
on_refresh (VeilPreferences *self)
{
  guint selected = adw_combo_row_get_selected (self->refresh_row);

  if (!self->updating && selected < G_N_ELEMENTS (intervals))
    veil_change_setting (GTK_WIDGET (self), self->front, "refresh-interval", g_variant_new_uint32 (intervals[selected]));
}

static void
on_history (VeilPreferences *self)
{
  gboolean wanted = gtk_switch_get_active (self->history_switch);

  if (!self->updating && wanted != veil_front_get_settings (self->front)->history)
    veil_change_setting (GTK_WIDGET (self), self->front, "history", g_variant_new_boolean (wanted));
}

static void
on_autostart (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilPreferences) self = user_data;
  g_autoptr (GError) error = NULL;

  if (!veil_autostart_set_finish (result, &error))
    gtk_widget_activate_action (GTK_WIDGET (self), "win.toast", "s", error->message);
  if (self->front == NULL)
    return;
  gtk_widget_set_sensitive (GTK_WIDGET (self->login_row), TRUE);
  update (self);
}

static void
on_login (VeilPreferences *self)
{
  static const char *const command[] = { "veil", "--background", NULL };
  const VeilSettings *settings = veil_front_get_settings (self->front);
  gboolean wanted = gtk_switch_get_active (self->login_switch);

  if (self->updating || wanted == veil_autostart_is_enabled (settings->home))
    return;
  gtk_widget_set_sensitive (GTK_WIDGET (self->login_row), FALSE);
  veil_autostart_set_async (settings->home, wanted, command, NULL, on_autostart, g_object_ref (self));
}

static void
on_toast (GtkWidget *widget, const char *action, GVariant *parameter)
{
  adw_preferences_window_add_toast (ADW_PREFERENCES_WINDOW (widget),
                                    veil_toast_new (widget, g_variant_get_string (parameter, NULL)));
  veil_toast_name_button (widget);
}

static void
on_copy (GtkWidget *widget, const char *action, GVariant *parameter)
{
  gdk_clipboard_set_text (gtk_widget_get_clipboard (widget), g_variant_get_string (parameter, NULL));
  adw_preferences_window_add_toast (ADW_PREFERENCES_WINDOW (widget), adw_toast_new (_ ("Copied")));
  veil_toast_name_button (widget);
}

static void
veil_preferences_dispose (GObject *object)
{
  VeilPreferences *self = VEIL_PREFERENCES (object);

  g_clear_object (&self->front);
  gtk_widget_dispose_template (GTK_WIDGET (self), VEIL_TYPE_PREFERENCES);
  G_OBJECT_CLASS (veil_preferences_parent_class)->dispose (object);
}

static void
veil_preferences_class_init (VeilPreferencesClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = veil_preferences_dispose;
  g_type_ensure (VEIL_TYPE_KEY_GROUP);
  g_type_ensure (VEIL_TYPE_PINS_GROUP);
  g_type_ensure (VEIL_TYPE_ACCOUNT_GROUP);
  gtk_widget_class_set_template_from_resource (widget_class, VEIL_RESOURCES "/preferences.ui");
  gtk_widget_class_bind_template_child (widget_class, VeilPreferences, host_row);
  gtk_widget_class_bind_template_child (widget_class, VeilPreferences, port_row);
  gtk_widget_class_bind_template_child (widget_class, VeilPreferences, given_label);
  gtk_widget_class_bind_template_child (widget_class, VeilPreferences, login_row);
  gtk_widget_class_bind_template_child (widget_class, VeilPreferences, login_switch);
  gtk_widget_class_bind_template_child (widget_class, VeilPreferences, refresh_row);
  gtk_widget_class_bind_template_child (widget_class, VeilPreferences, history_row);
  gtk_widget_class_bind_template_child (widget_class, VeilPreferences, history_switch);
  gtk_widget_class_bind_template_child (widget_class, VeilPreferences, key);
  gtk_widget_class_bind_template_callback (widget_class, on_history);
  gtk_widget_class_bind_template_child (widget_class, VeilPreferences, pins);
  gtk_widget_class_bind_template_child (widget_class, VeilPreferences, account);
  gtk_widget_class_bind_template_callback (widget_class, on_host);
  gtk_widget_class_bind_template_callback (widget_class, on_port);
  gtk_widget_class_bind_template_callback (widget_class, on_refresh);
  gtk_widget_class_bind_template_callback (widget_class, on_login);
  gtk_widget_class_install_action (widget_class, "win.toast", "s", on_toast);
  gtk_widget_class_install_action (widget_class, "win.copy", "s", on_copy);
}

static void
veil_preferences_init (VeilPreferences *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

GtkWidget *
veil_preferences_new (GtkWindow *parent, VeilFront *front)
{
  VeilPreferences *self = g_object_new (VEIL_TYPE_PREFERENCES, "transient-for", parent, NULL);

  self->front = g_object_ref (front);
  veil_key_group_set_front (self->key, front);
  veil_pins_group_set_front (self->pins, front);
  veil_account_group_set_front (self->account, front);
  g_signal_connect_object (front, "changed", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  update (self);
  return GTK_WIDGET (self);
}
