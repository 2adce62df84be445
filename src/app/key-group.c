/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "key-group.h"

#include "api-key-store.h"
#include "change.h"
#include "peek-button.h"
#include "window.h"

#include <glib/gi18n.h>

struct _VeilKeyGroup
{
  AdwPreferencesGroup parent;

  VeilFront *front; /* owned */

  AdwActionRow *state_row;
  GtkWidget *remove;
  AdwPasswordEntryRow *key_row;
};

G_DEFINE_FINAL_TYPE (VeilKeyGroup, veil_key_group, ADW_TYPE_PREFERENCES_GROUP)

static void
update (VeilKeyGroup *self)
{
  const VeilSettings *settings = veil_front_get_settings (self->front);
  gboolean given =
      veil_settings_is_given (settings, "require-api-key") || (settings->api_key != NULL && !settings->require_api_key);

  adw_action_row_set_subtitle (self->state_row, given ? _ ("Required, as was said when Veil was started")
                                                : settings->require_api_key
                                                    ? _ ("Required; programs send it as their OpenAI API key")
                                                    : _ ("Not required: any program on this computer may ask"));
  gtk_widget_set_visible (self->remove, settings->require_api_key && !given);
  gtk_widget_set_sensitive (GTK_WIDGET (self->key_row), !given);
}

typedef struct
{
  VeilKeyGroup *group; /* owned */
  gboolean required;
} Change;

/* A running endpoint takes the change of the setting as news of the key, too. */
static void
on_saved (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Change *change = user_data;
  g_autoptr (VeilKeyGroup) self = change->group;
  g_autoptr (GError) error = NULL;
  gboolean saved = veil_api_key_save_finish (result, &error);

  if (!saved)
    gtk_widget_activate_action (GTK_WIDGET (self), "win.toast", "s", error->message);
  if (self->front == NULL)
    return;
  gtk_widget_set_sensitive (GTK_WIDGET (self), TRUE);
  if (saved && change->required)
    veil_change_setting (GTK_WIDGET (self), self->front, "require-api-key", g_variant_new_boolean (TRUE));
}

static void
save (VeilKeyGroup *self, const char *key)
{
  const VeilSettings *settings = veil_front_get_settings (self->front);
  Change *change = g_new0 (Change, 1);

  change->group = g_object_ref (self);
  change->required = key != NULL;
  gtk_widget_set_sensitive (GTK_WIDGET (self), FALSE);
  veil_api_key_save_async (settings->session_store, settings->home, key, VEIL_STORE_MAY_PROMPT, NULL, on_saved, change);
}

static void
on_key (VeilKeyGroup *self)
{
  const char *key = gtk_editable_get_text (GTK_EDITABLE (self->key_row));
  const char *wrong = veil_api_key_check (key);

  if (wrong != NULL)
    gtk_widget_activate_action (GTK_WIDGET (self), "win.toast", "s", wrong);
  else
    save (self, key);
  gtk_editable_set_text (GTK_EDITABLE (self->key_row), "");
}

/* First it is no longer asked for, then it is forgotten. */
static void
on_remove (VeilKeyGroup *self)
{
  veil_change_setting (GTK_WIDGET (self), self->front, "require-api-key", g_variant_new_boolean (FALSE));
  save (self, NULL);
}

static void
veil_key_group_dispose (GObject *object)
{
  VeilKeyGroup *self = VEIL_KEY_GROUP (object);

  g_clear_object (&self->front);
  gtk_widget_dispose_template (GTK_WIDGET (self), VEIL_TYPE_KEY_GROUP);
  G_OBJECT_CLASS (veil_key_group_parent_class)->dispose (object);
}

static void
veil_key_group_class_init (VeilKeyGroupClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = veil_key_group_dispose;
  gtk_widget_class_set_template_from_resource (widget_class, VEIL_RESOURCES "/key-group.ui");
  gtk_widget_class_bind_template_child (widget_class, VeilKeyGroup, state_row);
  gtk_widget_class_bind_template_child (widget_class, VeilKeyGroup, remove);
  gtk_widget_class_bind_template_child (widget_class, VeilKeyGroup, key_row);
  gtk_widget_class_bind_template_callback (widget_class, on_key);
  gtk_widget_class_bind_template_callback (widget_class, on_remove);
}

static void
veil_key_group_init (VeilKeyGroup *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  veil_peek_button_name (self->key_row);
}

void
veil_key_group_set_front (VeilKeyGroup *self, VeilFront *front)
{
  self->front = g_object_ref (front);
  g_signal_connect_object (front, "changed", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  update (self);
}
