/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "fetch.h"

#include "fetch-body.h"
#include "fetch-private.h"
#include "translate.h"
#include "veil-error.h"

#define MAX_INFORMATIONAL 16
#define MAX_TURNS 8

/* Why the exchange was ended from this side. */
typedef enum
{
  STOP_NONE,
  STOP_DEADLINE,
  STOP_CONNECT_TIMEOUT,
  STOP_INFORMATIONAL,
  STOP_RESEND,
} StopReason;

typedef struct
{
  SoupMessage *message; /* owned */
  GInputStream *stream; /* owned */
  GError *error;        /* owned; reported once the stream is closed */

  GCancellable *inner; /* owned; what libsoup gets */
  GSource *
      cancelled; /* owned; follows the caller's cancellable. A source, not a handler: nothing runs inside g_cancellable_cancel () */
  GSource *stopping;   /* owned */
  GSource *deadline;   /* owned */
  GSource *connecting; /* owned */
  guint deadline_ms;
  guint connect_timeout_ms;
  StopReason stop;

  gboolean request_written;
  gboolean answering; /* it has read the headers, and has not called back yet */
  guint turns;        /* of the main loop that it was given to do so */
  guint informational;

  VeilFetchBody body;
} Fetch;

static void
clear_source (GSource **source)
{
  if (*source != NULL)
    g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
fetch_detach (Fetch *self)
{
  clear_source (&self->cancelled);
  clear_source (&self->stopping);
  clear_source (&self->deadline);
  clear_source (&self->connecting);
  g_signal_handlers_disconnect_by_data (self->message, self);
}

static void
fetch_free (gpointer data)
{
  Fetch *self = data;

  fetch_detach (self);
  g_clear_object (&self->message);
  g_clear_object (&self->stream);
  g_clear_object (&self->inner);
  g_clear_error (&self->error);
  veil_fetch_body_clear (&self->body);
  g_free (self);
}

static const char *
fetch_host (Fetch *self)
{
  return g_uri_get_host (soup_message_get_uri (self->message));
}

static void
fetch_stop (Fetch *self, StopReason reason)
{
  if (self->stop == STOP_NONE)
    self->stop = reason;
  g_cancellable_cancel (self->inner);
}

static gboolean
on_stopping (gpointer user_data)
{
  Fetch *self = user_data;

  if (self->answering && self->turns++ < MAX_TURNS)
    return G_SOURCE_CONTINUE;
  g_cancellable_cancel (self->inner);
  return G_SOURCE_REMOVE;
}

/* For a source of the main loop, which comes at any moment: libsoup 3.6 uses freed memory when it is cancelled after it has read the headers and before it has called
 * back, which takes it a turn or two. */
static void
fetch_stop_soon (Fetch *self, StopReason reason)
{
  if (self->stop == STOP_NONE)
    self->stop = reason;
  if (self->stopping != NULL)
    return;
  self->stopping = g_idle_source_new ();
  g_source_set_priority (self->stopping, G_PRIORITY_DEFAULT);
  g_source_set_callback (self->stopping, on_stopping, self, NULL);
  g_source_attach (self->stopping, g_source_get_context (g_main_current_source ()));
}

/* Turns what libsoup says into what a caller can act on. The one question that matters is if the request can have run. */
static GError *
fetch_explain (Fetch *self, const GError *cause)
{
  const char *host = fetch_host (self);

  switch (self->stop)
    {
    case STOP_DEADLINE:
      return g_error_new (VEIL_ERROR, VEIL_ERROR_TIMED_OUT, _ ("%s did not answer in full within %.3g s"), host,
                          self->deadline_ms / 1000.0);
    case STOP_CONNECT_TIMEOUT:
      return g_error_new (VEIL_ERROR, VEIL_ERROR_UNREACHABLE,
                          _ ("%s could not be connected to within %.3g s; check the network connection"), host,
                          self->connect_timeout_ms / 1000.0);
    case STOP_INFORMATIONAL:
      return g_error_new (VEIL_ERROR, VEIL_ERROR_BROKEN_ANSWER, _ ("%s sent interim answers without end"), host);
    case STOP_RESEND:
      return g_error_new (VEIL_ERROR, VEIL_ERROR_BROKEN_ANSWER, _ ("%s wanted the request a second time instead of answering it"),
                          host);
    case STOP_NONE:
      break;
    }

  if (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return g_error_copy (cause);
  if (!self->request_written)
    return g_error_new (VEIL_ERROR, VEIL_ERROR_UNREACHABLE, _ ("%s could not be reached (%s); check the network connection"), host,
                        cause->message);
  if (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    return g_error_new (VEIL_ERROR, VEIL_ERROR_TIMED_OUT, _ ("%s fell silent for %d s"), host, VEIL_FETCH_SILENCE_SECONDS);
  return g_error_new (VEIL_ERROR, VEIL_ERROR_BROKEN_ANSWER, _ ("The answer of %s broke off (%s)"), host, cause->message);
}

static VeilFetchResult *
fetch_take_result (Fetch *self)
{
  VeilFetchResult *result = g_new0 (VeilFetchResult, 1);

  result->status = soup_message_get_status (self->message);
  result->headers = soup_message_headers_ref (soup_message_get_response_headers (self->message));
  result->body = veil_fetch_body_steal (&self->body);
  return result;
}

static void
fetch_return (GTask *task)
{
  Fetch *self = g_task_get_task_data (task);

  fetch_detach (self);
  if (self->error != NULL)
    g_task_return_error (task, g_steal_pointer (&self->error));
  else
    g_task_return_pointer (task, fetch_take_result (self), (GDestroyNotify) veil_fetch_result_free);
}

static void
closed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;

  /* All bytes are here, or an error is on its way already. */
  g_input_stream_close_finish (G_INPUT_STREAM (source), result, NULL);
  fetch_return (task);
}

/* Gives the connection back, or ends it when there is more to come, and then calls back. */
static void
fetch_end (GTask *task, GError *error)
{
  Fetch *self = g_task_get_task_data (task);

  self->error = error;
  if (error != NULL)
    g_cancellable_cancel (self->inner);
  if (self->stream == NULL)
    fetch_return (task);
  else
    g_input_stream_close_async (self->stream, G_PRIORITY_DEFAULT, self->inner, closed_cb, g_object_ref (task));
}

static gboolean
fetch_check_length (Fetch *self, GError **error)
{
  if (self->body.expected < 0 || self->body.used == (gsize) self->body.expected)
    return TRUE;
  /* libsoup takes a short body for whole when the server also said "Connection: close". */
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_BROKEN_ANSWER, _ ("The answer of %s broke off after %zu of %lld bytes"),
               fetch_host (self), self->body.used, (long long) self->body.expected);
  return FALSE;
}

static GError *
fetch_too_large (Fetch *self)
{
  return g_error_new (VEIL_ERROR, VEIL_ERROR_ANSWER_TOO_LARGE, _ ("The answer of %s is larger than %zu bytes"), fetch_host (self),
                      self->body.max);
}

static void read_cb (GObject *source, GAsyncResult *result, gpointer user_data);

static void
fetch_read (GTask *task)
{
  Fetch *self = g_task_get_task_data (task);
  gsize room;
  guint8 *next = veil_fetch_body_next (&self->body, &room);

  g_input_stream_read_async (self->stream, next, room, G_PRIORITY_DEFAULT, self->inner, read_cb, g_object_ref (task));
}

static void
read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  Fetch *self = g_task_get_task_data (task);
  gssize length = g_input_stream_read_finish (G_INPUT_STREAM (source), result, &error);

  if (length < 0)
    {
      fetch_end (task, fetch_explain (self, error));
      return;
    }
  self->body.used += length;
  if (self->body.used > self->body.max)
    fetch_end (task, fetch_too_large (self));
  else if (length > 0)
    fetch_read (task);
  else if (fetch_check_length (self, &error))
    fetch_end (task, NULL);
  else
    fetch_end (task, g_steal_pointer (&error));
}

