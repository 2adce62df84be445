/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "exchange.h"

#include "linger.h"
#include "routes.h"
#include "secret.h"
#include "translate.h"

#define SMALL_BODY 65536 /* of a refused request: read and thrown away, so that the connection can be used again */

static void
on_got_headers (SoupServerMessage *message, gpointer user_data)
{
  g_autoptr (VeilExchange) self = veil_exchange_ref (user_data);

  self->started = g_get_monotonic_time ();
  veil_exchange_touch (self);
  veil_route_headers (self);
}

static void
on_got_chunk (SoupServerMessage *message, GBytes *chunk, gpointer user_data)
{
  g_autoptr (VeilExchange) self = veil_exchange_ref (user_data);

  /* The rest of a refused request gets no further time. */
  if (self->stage != VEIL_STAGE_BODY)
    return;
  veil_exchange_touch (self);
  veil_route_chunk (self, chunk);
}

static void
on_got_body (SoupServerMessage *message, gpointer user_data)
{
  g_autoptr (VeilExchange) self = veil_exchange_ref (user_data);

  if (self->stage == VEIL_STAGE_BODY)
    veil_route_body (self);
}

static void
on_wrote_body_data (SoupServerMessage *message, guint size, VeilExchange *self)
{
  veil_exchange_touch (self);
}

/* It is the peer's turn again, with the next request. */
static void
on_finished (SoupServerMessage *message, gpointer user_data)
{
  g_autoptr (VeilExchange) self = veil_exchange_ref (user_data);
  guint idle_ms = self->server->idle_ms;

  veil_exchange_end (self);
  soup_message_body_truncate (soup_server_message_get_response_body (message));
  veil_connection_set_idle (self->connection, message, idle_ms);
}

static void
on_disconnected (SoupServerMessage *message, VeilExchange *self)
{
  veil_exchange_end (self);
}

void
veil_exchange_begin (VeilServer *server, SoupServerMessage *message, VeilConnection *connection)
{
  VeilExchange *self = g_new0 (VeilExchange, 1);

  self->refs = 1;
  self->server = server;
  self->message = g_object_ref (message);
  self->connection = veil_connection_ref (connection);
  self->cancellable = g_cancellable_new ();
  g_hash_table_add (server->exchanges, self);
  soup_message_body_set_accumulate (soup_server_message_get_request_body (message), FALSE);
  g_signal_connect (message, "got-headers", G_CALLBACK (on_got_headers), self);
  g_signal_connect (message, "got-chunk", G_CALLBACK (on_got_chunk), self);
  g_signal_connect (message, "got-body", G_CALLBACK (on_got_body), self);
  g_signal_connect (message, "wrote-body-data", G_CALLBACK (on_wrote_body_data), self);
  g_signal_connect (message, "finished", G_CALLBACK (on_finished), self);
  g_signal_connect (message, "disconnected", G_CALLBACK (on_disconnected), self);
  veil_connection_set_busy (connection);
  veil_exchange_touch (self);
}

VeilExchange *
veil_exchange_ref (VeilExchange *self)
{
  self->refs++;
  return self;
}

void
veil_exchange_unref (VeilExchange *self)
{
  if (--self->refs > 0)
    return;
  g_clear_object (&self->message);
  veil_connection_unref (self->connection);
  veil_secret_byte_array_unref (self->body);
  g_object_unref (self->cancellable);
  g_clear_pointer (&self->request, veil_chat_request_unref);
  g_clear_object (&self->record);
  g_free (self);
}

void
veil_exchange_end (VeilExchange *self)
{
  if (self->message == NULL)
    return;
  g_signal_handlers_disconnect_by_data (self->message, self);
  g_clear_object (&self->message);
  veil_connection_unwatch (self->connection);
  g_cancellable_cancel (self->cancellable);
  if (self->record != NULL)
    veil_record_fail (self->record, 0, "cancelled", NULL, 0,
                      _ ("The caller left before the answer was there, or Veil was stopped"));
  /* The table's reference goes with the entry. */
  g_hash_table_remove (self->server->exchanges, self);
}

void
veil_exchange_touch (VeilExchange *self)
{
  veil_connection_expect (self->connection, self->server->idle_ms);
}

VeilAccessRules
veil_exchange_get_rules (VeilExchange *self)
{
  GInetSocketAddress *local = G_INET_SOCKET_ADDRESS (soup_server_message_get_local_address (self->message));
  guint16 port = g_inet_socket_address_get_port (local);

  /* A connection from before the server moved names the port that it came to; one that came to none, as in tests, the server's. */
  return (VeilAccessRules){
    .host = self->server->host != NULL ? self->server->host : "",
    .port = port != 0 ? port : self->server->port,
    .local = g_inet_socket_address_get_address (local),
    .api_key = self->server->api_key,
    .origins = (const char *const *) self->server->origins,
  };
}

static void
set_common_headers (VeilExchange *self, const char *content_type)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (self->message);
  VeilAccessRules rules = veil_exchange_get_rules (self);
  const char *origin = veil_access_get_listed_origin (&rules, soup_server_message_get_request_headers (self->message));

  soup_message_headers_replace (headers, "Cache-Control", "no-store");
  soup_message_headers_replace (headers, "Vary", "Origin");
  soup_message_headers_replace (headers, "X-Content-Type-Options", "nosniff");
  if (content_type != NULL)
    soup_message_headers_replace (headers, "Content-Type", content_type);
  if (origin != NULL)
    {
      soup_message_headers_replace (headers, "Access-Control-Allow-Origin", origin);
      soup_message_headers_replace (headers, "Access-Control-Expose-Headers",
                                    "X-OpenGradient-Verified, X-OpenGradient-TEE-Id, X-OpenGradient-Sandbox, Retry-After");
    }
}

