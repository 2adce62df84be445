/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "account.h"

#include "home-state.h"
#include "secret.h"
#include "trust.h"
#include "veil-error.h"

#include <glib/gi18n.h>

#define RETRY_S 10
#define MAX_RETRY_S 300
#define PATIENCE_MS 3000 /* requests wait so long for the store */

struct _VeilAccount
{
  GObject parent;

  SoupSession *http;         /* owned */
  char *home;                /* owned */
  char *store_kind;          /* owned */
  VeilTokenStore *store;     /* owned; NULL: memory alone */
  VeilSessionKeeper *keeper; /* owned; NULL at first */
  VeilHomeWatch *watch;      /* owned; NULL without a store */
  GCancellable *reading;     /* owned; of the reading under way, or NULL */
  gboolean awaited;          /* somebody signed in or out, or nobody is known yet: requests wait for what is being read */
  GSource *retry;            /* owned */
  guint retries;             /* in a row */
  GError *problem;           /* owned; why there is no session */
  VeilAccountState trouble;  /* what kind of why */
  GQueue waiting;            /* owned, of GTask; for the store */
  GSource *patience;         /* owned */
};

G_DEFINE_FINAL_TYPE (VeilAccount, veil_account, G_TYPE_OBJECT)

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void read_store (VeilAccount *self, VeilStorePrompt prompt);

static void
drop_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
stop_reading (VeilAccount *self)
{
  drop_source (&self->retry);
  g_cancellable_cancel (self->reading);
  g_clear_object (&self->reading);
}

static void
on_keeper_changed (VeilSessionKeeper *keeper, VeilAccount *self)
{
  /* What is being read may be what was stored before. */
  if (self->reading != NULL)
    read_store (self, VEIL_STORE_QUIET);
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
read_anew (VeilAccount *self)
{
  self->awaited = TRUE;
  self->retries = 0;
  read_store (self, VEIL_STORE_QUIET);
}

static void
make_keeper (VeilAccount *self)
{
  if (self->keeper != NULL)
    return;
  self->keeper = veil_session_keeper_new (self->http, self->store, self->store != NULL ? self->home : NULL);
  g_signal_connect_object (self->keeper, "changed", G_CALLBACK (on_keeper_changed), self, 0);
  g_signal_connect_object (self->keeper, "superseded", G_CALLBACK (read_anew), self, G_CONNECT_SWAPPED);
}

static void get_from_keeper (VeilAccount *self, GTask *task);

static void
settle_waiting (VeilAccount *self)
{
  GTask *next;

  drop_source (&self->patience);
  self->awaited = FALSE;
  while ((next = g_queue_pop_head (&self->waiting)) != NULL)
    {
      g_autoptr (GTask) task = next;

      get_from_keeper (self, task);
    }
}

/* Takes over @problem. */
static void
put (VeilAccount *self, VeilSession *session, GError *problem, VeilAccountState trouble)
{
  g_clear_error (&self->problem);
  self->problem = problem;
  self->trouble = trouble;
  make_keeper (self);
  veil_session_keeper_set_session (self->keeper, session);
  settle_waiting (self);
}

/* A store that somebody else wrote to must not change whom we trust. */
static GError *
check_trust (VeilAccount *self, VeilSession *session)
{
  g_autofree char *differences = NULL;
  g_autoptr (GError) error = NULL;

  switch (veil_trust_check (self->home, session, &differences))
    {
    case VEIL_TRUST_SAME:
      return NULL;
    case VEIL_TRUST_FIRST:
      if (!veil_trust_set (self->home, session, &error))
        g_message ("A later login for another network will not be noticed, because this one could not be noted down: %s",
                   error->message);
      return NULL;
    case VEIL_TRUST_CHANGED:
    case VEIL_TRUST_BROKEN:
    default:
      g_strdelimit (g_strstrip (differences), "\n", ';');
      return g_error_new (VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN,
                          _ ("The stored session is for another network than the one you trust (%s); look at it and consent with "
                             "`og-veil login --trust-new-network`"),
                          differences);
    }
}

static gboolean
on_retry (gpointer data)
{
  g_autoptr (VeilAccount) self = g_object_ref (data);

  drop_source (&self->retry);
  read_store (self, VEIL_STORE_QUIET);
  return G_SOURCE_REMOVE;
}

static void
retry_later (VeilAccount *self)
{
  self->retry = g_timeout_source_new_seconds (MIN (RETRY_S << MIN (self->retries, 5), MAX_RETRY_S));
  self->retries++;
  g_source_set_callback (self->retry, on_retry, self, NULL);
  g_source_attach (self->retry, g_main_context_get_thread_default ());
}

/* What cannot be read for now does not end a session that works. */
static void
take_failure (VeilAccount *self, GError *error, gboolean other_network)
{
  gboolean unreadable = g_error_matches (error, VEIL_ERROR, VEIL_ERROR_STORE);
  gboolean empty = g_error_matches (error, VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN);

  if (g_strcmp0 (error->message, self->problem != NULL ? self->problem->message : NULL) != 0)
    g_message ("%s", error->message);
  /* A keyring that has just been started says that it holds nothing before it has read its files. */
  if (unreadable || (empty && g_str_equal (self->store_kind, "keyring")))
    retry_later (self);
  if (unreadable && veil_account_get_session (self) != NULL)
    {
      g_error_free (error);
      settle_waiting (self);
    }
  else if (unreadable)
    {
      put (self, NULL, g_error_new (VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN, "%s", error->message), VEIL_ACCOUNT_STORE_TROUBLE);
      g_error_free (error);
    }
  else
    put (self, NULL, error, other_network ? VEIL_ACCOUNT_OTHER_NETWORK : VEIL_ACCOUNT_SIGNED_OUT);
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilAccount) self = user_data;
  g_autoptr (VeilSession) session = NULL;
  GError *error = NULL;

  session = veil_token_store_load_finish (VEIL_TOKEN_STORE (source), result, &error);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_error_free (error);
      return;
    }
  g_clear_object (&self->reading);
  if (session != NULL)
    error = check_trust (self, session);
  if (error != NULL)
    {
      take_failure (self, error, session != NULL);
      return;
    }
  put (self, session, NULL, VEIL_ACCOUNT_SIGNED_OUT);
  g_message ("Signed in");
}

