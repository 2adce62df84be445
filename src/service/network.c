/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "network.h"

#include "retry.h"
#include "veil-error.h"

/* After a reading that was no use, callers get its error for this long. */
#define FAILURE_MEMORY_US (1 * G_USEC_PER_SEC)
/* "There is none" is believed for this long, then asked again when a request comes. */
#define EMPTY_MEMORY_US (5 * G_USEC_PER_SEC)
/* Failures that may mean "no such enclave any more", but mostly mean something else, lead to one reading in this time. */
#define DOUBT_PAUSE_US (2 * G_USEC_PER_SEC)
/* With enclaves known, a request waits so long for a reading that is to settle a doubt; then what is known has to do. */
#define PATIENCE_US (3 * G_USEC_PER_SEC)

struct _VeilNetwork
{
  GObject parent;

  VeilSession *session;     /* owned */
  VeilRegistry *registry;   /* owned */
  VeilSelection *selection; /* owned */
  VeilRelayClient *relay;   /* owned */

  GSource *timer;            /* owned; NULL when off */
  guint interval;            /* of the timer, in seconds */
  GCancellable *cancellable; /* owned; ends a reading that nobody waits for */
  GQueue waiting;            /* owned, of GTask */
  gboolean reading;
  gboolean retired;
  gint64 began_at;   /* monotonic; of the last reading */
  gint64 doubted_at; /* monotonic; when a failure last was taken for a doubt, 0 is never */
  gint64 read_at;    /* monotonic; 0 is never */
  gint64 failed_at;  /* monotonic; of the last reading, 0 if it was of use */
  GError *failure;   /* owned; what came of the last reading */
  /* Doubts are counted, so that one that arises during a reading outlives it. */
  guint doubts;
  guint settled_doubts;
};

G_DEFINE_FINAL_TYPE (VeilNetwork, veil_network, G_TYPE_OBJECT)

