/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "server-private.h"

#include "exchange.h"
#include "guarded-stream.h"
#include "linger.h"
#include "listener.h"
#include "secret.h"
#include "socket-end.h"

G_DEFINE_FINAL_TYPE (VeilServer, veil_server, G_TYPE_OBJECT)

/* libsoup hands out the address objects that it was given; one of each connection carries our side of it. */
static GQuark
connection_quark (void)
{
  return g_quark_from_static_string ("veil-connection");
}

static void
on_request_started (SoupServer *soup, SoupServerMessage *message, VeilServer *self)
{
  GSocketAddress *remote = soup_server_message_get_remote_address (message);
  VeilConnection *connection = remote != NULL ? g_object_get_qdata (G_OBJECT (remote), connection_quark ()) : NULL;

  if (connection != NULL)
    veil_exchange_begin (self, message, connection);
}

static void
on_connection_gone (VeilConnection *connection, gpointer user_data)
{
  VeilServer *self = user_data;

  g_hash_table_remove (self->connections, connection);
  veil_listeners_resume (self);
}

void
veil_server_adopt (VeilServer *self, GSocketConnection *stream)
{
  g_autoptr (GSocketAddress) local = veil_socket_end_dup (stream, VEIL_SOCKET_END_LOCAL);
  g_autoptr (GSocketAddress) remote = veil_socket_end_dup (stream, VEIL_SOCKET_END_REMOTE);
  VeilConnection *connection = veil_connection_new (stream, on_connection_gone, self);
  g_autoptr (GIOStream) guarded = veil_guarded_stream_new (stream, connection);

  g_hash_table_add (self->connections, connection);
  g_object_set_qdata_full (G_OBJECT (remote), connection_quark (), connection, (GDestroyNotify) veil_connection_unref);
  veil_connection_expect (connection, self->idle_ms);
  soup_server_accept_iostream (self->soup, guarded, local, remote, NULL);
}

static void
veil_server_init (VeilServer *self)
{
  self->idle_ms = VEIL_SERVER_IDLE_MS;
  self->listeners = g_ptr_array_new ();
  self->connections = g_hash_table_new (NULL, NULL);
  self->lingers = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) veil_linger_free, NULL);
  self->exchanges = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) veil_exchange_unref, NULL);
  self->records = veil_record_list_new (0);
  self->models = veil_models_new ();
  self->models_list = veil_models_list_to_bytes (self->models);
  /* Paths stay as they were sent: names of models may have a slash, escaped or not. No handlers: each message's own signals do all. */
  self->soup = g_object_new (SOUP_TYPE_SERVER, "raw-paths", TRUE, NULL);
  g_signal_connect (self->soup, "request-started", G_CALLBACK (on_request_started), self);
}

static void
veil_server_dispose (GObject *object)
{
  VeilServer *self = VEIL_SERVER (object);
  GHashTableIter iter;
  gpointer connection;

  veil_server_stop (self);
  g_hash_table_iter_init (&iter, self->connections);
  while (g_hash_table_iter_next (&iter, &connection, NULL))
    veil_connection_detach (connection);
  g_hash_table_remove_all (self->connections);
  g_signal_handlers_disconnect_by_data (self->soup, self);
  g_clear_object (&self->backend);
  G_OBJECT_CLASS (veil_server_parent_class)->dispose (object);
}

static void
veil_server_finalize (GObject *object)
{
  VeilServer *self = VEIL_SERVER (object);

  g_object_unref (self->soup);
  g_ptr_array_unref (self->listeners);
  g_hash_table_unref (self->connections);
  g_hash_table_unref (self->lingers);
  g_hash_table_unref (self->exchanges);
  g_object_unref (self->records);
  veil_models_free (self->models);
  g_bytes_unref (self->models_list);
  veil_secret_free (self->api_key);
  g_strfreev (self->origins);
  g_free (self->host);
  G_OBJECT_CLASS (veil_server_parent_class)->finalize (object);
}

static void
veil_server_class_init (VeilServerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = veil_server_dispose;
  object_class->finalize = veil_server_finalize;
}

VeilServer *
veil_server_new (VeilBackend *backend)
{
  VeilServer *self = g_object_new (VEIL_TYPE_SERVER, NULL);

  self->backend = g_object_ref (backend);
  return self;
}

void
veil_server_set_api_key (VeilServer *self, const char *api_key)
{
  g_return_if_fail (VEIL_IS_SERVER (self));

  veil_secret_free (self->api_key);
  self->api_key = g_strdup (api_key);
}

void
veil_server_set_allowed_origins (VeilServer *self, const char *const *origins)
{
  g_return_if_fail (VEIL_IS_SERVER (self));

  g_strfreev (self->origins);
  self->origins = g_strdupv ((char **) origins);
}

void
veil_server_set_records (VeilServer *self, VeilRecordList *records)
{
  g_return_if_fail (VEIL_IS_SERVER (self));

  g_set_object (&self->records, records);
}

gboolean
veil_server_load_models (VeilServer *self, const char *path, GError **error)
{
  VeilModels *models = veil_models_new_from_file (path, error);

  if (models == NULL)
    return FALSE;
  veil_models_free (self->models);
  g_bytes_unref (self->models_list);
  self->models = models;
  self->models_list = veil_models_list_to_bytes (models);
  return TRUE;
}

void
veil_server_set_bound_address (VeilServer *self, const char *host, guint16 port)
{
  g_free (self->host);
  self->host = g_strdup (host);
  self->port = port;
}

void
veil_server_set_idle_timeout (VeilServer *self, guint milliseconds)
{
  self->idle_ms = milliseconds;
}

gboolean
veil_server_listen (VeilServer *self, const char *host, guint16 port, GError **error)
{
  g_return_val_if_fail (VEIL_IS_SERVER (self), FALSE);
  g_return_val_if_fail (self->listeners->len == 0, FALSE);

  if (!veil_listeners_open (self, host, port, error))
    return FALSE;
  self->draining = FALSE;
  veil_server_set_bound_address (self, host, self->port);
  return TRUE;
}

gboolean
veil_server_move (VeilServer *self, const char *host, guint16 port, GError **error)
{
  g_return_val_if_fail (VEIL_IS_SERVER (self), FALSE);
  g_return_val_if_fail (self->host != NULL && !self->draining, FALSE);

  if (!veil_listeners_move (self, host, port, error))
    return FALSE;
  veil_server_set_bound_address (self, host, self->port);
  return TRUE;
}

gboolean
veil_server_is_local (VeilServer *self)
{
  return self->host == NULL || veil_listeners_host_is_local (self->host);
}

const char *
veil_server_get_host (VeilServer *self)
{
  return self->host;
}

guint16
veil_server_get_port (VeilServer *self)
{
  return self->port;
}

/* What waits for an answer is told by its cancellable; libsoup then closes what is left, and each message tells its exchange. */
void
veil_server_stop (VeilServer *self)
{
  g_return_if_fail (VEIL_IS_SERVER (self));

  veil_listeners_close (self);
  g_hash_table_remove_all (self->lingers);
  soup_server_disconnect (self->soup);
}

guint
veil_server_get_n_running (VeilServer *self)
{
  GHashTableIter iter;
  gpointer exchange;
  guint running = 0;

  g_hash_table_iter_init (&iter, self->exchanges);
  while (g_hash_table_iter_next (&iter, &exchange, NULL))
    running += ((VeilExchange *) exchange)->stage == VEIL_STAGE_RUNNING;
  return running;
}
