/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "session-renewal.h"

#include "home-state.h"
#include "secret.h"
#include "token-refresh.h"
#include "veil-error.h"

#define N_LOOKS 3
#define LOOK_PAUSE_MS 500

typedef struct
{
  VeilTokenStore *store; /* owned; may be NULL */
  char *home;            /* owned; may be NULL */
  VeilSession *old;      /* owned */
  VeilSession *stored;   /* owned; may be NULL */
  VeilSession *fresh;    /* owned; NULL if it was refused */
  GError *refusal;       /* owned */
  int lock;
  guint looks;
  gboolean again; /* it was renewed before, and is only to be stored */
  VeilRenewalOutcome outcome;
} Renewal;

static void
renewal_free (gpointer data)
{
  Renewal *self = data;

  veil_home_unlock (self->lock);
  g_clear_pointer (&self->fresh, veil_session_unref);
  g_clear_pointer (&self->stored, veil_session_unref);
  g_clear_error (&self->refusal);
  g_clear_object (&self->store);
  veil_session_unref (self->old);
  g_free (self->home);
  g_free (self);
}

static void
set_mark (Renewal *self, gboolean renewing)
{
  if (self->store != NULL)
    veil_home_set_renewing (self->home, renewing);
}

static void
release_lock (Renewal *self)
{
  veil_home_unlock (self->lock);
  self->lock = -1;
}

/* @session: may be NULL. */
static void
end (GTask *task, VeilRenewalOutcome outcome, VeilSession *session)
{
  Renewal *self = g_task_get_task_data (task);

  release_lock (self);
  if (outcome != VEIL_RENEWAL_UNSTORED)
    set_mark (self, FALSE);
  self->outcome = outcome;
  g_task_return_pointer (task, session != NULL ? veil_session_ref (session) : NULL, (GDestroyNotify) veil_session_unref);
}

static void
end_refused (GTask *task)
{
  Renewal *self = g_task_get_task_data (task);

  release_lock (self);
  set_mark (self, FALSE);
  g_task_return_error (task, g_steal_pointer (&self->refusal));
}

/* The spent token is worth nothing any more: better new ones that last for this run than none. */
static void
end_unstored (GTask *task, const GError *error)
{
  Renewal *self = g_task_get_task_data (task);

  if (!self->again)
    g_warning ("The renewed session could not be stored; it is tried again, but would be lost if Veil ended now: %s",
               error->message);
  end (task, VEIL_RENEWAL_UNSTORED, self->fresh);
}

static void
on_saved (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Renewal *self = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;

  if (veil_token_store_save_finish (VEIL_TOKEN_STORE (source), result, &error))
    end (task, VEIL_RENEWAL_STORED, self->fresh);
  else
    end_unstored (task, error);
}

static gboolean
has_token_of (const VeilSession *found, const VeilSession *session)
{
  return session != NULL && found->refresh_token != NULL && session->refresh_token != NULL &&
         veil_secret_equal_str (found->refresh_token, session->refresh_token);
}

static void
take_stored (GTask *task, VeilSession *found)
{
  Renewal *self = g_task_get_task_data (task);
  VeilSession *fresh = self->fresh;

  if (!veil_session_has_same_network (found, self->old))
    end (task, VEIL_RENEWAL_SUPERSEDED, NULL);
  /* Somebody signed in, or another process renewed it, and theirs is not to be written over. */
  else if (!has_token_of (found, self->old) && !has_token_of (found, self->stored))
    end (task, VEIL_RENEWAL_ELSEWHERE, found);
  else if (fresh == NULL)
    end_refused (task);
  else
    veil_token_store_save_async (self->store, fresh, VEIL_STORE_QUIET, NULL, on_saved, g_object_ref (task));
}

static void on_loaded (GObject *source, GAsyncResult *result, gpointer user_data);

static gboolean
look (gpointer user_data)
{
  GTask *task = user_data;
  Renewal *self = g_task_get_task_data (task);

  self->looks++;
  veil_token_store_load_async (self->store, VEIL_STORE_QUIET, NULL, on_loaded, g_object_ref (task));
  return G_SOURCE_REMOVE;
}

