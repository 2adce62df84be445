/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "routes.h"

#include "config.h"
#include "json-writer.h"
#include "translate.h"

#include <string.h>

#define MODELS_PREFIX "/v1/models/"

static void
write_string (VeilJsonWriter *writer, const char *key, const char *value)
{
  veil_json_writer_key (writer, key);
  veil_json_writer_string (writer, value);
}

static void
write_count (VeilJsonWriter *writer, const char *key, guint64 value)
{
  veil_json_writer_key (writer, key);
  veil_json_writer_uint (writer, value);
}

static void
answer_health (VeilExchange *exchange)
{
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);
  VeilBackendHealth health = { 0 };
  g_autoptr (GBytes) body = NULL;

  veil_backend_get_health (exchange->server->backend, &health);
  veil_json_writer_begin_object (writer);
  write_string (writer, "status", health.status);
  write_string (writer, "version", VEIL_VERSION);
  write_string (writer, "active_tee_id", health.tee_id);
  write_string (writer, "active_tee_endpoint", health.tee_endpoint);
  write_string (writer, "active_tee_pcr_hash", health.tee_pcr_hash);
  veil_json_writer_key (writer, "verified_inference");
  veil_json_writer_boolean (writer, TRUE);
  veil_json_writer_key (writer, "sandbox");
  veil_json_writer_boolean (writer, health.sandbox);
  veil_json_writer_key (writer, "counts");
  veil_json_writer_begin_object (writer);
  write_count (writer, "verified", health.verified);
  write_count (writer, "refused", health.refused);
  write_count (writer, "failed", health.failed);
  veil_json_writer_end_object (writer);
  veil_json_writer_end_object (writer);
  body = veil_json_writer_finish (writer);
  veil_backend_health_clear (&health);
  veil_exchange_respond (exchange, 200, "application/json", body);
}

static void
answer_models (VeilExchange *exchange)
{
  veil_exchange_respond (exchange, 200, "application/json", exchange->server->models_list);
}

static void
answer_model (VeilExchange *exchange)
{
  const char *path = g_uri_get_path (soup_server_message_get_uri (exchange->message));
  g_autofree char *id = g_uri_unescape_string (path + strlen (MODELS_PREFIX), NULL);
  g_autoptr (GBytes) body = id != NULL ? veil_models_one_to_bytes (exchange->server->models, id) : NULL;

  if (body == NULL)
    veil_exchange_refuse (exchange, 404, "model_not_found",
                          _ ("There is no such model; GET /v1/models lists those that are known"));
  else
    veil_exchange_respond (exchange, 200, "application/json", body);
}

typedef struct
{
  const char *path;
  gboolean is_prefix;
  const char *method; /* HEAD goes with GET */
  const char *allow;
  void (*answer) (VeilExchange *exchange);
} Route;

static const Route routes[] = {
  { "/v1/chat/completions", FALSE, "POST", "POST, OPTIONS", veil_route_chat },
  { "/v1/models", FALSE, "GET", "GET, HEAD, OPTIONS", answer_models },
  { MODELS_PREFIX, TRUE, "GET", "GET, HEAD, OPTIONS", answer_model },
  { "/health", FALSE, "GET", "GET, HEAD, OPTIONS", answer_health },
};

static const Route *
find_route (const char *path)
{
  for (gsize i = 0; i < G_N_ELEMENTS (routes); i++)
    if (routes[i].is_prefix ? g_str_has_prefix (path, routes[i].path) && path[strlen (routes[i].path)] != '\0'
                            : g_str_equal (path, routes[i].path))
      return &routes[i];
  return NULL;
}

static void
answer_options (VeilExchange *exchange, const char *allow)
{
  SoupMessageHeaders *asked = soup_server_message_get_request_headers (exchange->message);
  SoupMessageHeaders *headers = soup_server_message_get_response_headers (exchange->message);
  VeilAccessRules rules = veil_exchange_get_rules (exchange);

  soup_message_headers_replace (headers, "Allow", allow);
  if (veil_access_get_listed_origin (&rules, asked) != NULL)
    {
      const char *private_network = soup_message_headers_get_one (asked, "Access-Control-Request-Private-Network");

      soup_message_headers_replace (headers, "Access-Control-Allow-Methods", allow);
      /* The wildcard does not stand for Authorization. */
      soup_message_headers_replace (headers, "Access-Control-Allow-Headers", "Authorization, *");
      soup_message_headers_replace (headers, "Access-Control-Max-Age", "600");
      if (private_network != NULL && g_str_equal (private_network, "true"))
        soup_message_headers_replace (headers, "Access-Control-Allow-Private-Network", "true");
    }
  veil_exchange_respond (exchange, 204, NULL, NULL);
}

