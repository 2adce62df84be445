/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "snippet-row.h"

#include "copy-button.h"
#include "window.h"

#include <glib/gi18n.h>

struct _VeilSnippetRow
{
  AdwExpanderRow parent;

  VeilSnippet snippet;
  GtkButton *copy;
  GtkLabel *text;
};

G_DEFINE_FINAL_TYPE (VeilSnippetRow, veil_snippet_row, ADW_TYPE_EXPANDER_ROW)

static void
veil_snippet_row_dispose (GObject *object)
{
  gtk_widget_dispose_template (GTK_WIDGET (object), VEIL_TYPE_SNIPPET_ROW);
  G_OBJECT_CLASS (veil_snippet_row_parent_class)->dispose (object);
}

static void
veil_snippet_row_class_init (VeilSnippetRowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = veil_snippet_row_dispose;
  gtk_widget_class_set_template_from_resource (widget_class, VEIL_RESOURCES "/snippet-row.ui");
  gtk_widget_class_bind_template_child (widget_class, VeilSnippetRow, copy);
  gtk_widget_class_bind_template_child (widget_class, VeilSnippetRow, text);
}

static void
veil_snippet_row_init (VeilSnippetRow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

GtkWidget *
veil_snippet_row_new (VeilSnippet snippet)
{
  VeilSnippetRow *self = g_object_new (VEIL_TYPE_SNIPPET_ROW, NULL);
  /* Translators: %s is a kind of program, as in "Copy Lines for Python" */
  g_autofree char *label = g_strdup_printf (_ ("Copy Lines for %s"), veil_snippet_get_title (snippet));

  self->snippet = snippet;
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self), veil_snippet_get_title (snippet));
  adw_expander_row_set_subtitle (ADW_EXPANDER_ROW (self), veil_snippet_get_place (snippet));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->copy), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->copy), label);
  return GTK_WIDGET (self);
}

void
veil_snippet_row_set_url (VeilSnippetRow *self, const char *url, gboolean with_key)
{
  g_autofree char *text = url != NULL ? veil_snippet_get_text (self->snippet, url, with_key) : NULL;

  const char *shown = text != NULL ? text : _ ("Switch Veil on to see its address");

  if (g_str_equal (shown, gtk_label_get_label (self->text)))
    return;
  gtk_label_set_label (self->text, shown);
  veil_copy_button_set_text (self->copy, text);
}