static void
read_store (VeilAccount *self, VeilStorePrompt prompt)
{
  stop_reading (self);
  self->reading = g_cancellable_new ();
  veil_token_store_load_async (self->store, prompt, self->reading, on_read, g_object_ref (self));
}

static void
on_home_changed (gpointer user_data)
{
  read_anew (user_data);
}

void
veil_account_open (VeilAccount *self)
{
  g_return_if_fail (self->store == NULL && self->keeper == NULL);

  self->store = veil_token_store_new (self->store_kind, self->home);
  make_keeper (self);
  self->watch = veil_home_watch_new (self->home, on_home_changed, self);
  self->awaited = TRUE;
  read_store (self, VEIL_STORE_MAY_PROMPT);
}

void
veil_account_set_session (VeilAccount *self, VeilSession *session)
{
  stop_reading (self);
  put (self, session, NULL, VEIL_ACCOUNT_SIGNED_OUT);
}

void
veil_account_stop (VeilAccount *self)
{
  stop_reading (self);
  g_clear_pointer (&self->watch, veil_home_watch_free);
  settle_waiting (self);
  if (self->keeper != NULL)
    veil_session_keeper_stop (self->keeper);
}

static void
on_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;

  veil_session_keeper_close_finish (VEIL_SESSION_KEEPER (source), result);
  veil_account_stop (g_task_get_source_object (task));
  g_task_return_boolean (task, TRUE);
}

void
veil_account_close_async (VeilAccount *self, guint patience_ms, GCancellable *cancellable, GAsyncReadyCallback callback,
                          gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);

  g_task_set_source_tag (task, veil_account_close_async);
  stop_reading (self);
  g_clear_pointer (&self->watch, veil_home_watch_free);
  make_keeper (self);
  veil_session_keeper_close_async (self->keeper, patience_ms, cancellable, on_closed, g_object_ref (task));
}

void
veil_account_close_finish (VeilAccount *self, GAsyncResult *result)
{
  g_return_if_fail (g_task_is_valid (result, self));
  g_task_propagate_boolean (G_TASK (result), NULL);
}

