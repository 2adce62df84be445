/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "bare-proxy.h"

#include <libsoup/soup.h>

struct _BareProxy
{
  SoupServer *server;   /* owned */
  SoupSession *session; /* owned */
  guint relay_port;
};

static void
on_relayed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (SoupServerMessage) message = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) body = soup_session_send_and_read_finish (SOUP_SESSION (source), result, &error);

  if (body == NULL)
    g_error ("bare proxy: %s", error->message);
  soup_server_message_set_status (message, 200, NULL);
  soup_message_headers_replace (soup_server_message_get_response_headers (message), "Content-Type", "application/json");
  soup_message_body_append_bytes (soup_server_message_get_response_body (message), body);
  soup_server_message_unpause (message);
}

static void
on_request (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user_data)
{
  BareProxy *self = user_data;
  g_autofree char *url = g_strdup_printf ("http://127.0.0.1:%u%s", self->relay_port, path);
  g_autoptr (SoupMessage) onward = soup_message_new ("POST", url);
  g_autoptr (GBytes) body = soup_message_body_flatten (soup_server_message_get_request_body (message));

  soup_message_add_flags (onward, SOUP_MESSAGE_IDEMPOTENT);
  soup_message_set_request_body_from_bytes (onward, "application/octet-stream", body);
  soup_server_message_pause (message);
  soup_session_send_and_read_async (self->session, onward, G_PRIORITY_DEFAULT, NULL, on_relayed, g_object_ref (message));
}

BareProxy *
bare_proxy_new (guint relay_port)
{
  BareProxy *self = g_new0 (BareProxy, 1);
  g_autoptr (GError) error = NULL;

  self->relay_port = relay_port;
  self->session = soup_session_new_with_options ("max-conns-per-host", 64, NULL);
  soup_session_remove_feature_by_type (self->session, SOUP_TYPE_CONTENT_DECODER);
  self->server = soup_server_new (NULL, NULL);
  soup_server_add_handler (self->server, NULL, on_request, self, NULL);
  if (!soup_server_listen_local (self->server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, &error))
    g_error ("%s", error->message);
  return self;
}

void
bare_proxy_free (BareProxy *self)
{
  g_object_unref (self->server);
  g_object_unref (self->session);
  g_free (self);
}

guint
bare_proxy_get_port (BareProxy *self)
{
  g_autoslist (GUri) uris = soup_server_get_uris (self->server);

  return g_uri_get_port (uris->data);
}
