/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "session-keeper.h"

#include "home-state.h"
#include "secret.h"
#include "session-renewal.h"
#include "translate.h"
#include "veil-error.h"

struct _VeilSessionKeeper
{
  GObject parent;

  SoupSession *http;     /* owned */
  VeilTokenStore *store; /* owned; may be NULL */
  char *home;            /* owned; may be NULL */
  VeilRenewalClock clock;

  VeilSession *session; /* owned; may be NULL */
  VeilSession *stored;  /* owned; what the store held last; may be NULL */
  GError *end;          /* owned; why it can no longer be used */
  GCancellable *ending; /* owned; of what is under way for this session */
  GQueue waiting;       /* owned, of GTask */
  GSource *timer;       /* owned */
  GSource *store_timer; /* owned; while what was renewed is not in the store */
  guint store_tries;    /* in a row */
  gboolean renewing;    /* the session */
  gboolean storing;     /* it, once more */
  guint under_way;      /* of both, those of former sessions included */
  gboolean closing;     /* no more renewals */
  gboolean interrupted; /* an earlier run ended in the middle of a renewal */
};

G_DEFINE_FINAL_TYPE (VeilSessionKeeper, veil_session_keeper, G_TYPE_OBJECT)

enum
{
  CHANGED,
  SUPERSEDED,
  SETTLED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void renew (VeilSessionKeeper *self);
static void store_again (VeilSessionKeeper *self);
static void plan (VeilSessionKeeper *self);

/* A renewal that is under way. */
typedef struct
{
  VeilSessionKeeper *keeper; /* owned */
  GCancellable *ending;      /* owned; the keeper's, when it began */
} Ticket;

static void
ticket_free (Ticket *self)
{
  g_object_unref (self->ending);
  g_object_unref (self->keeper);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Ticket, ticket_free)

static void
drop_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
drop_timers (VeilSessionKeeper *self)
{
  drop_source (&self->timer);
  drop_source (&self->store_timer);
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
  return g_error_new_literal (VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN, _ ("Nobody is signed in: run `og-veil login`"));
}

/* --- when --- */

static gboolean
can_renew (VeilSessionKeeper *self)
{
  return self->session != NULL && self->session->refresh_token != NULL && self->end == NULL && !self->closing;
}

static gboolean
on_timer (gpointer data)
{
  g_autoptr (VeilSessionKeeper) self = g_object_ref (data);

  drop_source (&self->timer);
  if (can_renew (self) && veil_renewal_clock_is_due (&self->clock, self->session))
    renew (self);
  else
    plan (self);
  return G_SOURCE_REMOVE;
}

/* The store could not be used when the session was renewed, and what it holds is spent. */
static gboolean
is_unstored (VeilSessionKeeper *self)
{
  return self->store != NULL && self->session != NULL && self->end == NULL && self->stored != NULL && self->stored != self->session;
}

static gboolean
on_store_timer (gpointer data)
{
  VeilSessionKeeper *self = data;

  drop_source (&self->store_timer);
  store_again (self);
  return G_SOURCE_REMOVE;
}

static void
plan_to_store (VeilSessionKeeper *self)
{
  drop_source (&self->store_timer);
  if (self->renewing || self->storing || self->closing || !is_unstored (self))
    return;
  self->store_timer = g_timeout_source_new (veil_renewal_clock_get_backoff (&self->clock, self->store_tries));
  g_source_set_callback (self->store_timer, on_store_timer, self, NULL);
  g_source_set_static_name (self->store_timer, "veil-session-store");
  g_source_attach (self->store_timer, g_main_context_get_thread_default ());
}

static void
plan (VeilSessionKeeper *self)
{
  drop_source (&self->timer);
  plan_to_store (self);
  if (self->renewing || !can_renew (self) || self->session->expires_at == 0)
    return;
  self->timer = g_timeout_source_new (veil_renewal_clock_get_wait (&self->clock, self->session));
  g_source_set_callback (self->timer, on_timer, self, NULL);
  g_source_set_static_name (self->timer, "veil-session-renewal");
  g_source_attach (self->timer, g_main_context_get_thread_default ());
}

/* --- how it ends --- */

static void
set_stored (VeilSessionKeeper *self, VeilSession *session)
{
  g_clear_pointer (&self->stored, veil_session_unref);
  self->stored = session != NULL ? veil_session_ref (session) : NULL;
  self->store_tries = 0;
}

static void
adopt (VeilSessionKeeper *self, VeilSession *session)
{
  veil_session_ref (session);
  g_clear_pointer (&self->session, veil_session_unref);
  self->session = session;
  self->renewing = FALSE;
  self->interrupted = FALSE;
  veil_renewal_clock_note_renewed (&self->clock);
  g_signal_emit (self, signals[CHANGED], 0);
  settle (self, NULL);
  plan (self);
}

static void
put_off (VeilSessionKeeper *self, const GError *error)
{
  veil_renewal_clock_note_failure (&self->clock);
  self->renewing = FALSE;
  g_message ("%s", error->message);
  settle (self, error);
  plan (self);
}

static void
end (VeilSessionKeeper *self, const GError *refusal)
{
  g_clear_error (&self->end);
  if (self->interrupted)
    self->end = g_error_new_literal (
        VEIL_ERROR, VEIL_ERROR_SESSION_REFUSED,
        _ ("The session is lost, because Veil was ended between renewing and storing it: run `og-veil login`"));
  else
    self->end = g_error_copy (refusal);
  self->renewing = FALSE;
  g_message ("%s", self->end->message);
  g_signal_emit (self, signals[CHANGED], 0);
  settle (self, self->end);
}

/* Whoever knows what is in the store now has to say who is signed in. */
static void
give_up (VeilSessionKeeper *self)
{
  veil_session_keeper_set_session (self, NULL);
  g_signal_emit (self, signals[SUPERSEDED], 0);
}

static void
take_outcome (VeilSessionKeeper *self, VeilRenewalOutcome outcome, VeilSession *session, const GError *error)
{
  if (g_error_matches (error, VEIL_ERROR, VEIL_ERROR_SESSION_REFUSED))
    end (self, error);
  else if (error != NULL)
    put_off (self, error);
  else if (outcome == VEIL_RENEWAL_SUPERSEDED)
    give_up (self);
  else
    {
      if (outcome != VEIL_RENEWAL_UNSTORED)
        set_stored (self, session);
      adopt (self, session);
    }
}

static void
on_renewed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Ticket) ticket = user_data;
  VeilSessionKeeper *self = ticket->keeper;
  g_autoptr (VeilSession) session = NULL;
  g_autoptr (GError) error = NULL;
  VeilRenewalOutcome outcome;

  veil_session_renewal_finish (result, &outcome, &session, &error);
  self->under_way--;
  /* Otherwise another session was set meanwhile. */
  if (!g_cancellable_is_cancelled (ticket->ending))
    take_outcome (self, outcome, session, error);
  if (self->under_way == 0)
    g_signal_emit (self, signals[SETTLED], 0);
}