enum
{
  CHOOSING,
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* Somebody who wants a TEE. */
typedef struct
{
  char *avoid;        /* owned; may be NULL */
  GSource *cancelled; /* owned; set while waiting */
  GSource *patience;  /* owned; likewise, if it does not wait for ever */
} Wish;

static void
drop_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
wish_stop_waiting (Wish *self)
{
  drop_source (&self->cancelled);
  drop_source (&self->patience);
}

static void
wish_free (gpointer data)
{
  Wish *self = data;

  wish_stop_waiting (self);
  g_free (self->avoid);
  g_free (self);
}

static void
stop_timer (VeilNetwork *self)
{
  drop_source (&self->timer);
}

static void
veil_network_finalize (GObject *object)
{
  VeilNetwork *self = VEIL_NETWORK (object);

  stop_timer (self);
  g_clear_error (&self->failure);
  g_object_unref (self->cancellable);
  g_object_unref (self->relay);
  g_object_unref (self->selection);
  g_object_unref (self->registry);
  veil_session_unref (self->session);
  G_OBJECT_CLASS (veil_network_parent_class)->finalize (object);
}

static void
veil_network_class_init (VeilNetworkClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_network_finalize;
  signals[CHOOSING] = g_signal_new ("choosing", VEIL_TYPE_NETWORK, G_SIGNAL_RUN_FIRST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[CHANGED] = g_signal_new ("changed", VEIL_TYPE_NETWORK, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
veil_network_init (VeilNetwork *self)
{
  self->cancellable = g_cancellable_new ();
  g_queue_init (&self->waiting);
}

static gboolean
on_timer (gpointer data)
{
  veil_network_refresh (data);
  return G_SOURCE_CONTINUE;
}

static void
start_timer (VeilNetwork *self, guint seconds)
{
  if (seconds == self->interval || self->retired)
    return;
  stop_timer (self);
  self->interval = seconds;
  if (seconds == 0)
    return;
  self->timer = g_timeout_source_new_seconds (seconds);
  g_source_set_callback (self->timer, on_timer, self, NULL);
  g_source_set_static_name (self->timer, "veil-registry-refresh");
  g_source_attach (self->timer, g_main_context_get_thread_default ());
}

VeilNetwork *
veil_network_new (SoupSession *http, VeilSession *session, const VeilSettings *settings)
{
  VeilNetwork *self = g_object_new (VEIL_TYPE_NETWORK, NULL);

  self->session = veil_session_ref (session);
  self->registry = veil_registry_new (http, session->registry_rpc_url, session->registry_address, session->registry_tee_type);
  self->selection = veil_selection_new ();
  self->relay = veil_relay_client_new (http, session->relay_url, NULL);
  veil_relay_client_set_sandbox (self->relay, session->sandbox);
  veil_network_set_settings (self, settings);
  return self;
}

void
veil_network_set_settings (VeilNetwork *self, const VeilSettings *settings)
{
  const VeilRelayLimits limits = { .single_deadline_ms = settings->answer_timeout * 1000,
                                   .stream_deadline_ms = settings->answer_timeout * 1000 };

  veil_selection_set_tee_id (self->selection, settings->tee_id);
  veil_selection_set_pcr_pins (self->selection, (const char *const *) settings->pcr_pins);
  veil_relay_client_set_limits (self->relay, &limits);
  start_timer (self, settings->refresh_interval);
}

void
veil_network_retire (VeilNetwork *self)
{
  self->retired = TRUE;
  stop_timer (self);
  if (g_queue_is_empty (&self->waiting))
    g_cancellable_cancel (self->cancellable);
}

VeilSession *
veil_network_get_session (VeilNetwork *self)
{
  return self->session;
}

gboolean
veil_network_set_session (VeilNetwork *self, VeilSession *session)
{
  if (!veil_session_has_same_network (self->session, session))
    return FALSE;
  veil_session_ref (session);
  veil_session_unref (self->session);
  self->session = session;
  return TRUE;
}

VeilRelayClient *
veil_network_get_relay (VeilNetwork *self)
{
  return self->relay;
}

static VeilTee *
choose (VeilNetwork *self, const char *avoid, GError **error)
{
  VeilTee *tee;

  g_signal_emit (self, signals[CHOOSING], 0);
  if (!veil_selection_has_tees (self->selection))
    {
      if (self->failure != NULL)
        g_propagate_error (error, g_error_copy (self->failure));
      return NULL;
    }
  tee = veil_selection_choose (self->selection, avoid, g_get_monotonic_time (), error);
  if (tee != NULL)
    veil_relay_client_prepare (self->relay, tee);
  return tee;
}

static void
settle (GTask *task, VeilTee *tee, GError *error)
{
  if (tee != NULL)
    g_task_return_pointer (task, tee, (GDestroyNotify) veil_tee_unref);
  else
    g_task_return_error (task, error);
}

static void
settle_waiting (VeilNetwork *self)
{
  GQueue waiting = self->waiting;
  GTask *next;

  g_queue_init (&self->waiting);
  while ((next = g_queue_pop_head (&waiting)) != NULL)
    {
      g_autoptr (GTask) task = next;
      Wish *wish = g_task_get_task_data (task);
      GError *error = NULL;
      VeilTee *tee = choose (self, wish->avoid, &error);

      wish_stop_waiting (wish);
      settle (task, tee, error);
    }
}

static void
take_failure (VeilNetwork *self, GError *error)
{
  gboolean news = self->failure == NULL;

  g_clear_error (&self->failure);
  self->failure = error;
  self->failed_at = g_get_monotonic_time ();
  if (!news || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  g_message ("%s%s", error->message, veil_selection_has_tees (self->selection) ? "; the enclaves known so far are used on" : "");
}

static void
take_tees (VeilNetwork *self, GPtrArray *tees, guint doubts)
{
  g_autoptr (VeilTee) tee = NULL;

  g_clear_error (&self->failure);
  self->failed_at = 0;
  self->read_at = g_get_monotonic_time ();
  self->settled_doubts = doubts;
  veil_selection_set_tees (self->selection, tees);
  tee = choose (self, NULL, NULL);
  g_info ("The registry lists %u enclaves; %s%s", tees->len, tee != NULL ? "chosen: " : "none of them can be used",
          tee != NULL ? tee->id : "");
}

typedef struct
{
  VeilNetwork *network; /* owned */
  guint doubts;         /* that there were when it began */
} Reading;

static void
read_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Reading *reading = user_data;
  g_autoptr (VeilNetwork) self = reading->network;
  g_autoptr (GPtrArray) tees = NULL;
  GError *error = NULL;

  self->reading = FALSE;
  tees = veil_registry_fetch_finish (VEIL_REGISTRY (source), result, &error);
  if (tees == NULL)
    take_failure (self, error);
  else
    take_tees (self, tees, reading->doubts);
  settle_waiting (self);
  g_signal_emit (self, signals[CHANGED], 0);
}

void
veil_network_refresh (VeilNetwork *self)
{
  Reading *reading;

  if (self->reading)
    return;
  reading = g_new0 (Reading, 1);
  reading->network = g_object_ref (self);
  reading->doubts = self->doubts;
  self->reading = TRUE;
  self->began_at = g_get_monotonic_time ();
  veil_registry_fetch_async (self->registry, self->cancellable, read_done, reading);
  g_signal_emit (self, signals[CHANGED], 0);
}

static gboolean
on_wish_cancelled (GCancellable *cancellable, gpointer data)
{
  g_autoptr (GTask) task = g_object_ref (data);
  VeilNetwork *self = g_task_get_source_object (task);

  wish_stop_waiting (g_task_get_task_data (task));
  if (g_queue_remove (&self->waiting, task))
    {
      g_object_unref (task); /* the queue's */
      g_task_return_error_if_cancelled (task);
    }
  return G_SOURCE_REMOVE;
}

static gboolean
on_patience_over (gpointer data)
{
  g_autoptr (GTask) task = g_object_ref (data);
  VeilNetwork *self = g_task_get_source_object (task);
  Wish *wish = g_task_get_task_data (task);
  GError *error = NULL;
  VeilTee *tee;

  wish_stop_waiting (wish);
  if (g_queue_remove (&self->waiting, task))
    {
      g_object_unref (task); /* the queue's */
      tee = choose (self, wish->avoid, &error);
      settle (task, tee, error);
    }
  return G_SOURCE_REMOVE;
}

/* @patience: microseconds; negative is for ever. */
static void
wait_for_reading (VeilNetwork *self, GTask *task, gint64 patience)
{
  GCancellable *cancellable = g_task_get_cancellable (task);
  Wish *wish = g_task_get_task_data (task);

  g_queue_push_tail (&self->waiting, g_object_ref (task));
  if (cancellable != NULL)
    {
      wish->cancelled = g_cancellable_source_new (cancellable);
      g_source_set_callback (wish->cancelled, G_SOURCE_FUNC (on_wish_cancelled), task, NULL);
      g_source_attach (wish->cancelled, g_task_get_context (task));
    }
  if (patience >= 0)
    {
      wish->patience = g_timeout_source_new (patience / 1000);
      g_source_set_callback (wish->patience, on_patience_over, task, NULL);
      g_source_attach (wish->patience, g_task_get_context (task));
    }
  veil_network_refresh (self);
}

static gboolean
failed_within (VeilNetwork *self, gint64 microseconds)
{
  return self->failed_at != 0 && g_get_monotonic_time () - self->failed_at < microseconds;
}

/* A doubt is to be settled before the next choice, unless the registry cannot do that just now: it never takes down enclaves that work. */
static gboolean
wait_for_doubt (VeilNetwork *self, GTask *task)
{
  gint64 patience = PATIENCE_US;

  if (self->doubts == self->settled_doubts)
    return FALSE;
  /* Once a doubt could not be settled, nobody waits for that any more: a registry that says nothing takes its whole time each time. */
  if (self->failed_at != 0)
    {
      if (!failed_within (self, FAILURE_MEMORY_US))
        veil_network_refresh (self);
      return FALSE;
    }
  if (self->reading)
    patience -= g_get_monotonic_time () - self->began_at;
  if (patience <= 0)
    return FALSE;
  wait_for_reading (self, task, patience);
  return TRUE;
}

void
veil_network_choose_async (VeilNetwork *self, const char *avoid, GCancellable *cancellable, GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  gboolean known = veil_selection_has_tees (self->selection);
  GError *error = NULL;
  VeilTee *tee;
  Wish *wish;

  g_task_set_source_tag (task, veil_network_choose_async);
  wish = g_new0 (Wish, 1);
  wish->avoid = g_strdup (avoid);
  g_task_set_task_data (task, wish, wish_free);
  if (known && wait_for_doubt (self, task))
    return;
  if (!known && !failed_within (self, FAILURE_MEMORY_US))
    {
      wait_for_reading (self, task, -1);
      return;
    }
  tee = choose (self, avoid, &error);
  if (tee == NULL && !failed_within (self, FAILURE_MEMORY_US) && g_get_monotonic_time () - self->read_at > EMPTY_MEMORY_US)
    {
      g_clear_error (&error);
      wait_for_reading (self, task, known ? PATIENCE_US : -1);
      return;
    }
  settle (task, tee, error);
}

VeilTee *
veil_network_choose_finish (VeilNetwork *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

VeilTee *
veil_network_peek (VeilNetwork *self, GError **error)
{
  return choose (self, NULL, error);
}

VeilRegistry *
veil_network_get_registry (VeilNetwork *self)
{
  return self->registry;
}

GPtrArray *
veil_network_get_tees (VeilNetwork *self)
{
  return veil_selection_get_tees (self->selection);
}

const GError *
veil_network_get_failure (VeilNetwork *self)
{
  return self->failure;
}

VeilTee *
veil_network_get_current (VeilNetwork *self)
{
  return veil_selection_get_current (self->selection);
}

gboolean
veil_network_get_reading (VeilNetwork *self)
{
  return self->reading;
}

gint64
veil_network_get_aside (VeilNetwork *self, const char *tee_id)
{
  return veil_selection_get_aside (self->selection, tee_id, g_get_monotonic_time ());
}

void
veil_network_report (VeilNetwork *self, VeilTee *tee, const GError *error)
{
  gint64 now = g_get_monotonic_time ();
  gboolean verification;

  if (error == NULL)
    {
      veil_selection_report_success (self->selection, tee->id);
      return;
    }
  if (error->domain != VEIL_ERROR)
    return;
  verification = veil_error_is_verification (error->code);
  if (verification || veil_retry_elsewhere (error) || error->code == VEIL_ERROR_TIMED_OUT)
    veil_selection_report_failure (self->selection, tee->id, now);
  if (!verification && (!veil_retry_anew (error) || (self->doubted_at != 0 && now - self->doubted_at < DOUBT_PAUSE_US)))
    return;
  self->doubted_at = now;
  self->doubts++;
}