VeilSession *
veil_account_get_session (VeilAccount *self)
{
  if (self->keeper == NULL || veil_session_keeper_get_end (self->keeper) != NULL)
    return NULL;
  return veil_session_keeper_get_session (self->keeper);
}

VeilAccountState
veil_account_get_state (VeilAccount *self)
{
  if (veil_account_get_session (self) != NULL)
    return VEIL_ACCOUNT_SIGNED_IN;
  if (self->keeper != NULL && veil_session_keeper_get_end (self->keeper) != NULL)
    return VEIL_ACCOUNT_ENDED;
  if (self->problem != NULL)
    return self->trouble;
  return self->store != NULL ? VEIL_ACCOUNT_READING : VEIL_ACCOUNT_SIGNED_OUT;
}

const GError *
veil_account_get_problem (VeilAccount *self)
{
  if (self->keeper != NULL && veil_session_keeper_get_end (self->keeper) != NULL)
    return veil_session_keeper_get_end (self->keeper);
  return self->problem;
}

static void
on_session (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  VeilSession *session = veil_session_keeper_get_finish (VEIL_SESSION_KEEPER (source), result, &error);

  if (session != NULL)
    g_task_return_pointer (task, session, (GDestroyNotify) veil_session_unref);
  else
    g_task_return_error (task, error);
}

static void
get_from_keeper (VeilAccount *self, GTask *task)
{
  if (veil_account_get_session (self) == NULL && veil_account_get_problem (self) != NULL)
    {
      g_task_return_error (task, g_error_copy (veil_account_get_problem (self)));
      return;
    }
  make_keeper (self);
  veil_session_keeper_get_async (self->keeper, g_task_get_task_data (task), g_task_get_cancellable (task), on_session,
                                 g_object_ref (task));
}

static gboolean
on_patience (gpointer data)
{
  g_autoptr (VeilAccount) self = g_object_ref (data);

  drop_source (&self->patience);
  if (veil_account_get_session (self) == NULL && self->problem == NULL)
    {
      self->problem =
          g_error_new_literal (VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN,
                               _ ("The keyring has not given the session out yet: unlock it, or sign in with `og-veil login`"));
      self->trouble = VEIL_ACCOUNT_STORE_TROUBLE;
    }
  settle_waiting (self);
  return G_SOURCE_REMOVE;
}

void
veil_account_get_async (VeilAccount *self, const char *refused, GCancellable *cancellable, GAsyncReadyCallback callback,
                        gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, veil_account_get_async);
  g_task_set_task_data (task, g_strdup (refused), (GDestroyNotify) veil_secret_free);
  if (!self->awaited)
    {
      get_from_keeper (self, task);
      return;
    }
  g_queue_push_tail (&self->waiting, g_object_ref (task));
  if (self->patience != NULL)
    return;
  self->patience = g_timeout_source_new (PATIENCE_MS);
  g_source_set_callback (self->patience, on_patience, self, NULL);
  g_source_attach (self->patience, g_main_context_get_thread_default ());
}

VeilSession *
veil_account_get_finish (VeilAccount *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
veil_account_finalize (GObject *object)
{
  VeilAccount *self = VEIL_ACCOUNT (object);

  veil_account_stop (self);
  g_clear_object (&self->keeper);
  g_clear_object (&self->store);
  g_clear_error (&self->problem);
  g_object_unref (self->http);
  g_free (self->home);
  g_free (self->store_kind);
  G_OBJECT_CLASS (veil_account_parent_class)->finalize (object);
}

static void
veil_account_class_init (VeilAccountClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_account_finalize;
  signals[CHANGED] = g_signal_new ("changed", VEIL_TYPE_ACCOUNT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
veil_account_init (VeilAccount *self)
{
  g_queue_init (&self->waiting);
}

VeilAccount *
veil_account_new (SoupSession *http, const VeilSettings *settings)
{
  VeilAccount *self = g_object_new (VEIL_TYPE_ACCOUNT, NULL);

  self->http = g_object_ref (http);
  self->home = g_strdup (settings->home);
  self->store_kind = g_strdup (settings->session_store);
  return self;
}
