/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "requests-page.h"

#include "direction.h"
#include "request-row.h"
#include "request-view.h"
#include "way-out.h"
#include "window.h"

#include <glib/gi18n.h>

struct _VeilRequestsPage
{
  AdwBin parent;

  VeilFront *front;              /* owned */
  VeilRecordList *records;       /* owned */
  GtkSingleSelection *selection; /* owned */
  gulong items_handler;          /* on the records */
  guint tick;                    /* of the list, 0: none */

  GtkStack *stack;
  AdwStatusPage *empty;
  GtkWidget *connect;
  VeilWayOut *way_out;
  AdwLeaflet *leaflet;
  GtkScrolledWindow *scroller;
  GtkListView *list;
  VeilRequestView *view;
};

G_DEFINE_FINAL_TYPE (VeilRequestsPage, veil_requests_page, ADW_TYPE_BIN)

static void
on_setup (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer user_data)
{
  gtk_list_item_set_child (item, veil_request_row_new ());
}

static void
on_bind (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer user_data)
{
  veil_request_row_set_record (VEIL_REQUEST_ROW (gtk_list_item_get_child (item)), gtk_list_item_get_item (item));
}

static void
on_unbind (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer user_data)
{
  veil_request_row_set_record (VEIL_REQUEST_ROW (gtk_list_item_get_child (item)), NULL);
}

static void
on_selected (VeilRequestsPage *self)
{
  VeilRecord *record = gtk_single_selection_get_selected_item (self->selection);

  veil_request_view_set_record (self->view, record);
  /* One that is gone leaves no page in a narrow window, nor a way back from it. */
  adw_leaflet_navigate (self->leaflet, record != NULL ? ADW_NAVIGATION_DIRECTION_FORWARD : ADW_NAVIGATION_DIRECTION_BACK);
}

/* By the Enter key, on one that only has the focus. */
static void
on_activate (VeilRequestsPage *self, guint position)
{
  gtk_single_selection_set_selected (self->selection, position);
}

/* In a narrow window, selecting the same one once more is to open it once more. */
static void
on_back (VeilRequestsPage *self)
{
  adw_leaflet_navigate (self->leaflet, ADW_NAVIGATION_DIRECTION_BACK);
}

static void
on_visible_child (VeilRequestsPage *self)
{
  if (adw_leaflet_get_folded (self->leaflet) && adw_leaflet_get_visible_child (self->leaflet) != GTK_WIDGET (self->view) &&
      !adw_leaflet_get_child_transition_running (self->leaflet))
    gtk_single_selection_set_selected (self->selection, GTK_INVALID_LIST_POSITION);
}

static gboolean
scroll_to_newest (GtkWidget *list, GdkFrameClock *clock, gpointer user_data)
{
  VeilRequestsPage *self = user_data;

  self->tick = 0;
  gtk_widget_activate_action (list, "list.scroll-to-item", "u", 0);
  return G_SOURCE_REMOVE;
}

/* Whoever looks at the newest goes on looking at the newest; once a frame is often enough. */
static void
on_items (GListModel *model, guint position, guint removed, guint added, VeilRequestsPage *self)
{
  gboolean some = g_list_model_get_n_items (model) > 0;
  GtkAdjustment *adjustment = gtk_scrolled_window_get_vadjustment (self->scroller);

  gtk_stack_set_visible_child_name (self->stack, some ? "list" : "empty");
  if (position == 0 && added > 0 && self->tick == 0 && gtk_adjustment_get_value (adjustment) < 1)
    self->tick = gtk_widget_add_tick_callback (GTK_WIDGET (self->list), scroll_to_newest, self, NULL);
}

static void
drop_records (VeilRequestsPage *self)
{
  if (self->records != NULL)
    g_clear_signal_handler (&self->items_handler, self->records);
  g_clear_object (&self->records);
}

void
veil_requests_page_set_records (VeilRequestsPage *self, VeilRecordList *records)
{
  g_object_ref (records);
  drop_records (self);
  self->records = records;
  gtk_single_selection_set_model (self->selection, G_LIST_MODEL (self->records));
  /* After the selection's and the list's own handlers. */
  self->items_handler = g_signal_connect_after (self->records, "items-changed", G_CALLBACK (on_items), self);
  on_items (G_LIST_MODEL (self->records), 0, 0, 0, self);
}

static void
on_service_changed (VeilFront *front, VeilRequestsPage *self)
{
  veil_requests_page_set_records (self, veil_service_get_records (veil_front_get_service (front)));
}

