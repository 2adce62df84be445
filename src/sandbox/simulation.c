/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "simulation.h"

#include <string.h>

#include "hex.h"

#define BACKLOG 1024

char *
veil_sandbox_random_text (const char *prefix)
{
  guint8 bytes[24];
  char digits[2 * sizeof bytes + 1];

  veil_sandbox_random (NULL, sizeof bytes, bytes);
  veil_hex_encode (bytes, sizeof bytes, digits);
  return g_strconcat (prefix, digits, NULL);
}

void
veil_sandbox_respond (SoupServerMessage *message, guint status, VeilJsonWriter *writer)
{
  g_autoptr (GBytes) text = veil_json_writer_finish (writer);
  gsize length;
  const char *data = g_bytes_get_data (text, &length);

  soup_server_message_set_status (message, status, NULL);
  soup_server_message_set_response (message, "application/json", SOUP_MEMORY_COPY, data, length);
}

void
veil_sandbox_respond_error (SoupServerMessage *message, guint status, const char *text)
{
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);

  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "error");
  veil_json_writer_string (writer, text);
  veil_json_writer_end_object (writer);
  veil_sandbox_respond (message, status, writer);
}

VeilJsonDoc *
veil_sandbox_read_body (SoupServerMessage *message)
{
  g_autoptr (GBytes) body = soup_message_body_flatten (soup_server_message_get_request_body (message));
  g_autoptr (GError) error = NULL;
  VeilJsonDoc *doc = veil_json_doc_new (g_bytes_get_data (body, NULL), g_bytes_get_size (body), &error);

  if (doc == NULL)
    veil_sandbox_respond_error (message, 400, error->message);
  return doc;
}

gboolean
veil_sandbox_check_method (SoupServerMessage *message, const char *method)
{
  if (strcmp (soup_server_message_get_method (message), method) == 0)
    return TRUE;
  soup_message_headers_replace (soup_server_message_get_response_headers (message), "Allow", method);
  veil_sandbox_respond_error (message, 405, "the sandbox knows another method for this path");
  return FALSE;
}

VeilSandboxFault
veil_sandbox_network_take_fault (VeilSandboxNetwork *self, const VeilSandboxScope *scopes, guint n_scopes, gint tee)
{
  VeilSandboxFault fault = self->fault;
  gboolean here = FALSE;

  for (guint i = 0; i < n_scopes; i++)
    here = here || veil_sandbox_fault_get_scope (fault) == scopes[i];
  if (!here || fault == VEIL_SANDBOX_HONEST || (self->fault_tee >= 0 && self->fault_tee != tee))
    return VEIL_SANDBOX_HONEST;
  if (self->fault_times > 0 && --self->fault_times == 0)
    self->fault = VEIL_SANDBOX_HONEST;
  return fault;
}

static void
on_counted_done (VeilSandboxExchange *exchange, gboolean hung_up, gpointer user_data)
{
  VeilSandboxNetwork *self = user_data;

  self->stats.in_flight--;
  if (hung_up)
    self->stats.cancelled++;
  else
    self->stats.answered++;
  g_hash_table_remove (self->exchanges, exchange);
}

static void
on_done (VeilSandboxExchange *exchange, gboolean hung_up, gpointer user_data)
{
  VeilSandboxNetwork *self = user_data;

  g_hash_table_remove (self->exchanges, exchange);
}

VeilSandboxExchange *
veil_sandbox_network_begin (VeilSandboxNetwork *self, SoupServerMessage *message, gboolean counted)
{
  VeilSandboxExchange *exchange = veil_sandbox_exchange_new (message, counted ? on_counted_done : on_done, self);

  if (counted)
    self->stats.in_flight++;
  g_hash_table_add (self->exchanges, veil_sandbox_exchange_ref (exchange));
  return exchange;
}

void
veil_sandbox_network_hang (VeilSandboxNetwork *self, SoupServerMessage *message)
{
  VeilSandboxReply *reply = veil_sandbox_reply_new (200, NULL);

  reply->silent = TRUE;
  reply->ending = VEIL_SANDBOX_END_STALL;
  veil_sandbox_exchange_reply (veil_sandbox_network_begin (self, message, FALSE), reply);
}

/* No web page may play with the sandbox, and nothing else may be reached through it by name. */
static gboolean
is_local_request (SoupMessageHeaders *headers)
{
  const char *host = soup_message_headers_get_one (headers, "Host");
  g_autofree char *name = host != NULL ? g_strndup (host, strcspn (host, ":")) : NULL;

  if (soup_message_headers_get_one (headers, "Origin") != NULL)
    return FALSE;
  return g_strcmp0 (name, "127.0.0.1") == 0 || g_strcmp0 (name, "localhost") == 0;
}

/* Runs when the header is there and the body is not. */
static void
guard (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user_data)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);

  if (!is_local_request (headers))
    veil_sandbox_respond_error (message, 403, "the sandbox answers local programs only");
  else if (soup_message_headers_get_content_length (headers) > VEIL_SANDBOX_MAX_BODY)
    veil_sandbox_respond_error (message, 413, "the encapsulated request is too large");
  else
    return;
  soup_message_body_set_accumulate (soup_server_message_get_request_body (message), FALSE);
}

