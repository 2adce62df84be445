/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "session-commit.h"

#include "home-state.h"
#include "session-file.h"
#include "translate.h"
#include "trust.h"
#include "veil-error.h"

typedef struct
{
  char *home;            /* owned */
  VeilTokenStore *store; /* owned; may be NULL */
  VeilSession *session;  /* owned; NULL signs out */
  char *consented;       /* owned; may be NULL */
  char *differences;     /* owned; NULL unless consent is needed */
  VeilSession *former;   /* owned; what the store held; may be NULL */
  GError *failure;       /* owned; for which the store is changed back */
  int lock;              /* -1 until it is held */
} Commit;

static void
commit_free (gpointer data)
{
  Commit *self = data;

  veil_home_unlock (self->lock);
  g_clear_pointer (&self->session, veil_session_unref);
  g_clear_pointer (&self->former, veil_session_unref);
  g_clear_error (&self->failure);
  g_clear_object (&self->store);
  g_free (self->differences);
  g_free (self->consented);
  g_free (self->home);
  g_free (self);
}

/* The lock is given back before anybody hears of the end. */
static void
end (GTask *task, GError *error)
{
  Commit *self = g_task_get_task_data (task);

  veil_home_unlock (self->lock);
  self->lock = -1;
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
}

static void
on_undone (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Commit *self = g_task_get_task_data (task);
  VeilTokenStore *store = VEIL_TOKEN_STORE (source);
  g_autoptr (GError) error = NULL;
  gboolean undone = self->former != NULL ? veil_token_store_save_finish (store, result, &error)
                                         : veil_token_store_clear_finish (store, result, &error);

  if (undone)
    g_prefix_error (&self->failure, _ ("Nothing was changed, because the network could not be trusted: "));
  else
    {
      veil_home_bump_generation (self->home, NULL);
      g_prefix_error (
          &self->failure,
          _ ("The session was stored, but its network could not be trusted, so it will not be used; run `og-veil logout` (%s): "),
          error->message);
    }
  end (task, g_steal_pointer (&self->failure));
}

/* Small files, but brought to the disk. */
static void
write_home (GTask *task, gpointer source, gpointer task_data, GCancellable *cancellable)
{
  Commit *self = task_data;
  g_autofree char *file = g_build_filename (self->home, "session.json", NULL);
  GError *error = NULL;

  if (self->session != NULL ? veil_trust_set (self->home, self->session, &error) : veil_session_file_clear (file, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
on_written (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Commit *self = g_task_get_task_data (task);
  GError *error = NULL;

  if (g_task_propagate_boolean (G_TASK (result), &error))
    {
      /* Whatever was being renewed is none of this session. */
      veil_home_set_renewing (self->home, FALSE);
      veil_home_bump_generation (self->home, &error);
      end (task, error);
      return;
    }
  if (self->session == NULL || self->store == NULL)
    {
      end (task, error);
      return;
    }
  self->failure = error;
  if (self->former != NULL)
    veil_token_store_save_async (self->store, self->former, VEIL_STORE_MAY_PROMPT, NULL, on_undone, g_object_ref (task));
  else
    veil_token_store_clear_async (self->store, VEIL_STORE_MAY_PROMPT, NULL, on_undone, g_object_ref (task));
}

static void
begin_writing (GTask *task)
{
  g_autoptr (GTask) writing = g_task_new (NULL, NULL, on_written, g_object_ref (task));

  g_task_set_source_tag (writing, begin_writing);
  g_task_set_task_data (writing, g_task_get_task_data (task), NULL);
  g_task_run_in_thread (writing, write_home);
}

/* Trust last: a login that could not be stored changes nothing. */
static void
on_stored (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Commit *self = g_task_get_task_data (task);
  VeilTokenStore *store = VEIL_TOKEN_STORE (source);
  GError *error = NULL;

  if (self->session != NULL ? veil_token_store_save_finish (store, result, &error)
                            : veil_token_store_clear_finish (store, result, &error))
    begin_writing (task);
  else
    end (task, error);
}

static void
on_former (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Commit *self = g_task_get_task_data (task);

  /* What cannot be read is not worth keeping; a store that cannot be reached cannot be written either. */
  self->former = veil_token_store_load_finish (VEIL_TOKEN_STORE (source), result, NULL);
  veil_token_store_save_async (self->store, self->session, VEIL_STORE_MAY_PROMPT, g_task_get_cancellable (task), on_stored,
                               g_object_ref (task));
}

static gboolean
may_trust (Commit *self, VeilTrust trust, GError **error)
{
  if (trust == VEIL_TRUST_SAME || trust == VEIL_TRUST_FIRST || g_strcmp0 (self->differences, self->consented) == 0)
    {
      g_clear_pointer (&self->differences, g_free);
      return TRUE;
    }
  g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_BUNDLE, _ ("This login is for another network than the one you trust"));
  return FALSE;
}

static void
on_locked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Commit *self = g_task_get_task_data (task);
  GCancellable *cancellable = g_task_get_cancellable (task);
  VeilTrust trust = VEIL_TRUST_SAME;
  GError *error = NULL;

  self->lock = veil_home_lock_finish (result, &error);
  /* Looked at only now, because another sign-in may just have decided whom to trust. */
  if (self->lock >= 0 && self->session != NULL)
    trust = veil_trust_check (self->home, self->session, &self->differences);
  if (self->lock < 0 || !may_trust (self, trust, &error))
    end (task, error);
  else if (self->session == NULL)
    veil_token_store_clear_async (self->store, VEIL_STORE_MAY_PROMPT, cancellable, on_stored, g_object_ref (task));
  else if (self->store != NULL)
    veil_token_store_load_async (self->store, VEIL_STORE_MAY_PROMPT, cancellable, on_former, g_object_ref (task));
  else if (trust == VEIL_TRUST_SAME)
    end (task, NULL);
  else
    begin_writing (task);
}

void
veil_session_commit_async (const char *home, VeilTokenStore *store, VeilSession *session, const char *consented,
                           GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  Commit *self = g_new0 (Commit, 1);

  g_return_if_fail (store != NULL || session != NULL);

  g_task_set_source_tag (task, veil_session_commit_async);
  g_task_set_check_cancellable (task, FALSE);
  self->home = g_strdup (home);
  self->store = store != NULL ? g_object_ref (store) : NULL;
  self->session = session != NULL ? veil_session_ref (session) : NULL;
  self->consented = g_strdup (consented);
  self->lock = -1;
  g_task_set_task_data (task, self, commit_free);
  veil_home_lock_async (home, cancellable, on_locked, g_object_ref (task));
}

gboolean
veil_session_commit_finish (GAsyncResult *result, char **differences, GError **error)
{
  Commit *self = g_task_get_task_data (G_TASK (result));

  g_return_val_if_fail (g_task_is_valid (result, NULL), FALSE);
  if (differences != NULL)
    *differences = g_steal_pointer (&self->differences);
  return g_task_propagate_boolean (G_TASK (result), error);
}
