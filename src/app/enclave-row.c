/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "enclave-row.h"

#include "attest-dialog.h"
#include "change.h"
#include "choice-button.h"
#include "direction.h"
#include "fact-row.h"
#include "window.h"

#include <glib/gi18n.h>

typedef enum
{
  FACT_VERSION,
  FACT_HEARTBEAT,
  FACT_PCR,
  FACT_ID,
  FACT_ENDPOINT,
  N_FACTS
} Fact;

struct _VeilEnclaveRow
{
  AdwExpanderRow parent;

  VeilEnclaveItem *item; /* owned */
  VeilFront *front;      /* owned */
  gboolean updating;

  GtkCheckButton *choose;
  GtkImage *icon;
  AdwActionRow *pin_row;
  GtkSwitch *pin;
  GtkWidget *facts[N_FACTS];
};

G_DEFINE_FINAL_TYPE (VeilEnclaveRow, veil_enclave_row, ADW_TYPE_EXPANDER_ROW)

static void
show_health (VeilEnclaveRow *self)
{
  VeilEnclaveItem *item = self->item;
  const char *icon = "emblem-ok-symbolic", *style = "success";
  const char *classes[2] = { NULL };

  if (veil_enclave_item_get_unusable (item) != NULL)
    icon = "action-unavailable-symbolic", style = "error";
  else if (veil_enclave_item_get_excluded (item))
    icon = "action-unavailable-symbolic", style = "dim-label";
  else if (veil_enclave_item_get_aside (item) > 0)
    icon = "dialog-warning-symbolic", style = "warning";
  else if (!veil_enclave_item_get_in_use (item))
    style = "dim-label";
  classes[0] = style;
  gtk_image_set_from_icon_name (self->icon, icon);
  gtk_widget_set_css_classes (GTK_WIDGET (self->icon), classes);
}

static void
update (VeilEnclaveRow *self)
{
  VeilEnclaveItem *item = self->item;
  const VeilSettings *settings = veil_front_get_settings (self->front);
  g_autofree char *state = veil_enclave_item_describe (item);
  const char *version = veil_enclave_item_get_version (item);
  g_autofree char *short_id = g_strdup_printf ("%.10s…", veil_enclave_item_get_id (item));
  g_autofree char *id = veil_direction_isolate (short_id);
  g_autofree char *build = version != NULL ? veil_direction_isolate (version) : NULL;
  /* Several may share a host. */
  g_autofree char *subtitle = g_strjoin (" · ", state, version != NULL ? build : id, version != NULL ? id : NULL, NULL);
  g_autofree char *heartbeat = veil_enclave_item_describe_heartbeat (item);
  const char *values[N_FACTS] = {
    [FACT_VERSION] = veil_enclave_item_get_version (item),   [FACT_HEARTBEAT] = heartbeat,
    [FACT_PCR] = veil_enclave_item_get_pcr_hash (item),      [FACT_ID] = veil_enclave_item_get_id (item),
    [FACT_ENDPOINT] = veil_enclave_item_get_endpoint (item),
  };

  self->updating = TRUE;
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self), veil_enclave_item_get_host (item));
  adw_expander_row_set_subtitle (ADW_EXPANDER_ROW (self), subtitle);
  show_health (self);
  gtk_check_button_set_active (self->choose, veil_enclave_item_get_selected (item));
  gtk_widget_set_sensitive (GTK_WIDGET (self->choose),
                            !veil_settings_is_given (settings, "tee-id") &&
                                (veil_enclave_item_get_unusable (item) == NULL || veil_enclave_item_get_selected (item)));
  gtk_switch_set_active (self->pin, veil_enclave_item_get_pinned (item));
  gtk_widget_set_sensitive (GTK_WIDGET (self->pin_row), !veil_settings_is_given (settings, "pcr-pins"));
  for (Fact fact = 0; fact < N_FACTS && self->facts[fact] != NULL; fact++)
    veil_fact_row_set_value (VEIL_FACT_ROW (self->facts[fact]), values[fact]);
  self->updating = FALSE;
}

void
veil_enclave_row_look (VeilEnclaveRow *self)
{
  g_autofree char *heartbeat = NULL;

  if (self->facts[FACT_HEARTBEAT] == NULL)
    return;
  heartbeat = veil_enclave_item_describe_heartbeat (self->item);
  veil_fact_row_set_value (VEIL_FACT_ROW (self->facts[FACT_HEARTBEAT]), heartbeat);
}