/* New string, in markup: why the list is empty. */
static char *
describe (VeilFront *front)
{
  g_autofree char *url = veil_front_get_url (front);
  g_autofree char *address = url != NULL ? veil_direction_isolate (url) : NULL;
  g_autofree char *problem = veil_way_out_explain (front);
  g_autofree char *status = veil_front_describe (front);

  if (problem != NULL)
    return g_markup_escape_text (problem, -1);
  switch (veil_front_get_state (front))
    {
    case VEIL_FRONT_ON:
      /* Translators: %s is an address */
      return g_markup_printf_escaped (_ ("Requests appear here when a program asks %s."), address);
    case VEIL_FRONT_OFF:
      return g_strdup (_ ("Veil is switched off, so no program can ask."));
    case VEIL_FRONT_STARTING:
    case VEIL_FRONT_FAILED:
    default:
      return g_markup_escape_text (status, -1);
    }
}

static void
on_front_changed (VeilFront *front, VeilRequestsPage *self)
{
  gboolean failed = veil_front_get_state (front) == VEIL_FRONT_FAILED;
  g_autofree char *description = describe (front);

  adw_status_page_set_icon_name (self->empty, failed ? "dialog-warning-symbolic" : "network-transmit-receive-symbolic");
  adw_status_page_set_title (self->empty, failed ? _ ("Veil Cannot Serve") : _ ("No Requests Yet"));
  if (g_strcmp0 (description, adw_status_page_get_description (self->empty)) != 0)
    adw_status_page_set_description (self->empty, description);
  gtk_widget_set_visible (self->connect, !failed);
  gtk_widget_set_visible (GTK_WIDGET (self->way_out), failed);
}

static void
veil_requests_page_dispose (GObject *object)
{
  VeilRequestsPage *self = VEIL_REQUESTS_PAGE (object);

  drop_records (self);
  g_clear_object (&self->selection);
  g_clear_object (&self->front);
  /* Before the template takes it away behind the back of AdwBin. */
  adw_bin_set_child (ADW_BIN (self), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), VEIL_TYPE_REQUESTS_PAGE);
  G_OBJECT_CLASS (veil_requests_page_parent_class)->dispose (object);
}

static void
veil_requests_page_class_init (VeilRequestsPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = veil_requests_page_dispose;
  g_type_ensure (VEIL_TYPE_REQUEST_VIEW);
  g_type_ensure (VEIL_TYPE_WAY_OUT);
  gtk_widget_class_set_template_from_resource (widget_class, VEIL_RESOURCES "/requests-page.ui");
  gtk_widget_class_bind_template_child (widget_class, VeilRequestsPage, stack);
  gtk_widget_class_bind_template_child (widget_class, VeilRequestsPage, empty);
  gtk_widget_class_bind_template_child (widget_class, VeilRequestsPage, connect);
  gtk_widget_class_bind_template_child (widget_class, VeilRequestsPage, way_out);
  gtk_widget_class_bind_template_child (widget_class, VeilRequestsPage, leaflet);
  gtk_widget_class_bind_template_child (widget_class, VeilRequestsPage, scroller);
  gtk_widget_class_bind_template_child (widget_class, VeilRequestsPage, list);
  gtk_widget_class_bind_template_child (widget_class, VeilRequestsPage, view);
  gtk_widget_class_bind_template_callback (widget_class, on_setup);
  gtk_widget_class_bind_template_callback (widget_class, on_bind);
  gtk_widget_class_bind_template_callback (widget_class, on_unbind);
  gtk_widget_class_bind_template_callback (widget_class, on_activate);
  gtk_widget_class_bind_template_callback (widget_class, on_back);
  gtk_widget_class_bind_template_callback (widget_class, on_visible_child);
}

static void
veil_requests_page_init (VeilRequestsPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->selection = gtk_single_selection_new (NULL);
  gtk_single_selection_set_autoselect (self->selection, FALSE);
  gtk_single_selection_set_can_unselect (self->selection, TRUE);
  g_signal_connect_object (self->selection, "notify::selected-item", G_CALLBACK (on_selected), self, G_CONNECT_SWAPPED);
  gtk_list_view_set_model (self->list, GTK_SELECTION_MODEL (self->selection));
}

void
veil_requests_page_set_front (VeilRequestsPage *self, VeilFront *front)
{
  self->front = g_object_ref (front);
  veil_way_out_set_front (self->way_out, front);
  g_signal_connect_object (front, "service-changed", G_CALLBACK (on_service_changed), self, 0);
  g_signal_connect_object (front, "changed", G_CALLBACK (on_front_changed), self, 0);
  on_service_changed (front, self);
  on_front_changed (front, self);
}

void
veil_requests_page_show_request (VeilRequestsPage *self, gint64 time)
{
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (self->records)); i++)
    {
      g_autoptr (VeilRecord) record = g_list_model_get_item (G_LIST_MODEL (self->records), i);

      if (veil_record_get_time (record) != time)
        continue;
      gtk_single_selection_set_selected (self->selection, i);
      gtk_widget_activate_action (GTK_WIDGET (self->list), "list.scroll-to-item", "u", i);
      return;
    }
}
