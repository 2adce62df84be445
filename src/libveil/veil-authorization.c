/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "veil-authorization.h"

#include "readable.h"
#include "secret.h"
#include "translate.h"
#include "veil-error.h"
#include "wrap.h"

struct _VeilAuthorization
{
  GObject parent;

  GTask *task;               /* owned; NULL when it is answered */
  VeilRelayHeaders *headers; /* owned */
  GSource *cancelled;        /* owned; may be NULL */
  gboolean refused;
  VeilPlace place;
};

G_DEFINE_FINAL_TYPE (VeilAuthorization, veil_authorization, G_TYPE_OBJECT)

/* The thread's main context may be another one by now: a handler may run a loop of its own. */
static gboolean
is_mine (VeilAuthorization *self)
{
  return VEIL_IS_AUTHORIZATION (self) && self->place.thread == g_thread_self ();
}

static const VeilReadable readable[] = {
  { "refused", VEIL_READABLE_BOOLEAN, G_CALLBACK (veil_authorization_get_refused) },
  { NULL },
};

static GTask *
end (VeilAuthorization *self)
{
  if (self->cancelled != NULL)
    {
      g_source_destroy (self->cancelled);
      g_clear_pointer (&self->cancelled, g_source_unref);
    }
  return g_steal_pointer (&self->task);
}

static gboolean
on_cancelled (GCancellable *cancellable, gpointer data)
{
  g_autoptr (GTask) task = end (data);

  if (task != NULL)
    g_task_return_error_if_cancelled (task);
  return G_SOURCE_REMOVE;
}

static void
give_up (VeilAuthorization *self, const char *message)
{
  g_autoptr (GTask) task = end (self);

  if (task != NULL)
    g_task_return_new_error (task, VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN, "%s", message);
}

static void
veil_authorization_dispose (GObject *object)
{
  give_up (VEIL_AUTHORIZATION (object), _ ("The request was not authorized: nobody has answered the client's signal “authorize”"));
  G_OBJECT_CLASS (veil_authorization_parent_class)->dispose (object);
}

static void
veil_authorization_finalize (GObject *object)
{
  VeilAuthorization *self = VEIL_AUTHORIZATION (object);

  veil_relay_headers_unref (self->headers);
  veil_place_clear (&self->place);
  G_OBJECT_CLASS (veil_authorization_parent_class)->finalize (object);
}

static void
veil_authorization_class_init (VeilAuthorizationClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_authorization_finalize;
  G_OBJECT_CLASS (klass)->dispose = veil_authorization_dispose;
  veil_readable_install (G_OBJECT_CLASS (klass), readable);
}

static void
veil_authorization_init (VeilAuthorization *self)
{
  self->headers = veil_relay_headers_new ();
  veil_place_init (&self->place);
}

VeilAuthorization *
veil_authorization_new (GTask *task, gboolean refused)
{
  VeilAuthorization *self = g_object_new (VEIL_TYPE_AUTHORIZATION, NULL);
  GCancellable *cancellable = g_task_get_cancellable (task);

  self->task = g_object_ref (task);
  self->refused = refused;
  if (cancellable != NULL)
    {
      self->cancelled = g_cancellable_source_new (cancellable);
      g_source_set_callback (self->cancelled, G_SOURCE_FUNC (on_cancelled), self, NULL);
      g_source_attach (self->cancelled, g_task_get_context (task));
    }
  return self;
}

gboolean
veil_authorization_withdraw (VeilAuthorization *self)
{
  g_autoptr (GTask) task = end (self);

  return task != NULL;
}

gboolean
veil_authorization_set_header (VeilAuthorization *self, const char *name, const char *value, GError **error)
{
  g_return_val_if_fail (is_mine (self) && name != NULL && value != NULL, FALSE);
  if (self->task == NULL)
    {
      g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT,
                           _ ("The authorization has ended; its headers cannot change any more"));
      return FALSE;
    }
  return veil_relay_headers_set (self->headers, name, value, error);
}

gboolean
veil_authorization_set_bearer_token (VeilAuthorization *self, const char *token, GError **error)
{
  gboolean good;
  char *value;

  g_return_val_if_fail (is_mine (self) && token != NULL, FALSE);
  value = g_strconcat ("Bearer ", token, NULL);
  good = veil_authorization_set_header (self, "Authorization", value, error);
  veil_secret_free (value);
  return good;
}

void
veil_authorization_done (VeilAuthorization *self)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (is_mine (self));
  task = end (self);
  if (task != NULL)
    g_task_return_pointer (task, veil_relay_headers_ref (self->headers), (GDestroyNotify) veil_relay_headers_unref);
}

void
veil_authorization_fail (VeilAuthorization *self, const char *message)
{
  g_return_if_fail (is_mine (self) && message != NULL);
  give_up (self, message);
}

gboolean
veil_authorization_get_refused (VeilAuthorization *self)
{
  g_return_val_if_fail (VEIL_IS_AUTHORIZATION (self), FALSE);
  return self->refused;
}
