/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "delivery.h"

#include <string.h>
#include <sys/socket.h>

#define BOMB_BLOCK (64 * 1024)
#define BOMB_BLOCKS 1024

struct _VeilSandboxExchange
{
  gatomicrefcount refs;
  SoupServerMessage *message; /* owned; NULL when it is over */
  VeilSandboxReply *reply;    /* owned */
  guint next;                 /* piece */
  GSource *hangup;            /* owned */
  GSource *timer;             /* owned */
  GIOStream *stolen;          /* owned; for what HTTP does not say */
  GCancellable *cancellable;  /* owned; of writes to stolen */
  GBytes *block;              /* owned; header lines */
  guint blocks;
  guint written; /* pieces */
  gboolean sent; /* the last byte is on its way: who leaves now has not left early */
  gboolean over;
  VeilSandboxExchangeDone done;
  gpointer user_data;
};

VeilSandboxReply *
veil_sandbox_reply_new (guint status, const char *content_type)
{
  VeilSandboxReply *reply = g_new0 (VeilSandboxReply, 1);

  reply->status = status;
  reply->content_type = content_type;
  reply->pieces = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  return reply;
}

void
veil_sandbox_reply_add (VeilSandboxReply *reply, GBytes *piece)
{
  g_ptr_array_add (reply->pieces, piece);
}

void
veil_sandbox_reply_free (VeilSandboxReply *reply)
{
  g_ptr_array_unref (reply->pieces);
  if (reply->generator_free != NULL)
    reply->generator_free (reply->generator);
  g_free (reply);
}

static void
stop_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

