/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "connect-page.h"

#include "copy-button.h"
#include "snippet-row.h"
#include "trial-view.h"
#include "way-out.h"
#include "window.h"

#include <glib/gi18n.h>

struct _VeilConnectPage
{
  AdwBin parent;

  VeilFront *front; /* owned */

  AdwActionRow *on_row;
  GtkSpinner *spinner;
  AdwActionRow *address_row;
  GtkWidget *problem_group;
  GtkLabel *problem_text;
  VeilWayOut *way_out;
  GtkButton *copy_address;
  VeilTrialView *trial;
  AdwPreferencesGroup *snippets;
  GtkWidget *rows[VEIL_N_SNIPPETS];
};

G_DEFINE_FINAL_TYPE (VeilConnectPage, veil_connect_page, ADW_TYPE_BIN)

static void
show_problem (VeilConnectPage *self)
{
  g_autofree char *problem = veil_way_out_explain (self->front);

  gtk_widget_set_visible (self->problem_group, problem != NULL);
  if (problem != NULL)
    gtk_label_set_label (self->problem_text, problem);
}

static void
on_front_changed (VeilFront *front, VeilConnectPage *self)
{
  VeilFrontState state = veil_front_get_state (front);
  g_autofree char *url = veil_front_get_url (front);
  g_autofree char *status = veil_front_describe (front);
  gboolean with_key = veil_settings_wants_key (veil_front_get_settings (front));

  /* Whoever comes here sees what is so then. */
  if (!gtk_widget_get_mapped (GTK_WIDGET (self)))
    return;

  adw_action_row_set_subtitle (self->on_row, state == VEIL_FRONT_FAILED ? _ ("Veil cannot serve") : status);
  show_problem (self);
  gtk_spinner_set_spinning (self->spinner, state == VEIL_FRONT_STARTING);
  gtk_widget_set_visible (GTK_WIDGET (self->spinner), state == VEIL_FRONT_STARTING);
  adw_action_row_set_subtitle (self->address_row, url != NULL ? url : _ ("Any free port, chosen when Veil is switched on"));
  veil_copy_button_set_text (self->copy_address, url);
  for (guint i = 0; i < VEIL_N_SNIPPETS; i++)
    veil_snippet_row_set_url (VEIL_SNIPPET_ROW (self->rows[i]), url, with_key);
}

static void
veil_connect_page_map (GtkWidget *widget)
{
  VeilConnectPage *self = VEIL_CONNECT_PAGE (widget);

  GTK_WIDGET_CLASS (veil_connect_page_parent_class)->map (widget);
  on_front_changed (self->front, self);
}

static void
veil_connect_page_dispose (GObject *object)
{
  VeilConnectPage *self = VEIL_CONNECT_PAGE (object);

  g_clear_object (&self->front);
  gtk_widget_dispose_template (GTK_WIDGET (self), VEIL_TYPE_CONNECT_PAGE);
  G_OBJECT_CLASS (veil_connect_page_parent_class)->dispose (object);
}

static void
veil_connect_page_class_init (VeilConnectPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = veil_connect_page_dispose;
  widget_class->map = veil_connect_page_map;
  g_type_ensure (VEIL_TYPE_TRIAL_VIEW);
  g_type_ensure (VEIL_TYPE_WAY_OUT);
  gtk_widget_class_set_template_from_resource (widget_class, VEIL_RESOURCES "/connect-page.ui");
  gtk_widget_class_bind_template_child (widget_class, VeilConnectPage, on_row);
  gtk_widget_class_bind_template_child (widget_class, VeilConnectPage, spinner);
  gtk_widget_class_bind_template_child (widget_class, VeilConnectPage, address_row);
  gtk_widget_class_bind_template_child (widget_class, VeilConnectPage, copy_address);
  gtk_widget_class_bind_template_child (widget_class, VeilConnectPage, problem_group);
  gtk_widget_class_bind_template_child (widget_class, VeilConnectPage, problem_text);
  gtk_widget_class_bind_template_child (widget_class, VeilConnectPage, way_out);
  gtk_widget_class_bind_template_child (widget_class, VeilConnectPage, trial);
  gtk_widget_class_bind_template_child (widget_class, VeilConnectPage, snippets);
}

static void
veil_connect_page_init (VeilConnectPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  for (guint i = 0; i < VEIL_N_SNIPPETS; i++)
    {
      self->rows[i] = veil_snippet_row_new (i);
      adw_preferences_group_add (self->snippets, self->rows[i]);
    }
}

void
veil_connect_page_set_front (VeilConnectPage *self, VeilFront *front)
{
  self->front = g_object_ref (front);
  veil_trial_view_set_front (self->trial, front);
  veil_way_out_set_front (self->way_out, front);
  g_signal_connect_object (front, "changed", G_CALLBACK (on_front_changed), self, 0);
  on_front_changed (front, self);
}
