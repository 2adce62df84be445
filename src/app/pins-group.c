/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "pins-group.h"

#include "change.h"
#include "pin-calculator.h"
#include "pins.h"
#include "settings-file.h"
#include "window.h"

#include <glib/gi18n.h>

struct _VeilPinsGroup
{
  AdwPreferencesGroup parent;

  VeilFront *front; /* owned */
  GVariant *shown;  /* owned; the pins that there are rows for */
  GPtrArray *rows;  /* owned, of GtkWidget in the group */

  AdwExpanderRow *add_row;
  AdwEntryRow *hash_row;
  AdwEntryRow *label_row;
  GtkWidget *add;
};

G_DEFINE_FINAL_TYPE (VeilPinsGroup, veil_pins_group, ADW_TYPE_PREFERENCES_GROUP)

static void
on_remove (GtkButton *button, VeilPinsGroup *self)
{
  veil_change_remove_pin (GTK_WIDGET (self), self->front, g_object_get_data (G_OBJECT (button), "hash"));
}

static GtkWidget *
build_row (VeilPinsGroup *self, const char *hash, const char *label, gboolean removable)
{
  GtkWidget *row = adw_action_row_new ();
  GtkWidget *remove = gtk_button_new_from_icon_name ("user-trash-symbolic");
  const char *title = *label != '\0' ? label : _ ("Pinned Build");
  g_autofree char *name = g_strdup_printf (_ ("Remove %s"), *label != '\0' ? label : hash);

  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), hash);
  adw_action_row_set_subtitle_lines (ADW_ACTION_ROW (row), 0);
  gtk_widget_add_css_class (row, "fact");
  gtk_widget_set_valign (remove, GTK_ALIGN_CENTER);
  gtk_widget_add_css_class (remove, "flat");
  gtk_widget_set_tooltip_text (remove, name);
  gtk_accessible_update_property (GTK_ACCESSIBLE (remove), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
  gtk_widget_set_sensitive (remove, removable);
  g_object_set_data_full (G_OBJECT (remove), "hash", veil_pin_read_hash (hash, NULL), g_free);
  g_signal_connect_object (remove, "clicked", G_CALLBACK (on_remove), self, 0);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), remove);
  return row;
}

