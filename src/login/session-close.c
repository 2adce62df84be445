/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The end of a session keeper: a renewal that is under way has spent a token, and what it gets for that is to be stored. */
#include "session-keeper.h"

typedef struct
{
  GSource *timeout;   /* owned */
  GSource *cancelled; /* owned; may be NULL */
} Close;

static void
drop_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
close_free (gpointer data)
{
  Close *self = data;

  drop_source (&self->timeout);
  drop_source (&self->cancelled);
  g_free (self);
}

/* Consumes the reference that the wait held. */
static void
end (GTask *data)
{
  g_autoptr (GTask) task = data;
  Close *self = g_task_get_task_data (task);

  drop_source (&self->timeout);
  drop_source (&self->cancelled);
  g_signal_handlers_disconnect_by_data (g_task_get_source_object (task), task);
  g_task_return_boolean (task, TRUE);
}

static gboolean
on_timeout (gpointer user_data)
{
  end (user_data);
  return G_SOURCE_REMOVE;
}

static gboolean
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  end (user_data);
  return G_SOURCE_REMOVE;
}

void
veil_session_keeper_close_async (VeilSessionKeeper *self, guint patience_ms, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  Close *closing = g_new0 (Close, 1);

  g_task_set_source_tag (task, veil_session_keeper_close_async);
  g_task_set_task_data (task, closing, close_free);
  veil_session_keeper_rest (self);
  if (veil_session_keeper_is_settled (self))
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  closing->timeout = g_timeout_source_new (patience_ms);
  g_source_set_callback (closing->timeout, on_timeout, task, NULL);
  g_source_attach (closing->timeout, g_task_get_context (task));
  if (cancellable != NULL)
    {
      closing->cancelled = g_cancellable_source_new (cancellable);
      g_source_set_callback (closing->cancelled, G_SOURCE_FUNC (on_cancelled), task, NULL);
      g_source_attach (closing->cancelled, g_task_get_context (task));
    }
  g_signal_connect_swapped (self, "settled", G_CALLBACK (end), task);
  g_object_ref (task);
}

void
veil_session_keeper_close_finish (VeilSessionKeeper *self, GAsyncResult *result)
{
  g_return_if_fail (g_task_is_valid (result, self));
  g_task_propagate_boolean (G_TASK (result), NULL);
}