VeilSandboxExchange *
veil_sandbox_exchange_ref (VeilSandboxExchange *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
veil_sandbox_exchange_unref (VeilSandboxExchange *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_clear_pointer (&self->reply, veil_sandbox_reply_free);
  g_clear_pointer (&self->block, g_bytes_unref);
  g_clear_object (&self->stolen);
  g_clear_object (&self->cancellable);
  g_free (self);
}

/* Everything that could still call us is taken down; the reference that they shared goes with them. */
static void
finish (VeilSandboxExchange *self, gboolean hung_up)
{
  if (self->over)
    return;
  self->over = TRUE;
  stop_source (&self->hangup);
  stop_source (&self->timer);
  if (self->message != NULL)
    g_signal_handlers_disconnect_by_data (self->message, self);
  g_clear_object (&self->message);
  self->done (self, hung_up, self->user_data);
  veil_sandbox_exchange_unref (self);
}

/* Takes the connection away from the HTTP server. */
static GIOStream *
steal (VeilSandboxExchange *self)
{
  stop_source (&self->hangup);
  stop_source (&self->timer);
  g_signal_handlers_disconnect_by_data (self->message, self);
  return soup_server_message_steal_connection (self->message);
}

static void
close_connection (VeilSandboxExchange *self, gboolean reset, gboolean hung_up)
{
  struct linger now = { .l_onoff = 1, .l_linger = 0 };
  GSocket *socket = soup_server_message_get_socket (self->message);
  g_autoptr (GIOStream) stream = NULL;

  if (reset && socket != NULL)
    setsockopt (g_socket_get_fd (socket), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  stream = steal (self);
  if (stream != NULL)
    g_io_stream_close (stream, NULL, NULL);
  finish (self, hung_up);
}

void
veil_sandbox_exchange_abort (VeilSandboxExchange *self)
{
  if (self->over)
    return;
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  else
    close_connection (self, FALSE, FALSE);
}

/* Readable while we owe an answer: either the end of the connection, or a request too early, which is left for later. */
static gboolean
on_readable (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  VeilSandboxExchange *self = user_data;
  guint8 byte;
  ssize_t got = recv (g_socket_get_fd (socket), &byte, 1, MSG_PEEK | MSG_DONTWAIT);

  if (got > 0)
    {
      g_clear_pointer (&self->hangup, g_source_unref);
      return G_SOURCE_REMOVE;
    }
  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return G_SOURCE_CONTINUE;
  close_connection (self, FALSE, TRUE);
  return G_SOURCE_REMOVE;
}

static void
on_wrote_body (SoupServerMessage *message, gpointer user_data)
{
  VeilSandboxExchange *self = user_data;

  self->sent = TRUE;
}

static void
on_over (SoupServerMessage *message, gpointer user_data)
{
  VeilSandboxExchange *self = user_data;

  finish (self, !self->sent);
}

VeilSandboxExchange *
veil_sandbox_exchange_new (SoupServerMessage *message, VeilSandboxExchangeDone done, gpointer user_data)
{
  VeilSandboxExchange *self = g_new0 (VeilSandboxExchange, 1);
  GSocket *socket = soup_server_message_get_socket (message);

  g_atomic_ref_count_init (&self->refs);
  self->message = g_object_ref (message);
  self->done = done;
  self->user_data = user_data;
  g_signal_connect (message, "wrote-body", G_CALLBACK (on_wrote_body), self);
  g_signal_connect (message, "finished", G_CALLBACK (on_over), self);
  g_signal_connect (message, "disconnected", G_CALLBACK (on_over), self);
  self->hangup = g_socket_create_source (socket, G_IO_IN, NULL);
  g_source_set_callback (self->hangup, G_SOURCE_FUNC (on_readable), self, NULL);
  g_source_attach (self->hangup, NULL);
  soup_server_message_get_remote_address (message); /* kept by the server, which asks again when the peer is gone, and complains */
  soup_server_message_pause (message);
  return self;
}

static void
mark_sent (VeilSandboxExchange *self)
{
  self->sent = TRUE;
  stop_source (&self->hangup);
}

static GBytes *
next_piece (VeilSandboxExchange *self)
{
  if (self->reply->generate != NULL)
    return self->reply->generate (self->reply->generator);
  if (self->next >= self->reply->pieces->len)
    return NULL;
  return g_bytes_ref (g_ptr_array_index (self->reply->pieces, self->next++));
}

/* One more piece, or the end. */
static gboolean
on_feed (gpointer user_data)
{
  VeilSandboxExchange *self = user_data;
  g_autoptr (GBytes) piece = next_piece (self);
  SoupMessageBody *body = soup_server_message_get_response_body (self->message);
  VeilSandboxEnding ending = self->reply->ending;

  g_clear_pointer (&self->timer, g_source_unref);
  if (piece == NULL && ending == VEIL_SANDBOX_END_STALL)
    return G_SOURCE_REMOVE;
  if (piece == NULL && ending != VEIL_SANDBOX_END_PROPERLY)
    {
      close_connection (self, ending == VEIL_SANDBOX_END_RESET, FALSE);
      return G_SOURCE_REMOVE;
    }
  if (piece != NULL)
    soup_message_body_append_bytes (body, piece);
  else
    {
      soup_message_body_complete (body);
      mark_sent (self);
    }
  soup_server_message_unpause (self->message);
  return G_SOURCE_REMOVE;
}

static void
start_timer (VeilSandboxExchange *self, guint delay_ms, GSourceFunc func)
{
  self->timer = delay_ms > 0 ? g_timeout_source_new (delay_ms) : g_idle_source_new ();
  g_source_set_priority (self->timer, G_PRIORITY_DEFAULT);
  g_source_set_callback (self->timer, func, self, NULL);
  g_source_attach (self->timer, NULL);
}

/* When all was queued at once. */
static void
on_wrote_queued (SoupServerMessage *message, gpointer user_data)
{
  VeilSandboxExchange *self = user_data;

  if (++self->written == self->reply->pieces->len)
    mark_sent (self);
}

/* When every piece waits for the one before. */
static void
on_wrote_chunk (SoupServerMessage *message, gpointer user_data)
{
  VeilSandboxExchange *self = user_data;

  /* Not now: the server's own writing goes to sleep first. */
  if (self->timer == NULL)
    start_timer (self, self->reply->piece_delay_ms, on_feed);
}

static void bomb_write (VeilSandboxExchange *self);

static void
on_bomb_written (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilSandboxExchange) self = user_data;
  gboolean written = g_output_stream_write_all_finish (G_OUTPUT_STREAM (source), result, NULL, NULL);

  if (written && ++self->blocks < BOMB_BLOCKS)
    {
      bomb_write (self);
      return;
    }
  g_io_stream_close (self->stolen, NULL, NULL);
  finish (self, FALSE);
}

static void
bomb_write (VeilSandboxExchange *self)
{
  GOutputStream *out = g_io_stream_get_output_stream (self->stolen);
  gsize length;
  const void *data = g_bytes_get_data (self->block, &length);

  g_output_stream_write_all_async (out, data, length, G_PRIORITY_DEFAULT, self->cancellable, on_bomb_written,
                                   veil_sandbox_exchange_ref (self));
}

static void
send_header_bomb (VeilSandboxExchange *self)
{
  GString *lines = g_string_new ("HTTP/1.1 200 OK\r\nContent-Type: message/ohttp-res\r\n");

  while (lines->len < BOMB_BLOCK)
    g_string_append (lines, "X-Sandbox-Bomb: tick tick tick tick tick tick tick tick tick tick\r\n");
  self->block = g_string_free_to_bytes (lines);
  self->cancellable = g_cancellable_new ();
  self->stolen = steal (self);
  bomb_write (self);
}

static void
set_headers (VeilSandboxExchange *self)
{
  const VeilSandboxReply *reply = self->reply;
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (self->message);

  soup_server_message_set_status (self->message, reply->status, NULL);
  if (reply->content_type != NULL)
    soup_message_headers_replace (headers, "Content-Type", reply->content_type);
  for (guint i = 0; reply->headers != NULL && reply->headers[i] != NULL; i += 2)
    soup_message_headers_append (headers, reply->headers[i], reply->headers[i + 1]);
  if (reply->chunked)
    soup_message_headers_set_encoding (headers, SOUP_ENCODING_CHUNKED);
  else if (reply->claimed_length > 0)
    soup_message_headers_set_content_length (headers, (goffset) reply->claimed_length);
}

static gboolean
on_start (gpointer user_data)
{
  VeilSandboxExchange *self = user_data;
  const VeilSandboxReply *reply = self->reply;
  SoupMessageBody *body = soup_server_message_get_response_body (self->message);
  gboolean at_once =
      reply->generate == NULL && reply->piece_delay_ms == 0 && reply->ending == VEIL_SANDBOX_END_PROPERLY && !reply->silent;

  g_clear_pointer (&self->timer, g_source_unref);
  if (reply->header_bomb)
    {
      send_header_bomb (self);
      return G_SOURCE_REMOVE;
    }
  if (!reply->silent)
    set_headers (self);
  soup_message_body_set_accumulate (body, FALSE);
  if (!at_once)
    {
      g_signal_connect (self->message, "wrote-chunk", G_CALLBACK (on_wrote_chunk), self);
      return on_feed (self);
    }
  g_signal_connect (self->message, "wrote-chunk", G_CALLBACK (on_wrote_queued), self);
  for (guint i = 0; i < reply->pieces->len; i++)
    soup_message_body_append_bytes (body, g_ptr_array_index (reply->pieces, i));
  soup_message_body_complete (body);
  soup_server_message_unpause (self->message);
  return G_SOURCE_REMOVE;
}

void
veil_sandbox_exchange_reply (VeilSandboxExchange *self, VeilSandboxReply *reply)
{
  if (self->over)
    {
      veil_sandbox_reply_free (reply);
      return;
    }
  self->reply = reply;
  if (reply->delay_ms > 0)
    start_timer (self, reply->delay_ms, on_start);
  else
    on_start (self);
}
