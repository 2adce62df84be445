/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The end of an endpoint that lets what runs come to its own. */
#include "listener.h"
#include "server-private.h"

#define LOOK_MS 20

typedef struct
{
  gint64 deadline;           /* monotonic */
  GCancellable *cancellable; /* owned; may be NULL */
} Drain;

static void
drain_free (gpointer data)
{
  Drain *drain = data;

  g_clear_object (&drain->cancellable);
  g_free (drain);
}

/* Requests that are not wholly answered yet, however far they have come. */
static gboolean
is_done (GTask *task)
{
  VeilServer *self = g_task_get_source_object (task);
  Drain *drain = g_task_get_task_data (task);

  return g_hash_table_size (self->exchanges) + g_hash_table_size (self->lingers) == 0 ||
         g_get_monotonic_time () >= drain->deadline || g_cancellable_is_cancelled (drain->cancellable);
}

static gboolean
on_look (gpointer user_data)
{
  GTask *task = user_data;

  if (!is_done (task))
    return G_SOURCE_CONTINUE;
  g_task_return_boolean (task, TRUE);
  return G_SOURCE_REMOVE;
}

void
veil_server_drain_async (VeilServer *self, guint patience_ms, GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  g_autoptr (GSource) look = NULL;
  Drain *drain = g_new0 (Drain, 1);

  g_return_if_fail (VEIL_IS_SERVER (self));

  g_task_set_source_tag (task, veil_server_drain_async);
  drain->deadline = g_get_monotonic_time () + patience_ms * G_TIME_SPAN_MILLISECOND;
  drain->cancellable = cancellable != NULL ? g_object_ref (cancellable) : NULL;
  g_task_set_task_data (task, drain, drain_free);
  self->draining = TRUE;
  veil_listeners_stop_accepting (self);
  if (is_done (task))
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  look = g_timeout_source_new (LOOK_MS);
  g_source_set_callback (look, on_look, g_object_ref (task), g_object_unref);
  g_source_attach (look, g_task_get_context (task));
}

void
veil_server_drain_finish (VeilServer *self, GAsyncResult *result)
{
  g_return_if_fail (g_task_is_valid (result, self));
  g_task_propagate_boolean (G_TASK (result), NULL);
}
