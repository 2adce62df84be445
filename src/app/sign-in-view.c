/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "sign-in-view.h"

#include "consent-dialog.h"
#include "copy-button.h"
#include "login-flow.h"
#include "peek-button.h"
#include "window.h"

#include <glib/gi18n.h>

struct _VeilSignInView
{
  AdwBin parent;

  VeilFront *front;    /* owned */
  VeilLoginFlow *flow; /* owned */

  AdwStatusPage *status;
  GtkSpinner *spinner;
  GtkWidget *ways;
  AdwActionRow *address_row;
  GtkButton *copy_address;
  AdwPasswordEntryRow *code_row;
  GtkLabel *code_problem;
  GtkWidget *again;
  GtkWidget *cancel;
  GtkWidget *back;
};

G_DEFINE_FINAL_TYPE (VeilSignInView, veil_sign_in_view, ADW_TYPE_BIN)

enum
{
  CLOSED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
close_view (VeilSignInView *self)
{
  gtk_editable_set_text (GTK_EDITABLE (self->code_row), "");
  g_signal_emit (self, signals[CLOSED], 0);
}

static void
on_browser (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilSignInView) self = user_data;

  /* A browser may take its time to say that it does not come. */
  if (g_app_info_launch_default_for_uri_finish (result, NULL) || self->flow == NULL ||
      veil_login_flow_get_state (self->flow) != VEIL_LOGIN_WAITING)
    return;
  adw_status_page_set_description (self->status, _ ("No browser could be opened. Copy the address into one on this computer."));
}

static void
open_browser (VeilSignInView *self)
{
  g_autoptr (GdkAppLaunchContext) context = gdk_display_get_app_launch_context (gtk_widget_get_display (GTK_WIDGET (self)));

  /* No business of the browser's. */
  g_app_launch_context_unsetenv (G_APP_LAUNCH_CONTEXT (context), "OG_VEIL_API_KEY");
  g_app_info_launch_default_for_uri_async (veil_login_flow_get_url (self->flow), G_APP_LAUNCH_CONTEXT (context), NULL, on_browser,
                                           g_object_ref (self));
}

static void
on_consent (gboolean consent, gpointer user_data)
{
  g_autoptr (VeilSignInView) self = user_data;

  if (self->flow != NULL && veil_login_flow_get_state (self->flow) == VEIL_LOGIN_CONSENT)
    veil_login_flow_consent (self->flow, consent);
}

static void
on_done (VeilSignInView *self)
{
  const GError *error = veil_login_flow_get_error (self->flow);

  if (error != NULL)
    {
      veil_consent_dialog_explain_store (GTK_WIDGET (self), error->message);
      veil_front_use_session (self->front, veil_login_flow_get_session (self->flow));
    }
  else
    veil_front_set_sandbox (self->front, FALSE);
  close_view (self);
}

typedef struct
{
  const char *icon;
  const char *title;
  const char *description; /* NULL: the error's */
  gboolean busy, again;
} Look;

/* In the order of VeilLoginState. */
static const Look looks[] = {
  [VEIL_LOGIN_IDLE] = { "ai.opengradient.Veil-symbolic", N_ ("Sign In"), "", FALSE, TRUE },
  [VEIL_LOGIN_WAITING] = { "web-browser-symbolic", N_ ("Sign In in Your Browser"),
                           N_ ("A page has opened there. Veil waits for it for up to five minutes."), TRUE, FALSE },
  [VEIL_LOGIN_CONSENT] = { "dialog-question-symbolic", N_ ("Another Network"), N_ ("Nothing is changed before you consent."), FALSE,
                           FALSE },
  [VEIL_LOGIN_STORING] = { "channel-secure-symbolic", N_ ("Signing In"), N_ ("Veil puts the session away safely."), TRUE, FALSE },
  [VEIL_LOGIN_DONE] = { "emblem-ok-symbolic", N_ ("Signed In"), "", TRUE, FALSE },
  [VEIL_LOGIN_FAILED] = { "dialog-error-symbolic", N_ ("Signing In Did Not Work"), NULL, FALSE, TRUE },
  [VEIL_LOGIN_CANCELLED] = { "process-stop-symbolic", N_ ("Signing In Was Cancelled"), N_ ("Nothing was changed."), FALSE, TRUE },
  [VEIL_LOGIN_TIMED_OUT] = { "preferences-system-time-symbolic", N_ ("Time Is Up"),
                             N_ ("Nobody signed in on the page within five minutes. Nothing was changed."), FALSE, TRUE },
};

static void
show (VeilSignInView *self, VeilLoginState state)
{
  const Look *look = &looks[state];
  const GError *error = veil_login_flow_get_error (self->flow);
  g_autofree char *escaped = look->description == NULL && error != NULL ? g_markup_escape_text (error->message, -1) : NULL;
  gboolean waiting = state == VEIL_LOGIN_WAITING;

  adw_status_page_set_icon_name (self->status, look->icon);
  adw_status_page_set_title (self->status, _ (look->title));
  adw_status_page_set_description (self->status, escaped != NULL                                           ? escaped
                                                 : look->description != NULL && *look->description != '\0' ? _ (look->description)
                                                                                                           : NULL);
  gtk_spinner_set_spinning (self->spinner, look->busy);
  gtk_widget_set_visible (GTK_WIDGET (self->spinner), look->busy);
  gtk_widget_set_visible (self->ways, waiting);
  gtk_widget_set_visible (self->cancel, waiting);
  gtk_widget_set_visible (self->again, look->again);
  gtk_widget_set_visible (self->back, look->again);
  if (look->again)
    gtk_widget_grab_focus (self->again);
  else if (waiting)
    gtk_widget_grab_focus (self->cancel);
}