static gboolean
fetch_check_headers (Fetch *self, GError **error)
{
  SoupMessageHeaders *headers = soup_message_get_response_headers (self->message);
  const char *coding = soup_message_headers_get_list (headers, "Content-Encoding");

  if (coding != NULL && g_ascii_strcasecmp (coding, "identity") != 0)
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_BROKEN_ANSWER, _ ("%s compressed its answer although it was asked not to"),
                   fetch_host (self));
      return FALSE;
    }

  guint status = soup_message_get_status (self->message);
  gboolean bodiless = soup_message_get_method (self->message) == SOUP_METHOD_HEAD || status == SOUP_STATUS_NO_CONTENT ||
                      status == SOUP_STATUS_NOT_MODIFIED;
  if (!bodiless && soup_message_headers_get_encoding (headers) == SOUP_ENCODING_CONTENT_LENGTH)
    self->body.expected = soup_message_headers_get_content_length (headers);
  if (self->body.expected >= 0 && (guint64) self->body.expected > self->body.max)
    {
      g_propagate_error (error, fetch_too_large (self));
      return FALSE;
    }
  return TRUE;
}

static void
sent_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  Fetch *self = g_task_get_task_data (task);

  self->answering = FALSE;
  self->stream = soup_session_send_finish (SOUP_SESSION (source), result, &error);
  if (self->stream == NULL)
    fetch_end (task, fetch_explain (self, error));
  else if (!fetch_check_headers (self, &error))
    fetch_end (task, g_steal_pointer (&error));
  else
    fetch_read (task);
}

static gboolean
on_deadline (gpointer user_data)
{
  fetch_stop_soon (user_data, STOP_DEADLINE);
  return G_SOURCE_REMOVE;
}

static gboolean
on_connect_timeout (gpointer user_data)
{
  fetch_stop_soon (user_data, STOP_CONNECT_TIMEOUT);
  return G_SOURCE_REMOVE;
}