/* Is there more to come than one wants to read for nothing? Who expects a 100 may or may not send the body after another status. */
static gboolean
body_is_in_the_way (VeilExchange *self)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (self->message);

  if (self->stage == VEIL_STAGE_BODY)
    return TRUE;
  if (self->stage != VEIL_STAGE_HEADERS)
    return FALSE;
  if (self->body_is_unclear || soup_message_headers_get_list (headers, "Expect") != NULL)
    return TRUE;
  switch (soup_message_headers_get_encoding (headers))
    {
    case SOUP_ENCODING_NONE:
      return FALSE;
    case SOUP_ENCODING_CONTENT_LENGTH:
      return soup_message_headers_get_content_length (headers) > SMALL_BODY;
    default:
      return TRUE;
    }
}

static const char *
get_reason (guint status)
{
  return status == 429 ? "Too Many Requests" : soup_status_get_phrase (status);
}

static void
append_header (const char *name, const char *value, gpointer user_data)
{
  g_string_append_printf (user_data, "%s: %s\r\n", name, value);
}

static void
on_linger_done (VeilLinger *linger, gpointer user_data)
{
  VeilServer *server = user_data;

  g_hash_table_remove (server->lingers, linger);
}

static void
respond_and_close (VeilExchange *self, guint status, GBytes *body)
{
  VeilServer *server = self->server;
  g_autoptr (SoupServerMessage) message = g_object_ref (self->message);
  g_autoptr (GSocketConnection) stream = NULL;
  g_autoptr (GIOStream) stolen = NULL;
  g_autoptr (GBytes) response = NULL;
  GString *text = g_string_new (NULL);
  gsize length = body != NULL ? g_bytes_get_size (body) : 0;

  g_string_append_printf (text, "HTTP/1.1 %u %s\r\n", status, get_reason (status));
  soup_message_headers_remove (soup_server_message_get_response_headers (message), "Connection");
  soup_message_headers_foreach (soup_server_message_get_response_headers (message), append_header, text);
  g_string_append_printf (text, "Content-Length: %" G_GSIZE_FORMAT "\r\nConnection: close\r\n\r\n", length);
  if (length > 0 && soup_server_message_get_method (message) != SOUP_METHOD_HEAD)
    g_string_append_len (text, g_bytes_get_data (body, NULL), length);
  response = g_string_free_to_bytes (text);

  veil_exchange_end (self);
  veil_connection_expect (self->connection, 0);
  stolen = veil_connection_steal (self->connection, message, &stream);
  g_hash_table_add (server->lingers, veil_linger_new (stolen, stream, response, on_linger_done, server));
}

void
veil_exchange_respond (VeilExchange *self, guint status, const char *content_type, GBytes *body)
{
  gboolean paused = self->stage == VEIL_STAGE_RUNNING;
  gboolean in_the_way = body_is_in_the_way (self);

  set_common_headers (self, content_type);
  self->stage = VEIL_STAGE_REPLIED;
  g_clear_pointer (&self->body, veil_secret_byte_array_unref);
  if (in_the_way)
    {
      respond_and_close (self, status, body);
      return;
    }
  soup_server_message_set_status (self->message, status, get_reason (status));
  if (body != NULL && g_bytes_get_size (body) > 0)
    soup_message_body_append_bytes (soup_server_message_get_response_body (self->message), body);
  veil_exchange_touch (self);
  if (!paused)
    return;
  veil_connection_unwatch (self->connection);
  soup_server_message_unpause (self->message);
}

/* What others said is for the caller alone. */
static void
record_error (VeilRecord *record, const VeilApiError *api_error)
{
  const char *message = api_error->message;

  if (api_error->quotes)
    message =
        _ ("The relay or the gateway in the enclave answered with an error; what it says was told to the caller and is not kept");
  veil_record_fail (record, api_error->status, api_error->code, api_error->check, api_error->passed, message);
}

void
veil_exchange_respond_error (VeilExchange *self, const VeilApiError *api_error)
{
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (self->message);
  g_autoptr (GBytes) body = veil_api_error_to_bytes (api_error);

  if (self->record != NULL)
    record_error (self->record, api_error);
  if (api_error->retry_after != NULL)
    soup_message_headers_replace (headers, "Retry-After", api_error->retry_after);
  /* OpenAI's clients send a request again by themselves after most errors, unless told. */
  if (api_error->dont_retry)
    soup_message_headers_replace (headers, "x-should-retry", "false");
  if (api_error->status == 401)
    soup_message_headers_replace (headers, "WWW-Authenticate", "Bearer");
  veil_exchange_respond (self, api_error->status, "application/json", body);
}

void
veil_exchange_refuse (VeilExchange *self, guint status, const char *code, const char *message)
{
  g_auto (VeilApiError) api_error = { 0 };

  veil_api_error_init (&api_error, status, code, message);
  veil_exchange_respond_error (self, &api_error);
}
