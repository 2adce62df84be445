/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "test-peer.h"

#include <string.h>
#include <sys/socket.h>

struct _TestPeer
{
  GSocketService *service; /* owned */
  char *url;               /* owned */
  GCancellable *stopping;  /* owned */
  TestPeerFunc func;
  gpointer user_data;
  gint n_running; /* atomic, and likewise all that follow */
  gint n_requests;
  gint n_connections;
  gint n_closed;
};

static gboolean
read_head (GDataInputStream *input, GCancellable *stopping, TestPeerRequest *request)
{
  g_autoptr (GString) head = g_string_new (NULL);
  char *line;

  while ((line = g_data_input_stream_read_line (input, NULL, stopping, NULL)) != NULL)
    {
      gboolean end = strcmp (line, "\r") == 0;

      if (!end)
        g_string_append_printf (head, "%s\n", line);
      g_free (line);
      if (end)
        {
          request->head = g_strdup (head->str);
          return TRUE;
        }
    }
  return FALSE;
}

static gboolean
read_body (GDataInputStream *input, GCancellable *stopping, TestPeerRequest *request)
{
  g_autofree char *lower = g_ascii_strdown (request->head, -1);
  const char *field = strstr (lower, "\r\ncontent-length:");
  gsize length = field != NULL ? g_ascii_strtoull (field + strlen ("\r\ncontent-length:"), NULL, 10) : 0;
  guint8 *data = g_malloc (length + 1);
  gsize got;

  if (!g_input_stream_read_all (G_INPUT_STREAM (input), data, length, &got, stopping, NULL) || got < length)
    {
      g_free (data);
      return FALSE;
    }
  request->body = g_bytes_new_take (data, length);
  return TRUE;
}

static void
clear_request (TestPeerRequest *request)
{
  g_clear_pointer (&request->head, g_free);
  g_clear_pointer (&request->body, g_bytes_unref);
}

static gboolean
on_run (GThreadedSocketService *service, GSocketConnection *connection, GObject *source, gpointer user_data)
{
  TestPeer *self = user_data;
  g_autoptr (GDataInputStream) input = g_data_input_stream_new (g_io_stream_get_input_stream (G_IO_STREAM (connection)));
  gboolean more = TRUE;

  g_filter_input_stream_set_close_base_stream (G_FILTER_INPUT_STREAM (input), FALSE);
  g_data_input_stream_set_newline_type (input, G_DATA_STREAM_NEWLINE_TYPE_LF);
  g_atomic_int_inc (&self->n_connections);
  while (more)
    {
      TestPeerRequest request = { 0 };

      more = read_head (input, self->stopping, &request) && read_body (input, self->stopping, &request);
      if (more)
        {
          g_atomic_int_inc (&self->n_requests);
          more = self->func (self, &request, connection, self->user_data);
        }
      clear_request (&request);
    }
  g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
  g_atomic_int_add (&self->n_running, -1);
  return TRUE;
}

/* Counted before the thread starts, so that nobody believes it is over before it began. */
static gboolean
on_incoming (GSocketService *service, GSocketConnection *connection, GObject *source, gpointer user_data)
{
  TestPeer *self = user_data;

  g_atomic_int_inc (&self->n_running);
  return FALSE;
}

TestPeer *
test_peer_new (TestPeerFunc func, gpointer user_data)
{
  TestPeer *self = g_new0 (TestPeer, 1);
  g_autoptr (GError) error = NULL;
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) bound = NULL;

  self->func = func;
  self->user_data = user_data;
  self->stopping = g_cancellable_new ();
  self->service = g_threaded_socket_service_new (200);
  g_signal_connect (self->service, "run", G_CALLBACK (on_run), self);
  g_signal_connect (self->service, "incoming", G_CALLBACK (on_incoming), self);
  g_socket_listener_set_backlog (G_SOCKET_LISTENER (self->service), 200);
  g_socket_listener_add_address (G_SOCKET_LISTENER (self->service), any, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL, &bound,
                                 &error);
  g_assert_no_error (error);
  self->url = g_strdup_printf ("http://127.0.0.1:%u", g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound)));
  return self;
}

gboolean
test_peer_tick (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

void
test_peer_free (TestPeer *self)
{
  g_socket_service_stop (self->service);
  g_socket_listener_close (G_SOCKET_LISTENER (self->service));
  g_cancellable_cancel (self->stopping);
  TEST_ITERATE_UNTIL (g_atomic_int_get (&self->n_running) == 0);
  g_object_unref (self->service);
  g_object_unref (self->stopping);
  g_free (self->url);
  g_free (self);
}

const char *
test_peer_get_url (TestPeer *self)
{
  return self->url;
}

guint
test_peer_get_n_requests (TestPeer *self)
{
  return (guint) g_atomic_int_get (&self->n_requests);
}

guint
test_peer_get_n_connections (TestPeer *self)
{
  return (guint) g_atomic_int_get (&self->n_connections);
}

guint
test_peer_get_n_closed (TestPeer *self)
{
  return (guint) g_atomic_int_get (&self->n_closed);
}

gboolean
test_peer_send (GSocketConnection *connection, const void *data, gsize length)
{
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (connection));

  return g_output_stream_write_all (output, data, length, NULL, NULL, NULL);
}

gboolean
test_peer_send_text (GSocketConnection *connection, const char *text)
{
  return test_peer_send (connection, text, strlen (text));
}

gboolean
test_peer_answer (GSocketConnection *connection, guint status, const char *headers, GBytes *body)
{
  gsize length = body != NULL ? g_bytes_get_size (body) : 0;
  g_autofree char *head =
      g_strdup_printf ("HTTP/1.1 %u Status\r\n%sContent-Length: %" G_GSIZE_FORMAT "\r\n\r\n", status, headers, length);

  return test_peer_send_text (connection, head) &&
         (length == 0 || test_peer_send (connection, g_bytes_get_data (body, NULL), length));
}

gboolean
test_peer_pause (TestPeer *self, GSocketConnection *connection, guint milliseconds)
{
  GSocket *socket = g_socket_connection_get_socket (connection);
  char byte;

  if (!g_socket_condition_timed_wait (socket, G_IO_IN | G_IO_HUP | G_IO_ERR, (gint64) milliseconds * 1000, self->stopping, NULL))
    return g_cancellable_is_cancelled (self->stopping);
  if (g_socket_receive (socket, &byte, 1, self->stopping, NULL) > 0)
    g_error ("the client sent more than its request");
  if (!g_cancellable_is_cancelled (self->stopping))
    g_atomic_int_inc (&self->n_closed);
  return TRUE;
}

void
test_peer_wait_closed (TestPeer *self, GSocketConnection *connection)
{
  while (!test_peer_pause (self, connection, 60000))
    ;
}

void
test_peer_reset (GSocketConnection *connection)
{
  struct linger linger = { .l_onoff = 1, .l_linger = 0 };
  int fd = g_socket_get_fd (g_socket_connection_get_socket (connection));

  g_assert_cmpint (setsockopt (fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), ==, 0);
}
