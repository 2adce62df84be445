/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "request-view.h"

#include "explain.h"
#include "export.h"
#include "fact-row.h"
#include "request-row.h"
#include "window.h"

#include <glib/gi18n.h>

typedef enum
{
  FACT_TIME,
  FACT_MODEL,
  FACT_KIND,
  FACT_DURATION,
  FACT_ENDPOINT,
  FACT_TEE_ID,
  FACT_PCR,
  FACT_REQUEST_HASH,
  FACT_OUTPUT_HASH,
  FACT_SIGNED,
  FACT_UNSIGNED,
  FACT_DROPPED,
  N_FACTS
} Fact;

struct _VeilRequestView
{
  AdwBin parent;

  VeilRecord *record; /* owned; NULL: none is selected */

  GtkStack *stack;
  GtkWidget *toolbar;
  AdwPreferencesPage *page;
  GtkImage *icon;
  GtkLabel *state;
  GtkLabel *outcome;
  GtkLabel *meaning;
  GtkLabel *advice;
  AdwPreferencesGroup *checks_group;
  AdwPreferencesGroup *request_group;
  AdwPreferencesGroup *enclave_group;
  AdwPreferencesGroup *proof_group;
  GtkWidget *export;
  GtkWidget *checks[VEIL_N_CHECKS]; /* AdwActionRow */
  GtkWidget *check_icons[VEIL_N_CHECKS];
  GtkWidget *facts[N_FACTS];
};

G_DEFINE_FINAL_TYPE (VeilRequestView, veil_request_view, ADW_TYPE_BIN)

enum
{
  PROP_NARROW = 1,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

enum
{
  BACK,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
set_text (GtkLabel *label, const char *text)
{
  gtk_label_set_label (label, text != NULL ? text : "");
  gtk_widget_set_visible (GTK_WIDGET (label), text != NULL);
}

static void
show_outcome (VeilRequestView *self)
{
  VeilRecordState state = veil_record_get_state (self->record);
  g_autofree char *outcome = veil_explain_outcome (self->record);
  const char *const classes[] = { veil_request_row_get_style (state), NULL };
  const char *const title_classes[] = { "title-2", veil_request_row_get_style (state), NULL };

  gtk_image_set_from_icon_name (self->icon, veil_request_row_get_icon (state));
  gtk_widget_set_css_classes (GTK_WIDGET (self->icon), (const char **) classes);
  gtk_label_set_label (self->state, veil_explain_state (self->record));
  gtk_widget_set_css_classes (GTK_WIDGET (self->state), (const char **) title_classes);
  set_text (self->outcome, outcome);
  set_text (self->meaning, veil_explain_meaning (self->record));
  set_text (self->advice, veil_explain_advice (self->record));
}

static void
show_check (VeilRequestView *self, VeilCheck check)
{
  static const struct
  {
    const char *icon;
    const char *style;
  } looks[] = {
    [VEIL_CHECK_NOT_REACHED] = { "list-remove-symbolic", "dim-label" },
    [VEIL_CHECK_PASSED] = { "emblem-ok-symbolic", "success" },
    [VEIL_CHECK_FAILED] = { "window-close-symbolic", "error" },
  };
  VeilCheckState state = veil_record_get_check_state (self->record, check);
  const char *const classes[] = { looks[state].style, NULL };

  gtk_image_set_from_icon_name (GTK_IMAGE (self->check_icons[check]), looks[state].icon);
  gtk_widget_set_css_classes (self->check_icons[check], (const char **) classes);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (self->checks[check]), veil_explain_check_state (state));
}

static void
show_fact (VeilRequestView *self, Fact fact, const char *value)
{
  veil_fact_row_set_value (VEIL_FACT_ROW (self->facts[fact]), value);
}

static void
show_names (VeilRequestView *self, Fact fact, const char *const *names)
{
  g_autofree char *joined = names != NULL && names[0] != NULL ? g_strjoinv (", ", (char **) names) : NULL;

  show_fact (self, fact, joined);
}

static char *
describe_duration (VeilRecord *record)
{
  const VeilTiming *timing = veil_record_get_timing (record);
  g_autofree char *all = veil_explain_duration (veil_record_get_duration (record));
  g_autofree char *queue = veil_explain_duration (veil_record_get_queue (record));
  g_autofree char *seal = NULL;
  g_autofree char *relay = NULL;
  g_autofree char *verify = NULL;

  if (veil_record_get_state (record) == VEIL_RECORD_WAITING)
    return NULL;
  if (veil_record_get_state (record) != VEIL_RECORD_VERIFIED)
    return g_steal_pointer (&all);
  seal = veil_explain_duration (timing->seal);
  relay = veil_explain_duration (timing->relay);
  verify = veil_explain_duration (timing->open + timing->verify);
  /* Translators: all are durations, as in "0.8 s: waited 2 ms, sealed in 1 ms, …" */
  return g_strdup_printf (_ ("%s: waited %s, sealed in %s, answered after %s, verified in %s"), all, queue, seal, relay, verify);
}

static void
show_facts (VeilRequestView *self)
{
  VeilRecord *record = self->record;
  g_autofree char *time = veil_explain_time (veil_record_get_time (record));
  g_autofree char *model = veil_explain_model (record);
  g_autofree char *duration = describe_duration (record);
  gboolean verified = veil_record_get_state (record) == VEIL_RECORD_VERIFIED;

  gtk_widget_set_visible (self->export, verified);
  show_fact (self, FACT_TIME, time);
  show_fact (self, FACT_MODEL, model);
  show_fact (self, FACT_KIND, veil_record_get_stream (record) ? _ ("Stream, verified as a whole before it was passed on") : NULL);
  show_fact (self, FACT_DURATION, duration);
  show_fact (self, FACT_ENDPOINT, veil_record_get_endpoint (record));
  show_fact (self, FACT_TEE_ID, veil_record_get_tee_id (record));
  show_fact (self, FACT_PCR, veil_record_get_pcr_hash (record));
  show_fact (self, FACT_REQUEST_HASH, veil_record_get_request_hash (record));
  show_fact (self, FACT_OUTPUT_HASH, veil_record_get_output_hash (record));
  show_names (self, FACT_SIGNED, verified ? veil_record_get_signed (record) : NULL);
  show_names (self, FACT_UNSIGNED, verified ? veil_record_get_unsigned (record) : NULL);
  show_names (self, FACT_DROPPED, veil_record_get_dropped (record));
  gtk_widget_set_visible (GTK_WIDGET (self->enclave_group), veil_record_get_tee_id (record) != NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->proof_group), veil_record_get_request_hash (record) != NULL);
}

