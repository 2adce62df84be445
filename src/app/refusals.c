/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "refusals.h"

#include "explain.h"

#include <glib/gi18n.h>

struct _VeilRefusals
{
  GObject parent;

  GtkApplication *application; /* not owned: it outlives this */
  VeilFront *front;            /* owned */
  guint64 refused;             /* as last counted, of this service */
  guint64 untold;              /* since the last notification */
  gint64 told_at;              /* monotonic; 0 is never */
  gboolean news;
};

G_DEFINE_FINAL_TYPE (VeilRefusals, veil_refusals, G_TYPE_OBJECT)

enum
{
  PROP_NEWS = 1,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

static void
set_news (VeilRefusals *self, gboolean news)
{
  if (self->news == news)
    return;
  self->news = news;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_NEWS]);
}

/* (transfer full) (nullable): the newest; that there is one was said a moment ago. */
static VeilRecord *
find_refused (VeilFront *front)
{
  GListModel *records = G_LIST_MODEL (veil_service_get_records (veil_front_get_service (front)));
  guint length = g_list_model_get_n_items (records);

  for (guint i = 0; i < length; i++)
    {
      g_autoptr (VeilRecord) record = g_list_model_get_item (records, i);

      if (veil_record_get_state (record) == VEIL_RECORD_REFUSED)
        return g_steal_pointer (&record);
    }
  return NULL;
}

static char *
make_body (guint64 count, VeilRecord *record)
{
  g_autofree char *model = record != NULL && veil_record_get_model (record) != NULL ? veil_explain_model (record) : NULL;

  if (count > 1)
    return g_strdup_printf (ngettext ("%lu answer could not be verified, and nothing of it was passed on.",
                                      "%lu answers could not be verified, and nothing of them was passed on.", (gulong) count),
                            (gulong) count);
  if (model == NULL)
    return g_strdup (_ ("It could not be verified, and nothing of it was passed on."));
  /* Some desktops read markup in this and some do not: nothing can be escaped for both. */
  g_strdelimit (model, "<>&", ' ');
  return g_strdup_printf (_ ("What %s answered could not be verified, and nothing of it was passed on."), model);
}

static void
notify (VeilRefusals *self)
{
  g_autoptr (VeilRecord) record = find_refused (self->front);
  g_autoptr (GNotification) notification =
      g_notification_new (veil_front_get_sandbox (self->front) ? _ ("Answer Refused (Sandbox)") : _ ("Answer Refused"));
  g_autoptr (GIcon) icon = g_themed_icon_new ("ai.opengradient.Veil-attention-symbolic");
  g_autofree char *body = make_body (self->untold, record);

  g_notification_set_body (notification, body);
  g_notification_set_icon (notification, icon);
  g_notification_set_priority (notification, G_NOTIFICATION_PRIORITY_HIGH);
  /* It may stay longer than this run, or than the sandbox; numbers are given out anew in each. */
  if (record != NULL)
    g_notification_set_default_action_and_target (notification, "app.show-request", "x", veil_record_get_time (record));
  else
    g_notification_set_default_action_and_target (notification, "app.show-page", "s", "requests");
  g_application_send_notification (G_APPLICATION (self->application), "refused", notification);
  self->told_at = g_get_monotonic_time ();
  self->untold = 0;
}

static gboolean
is_looked_at (VeilRefusals *self)
{
  GtkWindow *window = gtk_application_get_active_window (self->application);

  return window != NULL && gtk_window_is_active (window);
}

static void
on_front_changed (VeilRefusals *self)
{
  VeilBackendHealth health = { NULL };
  guint64 refused;

  veil_backend_get_health (VEIL_BACKEND (veil_front_get_service (self->front)), &health);
  refused = health.refused;
  veil_backend_health_clear (&health);
  if (refused <= self->refused)
    {
      self->refused = refused;
      return;
    }
  self->untold += refused - self->refused;
  self->refused = refused;
  set_news (self, !is_looked_at (self));
  if (self->told_at == 0 || g_get_monotonic_time () - self->told_at >= VEIL_REFUSALS_PAUSE_US)
    notify (self);
}

static void
on_service_changed (VeilRefusals *self)
{
  self->refused = 0;
  self->untold = 0;
  set_news (self, FALSE);
}

VeilRefusals *
veil_refusals_new (GtkApplication *application, VeilFront *front)
{
  VeilRefusals *self = g_object_new (VEIL_TYPE_REFUSALS, NULL);

  self->application = application;
  self->front = g_object_ref (front);
  g_signal_connect_object (front, "changed", G_CALLBACK (on_front_changed), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (front, "service-changed", G_CALLBACK (on_service_changed), self, G_CONNECT_SWAPPED);
  return self;
}

gboolean
veil_refusals_has_news (VeilRefusals *self)
{
  return self->news;
}

void
veil_refusals_seen (VeilRefusals *self)
{
  set_news (self, FALSE);
}

static void
veil_refusals_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_NEWS)
    g_value_set_boolean (value, VEIL_REFUSALS (object)->news);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
veil_refusals_finalize (GObject *object)
{
  g_object_unref (VEIL_REFUSALS (object)->front);
  G_OBJECT_CLASS (veil_refusals_parent_class)->finalize (object);
}

static void
veil_refusals_class_init (VeilRefusalsClass *klass)
{
  G_OBJECT_CLASS (klass)->get_property = veil_refusals_get_property;
  G_OBJECT_CLASS (klass)->finalize = veil_refusals_finalize;
  props[PROP_NEWS] = g_param_spec_boolean ("news", NULL, NULL, FALSE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (G_OBJECT_CLASS (klass), N_PROPS, props);
}

static void
veil_refusals_init (VeilRefusals *self)
{
}
