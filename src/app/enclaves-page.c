/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "enclaves-page.h"

#include "change.h"
#include "choice-button.h"
#include "enclave-row.h"
#include "window.h"

#include <glib/gi18n.h>

/* Ages are shown. */
#define LOOK_S 1
/* Each is a dozen widgets, made at once; whoever fills the registry is not to stop the endpoint by that. */
#define MAX_ROWS 50

struct _VeilEnclavesPage
{
  AdwBin parent;

  VeilFront *front;      /* owned */
  VeilEnclaveList *list; /* owned */
  guint look;            /* source, while mapped */
  gboolean updating;
  gboolean stale; /* the rows are of another list than there is now */

  GtkStack *stack;
  AdwStatusPage *nothing;
  AdwPreferencesGroup *problem_group;
  AdwActionRow *problem_row;
  AdwPreferencesGroup *group;
  GtkStack *refresh_stack;
  AdwActionRow *automatic_row;
  GtkCheckButton *automatic;
  AdwActionRow *missing_row;
  GtkCheckButton *missing;
  GPtrArray *rows; /* owned, of VeilEnclaveRow in group */
  GtkWidget *more_group;
  AdwActionRow *more_row;
};

G_DEFINE_FINAL_TYPE (VeilEnclavesPage, veil_enclaves_page, ADW_TYPE_BIN)

static guint
count_shown (VeilEnclavesPage *self)
{
  return MIN (g_list_model_get_n_items (G_LIST_MODEL (self->list)), MAX_ROWS);
}

static void
show_more (VeilEnclavesPage *self)
{
  guint more = g_list_model_get_n_items (G_LIST_MODEL (self->list)) - count_shown (self);
  g_autofree char *title = g_strdup_printf (ngettext ("%u more is not shown here", "%u more are not shown here", more), more);

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->more_row), title);
  gtk_widget_set_visible (self->more_group, more > 0);
}

static void
build_rows (VeilEnclavesPage *self)
{
  for (guint i = 0; i < self->rows->len; i++)
    adw_preferences_group_remove (self->group, self->rows->pdata[i]);
  g_ptr_array_set_size (self->rows, 0);
  for (guint i = 0; i < count_shown (self); i++)
    {
      g_autoptr (VeilEnclaveItem) item = g_list_model_get_item (G_LIST_MODEL (self->list), i);
      GtkWidget *row = veil_enclave_row_new (item, self->front, self->automatic);

      adw_preferences_group_add (self->group, row);
      g_ptr_array_add (self->rows, row);
    }
  show_more (self);
  self->stale = FALSE;
}

/* Nobody waits for rows that are not looked at. */
static void
on_items (VeilEnclavesPage *self)
{
  self->stale = TRUE;
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    build_rows (self);
}

/* With a row of its own, that is. */
static gboolean
is_shown (VeilEnclavesPage *self, const char *tee_id)
{
  for (guint i = 0; i < count_shown (self); i++)
    {
      g_autoptr (VeilEnclaveItem) item = g_list_model_get_item (G_LIST_MODEL (self->list), i);

      if (g_str_equal (veil_enclave_item_get_id (item), tee_id))
        return TRUE;
    }
  return FALSE;
}

/* The one that was chosen may not be there: it stays chosen, and is shown as such. */
static void
show_choice (VeilEnclavesPage *self)
{
  const VeilSettings *settings = veil_front_get_settings (self->front);
  gboolean missing = settings->tee_id != NULL && !is_shown (self, settings->tee_id);

  self->updating = TRUE;
  gtk_widget_set_visible (GTK_WIDGET (self->missing_row), missing);
  adw_action_row_set_subtitle (self->missing_row, missing ? settings->tee_id : "");
  gtk_check_button_set_active (self->missing, missing);
  gtk_check_button_set_active (self->automatic, settings->tee_id == NULL);
  gtk_widget_set_sensitive (GTK_WIDGET (self->automatic_row), !veil_settings_is_given (settings, "tee-id"));
  adw_preferences_group_set_description (self->group, veil_settings_is_given (settings, "tee-id")
                                                          ? _ ("Which one to use was said when Veil was started.")
                                                          : _ ("Veil asks one of them, or only the one that you choose."));
  self->updating = FALSE;
}

static void
show_problem (VeilEnclavesPage *self)
{
  const GError *problem = veil_enclave_list_get_problem (self->list);
  const GError *obstacle = veil_enclave_list_get_obstacle (self->list);
  const GError *shown = obstacle != NULL ? obstacle : problem;

  gtk_widget_set_visible (GTK_WIDGET (self->problem_group), shown != NULL);
  if (shown == NULL)
    return;
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->problem_row),
                                 obstacle != NULL ? _ ("No enclave can be used") : _ ("The registry could not be read again"));
  adw_action_row_set_subtitle (self->problem_row, shown->message);
}

static void
show_nothing (VeilEnclavesPage *self)
{
  const GError *problem = veil_enclave_list_get_problem (self->list);
  gboolean known = veil_enclave_list_get_known (self->list);
  g_autofree char *escaped = problem != NULL ? g_markup_escape_text (problem->message, -1) : NULL;

  adw_status_page_set_icon_name (self->nothing, problem != NULL && !known ? "network-error-symbolic" : "network-server-symbolic");
  adw_status_page_set_title (self->nothing, known             ? _ ("No Active Enclave")
                                            : problem != NULL ? _ ("The Registry Cannot Be Read")
                                                              : _ ("Reading the Registry…"));
  adw_status_page_set_description (self->nothing,
                                   known ? _ ("The registry lists none that is active. Veil looks again by itself.") : escaped);
}