static void
update (VeilRequestView *self)
{
  show_outcome (self);
  for (VeilCheck check = 0; check < VEIL_N_CHECKS; check++)
    show_check (self, check);
  gtk_widget_set_visible (GTK_WIDGET (self->checks_group), veil_record_get_state (self->record) != VEIL_RECORD_FAILED);
  show_facts (self);
}

void
veil_request_view_set_record (VeilRequestView *self, VeilRecord *record)
{
  if (record == self->record)
    return;
  if (self->record != NULL)
    g_signal_handlers_disconnect_by_data (self->record, self);
  g_clear_object (&self->record);
  gtk_stack_set_visible_child_name (self->stack, record != NULL ? "request" : "none");
  if (record == NULL)
    return;
  self->record = g_object_ref (record);
  g_signal_connect_swapped (record, "notify::state", G_CALLBACK (update), self);
  g_signal_connect_swapped (record, "notify::endpoint", G_CALLBACK (update), self);
  update (self);
}

static void
on_export (VeilRequestView *self)
{
  veil_export_receipt (GTK_WIDGET (self), self->record);
}

static void
on_back (VeilRequestView *self)
{
  g_signal_emit (self, signals[BACK], 0);
}

static void
build_checks (VeilRequestView *self)
{
  for (VeilCheck check = 0; check < VEIL_N_CHECKS; check++)
    {
      self->checks[check] = adw_action_row_new ();
      self->check_icons[check] = gtk_image_new ();
      adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (self->checks[check]), FALSE);
      adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->checks[check]), veil_check_get_title (check));
      adw_action_row_set_title_lines (ADW_ACTION_ROW (self->checks[check]), 0);
      adw_action_row_add_prefix (ADW_ACTION_ROW (self->checks[check]), self->check_icons[check]);
      adw_preferences_group_add (self->checks_group, self->checks[check]);
    }
}

