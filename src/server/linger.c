/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "linger.h"

#include <glib-unix.h>
#include <poll.h>

#define READ_SIZE 16384

struct _VeilLinger
{
  GIOStream *stolen;         /* owned: closes what is under it when it goes */
  GSocketConnection *stream; /* owned */
  GSource *input;            /* owned; then the peer's end */
  GSource *deadline;         /* owned */
  gsize thrown_away;
  VeilLingerFunc done;
  gpointer user_data;
};

static gboolean
on_deadline (gpointer user_data)
{
  VeilLinger *self = user_data;

  self->done (self, self->user_data);
  return G_SOURCE_REMOVE;
}

static void
drop_input (VeilLinger *self)
{
  g_source_destroy (self->input);
  g_source_unref (self->input);
}

static gboolean
on_peer_closed (gint fd, GIOCondition condition, gpointer user_data)
{
  VeilLinger *self = user_data;

  self->done (self, self->user_data);
  return G_SOURCE_REMOVE;
}

/* Closing while bytes are on their way would reset the connection under a peer that is about to read the response. Left unread, they make it stop
 * sending, look, and leave. */
static void
wait_for_peer (VeilLinger *self)
{
  GSocket *socket = g_socket_connection_get_socket (self->stream);

  drop_input (self);
  self->input = g_unix_fd_source_new (g_socket_get_fd (socket), (GIOCondition) (POLLRDHUP | POLLHUP | POLLERR));
  g_source_set_callback (self->input, G_SOURCE_FUNC (on_peer_closed), self, NULL);
  g_source_attach (self->input, g_main_context_get_thread_default ());
}

static gboolean
on_input (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  VeilLinger *self = user_data;
  char buffer[READ_SIZE];
  g_autoptr (GError) error = NULL;
  gssize got = g_socket_receive_with_blocking (socket, buffer, sizeof buffer, FALSE, NULL, &error);

  if (got < 0 && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    return G_SOURCE_CONTINUE;
  if (got <= 0)
    {
      self->done (self, self->user_data);
      return G_SOURCE_REMOVE;
    }
  self->thrown_away += got;
  if (self->thrown_away < VEIL_LINGER_MAX_BYTES)
    return G_SOURCE_CONTINUE;
  wait_for_peer (self);
  return G_SOURCE_REMOVE;
}

VeilLinger *
veil_linger_new (GIOStream *stolen, GSocketConnection *stream, GBytes *response, VeilLingerFunc done, gpointer user_data)
{
  VeilLinger *self = g_new0 (VeilLinger, 1);
  GSocket *socket = g_socket_connection_get_socket (stream);
  gsize length;
  const char *text = g_bytes_get_data (response, &length);

  self->stolen = g_object_ref (stolen);
  self->stream = g_object_ref (stream);
  self->done = done;
  self->user_data = user_data;
  /* A buffer that is full already belongs to a peer that does not read: it gets no more. */
  g_socket_send_with_blocking (socket, text, length, FALSE, NULL, NULL);
  g_socket_shutdown (socket, FALSE, TRUE, NULL);

  self->input = g_socket_create_source (socket, G_IO_IN, NULL);
  g_source_set_callback (self->input, G_SOURCE_FUNC (on_input), self, NULL);
  g_source_attach (self->input, g_main_context_get_thread_default ());
  self->deadline = g_timeout_source_new (VEIL_LINGER_MS);
  g_source_set_callback (self->deadline, on_deadline, self, NULL);
  g_source_attach (self->deadline, g_main_context_get_thread_default ());
  return self;
}

void
veil_linger_free (VeilLinger *self)
{
  drop_input (self);
  g_source_destroy (self->deadline);
  g_source_unref (self->deadline);
  g_io_stream_close (G_IO_STREAM (self->stream), NULL, NULL);
  g_object_unref (self->stolen);
  g_object_unref (self->stream);
  g_free (self);
}
