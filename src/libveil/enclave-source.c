/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "enclave-source.h"

#include "retry.h"
#include "veil-error.h"
#include "wrap.h"

#define DEFAULT_INTERVAL_S 300
/* After a reading that was no use, callers get its error, or what is known, for this long. */
#define FAILURE_MEMORY_US (1 * G_USEC_PER_SEC)
/* "There is none that fits" is believed for this long, then asked again when a request comes. */
#define EMPTY_MEMORY_US (5 * G_USEC_PER_SEC)
/* A registry may take so long to say something new; with nothing known, one waits longer. */
#define KNOWN_DEADLINE_MS 3000
#define UNKNOWN_DEADLINE_MS 20000

struct _VeilEnclaveSource
{
  GObject parent;

  VeilRegistryClient *registry; /* owned */
  VeilChooser *chooser;         /* owned */
  GQueue waiting;               /* owned, of GTask */
  GError *failure;              /* owned; what came of the last reading */
  gint64 read_at;               /* monotonic; 0 is never */
  gint64 failed_at;             /* monotonic; of the last reading, 0 if it was of use */
  guint interval;               /* in seconds */
  guint doubts;                 /* counted, so that one that arises during a reading outlives it */
  guint settled_doubts;
  gboolean reading;
};

G_DEFINE_FINAL_TYPE (VeilEnclaveSource, veil_enclave_source, G_TYPE_OBJECT)

typedef struct
{
  VeilEnclave *avoid; /* owned; may be NULL */
  GSource *cancelled; /* owned; set while waiting */
} Wish;

static void
wish_stop_waiting (Wish *self)
{
  if (self->cancelled == NULL)
    return;
  g_source_destroy (self->cancelled);
  g_clear_pointer (&self->cancelled, g_source_unref);
}

static void
wish_free (gpointer data)
{
  Wish *self = data;

  wish_stop_waiting (self);
  g_clear_object (&self->avoid);
  g_free (self);
}

static void
veil_enclave_source_finalize (GObject *object)
{
  VeilEnclaveSource *self = VEIL_ENCLAVE_SOURCE (object);

  g_clear_object (&self->registry);
  g_clear_object (&self->chooser);
  g_clear_error (&self->failure);
  G_OBJECT_CLASS (veil_enclave_source_parent_class)->finalize (object);
}

static void
veil_enclave_source_class_init (VeilEnclaveSourceClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_enclave_source_finalize;
}

static void
veil_enclave_source_init (VeilEnclaveSource *self)
{
  self->interval = DEFAULT_INTERVAL_S;
  g_queue_init (&self->waiting);
}

VeilEnclaveSource *
veil_enclave_source_new (VeilRegistryClient *registry, VeilChooser *chooser)
{
  VeilEnclaveSource *self = g_object_new (VEIL_TYPE_ENCLAVE_SOURCE, NULL);

  self->registry = g_object_ref (registry);
  self->chooser = g_object_ref (chooser);
  return self;
}

guint
veil_enclave_source_get_interval (VeilEnclaveSource *self)
{
  return self->interval;
}

void
veil_enclave_source_set_interval (VeilEnclaveSource *self, guint seconds)
{
  self->interval = seconds;
}

/* A registry that could not be read does not take down enclaves that work. */
static void
settle (VeilEnclaveSource *self, GTask *task)
{
  Wish *wish = g_task_get_task_data (task);
  GError *error = NULL;
  VeilEnclave *enclave;

  wish_stop_waiting (wish);
  if (!veil_chooser_has_enclaves (self->chooser) && self->failure != NULL)
    {
      g_task_return_error (task, g_error_copy (self->failure));
      return;
    }
  enclave = veil_chooser_choose (self->chooser, wish->avoid, &error);
  if (enclave != NULL)
    g_task_return_pointer (task, enclave, g_object_unref);
  else
    g_task_return_error (task, error);
}

typedef struct
{
  VeilEnclaveSource *source; /* owned */
  guint doubts;              /* that there were when it began */
} Reading;

