/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "account-group.h"

#include "fact-row.h"
#include "window.h"

#include <glib/gi18n.h>

struct _VeilAccountGroup
{
  AdwPreferencesGroup parent;

  VeilFront *front; /* owned */

  AdwActionRow *who_row;
  GtkButton *sign_out;
  GtkButton *sign_in;
  GtkButton *leave;
  GtkWidget *relay, *registry, *contract; /* VeilFactRow */
};

G_DEFINE_FINAL_TYPE (VeilAccountGroup, veil_account_group, ADW_TYPE_PREFERENCES_GROUP)

static void
update (VeilAccountGroup *self)
{
  VeilSession *session = veil_service_get_session (veil_front_get_service (self->front));
  gboolean sandbox = veil_front_get_sandbox (self->front);
  const char *title = _ ("Nobody is signed in"), *subtitle = "";

  if (sandbox)
    title = _ ("Sandbox"), subtitle = _ ("A simulated account on this computer; nothing is attested");
  else if (session != NULL)
    title = session->email != NULL ? session->email : _ ("Signed in"),
    subtitle = veil_front_get_session_kept (self->front) ? "" : _ ("Until you quit: the session could not be kept");
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->who_row), title);
  adw_action_row_set_subtitle (self->who_row, subtitle);
  gtk_widget_set_visible (GTK_WIDGET (self->leave), sandbox);
  gtk_widget_set_visible (GTK_WIDGET (self->sign_out), !sandbox && session != NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->sign_in), !sandbox && session == NULL);
  veil_fact_row_set_value (VEIL_FACT_ROW (self->relay), session != NULL ? session->relay_url : NULL);
  veil_fact_row_set_value (VEIL_FACT_ROW (self->registry), session != NULL ? session->registry_rpc_url : NULL);
  veil_fact_row_set_value (VEIL_FACT_ROW (self->contract), session != NULL ? session->registry_address : NULL);
}

static void
on_signed_out (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilAccountGroup) self = user_data;
  g_autoptr (GError) error = NULL;

  if (!veil_front_sign_out_finish (VEIL_FRONT (source), result, &error))
    gtk_widget_activate_action (GTK_WIDGET (self), "win.toast", "s", error->message);
  if (self->front != NULL)
    gtk_widget_set_sensitive (GTK_WIDGET (self->sign_out), TRUE);
}

static void
on_sign_out (VeilAccountGroup *self)
{
  gtk_widget_set_sensitive (GTK_WIDGET (self->sign_out), FALSE);
  veil_front_sign_out_async (self->front, on_signed_out, g_object_ref (self));
}

/* The main window knows how. */
static void
on_sign_in (VeilAccountGroup *self)
{
  GtkWindow *window = GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self)));

  gtk_widget_activate_action (GTK_WIDGET (self), "app.sign-in", NULL);
  gtk_window_close (window);
}

static void
on_leave (VeilAccountGroup *self)
{
  veil_front_set_sandbox (self->front, FALSE);
}

static void
veil_account_group_dispose (GObject *object)
{
  VeilAccountGroup *self = VEIL_ACCOUNT_GROUP (object);

  g_clear_object (&self->front);
  gtk_widget_dispose_template (GTK_WIDGET (self), VEIL_TYPE_ACCOUNT_GROUP);
  G_OBJECT_CLASS (veil_account_group_parent_class)->dispose (object);
}

static void
veil_account_group_class_init (VeilAccountGroupClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = veil_account_group_dispose;
  gtk_widget_class_set_template_from_resource (widget_class, VEIL_RESOURCES "/account-group.ui");
  gtk_widget_class_bind_template_child (widget_class, VeilAccountGroup, who_row);
  gtk_widget_class_bind_template_child (widget_class, VeilAccountGroup, sign_out);
  gtk_widget_class_bind_template_child (widget_class, VeilAccountGroup, sign_in);
  gtk_widget_class_bind_template_child (widget_class, VeilAccountGroup, leave);
  gtk_widget_class_bind_template_callback (widget_class, on_sign_out);
  gtk_widget_class_bind_template_callback (widget_class, on_sign_in);
  gtk_widget_class_bind_template_callback (widget_class, on_leave);
}

static void
veil_account_group_init (VeilAccountGroup *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->relay = veil_fact_row_new (_ ("Relay"), TRUE);
  self->registry = veil_fact_row_new (_ ("Registry"), TRUE);
  self->contract = veil_fact_row_new (_ ("Registry Contract"), TRUE);
  adw_preferences_group_add (ADW_PREFERENCES_GROUP (self), self->relay);
  adw_preferences_group_add (ADW_PREFERENCES_GROUP (self), self->registry);
  adw_preferences_group_add (ADW_PREFERENCES_GROUP (self), self->contract);
}

void
veil_account_group_set_front (VeilAccountGroup *self, VeilFront *front)
{
  self->front = g_object_ref (front);
  g_signal_connect_object (front, "changed", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  update (self);
}