static void
on_choose (VeilEnclaveRow *self)
{
  if (!self->updating && gtk_check_button_get_active (self->choose))
    veil_change_setting (GTK_WIDGET (self), self->front, "tee-id", g_variant_new_string (veil_enclave_item_get_id (self->item)));
}

static void
on_pin (VeilEnclaveRow *self)
{
  gboolean active = gtk_switch_get_active (self->pin);

  if (self->updating || active == veil_enclave_item_get_pinned (self->item))
    return;
  if (active)
    veil_change_add_pin (GTK_WIDGET (self), self->front, veil_enclave_item_get_pcr_hash (self->item),
                         veil_enclave_item_get_version (self->item));
  else
    veil_change_remove_pin (GTK_WIDGET (self), self->front, veil_enclave_item_get_pcr_hash (self->item));
}

static void
on_attest (VeilEnclaveRow *self)
{
  veil_attest_dialog_ask (GTK_WIDGET (self), self->front, veil_enclave_item_get_tee (self->item));
}

static void
veil_enclave_row_dispose (GObject *object)
{
  VeilEnclaveRow *self = VEIL_ENCLAVE_ROW (object);

  g_clear_object (&self->item);
  g_clear_object (&self->front);
  gtk_widget_dispose_template (GTK_WIDGET (self), VEIL_TYPE_ENCLAVE_ROW);
  G_OBJECT_CLASS (veil_enclave_row_parent_class)->dispose (object);
}

static void
veil_enclave_row_class_init (VeilEnclaveRowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = veil_enclave_row_dispose;
  g_type_ensure (VEIL_TYPE_CHOICE_BUTTON);
  gtk_widget_class_set_template_from_resource (widget_class, VEIL_RESOURCES "/enclave-row.ui");
  gtk_widget_class_bind_template_child (widget_class, VeilEnclaveRow, choose);
  gtk_widget_class_bind_template_child (widget_class, VeilEnclaveRow, icon);
  gtk_widget_class_bind_template_child (widget_class, VeilEnclaveRow, pin_row);
  gtk_widget_class_bind_template_child (widget_class, VeilEnclaveRow, pin);
  gtk_widget_class_bind_template_callback (widget_class, on_choose);
  gtk_widget_class_bind_template_callback (widget_class, on_pin);
  gtk_widget_class_bind_template_callback (widget_class, on_attest);
}

/* The first time that it is unfolded: most never are, and there may be many. */
static void
build_facts (VeilEnclaveRow *self)
{
  const struct
  {
    const char *title;
    gboolean copyable;
  } rows[N_FACTS] = {
    [FACT_VERSION] = { _ ("Version of the Build"), FALSE },
    [FACT_HEARTBEAT] = { _ ("Last Heartbeat"), FALSE },
    [FACT_PCR] = { _ ("PCR Hash"), TRUE },
    [FACT_ID] = { _ ("Enclave Id"), TRUE },
    [FACT_ENDPOINT] = { _ ("Endpoint"), TRUE },
  };

  for (Fact fact = 0; fact < N_FACTS; fact++)
    {
      self->facts[fact] = veil_fact_row_new (rows[fact].title, rows[fact].copyable);
      adw_expander_row_add_row (ADW_EXPANDER_ROW (self), self->facts[fact]);
    }
}

static void
on_expanded (VeilEnclaveRow *self)
{
  if (self->facts[0] != NULL || !adw_expander_row_get_expanded (ADW_EXPANDER_ROW (self)))
    return;
  build_facts (self);
  update (self);
}

static void
veil_enclave_row_init (VeilEnclaveRow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  g_signal_connect (self, "notify::expanded", G_CALLBACK (on_expanded), NULL);
}

GtkWidget *
veil_enclave_row_new (VeilEnclaveItem *item, VeilFront *front, GtkCheckButton *group)
{
  VeilEnclaveRow *self = g_object_new (VEIL_TYPE_ENCLAVE_ROW, NULL);
  /* Translators: %s is the host name of an enclave */
  g_autofree char *label = g_strdup_printf (_ ("Use only %s"), veil_enclave_item_get_host (item));

  self->item = g_object_ref (item);
  self->front = g_object_ref (front);
  gtk_check_button_set_group (self->choose, group);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->choose), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->choose), label);
  g_signal_connect_object (item, "changed", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  update (self);
  return GTK_WIDGET (self);
}
