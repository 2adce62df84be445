/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "session-keeper.h"

#include "home-state.h"
#include "secret.h"
#include "token-refresh.h"
#include "veil-error.h"

#define LEAD_S 60

struct _VeilSessionKeeper
{
  GObject parent;

  SoupSession *http;     /* owned */
  VeilTokenStore *store; /* owned; may be NULL */
  char *home;            /* owned; may be NULL */
  VeilKeeperTimes times;

  VeilSession *session; /* owned; may be NULL */
  GError *end;          /* owned; why it can no longer be used */
  GCancellable *ending; /* owned; of what is under way for this session */
  GQueue waiting;       /* owned, of GTask */
  GSource *timer;       /* owned */
  gboolean renewing;
  gboolean interrupted; /* an earlier run ended in the middle of a renewal */
  guint failures;       /* in a row */
  gint64 renewed_at;    /* monotonic; 0 is never */
  gint64 not_before;    /* monotonic: the next renewal that nobody but the clock asks for */
};

G_DEFINE_FINAL_TYPE (VeilSessionKeeper, veil_session_keeper, G_TYPE_OBJECT)

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void renew (VeilSessionKeeper *self);
static void plan (VeilSessionKeeper *self);

/* One renewal, from the request to the store. */
typedef struct
{
  VeilSessionKeeper *keeper; /* owned */
  GCancellable *ending;      /* owned; the keeper's, when it began */
  VeilSession *old;          /* owned */
  VeilSession *fresh;        /* owned; NULL until it came */
  GError *refusal;           /* owned */
  char *generation;          /* owned; of the home when it began */
  int lock;
} Renewal;

static void
renewal_free (Renewal *self)
{
  veil_home_unlock (self->lock);
  g_clear_pointer (&self->fresh, veil_session_unref);
  g_clear_error (&self->refusal);
  veil_session_unref (self->old);
  g_object_unref (self->ending);
  g_object_unref (self->keeper);
  g_free (self->generation);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Renewal, renewal_free)

static gint64
real_now (void)
{
  return g_get_real_time () / G_USEC_PER_SEC;
}

static void
drop_timer (VeilSessionKeeper *self)
{
  if (self->timer == NULL)
    return;
  g_source_destroy (self->timer);
  g_clear_pointer (&self->timer, g_source_unref);
}

static void
settle (VeilSessionKeeper *self, const GError *error)
{
  GQueue waiting = self->waiting;
  GTask *next;

  g_queue_init (&self->waiting);
  while ((next = g_queue_pop_head (&waiting)) != NULL)
    {
      g_autoptr (GTask) task = next;

      if (error != NULL)
        g_task_return_error (task, g_error_copy (error));
      else
        g_task_return_pointer (task, veil_session_ref (self->session), (GDestroyNotify) veil_session_unref);
    }
}

static GError *
not_signed_in (void)
{
  return g_error_new_literal (VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN, "Nobody is signed in: run `og-veil login`");
}

/* --- when --- */

static gboolean
can_renew (VeilSessionKeeper *self)
{
  return self->session != NULL && self->session->refresh_token != NULL && self->end == NULL;
}

static gboolean
has_run_out (VeilSessionKeeper *self, gint64 lead)
{
  return self->session->expires_at != 0 && self->times.now () >= self->session->expires_at - lead;
}

static gboolean
on_timer (gpointer data)
{
  g_autoptr (VeilSessionKeeper) self = g_object_ref (data);

  drop_timer (self);
  if (can_renew (self) && has_run_out (self, LEAD_S) && g_get_monotonic_time () >= self->not_before)
    renew (self);
  else
    plan (self);
  return G_SOURCE_REMOVE;
}

/* The clock may be set and the machine may sleep: the time is looked at again and again instead of slept for once. */
static void
plan (VeilSessionKeeper *self)
{
  gint64 wait_ms, pause_ms;

  drop_timer (self);
  if (self->renewing || !can_renew (self) || self->session->expires_at == 0)
    return;
  wait_ms = (self->session->expires_at - LEAD_S - self->times.now ()) * 1000;
  pause_ms = (self->not_before - g_get_monotonic_time ()) / 1000 + 1;
  wait_ms = CLAMP (MAX (wait_ms, pause_ms), 0, (gint64) self->times.look);
  self->timer = g_timeout_source_new ((guint) wait_ms);
  g_source_set_callback (self->timer, on_timer, self, NULL);
  g_source_set_static_name (self->timer, "veil-session-renewal");
  g_source_attach (self->timer, g_main_context_get_thread_default ());
}

static void
set_pause (VeilSessionKeeper *self, guint milliseconds)
{
  self->not_before = g_get_monotonic_time () + (gint64) milliseconds * 1000;
}

/* --- how it ends --- */

static gboolean
is_outdated (const Renewal *renewal)
{
  return g_cancellable_is_cancelled (renewal->ending);
}

