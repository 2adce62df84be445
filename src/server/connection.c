/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "connection.h"

#include <glib-unix.h>
#include <poll.h>

struct _VeilConnection
{
  gint refs;
  GSocketConnection *stream; /* weak: libsoup's */
  GSource *timer;            /* owned */
  GSource *watch;            /* owned */
  SoupServerMessage *idle;   /* owned: the last one, while the next is waited for */
  VeilConnectionFunc gone;
  gpointer gone_data;
  VeilConnectionFunc closed;
  gpointer closed_data;
};

static gboolean
timer_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  g_source_set_ready_time (source, -1);
  return callback (user_data);
}

static GSourceFuncs timer_funcs = { .dispatch = timer_dispatch };

static void close_idle (VeilConnection *self, gpointer user_data);

/* In the midst of a request, libsoup finds the end of the stream where it waits for bytes, or cannot write, and takes the connection down. */
static gboolean
on_time_out (gpointer user_data)
{
  VeilConnection *self = user_data;

  if (self->idle != NULL)
    close_idle (self, NULL);
  else if (self->stream != NULL)
    g_socket_shutdown (g_socket_connection_get_socket (self->stream), TRUE, TRUE, NULL);
  return G_SOURCE_CONTINUE;
}

static void
drop_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
on_stream_gone (gpointer user_data, GObject *stream)
{
  VeilConnection *self = user_data;

  self->stream = NULL;
  drop_source (&self->timer);
  drop_source (&self->watch);
  if (self->gone != NULL)
    self->gone (self, self->gone_data);
  veil_connection_unref (self);
}

VeilConnection *
veil_connection_new (GSocketConnection *stream, VeilConnectionFunc gone, gpointer user_data)
{
  VeilConnection *self = g_new0 (VeilConnection, 1);

  self->refs = 2; /* one is for on_stream_gone() */
  self->stream = stream;
  self->gone = gone;
  self->gone_data = user_data;
  g_object_weak_ref (G_OBJECT (stream), on_stream_gone, self);
  self->timer = g_source_new (&timer_funcs, sizeof (GSource));
  g_source_set_callback (self->timer, on_time_out, self, NULL);
  g_source_set_static_name (self->timer, "veil connection timer");
  g_source_attach (self->timer, g_main_context_get_thread_default ());
  return self;
}

VeilConnection *
veil_connection_ref (VeilConnection *self)
{
  self->refs++;
  return self;
}

void
veil_connection_unref (VeilConnection *self)
{
  if (--self->refs == 0)
    g_free (self);
}

void
veil_connection_expect (VeilConnection *self, guint milliseconds)
{
  if (self->timer != NULL)
    g_source_set_ready_time (self->timer, milliseconds > 0 ? g_get_monotonic_time () + milliseconds * (gint64) 1000 : -1);
}

static gboolean
on_peer_closed (gint fd, GIOCondition condition, gpointer user_data)
{
  VeilConnection *self = user_data;
  VeilConnectionFunc closed = self->closed;
  gpointer closed_data = self->closed_data;

  veil_connection_unwatch (self);
  closed (self, closed_data);
  return G_SOURCE_REMOVE;
}

static void
watch (VeilConnection *self, int priority, VeilConnectionFunc closed, gpointer user_data)
{
  if (self->stream == NULL)
    return;
  self->closed = closed;
  self->closed_data = user_data;
  /* Not POLLIN: a peer that sends its next request early would wake us on every turn. */
  self->watch = g_unix_fd_source_new (g_socket_get_fd (g_socket_connection_get_socket (self->stream)),
                                      (GIOCondition) (POLLRDHUP | POLLHUP | POLLERR));
  g_source_set_priority (self->watch, priority);
  g_source_set_callback (self->watch, G_SOURCE_FUNC (on_peer_closed), self, NULL);
  g_source_attach (self->watch, g_main_context_get_thread_default ());
}

void
veil_connection_watch (VeilConnection *self, VeilConnectionFunc closed, gpointer user_data)
{
  g_return_if_fail (self->watch == NULL);

  watch (self, G_PRIORITY_DEFAULT, closed, user_data);
}

void
veil_connection_unwatch (VeilConnection *self)
{
  drop_source (&self->watch);
}

GIOStream *
veil_connection_steal (VeilConnection *self, SoupServerMessage *message, GSocketConnection **stream)
{
  *stream = g_object_ref (self->stream);
  return soup_server_message_steal_connection (message);
}

void
veil_connection_close (VeilConnection *self, SoupServerMessage *message)
{
  g_autoptr (SoupServerMessage) keep = g_object_ref (message);
  g_autoptr (GSocketConnection) stream = NULL;
  GIOStream *stolen = veil_connection_steal (self, keep, &stream);

  g_io_stream_close (G_IO_STREAM (stream), NULL, NULL);
  g_object_unref (stolen);
}

static void
close_idle (VeilConnection *self, gpointer user_data)
{
  veil_connection_close (self, self->idle);
}

void
veil_connection_set_idle (VeilConnection *self, SoupServerMessage *message, guint milliseconds)
{
  if (self->stream == NULL)
    return;
  veil_connection_set_busy (self);
  self->idle = g_object_ref (message);
  g_signal_connect_swapped (message, "disconnected", G_CALLBACK (veil_connection_set_busy), self);
  veil_connection_expect (self, milliseconds);
  /* Before libsoup's own source: once that has read the end of the stream, there is nothing left to take hold of. */
  watch (self, G_PRIORITY_HIGH, close_idle, NULL);
}

void
veil_connection_set_busy (VeilConnection *self)
{
  if (self->idle == NULL)
    return;
  veil_connection_unwatch (self);
  veil_connection_expect (self, 0);
  g_signal_handlers_disconnect_by_data (self->idle, self);
  g_clear_object (&self->idle);
}

gboolean
veil_connection_is_idle (VeilConnection *self)
{
  return self->idle != NULL;
}

void
veil_connection_detach (VeilConnection *self)
{
  self->gone = NULL;
}
