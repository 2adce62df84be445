/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "request-row.h"

#include "explain.h"
#include "window.h"

#include <glib/gi18n.h>

struct _VeilRequestRow
{
  GtkBox parent;

  VeilRecord *record; /* owned; may be NULL */
  VeilRecordState shown;

  GtkImage *icon;
  GtkLabel *model;
  GtkLabel *time;
  GtkLabel *summary;
};

G_DEFINE_FINAL_TYPE (VeilRequestRow, veil_request_row, GTK_TYPE_BOX)

static const struct
{
  const char *icon;
  const char *style;
} looks[] = {
  [VEIL_RECORD_WAITING] = { "content-loading-symbolic", "dim-label" },
  [VEIL_RECORD_VERIFIED] = { "emblem-ok-symbolic", "success" },
  [VEIL_RECORD_REFUSED] = { "dialog-error-symbolic", "error" },
  [VEIL_RECORD_FAILED] = { "dialog-warning-symbolic", "warning" },
};

const char *
veil_request_row_get_icon (VeilRecordState state)
{
  return looks[state].icon;
}

const char *
veil_request_row_get_style (VeilRecordState state)
{
  return looks[state].style;
}

/* What has the focus in a list is the item around the row. */
static void
name_item (VeilRequestRow *self, const char *model)
{
  GtkWidget *item = gtk_widget_get_parent (GTK_WIDGET (self));
  g_autofree char *name = NULL;

  if (item == NULL)
    return;
  /* Translators: what a screen reader says of a request in the list: its model, its state, its time */
  name = g_strdup_printf (_ ("%s, %s, %s"), model, veil_explain_state (self->record), gtk_label_get_label (self->time));
  gtk_accessible_update_property (GTK_ACCESSIBLE (item), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
}

static void
update (VeilRequestRow *self)
{
  VeilRecordState state = veil_record_get_state (self->record);
  g_autofree char *model = veil_explain_model (self->record);
  g_autofree char *summary = veil_explain_summary (self->record);

  if (state != self->shown)
    {
      gtk_image_set_from_icon_name (self->icon, looks[state].icon);
      gtk_widget_remove_css_class (GTK_WIDGET (self->icon), looks[self->shown].style);
      gtk_widget_add_css_class (GTK_WIDGET (self->icon), looks[state].style);
      self->shown = state;
    }
  gtk_label_set_label (self->model, model);
  gtk_label_set_label (self->summary, summary);
  name_item (self, model);
}

static void
drop_record (VeilRequestRow *self)
{
  if (self->record != NULL)
    g_signal_handlers_disconnect_by_data (self->record, self);
  g_clear_object (&self->record);
}

void
veil_request_row_set_record (VeilRequestRow *self, VeilRecord *record)
{
  g_autofree char *time = NULL;

  drop_record (self);
  if (record == NULL)
    return;
  self->record = g_object_ref (record);
  /* What a row shows of it, and no more: many properties change at once. */
  if (veil_record_get_state (record) == VEIL_RECORD_WAITING)
    {
      g_signal_connect_swapped (record, "notify::state", G_CALLBACK (update), self);
      g_signal_connect_swapped (record, "notify::endpoint", G_CALLBACK (update), self);
      g_signal_connect_swapped (record, "notify::model", G_CALLBACK (update), self);
    }
  time = veil_explain_time (veil_record_get_time (record));
  gtk_label_set_label (self->time, time);
  update (self);
}

static void
veil_request_row_dispose (GObject *object)
{
  drop_record (VEIL_REQUEST_ROW (object));
  gtk_widget_dispose_template (GTK_WIDGET (object), VEIL_TYPE_REQUEST_ROW);
  G_OBJECT_CLASS (veil_request_row_parent_class)->dispose (object);
}

static void
veil_request_row_class_init (VeilRequestRowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = veil_request_row_dispose;
  gtk_widget_class_set_template_from_resource (widget_class, VEIL_RESOURCES "/request-row.ui");
  gtk_widget_class_bind_template_child (widget_class, VeilRequestRow, icon);
  gtk_widget_class_bind_template_child (widget_class, VeilRequestRow, model);
  gtk_widget_class_bind_template_child (widget_class, VeilRequestRow, time);
  gtk_widget_class_bind_template_child (widget_class, VeilRequestRow, summary);
}

static void
veil_request_row_init (VeilRequestRow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->shown = VEIL_RECORD_WAITING;
  gtk_image_set_from_icon_name (self->icon, looks[VEIL_RECORD_WAITING].icon);
  gtk_widget_add_css_class (GTK_WIDGET (self->icon), looks[VEIL_RECORD_WAITING].style);
}

GtkWidget *
veil_request_row_new (void)
{
  return g_object_new (VEIL_TYPE_REQUEST_ROW, NULL);
}