static void
build_facts (VeilRequestView *self)
{
  const struct
  {
    AdwPreferencesGroup *group;
    const char *title;
    gboolean copyable;
  } rows[N_FACTS] = {
    [FACT_TIME] = { self->request_group, _ ("Time"), FALSE },
    [FACT_MODEL] = { self->request_group, _ ("Model"), FALSE },
    [FACT_KIND] = { self->request_group, _ ("Kind"), FALSE },
    [FACT_DURATION] = { self->request_group, _ ("Duration"), FALSE },
    [FACT_ENDPOINT] = { self->enclave_group, _ ("Endpoint"), TRUE },
    [FACT_TEE_ID] = { self->enclave_group, _ ("Enclave Id"), TRUE },
    [FACT_PCR] = { self->enclave_group, _ ("PCR Hash"), TRUE },
    [FACT_REQUEST_HASH] = { self->proof_group, _ ("Request Hash"), TRUE },
    [FACT_OUTPUT_HASH] = { self->proof_group, _ ("Output Hash"), TRUE },
    [FACT_SIGNED] = { self->proof_group, _ ("Signed"), FALSE },
    [FACT_UNSIGNED] = { self->proof_group, _ ("Present but Not Signed"), FALSE },
    [FACT_DROPPED] = { self->proof_group, _ ("Asked for but Not Sent"), FALSE },
  };

  for (Fact fact = 0; fact < N_FACTS; fact++)
    {
      self->facts[fact] = veil_fact_row_new (rows[fact].title, rows[fact].copyable);
      adw_preferences_group_add (rows[fact].group, self->facts[fact]);
    }
}

static void
veil_request_view_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  VeilRequestView *self = VEIL_REQUEST_VIEW (object);

  if (id == PROP_NARROW)
    gtk_widget_set_visible (self->toolbar, g_value_get_boolean (value));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
veil_request_view_dispose (GObject *object)
{
  VeilRequestView *self = VEIL_REQUEST_VIEW (object);

  if (self->record != NULL)
    g_signal_handlers_disconnect_by_data (self->record, self);
  g_clear_object (&self->record);
  /* Before the template takes it away behind the back of AdwBin. */
  adw_bin_set_child (ADW_BIN (self), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), VEIL_TYPE_REQUEST_VIEW);
  G_OBJECT_CLASS (veil_request_view_parent_class)->dispose (object);
}

static void
veil_request_view_class_init (VeilRequestViewClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = veil_request_view_dispose;
  object_class->set_property = veil_request_view_set_property;
  props[PROP_NARROW] = g_param_spec_boolean ("narrow", NULL, NULL, FALSE, G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
  signals[BACK] = g_signal_new ("back", VEIL_TYPE_REQUEST_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);

  gtk_widget_class_set_template_from_resource (widget_class, VEIL_RESOURCES "/request-view.ui");
  gtk_widget_class_bind_template_child (widget_class, VeilRequestView, stack);
  gtk_widget_class_bind_template_child (widget_class, VeilRequestView, toolbar);
  gtk_widget_class_bind_template_child (widget_class, VeilRequestView, page);
  gtk_widget_class_bind_template_child (widget_class, VeilRequestView, icon);
  gtk_widget_class_bind_template_child (widget_class, VeilRequestView, state);
  gtk_widget_class_bind_template_child (widget_class, VeilRequestView, outcome);
  gtk_widget_class_bind_template_child (widget_class, VeilRequestView, meaning);
  gtk_widget_class_bind_template_child (widget_class, VeilRequestView, advice);
  gtk_widget_class_bind_template_child (widget_class, VeilRequestView, checks_group);
  gtk_widget_class_bind_template_child (widget_class, VeilRequestView, request_group);
  gtk_widget_class_bind_template_child (widget_class, VeilRequestView, enclave_group);
  gtk_widget_class_bind_template_child (widget_class, VeilRequestView, proof_group);
  gtk_widget_class_bind_template_child (widget_class, VeilRequestView, export);
  gtk_widget_class_bind_template_callback (widget_class, on_export);
  gtk_widget_class_bind_template_callback (widget_class, on_back);
}

static void
veil_request_view_init (VeilRequestView *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  build_checks (self);
  build_facts (self);
}