static void
read_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Reading *reading = user_data;
  g_autoptr (VeilEnclaveSource) self = reading->source;
  g_autoptr (GPtrArray) enclaves = NULL;
  GQueue waiting = self->waiting;
  GTask *next;

  self->reading = FALSE;
  g_clear_error (&self->failure);
  enclaves = veil_registry_client_fetch_finish (VEIL_REGISTRY_CLIENT (source), result, &self->failure);
  self->failed_at = enclaves == NULL ? g_get_monotonic_time () : 0;
  if (enclaves != NULL)
    {
      self->read_at = g_get_monotonic_time ();
      self->settled_doubts = reading->doubts;
      veil_chooser_set_enclaves (self->chooser, enclaves);
    }
  g_queue_init (&self->waiting);
  while ((next = g_queue_pop_head (&waiting)) != NULL)
    {
      g_autoptr (GTask) task = next;

      settle (self, task);
    }
}

static void
start_reading (VeilEnclaveSource *self)
{
  Reading *reading;

  if (self->reading)
    return;
  reading = g_new0 (Reading, 1);
  reading->source = g_object_ref (self);
  reading->doubts = self->doubts;
  self->reading = TRUE;
  veil_registry_set_deadline (veil_registry_client_get_registry (self->registry),
                              veil_chooser_has_enclaves (self->chooser) ? KNOWN_DEADLINE_MS : UNKNOWN_DEADLINE_MS);
  veil_registry_client_fetch_async (self->registry, NULL, read_done, reading);
}

static gboolean
on_wish_cancelled (GCancellable *cancellable, gpointer data)
{
  g_autoptr (GTask) task = g_object_ref (data);
  VeilEnclaveSource *self = g_task_get_source_object (task);

  wish_stop_waiting (g_task_get_task_data (task));
  if (g_queue_remove (&self->waiting, task))
    {
      g_object_unref (task); /* the queue's */
      g_task_return_error_if_cancelled (task);
    }
  return G_SOURCE_REMOVE;
}

static void
wait_for_reading (VeilEnclaveSource *self, GTask *task)
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
  start_reading (self);
}

/* Whether what is known does for this wish. */
static gboolean
is_satisfied (VeilEnclaveSource *self, VeilEnclave *avoid)
{
  gint64 now = g_get_monotonic_time ();
  g_autoptr (VeilEnclave) enclave = NULL;

  if (self->failed_at != 0 && now - self->failed_at < FAILURE_MEMORY_US)
    return TRUE;
  if (!veil_chooser_has_enclaves (self->chooser) || self->doubts != self->settled_doubts)
    return FALSE;
  enclave = veil_chooser_choose (self->chooser, avoid, NULL);
  return enclave != NULL || now - self->read_at < EMPTY_MEMORY_US;
}

void
veil_enclave_source_choose_async (VeilEnclaveSource *self, VeilEnclave *avoid, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  Wish *wish = g_new0 (Wish, 1);

  g_task_set_source_tag (task, veil_enclave_source_choose_async);
  g_set_object (&wish->avoid, avoid);
  g_task_set_task_data (task, wish, wish_free);
  if (!is_satisfied (self, avoid))
    {
      wait_for_reading (self, task);
      return;
    }
  if (self->interval > 0 && self->read_at != 0 && g_get_monotonic_time () - self->read_at > self->interval * G_USEC_PER_SEC)
    start_reading (self);
  settle (self, task);
}

VeilEnclave *
veil_enclave_source_choose_finish (VeilEnclaveSource *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self) && g_async_result_is_tagged (result, veil_enclave_source_choose_async),
                        NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

void
veil_enclave_source_report (VeilEnclaveSource *self, VeilEnclave *enclave, const GError *error)
{
  gboolean verification;

  if (error == NULL)
    {
      veil_chooser_report_success (self->chooser, enclave);
      return;
    }
  if (error->domain != VEIL_ERROR)
    return;
  verification = veil_error_is_verification (error->code);
  if (verification || veil_retry_elsewhere (error) || error->code == VEIL_ERROR_TIMED_OUT)
    veil_chooser_report_failure (self->chooser, enclave);
  if (verification || veil_retry_anew (error))
    self->doubts++;
}