void
veil_sandbox_network_add (VeilSandboxNetwork *self, const char *path, SoupServerCallback callback)
{
  soup_server_add_early_handler (self->server, path, guard, self, NULL);
  soup_server_add_handler (self->server, path, callback, self, NULL);
}

static void
on_unknown (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user_data)
{
  veil_sandbox_respond_error (message, 404, "the sandbox has nothing here");
}

/* The server's own backlog of ten makes bursts wait for a second. */
static gboolean
listen_on (VeilSandboxNetwork *self, guint port, GError **error)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) wanted = g_inet_socket_address_new (loopback, (guint16) port);
  g_autoptr (GSocketAddress) got = NULL;
  g_autoptr (GSocket) socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, error);

  if (socket == NULL)
    return FALSE;
  g_socket_set_listen_backlog (socket, BACKLOG);
  if (!g_socket_bind (socket, wanted, TRUE, error) || !g_socket_listen (socket, error))
    return FALSE;
  got = g_socket_get_local_address (socket, error);
  if (got == NULL)
    return FALSE;
  self->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (got));
  return soup_server_listen_socket (self->server, socket, 0, error);
}

typedef struct
{
  guint index;
  const char *base;
} Plan;

static gpointer
make_enclave (gpointer data)
{
  const Plan *plan = data;

  return veil_sandbox_enclave_new (plan->index, plan->base);
}

GPtrArray *
veil_sandbox_enclaves_make (guint count, const char *base)
{
  GPtrArray *enclaves = g_ptr_array_new_with_free_func ((GDestroyNotify) veil_sandbox_enclave_unref);
  g_autoptr (GPtrArray) threads = g_ptr_array_new ();
  g_autofree Plan *plans = g_new (Plan, count);

  for (guint i = 0; i < count; i++)
    {
      plans[i] = (Plan){ i, base };
      g_ptr_array_add (threads, g_thread_new ("keys", make_enclave, &plans[i]));
    }
  for (guint i = 0; i < count; i++)
    g_ptr_array_add (enclaves, g_thread_join (g_ptr_array_index (threads, i)));
  return enclaves;
}

VeilSandboxNetwork *
veil_sandbox_network_new (guint port, guint n_enclaves, GError **error)
{
  g_autoptr (VeilSandboxNetwork) self = g_new0 (VeilSandboxNetwork, 1);
  guint8 address[20];

  veil_sandbox_random (NULL, sizeof address, address);
  self->contract = veil_hex_encode_0x (address, sizeof address);
  self->access_token = veil_sandbox_random_text ("sandbox-access-");
  self->refresh_token = veil_sandbox_random_text ("sandbox-refresh-");
  self->anon_key = veil_sandbox_random_text ("sandbox-anon-");
  self->user_id = g_uuid_string_random ();
  self->expires_in = 3600;
  self->fault_times = -1;
  self->fault_tee = -1;
  self->exchanges = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) veil_sandbox_exchange_unref, NULL);
  for (guint i = 0; i < n_enclaves; i++)
    self->active[i] = TRUE;

  self->server = soup_server_new ("server-header", "og-veil-sandbox", NULL);
  veil_sandbox_network_add (self, "/", on_unknown);
  veil_sandbox_relay_attach (self);
  veil_sandbox_registry_attach (self);
  veil_sandbox_auth_attach (self);
  veil_sandbox_sign_in_attach (self);
  veil_sandbox_door_attach (self);
  veil_sandbox_control_attach (self);
  if (!listen_on (self, port, error))
    return NULL;
  /* Nobody is answered before the main loop runs. */
  self->base = g_strdup_printf ("http://127.0.0.1:%u", self->port);
  self->hardware = veil_sandbox_hardware_new ();
  self->enclaves = veil_sandbox_enclaves_make (n_enclaves, self->base);
  self->strangers = veil_sandbox_enclaves_make (n_enclaves == 1 ? 1 : 0, self->base);
  return g_steal_pointer (&self);
}

static void
abort_all (VeilSandboxNetwork *self)
{
  g_autoptr (GList) exchanges = g_hash_table_get_keys (self->exchanges);

  for (GList *item = exchanges; item != NULL; item = item->next)
    veil_sandbox_exchange_abort (item->data);
}

void
veil_sandbox_network_free (VeilSandboxNetwork *self)
{
  while (self->jobs > 0 || g_hash_table_size (self->exchanges) > 0)
    {
      abort_all (self);
      if (self->jobs > 0 || g_hash_table_size (self->exchanges) > 0)
        g_main_context_iteration (NULL, TRUE);
    }
  if (self->server != NULL)
    soup_server_disconnect (self->server);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_clear_object (&self->server);
  g_hash_table_unref (self->exchanges);
  g_clear_pointer (&self->enclaves, g_ptr_array_unref);
  g_clear_pointer (&self->strangers, g_ptr_array_unref);
  g_clear_pointer (&self->hardware, veil_sandbox_hardware_free);
  g_free (self->base);
  g_free (self->access_token);
  g_free (self->refresh_token);
  g_free (self->anon_key);
  g_free (self->user_id);
  g_free (self->contract);
  g_free (self);
}
