/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "raw-peer.h"

#include <string.h>
#include <sys/socket.h>

struct _RawPeer
{
  GSocketService *service;      /* owned */
  GTlsCertificate *certificate; /* owned; NULL: plain */
  GCancellable *stop;           /* owned */
  GPtrArray *threads;           /* owned, of GThread, joined at the end */
  RawScript script;
  gpointer user_data;
  guint16 port;
  gint connections;
  gint requests;
  gint ended;
};

struct _RawConnection
{
  RawPeer *peer;
  GSocketConnection *connection; /* owned */
  GIOStream *stream;             /* owned; the connection, or TLS over it */
  GByteArray *pending;           /* owned; read, and not yet part of a request */
};

static gpointer
run (gpointer data)
{
  RawConnection *self = data;
  RawPeer *peer = self->peer;

  peer->script (self, peer->user_data);
  g_io_stream_close (self->stream, NULL, NULL);
  g_io_stream_close (G_IO_STREAM (self->connection), NULL, NULL);
  g_object_unref (self->stream);
  g_object_unref (self->connection);
  g_byte_array_unref (self->pending);
  g_free (self);
  g_atomic_int_inc (&peer->ended);
  return NULL;
}

static void
join (gpointer thread)
{
  g_thread_join (thread);
}

static gboolean
incoming_cb (GSocketService *service, GSocketConnection *connection, GObject *source, gpointer user_data)
{
  RawPeer *self = user_data;
  RawConnection *raw = g_new0 (RawConnection, 1);
  const char *protocols[] = { "h2", "http/1.1", NULL };

  raw->peer = self;
  raw->connection = g_object_ref (connection);
  raw->pending = g_byte_array_new ();
  if (self->certificate != NULL)
    {
      raw->stream = g_tls_server_connection_new (G_IO_STREAM (connection), self->certificate, NULL);
      g_tls_connection_set_advertised_protocols (G_TLS_CONNECTION (raw->stream), protocols);
    }
  else
    raw->stream = g_object_ref (G_IO_STREAM (connection));
  g_atomic_int_inc (&self->connections);
  g_ptr_array_add (self->threads, g_thread_new ("raw-peer", run, raw));
  return TRUE;
}

RawPeer *
raw_peer_new_tls (RawScript script, gpointer user_data, GTlsCertificate *certificate)
{
  RawPeer *self = g_new0 (RawPeer, 1);
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) effective = NULL;
  g_autoptr (GError) error = NULL;

  self->script = script;
  self->user_data = user_data;
  self->certificate = certificate != NULL ? g_object_ref (certificate) : NULL;
  self->stop = g_cancellable_new ();
  self->threads = g_ptr_array_new_with_free_func (join);
  self->service = g_socket_service_new ();
  g_socket_listener_set_backlog (G_SOCKET_LISTENER (self->service), 256);
  g_signal_connect (self->service, "incoming", G_CALLBACK (incoming_cb), self);
  g_socket_listener_add_address (G_SOCKET_LISTENER (self->service), address, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL,
                                 &effective, &error);
  g_assert_no_error (error);
  self->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (effective));
  g_socket_service_start (self->service);
  return self;
}

RawPeer *
raw_peer_new (RawScript script, gpointer user_data)
{
  return raw_peer_new_tls (script, user_data, NULL);
}

void
raw_peer_free (RawPeer *self)
{
  g_socket_service_stop (self->service);
  g_socket_listener_close (G_SOCKET_LISTENER (self->service));
  g_cancellable_cancel (self->stop);
  g_signal_handlers_disconnect_by_data (self->service, self);
  g_ptr_array_unref (self->threads);
  g_object_unref (self->service);
  g_clear_object (&self->certificate);
  g_object_unref (self->stop);
  g_free (self);
}

char *
raw_peer_url (RawPeer *self, const char *path)
{
  return g_strdup_printf ("%s://127.0.0.1:%u%s", self->certificate != NULL ? "https" : "http", self->port, path);
}

guint16
raw_peer_get_port (RawPeer *self)
{
  return self->port;
}

guint
raw_peer_get_connections (RawPeer *self)
{
  return g_atomic_int_get (&self->connections);
}

guint
raw_peer_get_requests (RawPeer *self)
{
  return g_atomic_int_get (&self->requests);
}

guint
raw_peer_get_ended (RawPeer *self)
{
  return g_atomic_int_get (&self->ended);
}

/* Reads some more into pending. */
static gboolean
fill (RawConnection *connection)
{
  guint8 slice[16 * 1024];
  gssize length =
      g_input_stream_read (g_io_stream_get_input_stream (connection->stream), slice, sizeof slice, connection->peer->stop, NULL);

  if (length <= 0)
    return FALSE;
  g_byte_array_append (connection->pending, slice, length);
  return TRUE;
}

static gsize
body_length (const char *head)
{
  g_autofree char *lower = g_ascii_strdown (head, -1);
  const char *at = strstr (lower, "\r\ncontent-length:");

  return at != NULL ? g_ascii_strtoull (at + strlen ("\r\ncontent-length:"), NULL, 10) : 0;
}

char *
raw_read_request (RawConnection *connection)
{
  GByteArray *pending = connection->pending;
  const char *end;

  while (pending->len == 0 || (end = g_strstr_len ((char *) pending->data, pending->len, "\r\n\r\n")) == NULL)
    if (!fill (connection))
      return NULL;

  gsize head_length = end + 4 - (char *) pending->data;
  g_autofree char *head = g_strndup ((char *) pending->data, head_length);
  gsize length = head_length + body_length (head);

  while (pending->len < length)
    if (!fill (connection))
      return NULL;

  char *request = g_strndup ((char *) pending->data, length);
  g_byte_array_remove_range (pending, 0, length);
  g_atomic_int_inc (&connection->peer->requests);
  return request;
}

void
raw_skip_request (RawConnection *connection)
{
  g_free (raw_read_request (connection));
}

gboolean
raw_read (RawConnection *connection, gsize length)
{
  while (connection->pending->len < length)
    if (!fill (connection))
      return FALSE;
  return TRUE;
}

gboolean
raw_write_bytes (RawConnection *connection, const void *data, gsize length)
{
  return g_output_stream_write_all (g_io_stream_get_output_stream (connection->stream), data, length, NULL, connection->peer->stop,
                                    NULL);
}

gboolean
raw_write (RawConnection *connection, const char *text)
{
  return raw_write_bytes (connection, text, strlen (text));
}

void
raw_wait_for_close (RawConnection *connection)
{
  while (fill (connection))
    g_byte_array_set_size (connection->pending, 0);
}

void
raw_reset (RawConnection *connection)
{
  GSocket *socket = g_socket_connection_get_socket (connection->connection);
  struct linger linger = { .l_onoff = 1, .l_linger = 0 };

  setsockopt (g_socket_get_fd (socket), SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  g_socket_close (socket, NULL);
}

const char *
raw_negotiated_protocol (RawConnection *connection)
{
  return G_IS_TLS_CONNECTION (connection->stream) ? g_tls_connection_get_negotiated_protocol (G_TLS_CONNECTION (connection->stream))
                                                  : NULL;
}