static Ticket *
begin (VeilSessionKeeper *self)
{
  Ticket *ticket = g_new0 (Ticket, 1);

  drop_timers (self);
  self->under_way++;
  ticket->keeper = g_object_ref (self);
  ticket->ending = g_object_ref (self->ending);
  return ticket;
}

/* Who waits is renewed for once the store has answered. */
static void
renew (VeilSessionKeeper *self)
{
  if (self->renewing || self->storing)
    return;
  self->renewing = TRUE;
  if (self->home != NULL && veil_renewal_clock_is_fresh (&self->clock))
    self->interrupted = veil_home_is_renewing (self->home);
  veil_session_renewal_async (self->http, self->store, self->home, self->session, self->stored, self->clock.times.now (),
                              self->ending, on_renewed, begin (self));
}

/* --- what could not be stored --- */

static void
take_stored (VeilSessionKeeper *self, VeilRenewalOutcome outcome, VeilSession *session)
{
  self->storing = FALSE;
  if (outcome == VEIL_RENEWAL_SUPERSEDED)
    {
      give_up (self);
      return;
    }
  if (outcome == VEIL_RENEWAL_UNSTORED)
    self->store_tries++;
  else
    set_stored (self, session);
  if (outcome == VEIL_RENEWAL_STORED)
    g_message ("The renewed session is stored now");
  if (outcome == VEIL_RENEWAL_ELSEWHERE)
    adopt (self, session);
  else if (!g_queue_is_empty (&self->waiting) && can_renew (self))
    renew (self);
  else
    {
      settle (self, NULL);
      plan (self);
    }
}