/* What counts: of the file, with labels, unless a flag or a variable has the say. */
static GVariant *
get_pins (VeilPinsGroup *self)
{
  const VeilSettings *settings = veil_front_get_settings (self->front);
  GVariantBuilder builder;

  if (!veil_settings_is_given (settings, "pcr-pins"))
    return veil_settings_file_get (settings, "pcr-pins", NULL);
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(ss)"));
  for (guint i = 0; settings->pcr_pins != NULL && settings->pcr_pins[i] != NULL; i++)
    g_variant_builder_add (&builder, "(ss)", settings->pcr_pins[i], "");
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

static void
update (VeilPinsGroup *self)
{
  gboolean given = veil_settings_is_given (veil_front_get_settings (self->front), "pcr-pins");
  g_autoptr (GVariant) pins = get_pins (self);
  GVariantIter iter;
  const char *hash, *label;

  adw_preferences_group_set_description (
      ADW_PREFERENCES_GROUP (self),
      veil_front_get_sandbox (self->front)
          ? _ ("Once a build is pinned, only enclaves that run a pinned one are used. These pins are the sandbox's, and end with "
               "it.")
          : _ ("Once a build is pinned, only enclaves that run a pinned one are used. Without pins, any build that the registry "
               "approves may be."));
  gtk_widget_set_sensitive (GTK_WIDGET (self->add_row), !given);
  if (pins == NULL || (self->shown != NULL && g_variant_equal (pins, self->shown)))
    return;
  g_clear_pointer (&self->shown, g_variant_unref);
  self->shown = g_variant_ref (pins);
  for (guint i = 0; i < self->rows->len; i++)
    adw_preferences_group_remove (ADW_PREFERENCES_GROUP (self), self->rows->pdata[i]);
  g_ptr_array_set_size (self->rows, 0);
  g_variant_iter_init (&iter, pins);
  while (g_variant_iter_next (&iter, "(&s&s)", &hash, &label))
    {
      GtkWidget *row = build_row (self, hash, label, !given);

      adw_preferences_group_add (ADW_PREFERENCES_GROUP (self), row);
      g_ptr_array_add (self->rows, row);
    }
}

static void
on_edited (VeilPinsGroup *self)
{
  const char *text = gtk_editable_get_text (GTK_EDITABLE (self->hash_row));
  g_autofree char *hash = veil_pin_read_hash (text, NULL);

  gtk_widget_set_sensitive (self->add,
                            hash != NULL && veil_pin_check_label (gtk_editable_get_text (GTK_EDITABLE (self->label_row)), NULL));
  if (hash != NULL || *text == '\0')
    gtk_widget_remove_css_class (GTK_WIDGET (self->hash_row), "error");
  else
    gtk_widget_add_css_class (GTK_WIDGET (self->hash_row), "error");
}

static void
on_add (VeilPinsGroup *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *hash = veil_pin_read_hash (gtk_editable_get_text (GTK_EDITABLE (self->hash_row)), &error);
  g_autofree char *label = g_strstrip (g_strdup (gtk_editable_get_text (GTK_EDITABLE (self->label_row))));

  if (hash == NULL || !veil_pin_check_label (label, &error))
    {
      gtk_widget_activate_action (GTK_WIDGET (self), "win.toast", "s", error->message);
      return;
    }
  veil_change_add_pin (GTK_WIDGET (self), self->front, hash, *label != '\0' ? label : NULL);
  gtk_editable_set_text (GTK_EDITABLE (self->hash_row), "");
  gtk_editable_set_text (GTK_EDITABLE (self->label_row), "");
  adw_expander_row_set_expanded (self->add_row, FALSE);
}

static void
on_computed (VeilPinsGroup *self, const char *hash)
{
  gtk_editable_set_text (GTK_EDITABLE (self->hash_row), hash);
  gtk_widget_grab_focus (GTK_WIDGET (self->label_row));
}

static void
on_compute (VeilPinsGroup *self)
{
  GtkWidget *calculator = veil_pin_calculator_new (GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self))));

  g_signal_connect_object (calculator, "computed", G_CALLBACK (on_computed), self, G_CONNECT_SWAPPED);
  gtk_window_present (GTK_WINDOW (calculator));
}

static void
veil_pins_group_dispose (GObject *object)
{
  VeilPinsGroup *self = VEIL_PINS_GROUP (object);

  g_clear_object (&self->front);
  g_clear_pointer (&self->shown, g_variant_unref);
  gtk_widget_dispose_template (GTK_WIDGET (self), VEIL_TYPE_PINS_GROUP);
  G_OBJECT_CLASS (veil_pins_group_parent_class)->dispose (object);
}

static void
veil_pins_group_finalize (GObject *object)
{
  g_ptr_array_unref (VEIL_PINS_GROUP (object)->rows);
  G_OBJECT_CLASS (veil_pins_group_parent_class)->finalize (object);
}

static void
veil_pins_group_class_init (VeilPinsGroupClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = veil_pins_group_dispose;
  G_OBJECT_CLASS (klass)->finalize = veil_pins_group_finalize;
  gtk_widget_class_set_template_from_resource (widget_class, VEIL_RESOURCES "/pins-group.ui");
  gtk_widget_class_bind_template_child (widget_class, VeilPinsGroup, add_row);
  gtk_widget_class_bind_template_child (widget_class, VeilPinsGroup, hash_row);
  gtk_widget_class_bind_template_child (widget_class, VeilPinsGroup, label_row);
  gtk_widget_class_bind_template_child (widget_class, VeilPinsGroup, add);
  gtk_widget_class_bind_template_callback (widget_class, on_edited);
  gtk_widget_class_bind_template_callback (widget_class, on_add);
  gtk_widget_class_bind_template_callback (widget_class, on_compute);
}

static void
veil_pins_group_init (VeilPinsGroup *self)
{
  self->rows = g_ptr_array_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
veil_pins_group_set_front (VeilPinsGroup *self, VeilFront *front)
{
  self->front = g_object_ref (front);
  g_signal_connect_object (front, "changed", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  update (self);
}