static void
adopt (VeilSessionKeeper *self, VeilSession *session)
{
  veil_session_ref (session);
  g_clear_pointer (&self->session, veil_session_unref);
  self->session = session;
  self->renewing = FALSE;
  self->interrupted = FALSE;
  self->failures = 0;
  self->renewed_at = g_get_monotonic_time ();
  set_pause (self, self->times.pause);
  g_signal_emit (self, signals[CHANGED], 0);
  settle (self, NULL);
  plan (self);
}

static void
set_marker (VeilSessionKeeper *self, gboolean renewing)
{
  if (self->home != NULL && self->store != NULL)
    veil_home_set_renewing (self->home, renewing);
}

static void
put_off (VeilSessionKeeper *self, const GError *error)
{
  guint wait = self->times.backoff;

  for (guint i = 0; i < self->failures && wait < self->times.backoff_max; i++)
    wait *= 2;
  self->failures++;
  self->renewing = FALSE;
  set_marker (self, FALSE);
  set_pause (self, MIN (wait, self->times.backoff_max));
  g_message ("%s", error->message);
  settle (self, error);
  plan (self);
}

static void
end (VeilSessionKeeper *self, const GError *refusal)
{
  g_clear_error (&self->end);
  if (self->interrupted)
    self->end =
        g_error_new_literal (VEIL_ERROR, VEIL_ERROR_SESSION_REFUSED,
                             "The session is lost, because Veil was ended between renewing and storing it: run `og-veil login`");
  else
    self->end = g_error_copy (refusal);
  self->renewing = FALSE;
  g_message ("%s", self->end->message);
  g_signal_emit (self, signals[CHANGED], 0);
  settle (self, self->end);
}

/* --- the steps of a renewal --- */

static void
on_saved (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Renewal) renewal = user_data;
  VeilSessionKeeper *self = renewal->keeper;
  g_autoptr (GError) error = NULL;

  if (veil_token_store_save_finish (VEIL_TOKEN_STORE (source), result, &error))
    set_marker (self, FALSE);
  else
    /* The spent token is worth nothing any more: better one that lasts for this run than none. */
    g_warning ("The renewed session could not be stored and will be lost when Veil ends: %s", error->message);
  if (!is_outdated (renewal))
    adopt (self, renewal->fresh);
}

static void
on_locked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Renewal) renewal = user_data;
  VeilSessionKeeper *self = renewal->keeper;
  g_autoptr (GError) error = NULL;
  g_autofree char *generation = veil_home_get_generation (self->home);
  VeilSession *fresh;

  renewal->lock = veil_home_lock_finish (result, &error);
  if (error != NULL)
    g_warning ("%s", error->message);
  /* Somebody signed in or out meanwhile, and theirs is not to be written over. */
  if (is_outdated (renewal) || !g_str_equal (generation, renewal->generation))
    {
      set_marker (self, FALSE);
      if (!is_outdated (renewal))
        adopt (self, renewal->fresh);
      return;
    }
  fresh = renewal->fresh;
  veil_token_store_save_async (self->store, fresh, VEIL_STORE_QUIET, NULL, on_saved, g_steal_pointer (&renewal));
}

static void
on_stored_found (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Renewal) renewal = user_data;
  VeilSessionKeeper *self = renewal->keeper;
  g_autoptr (VeilSession) stored = veil_token_store_load_finish (VEIL_TOKEN_STORE (source), result, NULL);

  if (is_outdated (renewal))
    return;
  /* Another process renewed it: ours was spent by that. */
  if (stored != NULL && stored->refresh_token != NULL && veil_session_has_same_network (stored, renewal->old) &&
      !veil_secret_equal_str (stored->refresh_token, renewal->old->refresh_token))
    adopt (self, stored);
  else
    end (self, renewal->refusal);
}

static void
on_renewed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Renewal) renewal = user_data;
  VeilSessionKeeper *self = renewal->keeper;

  renewal->fresh = veil_token_refresh_finish (SOUP_SESSION (source), result, &renewal->refusal);
  if (renewal->fresh == NULL && is_outdated (renewal))
    set_marker (self, FALSE);
  else if (renewal->fresh == NULL && !g_error_matches (renewal->refusal, VEIL_ERROR, VEIL_ERROR_SESSION_REFUSED))
    put_off (self, renewal->refusal);
  else if (self->store == NULL && renewal->fresh != NULL)
    adopt (self, renewal->fresh);
  else if (self->store == NULL)
    end (self, renewal->refusal);
  else if (renewal->fresh != NULL)
    veil_home_lock_async (self->home, NULL, on_locked, g_steal_pointer (&renewal));
  else
    {
      set_marker (self, FALSE);
      veil_token_store_load_async (self->store, VEIL_STORE_QUIET, NULL, on_stored_found, g_steal_pointer (&renewal));
    }
}