static void
on_stored (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Ticket) ticket = user_data;
  VeilSessionKeeper *self = ticket->keeper;
  g_autoptr (VeilSession) session = NULL;
  VeilRenewalOutcome outcome;

  veil_session_renewal_finish (result, &outcome, &session, NULL);
  self->under_way--;
  if (!g_cancellable_is_cancelled (ticket->ending))
    take_stored (self, outcome, session);
  if (self->under_way == 0)
    g_signal_emit (self, signals[SETTLED], 0);
}

static void
store_again (VeilSessionKeeper *self)
{
  self->storing = TRUE;
  veil_session_renewal_store_async (self->store, self->home, self->session, self->stored, on_stored, begin (self));
}

/* --- the outside --- */

static void
drop_session (VeilSessionKeeper *self)
{
  drop_timers (self);
  g_cancellable_cancel (self->ending);
  g_clear_object (&self->ending);
  g_clear_pointer (&self->session, veil_session_unref);
  set_stored (self, NULL);
  g_clear_error (&self->end);
  self->renewing = FALSE;
  self->storing = FALSE;
  self->interrupted = FALSE;
  veil_renewal_clock_reset (&self->clock);
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
  signals[SUPERSEDED] =
      g_signal_new ("superseded", VEIL_TYPE_SESSION_KEEPER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[SETTLED] = g_signal_new ("settled", VEIL_TYPE_SESSION_KEEPER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
veil_session_keeper_init (VeilSessionKeeper *self)
{
  veil_renewal_clock_init (&self->clock);
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
  self->clock.times = *times;
}

static void
replace_session (VeilSessionKeeper *self, VeilSession *session)
{
  g_autoptr (GError) error = session == NULL ? not_signed_in () : NULL;
  g_autoptr (VeilSession) next = session != NULL ? veil_session_ref (session) : NULL;

  drop_session (self);
  self->ending = g_cancellable_new ();
  set_stored (self, next);
  self->session = g_steal_pointer (&next);
  g_signal_emit (self, signals[CHANGED], 0);
  settle (self, error);
  plan (self);
}

void
veil_session_keeper_set_session (VeilSessionKeeper *self, VeilSession *session)
{
  /* The renewal under way is of this one, and has spent its token. */
  if (session != NULL && self->session != NULL && self->end == NULL && veil_session_equal (session, self->session))
    return;
  /* Spent: what it was renewed to could not be stored yet. */
  if (session != NULL && is_unstored (self) && veil_session_equal (session, self->stored))
    return;
  /* What is lost is not this one. */
  if (self->renewing && self->home != NULL)
    veil_home_set_renewing (self->home, FALSE);
  replace_session (self, session);
}

void
veil_session_keeper_stop (VeilSessionKeeper *self)
{
  replace_session (self, NULL);
}

void
veil_session_keeper_rest (VeilSessionKeeper *self)
{
  gboolean last_try = is_unstored (self) && !self->closing && !self->renewing && !self->storing;

  self->closing = TRUE;
  drop_timers (self);
  if (last_try)
    store_again (self);
}

gboolean
veil_session_keeper_is_settled (VeilSessionKeeper *self)
{
  return self->under_way == 0;
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

  if (self->session == NULL)
    g_propagate_error (error, not_signed_in ());
  else if (self->end != NULL)
    g_propagate_error (error, g_error_copy (self->end));
  else if (!is_refused && (!veil_renewal_clock_has_run_out (&self->clock, self->session) || !can_renew (self)))
    return veil_session_ref (self->session);
  /* It was renewed just now, or could not be: if its time is really over, the relay will say so. */
  else if (!is_refused && !self->renewing && veil_renewal_clock_is_resting (&self->clock))
    return veil_session_ref (self->session);
  else if (is_refused && (!can_renew (self) || (!self->renewing && veil_renewal_clock_is_young (&self->clock))))
    g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_SESSION_REFUSED,
                         _ ("The relay does not accept the session: run `og-veil login` to sign in again"));
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