static void
update (VeilEnclavesPage *self)
{
  gboolean some = g_list_model_get_n_items (G_LIST_MODEL (self->list)) > 0;

  gtk_stack_set_visible_child_name (self->stack, some ? "list" : "nothing");
  gtk_stack_set_visible_child_name (self->refresh_stack, veil_enclave_list_get_reading (self->list) ? "reading" : "refresh");
  if (some)
    {
      show_choice (self);
      show_problem (self);
    }
  else
    show_nothing (self);
}

static void
on_automatic (VeilEnclavesPage *self)
{
  if (!self->updating && gtk_check_button_get_active (self->automatic))
    veil_change_setting (GTK_WIDGET (self), self->front, "tee-id", g_variant_new_string ("auto"));
}

static void
on_refresh (VeilEnclavesPage *self)
{
  veil_enclave_list_refresh (self->list);
}

static gboolean
on_look (gpointer data)
{
  VeilEnclavesPage *self = data;

  veil_enclave_list_update (self->list);
  for (guint i = 0; i < self->rows->len; i++)
    veil_enclave_row_look (self->rows->pdata[i]);
  return G_SOURCE_CONTINUE;
}

static void
veil_enclaves_page_map (GtkWidget *widget)
{
  VeilEnclavesPage *self = VEIL_ENCLAVES_PAGE (widget);

  GTK_WIDGET_CLASS (veil_enclaves_page_parent_class)->map (widget);
  veil_enclave_list_update (self->list);
  if (self->stale)
    build_rows (self);
  self->look = g_timeout_add_seconds (LOOK_S, on_look, self);
}

static void
veil_enclaves_page_unmap (GtkWidget *widget)
{
  VeilEnclavesPage *self = VEIL_ENCLAVES_PAGE (widget);

  g_clear_handle_id (&self->look, g_source_remove);
  GTK_WIDGET_CLASS (veil_enclaves_page_parent_class)->unmap (widget);
}

static void
veil_enclaves_page_dispose (GObject *object)
{
  VeilEnclavesPage *self = VEIL_ENCLAVES_PAGE (object);

  g_clear_handle_id (&self->look, g_source_remove);
  g_clear_object (&self->list);
  g_clear_object (&self->front);
  /* Before the template takes it away behind the back of AdwBin. */
  adw_bin_set_child (ADW_BIN (self), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), VEIL_TYPE_ENCLAVES_PAGE);
  G_OBJECT_CLASS (veil_enclaves_page_parent_class)->dispose (object);
}

static void
veil_enclaves_page_finalize (GObject *object)
{
  g_ptr_array_unref (VEIL_ENCLAVES_PAGE (object)->rows);
  G_OBJECT_CLASS (veil_enclaves_page_parent_class)->finalize (object);
}

static void
veil_enclaves_page_class_init (VeilEnclavesPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = veil_enclaves_page_dispose;
  G_OBJECT_CLASS (klass)->finalize = veil_enclaves_page_finalize;
  widget_class->map = veil_enclaves_page_map;
  widget_class->unmap = veil_enclaves_page_unmap;
  g_type_ensure (VEIL_TYPE_CHOICE_BUTTON);
  gtk_widget_class_set_template_from_resource (widget_class, VEIL_RESOURCES "/enclaves-page.ui");
  gtk_widget_class_bind_template_child (widget_class, VeilEnclavesPage, stack);
  gtk_widget_class_bind_template_child (widget_class, VeilEnclavesPage, nothing);
  gtk_widget_class_bind_template_child (widget_class, VeilEnclavesPage, problem_group);
  gtk_widget_class_bind_template_child (widget_class, VeilEnclavesPage, problem_row);
  gtk_widget_class_bind_template_child (widget_class, VeilEnclavesPage, group);
  gtk_widget_class_bind_template_child (widget_class, VeilEnclavesPage, refresh_stack);
  gtk_widget_class_bind_template_child (widget_class, VeilEnclavesPage, automatic_row);
  gtk_widget_class_bind_template_child (widget_class, VeilEnclavesPage, automatic);
  gtk_widget_class_bind_template_child (widget_class, VeilEnclavesPage, missing_row);
  gtk_widget_class_bind_template_child (widget_class, VeilEnclavesPage, missing);
  gtk_widget_class_bind_template_child (widget_class, VeilEnclavesPage, more_group);
  gtk_widget_class_bind_template_child (widget_class, VeilEnclavesPage, more_row);
  gtk_widget_class_bind_template_callback (widget_class, on_automatic);
  gtk_widget_class_bind_template_callback (widget_class, on_refresh);
}

static void
veil_enclaves_page_init (VeilEnclavesPage *self)
{
  self->rows = g_ptr_array_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
veil_enclaves_page_set_front (VeilEnclavesPage *self, VeilFront *front)
{
  self->front = g_object_ref (front);
  self->list = veil_enclave_list_new (front);
  g_signal_connect_object (self->list, "items-changed", G_CALLBACK (on_items), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->list, "changed", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  on_items (self);
  update (self);
}