static void
renew (VeilSessionKeeper *self)
{
  Renewal *renewal;

  if (self->renewing)
    return;
  drop_timer (self);
  self->renewing = TRUE;
  renewal = g_new0 (Renewal, 1);
  renewal->keeper = g_object_ref (self);
  renewal->ending = g_object_ref (self->ending);
  renewal->old = veil_session_ref (self->session);
  renewal->generation = self->home != NULL ? veil_home_get_generation (self->home) : NULL;
  renewal->lock = -1;
  if (self->home != NULL && self->failures == 0 && self->renewed_at == 0)
    self->interrupted = veil_home_is_renewing (self->home);
  set_marker (self, TRUE);
  veil_token_refresh_async (self->http, self->session, self->times.now (), self->ending, on_renewed, renewal);
}

/* --- the outside --- */

static void
drop_session (VeilSessionKeeper *self)
{
  drop_timer (self);
  g_cancellable_cancel (self->ending);
  g_clear_object (&self->ending);
  g_clear_pointer (&self->session, veil_session_unref);
  g_clear_error (&self->end);
  self->renewing = FALSE;
  self->interrupted = FALSE;
  self->failures = 0;
  self->renewed_at = 0;
  self->not_before = 0;
}

static void
veil_session_keeper_finalize (GObject *object)
{
  VeilSessionKeeper *self = VEIL_SESSION_KEEPER (object);

  drop_session (self);
  g_object_unref (self->http);
  g_clear_object (&self->store);
  g_free (self->home);
  G_OBJECT_CLASS (veil_session_keeper_parent_class)->finalize (object);
}

static void
veil_session_keeper_class_init (VeilSessionKeeperClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_session_keeper_finalize;
  signals[CHANGED] = g_signal_new ("changed", VEIL_TYPE_SESSION_KEEPER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
veil_session_keeper_init (VeilSessionKeeper *self)
{
  self->times = (VeilKeeperTimes){ 30000, 30000, 5000, 2000, 300000, real_now };
  self->ending = g_cancellable_new ();
  g_queue_init (&self->waiting);
}

VeilSessionKeeper *
veil_session_keeper_new (SoupSession *http, VeilTokenStore *store, const char *home)
{
  VeilSessionKeeper *self = g_object_new (VEIL_TYPE_SESSION_KEEPER, NULL);

  self->http = g_object_ref (http);
  self->store = store != NULL ? g_object_ref (store) : NULL;
  self->home = g_strdup (home);
  return self;
}

void
veil_session_keeper_set_times (VeilSessionKeeper *self, const VeilKeeperTimes *times)
{
  self->times = *times;
}

void
veil_session_keeper_set_session (VeilSessionKeeper *self, VeilSession *session)
{
  g_autoptr (GError) error = session == NULL ? not_signed_in () : NULL;

  drop_session (self);
  self->ending = g_cancellable_new ();
  self->session = session != NULL ? veil_session_ref (session) : NULL;
  g_signal_emit (self, signals[CHANGED], 0);
  settle (self, error);
  plan (self);
}

void
veil_session_keeper_stop (VeilSessionKeeper *self)
{
  veil_session_keeper_set_session (self, NULL);
}

VeilSession *
veil_session_keeper_get_session (VeilSessionKeeper *self)
{
  return self->session;
}

const GError *
veil_session_keeper_get_end (VeilSessionKeeper *self)
{
  return self->end;
}

/* What can be said without a renewal; NULL and no error if one is needed. */
static VeilSession *
get_now (VeilSessionKeeper *self, const char *refused, GError **error)
{
  gboolean is_refused = refused != NULL && self->session != NULL && veil_secret_equal_str (refused, self->session->access_token);
  gint64 now = g_get_monotonic_time ();

  if (self->session == NULL)
    g_propagate_error (error, not_signed_in ());
  else if (self->end != NULL)
    g_propagate_error (error, g_error_copy (self->end));
  else if (!is_refused && (!has_run_out (self, 0) || !can_renew (self)))
    return veil_session_ref (self->session);
  /* It was renewed just now, or could not be: if its time is really over, the relay will say so. */
  else if (!is_refused && !self->renewing && now < self->not_before)
    return veil_session_ref (self->session);
  else if (is_refused && (!can_renew (self) ||
                          (!self->renewing && self->renewed_at != 0 && now - self->renewed_at < (gint64) self->times.young * 1000)))
    g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_SESSION_REFUSED,
                         "The relay does not accept the session: run `og-veil login` to sign in again");
  return NULL;
}

void
veil_session_keeper_get_async (VeilSessionKeeper *self, const char *refused, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  GError *error = NULL;
  VeilSession *session = get_now (self, refused, &error);

  g_task_set_source_tag (task, veil_session_keeper_get_async);
  if (session != NULL)
    g_task_return_pointer (task, session, (GDestroyNotify) veil_session_unref);
  else if (error != NULL)
    g_task_return_error (task, error);
  else
    {
      g_queue_push_tail (&self->waiting, g_steal_pointer (&task));
      renew (self);
    }
}

VeilSession *
veil_session_keeper_get_finish (VeilSessionKeeper *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}