/* libsoup reads "-1" and "+1" as numbers, takes one of two framings when it is given both, and "identity" for no body. */
static gboolean
framing_is_good (SoupMessageHeaders *headers)
{
  const char *length = soup_message_headers_get_list (headers, "Content-Length");
  const char *coding = soup_message_headers_get_list (headers, "Transfer-Encoding");

  if (coding != NULL && (length != NULL || g_ascii_strcasecmp (coding, "chunked") != 0))
    return FALSE;
  if (length == NULL)
    return TRUE;
  return *length != '\0' && strlen (length) <= 15 && strspn (length, "0123456789") == strlen (length);
}

/* TRUE if it may go on. */
static gboolean
check_access (VeilExchange *exchange)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (exchange->message);
  VeilAccessRules rules = veil_exchange_get_rules (exchange);
  gboolean preflight = soup_server_message_get_method (exchange->message) == SOUP_METHOD_OPTIONS;
  VeilAccess access = veil_access_check (&rules, headers, soup_server_message_get_uri (exchange->message), preflight);

  /* The server is elsewhere by now: the next request goes there, or finds nobody. */
  if (rules.port != exchange->server->port)
    soup_message_headers_replace (soup_server_message_get_response_headers (exchange->message), "Connection", "close");
  if (access == VEIL_ACCESS_OK)
    return TRUE;
  /* Pages that are not wanted do not get to keep connections either. */
  soup_message_headers_replace (soup_server_message_get_response_headers (exchange->message), "Connection", "close");
  veil_exchange_refuse (exchange, access == VEIL_ACCESS_BAD_KEY ? 401 : 403,
                        access == VEIL_ACCESS_BAD_KEY      ? "invalid_api_key"
                        : access == VEIL_ACCESS_BAD_ORIGIN ? "origin_not_allowed"
                                                           : "host_not_allowed",
                        veil_access_explain (access));
  return FALSE;
}

static void
refuse_method (VeilExchange *exchange, const Route *route)
{
  g_autofree char *message = g_strdup_printf (_ ("This address takes %s only"), route->allow);

  soup_message_headers_replace (soup_server_message_get_response_headers (exchange->message), "Allow", route->allow);
  veil_exchange_refuse (exchange, 405, "method_not_allowed", message);
}

void
veil_route_headers (VeilExchange *exchange)
{
  SoupServerMessage *message = exchange->message;
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  const char *method = soup_server_message_get_method (message);
  const Route *route;

  /* libsoup would cut its answers to ranges, as many as are asked for. */
  soup_message_headers_remove (headers, "Range");
  exchange->body_is_unclear = !framing_is_good (headers);
  if (soup_server_message_get_status (message) != 0 || exchange->body_is_unclear)
    {
      veil_exchange_refuse (exchange, 400, "bad_request", _ ("The request's headers make no sense"));
      return;
    }
  if (!check_access (exchange))
    return;
  if (exchange->server->draining)
    {
      soup_message_headers_replace (soup_server_message_get_response_headers (message), "Connection", "close");
      veil_exchange_refuse (exchange, 503, "stopping", _ ("Veil is being stopped; send the request again when it runs"));
      return;
    }
  if (soup_server_message_is_options_ping (message) && method == SOUP_METHOD_OPTIONS)
    {
      answer_options (exchange, "GET, HEAD, POST, OPTIONS");
      return;
    }
  route = find_route (g_uri_get_path (soup_server_message_get_uri (message)));
  if (route == NULL)
    veil_exchange_refuse (exchange, 404, "unknown_url",
                          _ ("There is nothing here; this endpoint has /v1/chat/completions, /v1/models and /health"));
  else if (method == SOUP_METHOD_OPTIONS)
    answer_options (exchange, route->allow);
  else if (g_str_equal (method, route->method) || (method == SOUP_METHOD_HEAD && g_str_equal (route->method, "GET")))
    route->answer (exchange);
  else
    refuse_method (exchange, route);
}