static gboolean
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  fetch_stop_soon (user_data, STOP_NONE);
  return G_SOURCE_REMOVE;
}

static GSource *
attach_timeout (GTask *task, guint milliseconds, GSourceFunc func)
{
  GSource *source = g_timeout_source_new (milliseconds);

  g_source_set_callback (source, func, g_task_get_task_data (task), NULL);
  g_source_attach (source, g_task_get_context (task));
  return source;
}

static void
on_network_event (SoupMessage *message, GSocketClientEvent event, GIOStream *connection, gpointer user_data)
{
  Fetch *self = user_data;
  const char *protocols[] = { "http/1.1", NULL };

  if (event == G_SOCKET_CLIENT_RESOLVING && self->connecting == NULL)
    {
      self->connecting = g_timeout_source_new (self->connect_timeout_ms);
      g_source_set_callback (self->connecting, on_connect_timeout, self, NULL);
      g_source_attach (self->connecting, g_main_context_get_thread_default ());
    }
  /* No HTTP/2: what is promised here about requests that are never sent twice was proven for HTTP/1.1 only. */
  if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING && G_IS_TLS_CONNECTION (connection))
    g_tls_connection_set_advertised_protocols (G_TLS_CONNECTION (connection), protocols);
}

static void
on_wrote_headers (SoupMessage *message, gpointer user_data)
{
  Fetch *self = user_data;

  clear_source (&self->connecting);
}

static void
on_wrote_body (SoupMessage *message, gpointer user_data)
{
  Fetch *self = user_data;

  self->request_written = TRUE;
}

/* libsoup sends again by itself: methods that may be repeated when a connection was stale, and any method after a 421. */
static void
on_restarted (SoupMessage *message, gpointer user_data)
{
  Fetch *self = user_data;
  const char *method = soup_message_get_method (message);

  if (method != SOUP_METHOD_GET && method != SOUP_METHOD_HEAD)
    fetch_stop (self, STOP_RESEND);
  self->request_written = FALSE;
  self->answering = FALSE;
}

static void
on_got_headers (SoupMessage *message, gpointer user_data)
{
  Fetch *self = user_data;

  self->answering = TRUE;
}

static void
on_informational (SoupMessage *message, gpointer user_data)
{
  Fetch *self = user_data;

  if (++self->informational > MAX_INFORMATIONAL)
    fetch_stop (self, STOP_INFORMATIONAL);
}

static void
fetch_attach (Fetch *self, GTask *task)
{
  GCancellable *outer = g_task_get_cancellable (task);

  g_signal_connect (self->message, "network-event", G_CALLBACK (on_network_event), self);
  g_signal_connect (self->message, "wrote-headers", G_CALLBACK (on_wrote_headers), self);
  g_signal_connect (self->message, "wrote-body", G_CALLBACK (on_wrote_body), self);
  g_signal_connect (self->message, "restarted", G_CALLBACK (on_restarted), self);
  g_signal_connect (self->message, "got-headers", G_CALLBACK (on_got_headers), self);
  g_signal_connect (self->message, "got-informational", G_CALLBACK (on_informational), self);

  if (self->deadline_ms > 0)
    self->deadline = attach_timeout (task, self->deadline_ms, on_deadline);
  if (outer != NULL)
    {
      self->cancelled = g_cancellable_source_new (outer);
      g_source_set_callback (self->cancelled, G_SOURCE_FUNC (on_cancelled), self, NULL);
      g_source_attach (self->cancelled, g_task_get_context (task));
    }
}

void
veil_fetch_async (SoupSession *session, SoupMessage *message, gsize max_bytes, guint deadline_ms, GCancellable *cancellable,
                  GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (SOUP_IS_SESSION (session) && SOUP_IS_MESSAGE (message));

  g_autoptr (GTask) task = g_task_new (session, cancellable, callback, user_data);
  Fetch *self = g_new0 (Fetch, 1);

  g_task_set_source_tag (task, veil_fetch_async);
  self->message = g_object_ref (message);
  self->inner = g_cancellable_new ();
  self->body.max = MIN (max_bytes, G_MAXSSIZE);
  self->deadline_ms = deadline_ms;
  self->connect_timeout_ms = veil_fetch_session_get_connect_timeout (session);
  self->body.expected = -1;
  g_task_set_task_data (task, self, fetch_free);
  if (g_task_return_error_if_cancelled (task))
    return;

  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT | SOUP_MESSAGE_IDEMPOTENT);
  soup_message_headers_replace (soup_message_get_request_headers (message), "Accept-Encoding", "identity");
  fetch_attach (self, task);
  soup_session_send_async (session, message, G_PRIORITY_DEFAULT, self->inner, sent_cb, g_object_ref (task));
}

VeilFetchResult *
veil_fetch_finish (SoupSession *session, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, session), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

void
veil_fetch_result_free (VeilFetchResult *result)
{
  g_clear_pointer (&result->body, g_bytes_unref);
  g_clear_pointer (&result->headers, soup_message_headers_unref);
  g_free (result);
}