static void
on_flow_changed (VeilSignInView *self)
{
  VeilLoginState state = veil_login_flow_get_state (self->flow);
  const char *url = veil_login_flow_get_url (self->flow);

  gtk_widget_set_visible (GTK_WIDGET (self->code_problem), FALSE);
  show (self, state);
  if (state == VEIL_LOGIN_WAITING)
    {
      g_autofree char *escaped = g_markup_escape_text (url, -1);

      adw_action_row_set_subtitle (self->address_row, escaped);
      veil_copy_button_set_text (self->copy_address, url);
    }
  else if (state == VEIL_LOGIN_CONSENT)
    veil_consent_dialog_ask (GTK_WIDGET (self), veil_login_flow_get_differences (self->flow), on_consent, g_object_ref (self));
  else if (state == VEIL_LOGIN_DONE)
    on_done (self);
}

/* Nothing listens for it any more. */
static void
drop_flow (VeilSignInView *self)
{
  if (self->flow == NULL)
    return;
  g_signal_handlers_disconnect_by_data (self->flow, self);
  veil_login_flow_cancel (self->flow);
  g_clear_object (&self->flow);
}

static void
make_flow (VeilSignInView *self)
{
  drop_flow (self);
  /* As the settings are now. */
  self->flow = veil_login_flow_new (veil_front_get_settings (self->front));
  g_signal_connect_object (self->flow, "changed", G_CALLBACK (on_flow_changed), self, G_CONNECT_SWAPPED);
}

void
veil_sign_in_view_begin (VeilSignInView *self)
{
  const char *patience = g_getenv ("VEIL_SIGN_IN_PATIENCE_MS"); /* for those who test what comes after five minutes */

  make_flow (self);
  veil_login_flow_begin (self->flow, patience != NULL ? CLAMP (g_ascii_strtoll (patience, NULL, 10), 1, 300000) : 0);
  if (veil_login_flow_get_state (self->flow) == VEIL_LOGIN_WAITING)
    open_browser (self);
}

void
veil_sign_in_view_use_session (VeilSignInView *self, VeilSession *session)
{
  make_flow (self);
  veil_login_flow_use_session (self->flow, session);
}

void
veil_sign_in_view_leave (VeilSignInView *self)
{
  VeilLoginState state = self->flow != NULL ? veil_login_flow_get_state (self->flow) : VEIL_LOGIN_IDLE;

  if (state == VEIL_LOGIN_CONSENT || state == VEIL_LOGIN_STORING || state == VEIL_LOGIN_DONE)
    return;
  drop_flow (self);
  close_view (self);
}

static void
on_open_again (VeilSignInView *self)
{
  if (veil_login_flow_get_state (self->flow) == VEIL_LOGIN_WAITING)
    open_browser (self);
}

static void
on_code (VeilSignInView *self)
{
  g_autoptr (GError) error = NULL;
  gboolean taken = veil_login_flow_use_code (self->flow, gtk_editable_get_text (GTK_EDITABLE (self->code_row)), &error);

  gtk_editable_set_text (GTK_EDITABLE (self->code_row), "");
  if (taken)
    return;
  gtk_label_set_label (self->code_problem, error->message);
  gtk_widget_set_visible (GTK_WIDGET (self->code_problem), TRUE);
}

static void
on_cancel (VeilSignInView *self)
{
  veil_login_flow_cancel (self->flow);
}

static void
veil_sign_in_view_dispose (GObject *object)
{
  VeilSignInView *self = VEIL_SIGN_IN_VIEW (object);

  drop_flow (self);
  g_clear_object (&self->front);
  /* Before the template takes it away behind the back of AdwBin. */
  adw_bin_set_child (ADW_BIN (self), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), VEIL_TYPE_SIGN_IN_VIEW);
  G_OBJECT_CLASS (veil_sign_in_view_parent_class)->dispose (object);
}

static void
veil_sign_in_view_class_init (VeilSignInViewClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = veil_sign_in_view_dispose;
  signals[CLOSED] = g_signal_new ("closed", VEIL_TYPE_SIGN_IN_VIEW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_template_from_resource (widget_class, VEIL_RESOURCES "/sign-in-view.ui");
  gtk_widget_class_bind_template_child (widget_class, VeilSignInView, status);
  gtk_widget_class_bind_template_child (widget_class, VeilSignInView, spinner);
  gtk_widget_class_bind_template_child (widget_class, VeilSignInView, ways);
  gtk_widget_class_bind_template_child (widget_class, VeilSignInView, address_row);
  gtk_widget_class_bind_template_child (widget_class, VeilSignInView, copy_address);
  gtk_widget_class_bind_template_child (widget_class, VeilSignInView, code_row);
  gtk_widget_class_bind_template_child (widget_class, VeilSignInView, code_problem);
  gtk_widget_class_bind_template_child (widget_class, VeilSignInView, again);
  gtk_widget_class_bind_template_child (widget_class, VeilSignInView, cancel);
  gtk_widget_class_bind_template_child (widget_class, VeilSignInView, back);
  gtk_widget_class_bind_template_callback (widget_class, on_open_again);
  gtk_widget_class_bind_template_callback (widget_class, on_code);
  gtk_widget_class_bind_template_callback (widget_class, on_cancel);
  gtk_widget_class_bind_template_callback_full (widget_class, "on_again", G_CALLBACK (veil_sign_in_view_begin));
  gtk_widget_class_bind_template_callback_full (widget_class, "on_back", G_CALLBACK (close_view));
}

static void
veil_sign_in_view_init (VeilSignInView *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  veil_peek_button_name (self->code_row);
}

void
veil_sign_in_view_set_front (VeilSignInView *self, VeilFront *front)
{
  self->front = g_object_ref (front);
}
