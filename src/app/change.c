/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "change.h"

#include "settings-change.h"

typedef struct
{
  GtkWidget *widget; /* owned */
  VeilFront *front;  /* owned */
} Change;

static Change *
change_new (GtkWidget *widget, VeilFront *front)
{
  Change *change = g_new0 (Change, 1);

  change->widget = g_object_ref (widget);
  change->front = g_object_ref (front);
  return change;
}

static void
on_changed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Change *change = user_data;
  g_autoptr (GtkWidget) widget = change->widget;
  g_autoptr (VeilFront) front = change->front;
  g_autoptr (GError) error = NULL;

  if (!veil_settings_change_finish (result, &error))
    gtk_widget_activate_action (widget, "win.toast", "s", error->message);
  veil_front_look (front);
}

void
veil_change_setting (GtkWidget *widget, VeilFront *front, const char *key, GVariant *value)
{
  veil_settings_change_async (veil_front_get_settings (front), key, value, NULL, on_changed, change_new (widget, front));
}

void
veil_change_add_pin (GtkWidget *widget, VeilFront *front, const char *hash, const char *label)
{
  veil_pin_add_async (veil_front_get_settings (front), hash, label, NULL, on_changed, change_new (widget, front));
}

void
veil_change_remove_pin (GtkWidget *widget, VeilFront *front, const char *hash)
{
  veil_pin_remove_async (veil_front_get_settings (front), hash, NULL, on_changed, change_new (widget, front));
}
