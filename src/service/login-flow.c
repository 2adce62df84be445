/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "login-flow.h"

#include "login-listener.h"
#include "login-steps.h"
#include "session-commit.h"
#include "token-store.h"
#include "veil-error.h"

#include <string.h>

struct _VeilLoginFlow
{
  GObject parent;

  VeilSettings *settings; /* owned */
  VeilLoginState state;
  VeilLoginListener *listener; /* owned; while WAITING */
  GCancellable *cancellable;   /* owned; of the wait, likewise */
  VeilSession *session;        /* owned */
  char *differences;           /* owned */
  GError *error;               /* owned */
};

G_DEFINE_FINAL_TYPE (VeilLoginFlow, veil_login_flow, G_TYPE_OBJECT)

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
stop_listening (VeilLoginFlow *self)
{
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->listener);
}

/* Takes over @error. */
static void
enter (VeilLoginFlow *self, VeilLoginState state, GError *error)
{
  self->state = state;
  g_clear_error (&self->error);
  self->error = error;
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
forget (VeilLoginFlow *self)
{
  stop_listening (self);
  g_clear_pointer (&self->session, veil_session_unref);
  g_clear_pointer (&self->differences, g_free);
}

/* That it could not be kept does not undo that somebody signed in. */
static void
on_committed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilLoginFlow) self = user_data;
  GError *error = NULL;

  g_clear_pointer (&self->differences, g_free);
  veil_session_commit_finish (result, &self->differences, &error);
  if (self->differences == NULL)
    {
      enter (self, VEIL_LOGIN_DONE, error);
      return;
    }
  g_error_free (error);
  enter (self, VEIL_LOGIN_CONSENT, NULL);
}

static void
store (VeilLoginFlow *self)
{
  g_autoptr (VeilTokenStore) token_store = veil_token_store_new (self->settings->session_store, self->settings->home);

  veil_session_commit_async (self->settings->home, token_store, self->session, self->differences, NULL, on_committed,
                             g_object_ref (self));
  enter (self, VEIL_LOGIN_STORING, NULL);
}

void
veil_login_flow_use_session (VeilLoginFlow *self, VeilSession *session)
{
  g_return_if_fail (self->state != VEIL_LOGIN_STORING);

  veil_session_ref (session);
  forget (self);
  self->session = session;
  store (self);
}

static void
on_session (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilLoginFlow) self = user_data;
  GError *error = NULL;
  g_autoptr (VeilSession) session = veil_login_listener_wait_finish (VEIL_LOGIN_LISTENER (source), result, &error);

  /* Another one was begun, or this was ended. */
  if (self->listener != VEIL_LOGIN_LISTENER (source))
    {
      g_clear_error (&error);
      return;
    }
  if (session != NULL && veil_session_check_can_serve (session, &error))
    {
      veil_login_flow_use_session (self, session);
      return;
    }
  forget (self);
  enter (self, g_error_matches (error, VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN) ? VEIL_LOGIN_TIMED_OUT : VEIL_LOGIN_FAILED, error);
}

void
veil_login_flow_begin (VeilLoginFlow *self, guint patience_ms)
{
  GError *error = NULL;

  g_return_if_fail (self->state != VEIL_LOGIN_STORING);

  forget (self);
  self->listener = veil_login_listener_new (self->settings->app_url, &error);
  if (self->listener == NULL)
    {
      enter (self, VEIL_LOGIN_FAILED, error);
      return;
    }
  if (patience_ms != 0)
    veil_login_listener_set_patience (self->listener, patience_ms);
  self->cancellable = g_cancellable_new ();
  veil_login_listener_wait_async (self->listener, self->cancellable, on_session, g_object_ref (self));
  enter (self, VEIL_LOGIN_WAITING, NULL);
}

gboolean
veil_login_flow_use_code (VeilLoginFlow *self, const char *code, GError **error)
{
  g_autoptr (VeilSession) session = veil_login_read_code (code, strlen (code), error);

  if (session == NULL)
    return FALSE;
  veil_login_flow_use_session (self, session);
  return TRUE;
}

void
veil_login_flow_consent (VeilLoginFlow *self, gboolean consent)
{
  g_return_if_fail (self->state == VEIL_LOGIN_CONSENT);

  if (consent)
    store (self);
  else
    veil_login_flow_cancel (self);
}

void
veil_login_flow_cancel (VeilLoginFlow *self)
{
  if (self->state != VEIL_LOGIN_WAITING && self->state != VEIL_LOGIN_CONSENT)
    return;
  forget (self);
  enter (self, VEIL_LOGIN_CANCELLED, NULL);
}

VeilLoginState
veil_login_flow_get_state (VeilLoginFlow *self)
{
  return self->state;
}

const char *
veil_login_flow_get_url (VeilLoginFlow *self)
{
  return self->listener != NULL ? veil_login_listener_get_sign_in_url (self->listener) : NULL;
}

const char *
veil_login_flow_get_differences (VeilLoginFlow *self)
{
  return self->differences;
}

VeilSession *
veil_login_flow_get_session (VeilLoginFlow *self)
{
  return self->session;
}

const GError *
veil_login_flow_get_error (VeilLoginFlow *self)
{
  return self->error;
}

static void
veil_login_flow_finalize (GObject *object)
{
  VeilLoginFlow *self = VEIL_LOGIN_FLOW (object);

  forget (self);
  g_clear_error (&self->error);
  veil_settings_free (self->settings);
  G_OBJECT_CLASS (veil_login_flow_parent_class)->finalize (object);
}

static void
veil_login_flow_class_init (VeilLoginFlowClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_login_flow_finalize;
  signals[CHANGED] = g_signal_new ("changed", VEIL_TYPE_LOGIN_FLOW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
veil_login_flow_init (VeilLoginFlow *self)
{
}

VeilLoginFlow *
veil_login_flow_new (const VeilSettings *settings)
{
  VeilLoginFlow *self = g_object_new (VEIL_TYPE_LOGIN_FLOW, NULL);

  self->settings = veil_settings_copy (settings);
  return self;
}