/* A keyring that has just been started says that it holds nothing before it has read its files. */
static void
look_again (GTask *task)
{
  g_autoptr (GSource) source = g_timeout_source_new (LOOK_PAUSE_MS);

  g_source_set_callback (source, look, g_object_ref (task), g_object_unref);
  g_source_attach (source, g_task_get_context (task));
}

static void
on_loaded (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Renewal *self = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilSession) found = veil_token_store_load_finish (VEIL_TOKEN_STORE (source), result, &error);
  gboolean empty = g_error_matches (error, VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN);

  if (found != NULL)
    take_stored (task, found);
  else if (empty && self->looks < N_LOOKS)
    look_again (task);
  else if (empty && !self->again)
    end (task, VEIL_RENEWAL_SUPERSEDED, NULL);
  else if (self->fresh != NULL)
    end_unstored (task, error);
  else
    end_refused (task);
}

static void
on_locked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Renewal *self = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;

  self->lock = veil_home_lock_finish (result, &error);
  if (error != NULL && self->again)
    {
      end_unstored (task, error);
      return;
    }
  if (error != NULL)
    g_warning ("%s", error->message);
  look (task);
}

static void
on_renewed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Renewal *self = g_task_get_task_data (task);

  self->fresh = veil_token_refresh_finish (SOUP_SESSION (source), result, &self->refusal);
  if (g_error_matches (self->refusal, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_task_return_error (task, g_steal_pointer (&self->refusal));
  else if (self->fresh == NULL && (self->store == NULL || !g_error_matches (self->refusal, VEIL_ERROR, VEIL_ERROR_SESSION_REFUSED)))
    end_refused (task);
  else if (self->store == NULL)
    end (task, VEIL_RENEWAL_STORED, self->fresh);
  else
    veil_home_lock_async (self->home, NULL, on_locked, g_object_ref (task));
}

static GTask *
new_task (VeilTokenStore *store, const char *home, VeilSession *session, VeilSession *stored, GCancellable *cancellable,
          GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  Renewal *self = g_new0 (Renewal, 1);

  g_task_set_check_cancellable (task, FALSE);
  self->store = store != NULL ? g_object_ref (store) : NULL;
  self->home = g_strdup (home);
  self->old = veil_session_ref (session);
  self->stored = stored != NULL ? veil_session_ref (stored) : NULL;
  self->lock = -1;
  g_task_set_task_data (task, self, renewal_free);
  return task;
}

void
veil_session_renewal_async (SoupSession *http, VeilTokenStore *store, const char *home, VeilSession *session, VeilSession *stored,
                            gint64 now, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = new_task (store, home, session, stored, cancellable, callback, user_data);

  g_return_if_fail ((store != NULL) == (home != NULL));

  g_task_set_source_tag (task, veil_session_renewal_async);
  set_mark (g_task_get_task_data (task), TRUE);
  veil_token_refresh_async (http, session, now, cancellable, on_renewed, g_object_ref (task));
}

void
veil_session_renewal_store_async (VeilTokenStore *store, const char *home, VeilSession *session, VeilSession *stored,
                                  GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = new_task (store, home, session, stored, NULL, callback, user_data);
  Renewal *self = g_task_get_task_data (task);

  g_task_set_source_tag (task, veil_session_renewal_store_async);
  self->again = TRUE;
  self->fresh = veil_session_ref (session);
  veil_home_lock_async (home, NULL, on_locked, g_object_ref (task));
}

gboolean
veil_session_renewal_finish (GAsyncResult *result, VeilRenewalOutcome *outcome, VeilSession **session, GError **error)
{
  Renewal *self = g_task_get_task_data (G_TASK (result));
  GError *local_error = NULL;

  g_return_val_if_fail (g_task_is_valid (result, NULL), FALSE);
  *session = g_task_propagate_pointer (G_TASK (result), &local_error);
  *outcome = self->outcome;
  if (local_error == NULL)
    return TRUE;
  g_propagate_error (error, local_error);
  return FALSE;
}
