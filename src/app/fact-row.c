/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "fact-row.h"

#include "copy-button.h"
#include "explain.h"

#include <glib/gi18n.h>

struct _VeilFactRow
{
  AdwActionRow parent;

  GtkButton *copy; /* NULL: not to be copied */
};

G_DEFINE_FINAL_TYPE (VeilFactRow, veil_fact_row, ADW_TYPE_ACTION_ROW)

static void
veil_fact_row_class_init (VeilFactRowClass *klass)
{
}

static void
veil_fact_row_init (VeilFactRow *self)
{
  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (self), FALSE);
  adw_action_row_set_subtitle_lines (ADW_ACTION_ROW (self), 0);
  gtk_widget_add_css_class (GTK_WIDGET (self), "fact");
}

static void
add_copy_button (VeilFactRow *self, const char *title)
{
  /* Translators: %s is what is copied, as in "Copy PCR Hash" */
  g_autofree char *label = g_strdup_printf (_ ("Copy %s"), title);

  self->copy = GTK_BUTTON (gtk_button_new_from_icon_name ("edit-copy-symbolic"));
  gtk_widget_set_valign (GTK_WIDGET (self->copy), GTK_ALIGN_CENTER);
  gtk_widget_add_css_class (GTK_WIDGET (self->copy), "flat");
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->copy), label);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->copy), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
  adw_action_row_add_suffix (ADW_ACTION_ROW (self), GTK_WIDGET (self->copy));
}

GtkWidget *
veil_fact_row_new (const char *title, gboolean copyable)
{
  VeilFactRow *self = g_object_new (VEIL_TYPE_FACT_ROW, "title", title, "activatable", FALSE, NULL);

  if (copyable)
    add_copy_button (self, title);
  return GTK_WIDGET (self);
}

void
veil_fact_row_set_value (VeilFactRow *self, const char *value)
{
  /* Names of fields and the like are the words of others. */
  g_autofree char *plain = value != NULL ? veil_explain_plain (value) : NULL;

  gtk_widget_set_visible (GTK_WIDGET (self), value != NULL);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (self), plain != NULL ? plain : "");
  if (self->copy != NULL)
    veil_copy_button_set_text (self->copy, plain);
}
