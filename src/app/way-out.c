/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "way-out.h"

#include "change.h"
#include "veil-error.h"
#include "window.h"

#include <string.h>

struct _VeilWayOut
{
  AdwBin parent;

  VeilFront *front; /* owned */

  GtkWidget *other_port;
  GtkWidget *take_over;
};

G_DEFINE_FINAL_TYPE (VeilWayOut, veil_way_out, ADW_TYPE_BIN)

/* Where the first of several sentences ends, in the languages that there are. */
static gsize
measure_sentence (const char *text)
{
  static const char *const ends[] = { "; ", "؛ ", "；" };
  gsize length = strlen (text);

  for (guint i = 0; i < G_N_ELEMENTS (ends); i++)
    {
      const char *end = g_strstr_len (text, (gssize) length, ends[i]);

      length = end != NULL ? (gsize) (end - text) : length;
    }
  return length;
}

char *
veil_way_out_explain (VeilFront *front)
{
  const GError *problem = veil_front_get_problem (front);

  if (problem == NULL || veil_front_get_state (front) != VEIL_FRONT_FAILED)
    return NULL;
  /* What follows tells of options of the command line; here there are buttons. */
  return g_strndup (problem->message, measure_sentence (problem->message));
}

static void
on_front_changed (VeilFront *front, VeilWayOut *self)
{
  gboolean holder = veil_front_get_holder (front) != NULL;

  gtk_widget_set_visible (self->take_over, holder);
  gtk_widget_set_visible (self->other_port, !holder &&
                                                g_error_matches (veil_front_get_problem (front), VEIL_ERROR, VEIL_ERROR_LISTEN) &&
                                                !veil_settings_is_given (veil_front_get_settings (front), "port"));
}

static void
on_try_again (VeilWayOut *self)
{
  veil_front_set_on (self->front, TRUE);
}

/* One that is free now, kept in the settings. */
static void
on_other_port (VeilWayOut *self)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);

  g_socket_listener_close (listener);
  if (port != 0)
    veil_change_setting (GTK_WIDGET (self), self->front, "port", g_variant_new_uint16 (port));
}

static void
on_take_over (VeilWayOut *self)
{
  veil_front_take_over (self->front);
}

static void
veil_way_out_dispose (GObject *object)
{
  VeilWayOut *self = VEIL_WAY_OUT (object);

  g_clear_object (&self->front);
  /* Before the template takes it away behind the back of AdwBin. */
  adw_bin_set_child (ADW_BIN (self), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), VEIL_TYPE_WAY_OUT);
  G_OBJECT_CLASS (veil_way_out_parent_class)->dispose (object);
}

static void
veil_way_out_class_init (VeilWayOutClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = veil_way_out_dispose;
  gtk_widget_class_set_template_from_resource (widget_class, VEIL_RESOURCES "/way-out.ui");
  gtk_widget_class_bind_template_child (widget_class, VeilWayOut, other_port);
  gtk_widget_class_bind_template_child (widget_class, VeilWayOut, take_over);
  gtk_widget_class_bind_template_callback (widget_class, on_try_again);
  gtk_widget_class_bind_template_callback (widget_class, on_other_port);
  gtk_widget_class_bind_template_callback (widget_class, on_take_over);
}

static void
veil_way_out_init (VeilWayOut *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
veil_way_out_set_front (VeilWayOut *self, VeilFront *front)
{
  self->front = g_object_ref (front);
  g_signal_connect_object (front, "changed", G_CALLBACK (on_front_changed), self, 0);
  on_front_changed (front, self);
}
