/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "login-request.h"

#include "fetch.h"
#include "hex.h"
#include "json-writer.h"
#include "secret.h"
#include "translate.h"
#include "veil-error.h"

#include <string.h>

#define BODY_KEY "veil-login-body"
#define SOCKET_KEY "veil-login-socket"
#define MAX_WASTE (1024 * 1024) /* of a refused body: read and thrown away so that the sender sees why */

gboolean
veil_login_rules_set_app (VeilLoginRules *self, const char *app_url, GError **error)
{
  g_autoptr (GUri) uri = NULL;
  g_autofree char *host = NULL;

  if (!veil_fetch_check_url (app_url, _ ("The address of the sign-in page"), error))
    return FALSE;
  uri = g_uri_parse (app_url, SOUP_HTTP_URI_FLAGS, NULL);
  if (uri == NULL || g_uri_get_query (uri) != NULL)
    {
      g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT,
                           _ ("The address of the sign-in page may not have a query"));
      return FALSE;
    }
  /* As browsers write it: lower case, without the scheme's own port. */
  host = g_ascii_strdown (g_uri_get_host (uri), -1);
  g_free (self->origin);
  self->origin = g_strdup_printf (strchr (host, ':') != NULL ? "%s://[%s]" : "%s://%s", g_uri_get_scheme (uri), host);
  if (g_uri_get_port (uri) != -1 && g_uri_get_port (uri) != (g_str_equal (g_uri_get_scheme (uri), "https") ? 443 : 80))
    {
      g_autofree char *without = g_steal_pointer (&self->origin);

      self->origin = g_strdup_printf ("%s:%d", without, g_uri_get_port (uri));
    }
  return TRUE;
}

void
veil_login_rules_set_path (VeilLoginRules *self, const guint8 *random, gsize length)
{
  g_autofree char *digits = g_malloc (2 * length + 1);

  veil_hex_encode (random, length, digits);
  g_free (self->path);
  self->path = g_strconcat ("/", digits, NULL);
}

void
veil_login_rules_clear (VeilLoginRules *self)
{
  g_clear_pointer (&self->origin, g_free);
  g_clear_pointer (&self->path, g_free);
}

static void
answer (SoupServerMessage *message, guint status, const char *problem)
{
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);
  g_autoptr (GBytes) body = NULL;

  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "ok");
  veil_json_writer_boolean (writer, problem == NULL);
  if (problem != NULL)
    {
      veil_json_writer_key (writer, "error");
      veil_json_writer_string (writer, problem);
    }
  veil_json_writer_end_object (writer);
  body = veil_json_writer_finish (writer);
  soup_server_message_set_status (message, status, NULL);
  soup_message_headers_replace (soup_server_message_get_response_headers (message), "Content-Type", "application/json");
  soup_message_body_append_bytes (soup_server_message_get_response_body (message), body);
}

/* Every header of that name, so that a second one cannot hide behind the first. */
static gboolean
header_is (SoupMessageHeaders *headers, const char *name, const char *wanted)
{
  return veil_secret_equal_str (soup_message_headers_get_list (headers, name), wanted);
}

/* The names by which a page may mean this listener; anything else is a name that somebody pointed here. */
static gboolean
host_is_ours (SoupMessageHeaders *headers, guint16 port)
{
  g_autofree char *address = g_strdup_printf ("127.0.0.1:%u", port);
  g_autofree char *name = g_strdup_printf ("localhost:%u", port);

  return header_is (headers, "Host", address) || header_is (headers, "Host", name);
}

/* A target in absolute form has a host of its own, which counts more than the header (RFC 9112 section 3.2.2); and no browser sends a fragment. */
static gboolean
target_is_ours (SoupServerMessage *message, guint16 port)
{
  GUri *uri = soup_server_message_get_uri (message);
  const char *host = g_uri_get_host (uri);

  return g_uri_get_port (uri) == port && g_uri_get_userinfo (uri) == NULL && g_uri_get_fragment (uri) == NULL &&
         (g_strcmp0 (host, "127.0.0.1") == 0 || g_strcmp0 (host, "localhost") == 0);
}

static gboolean
is_json (SoupMessageHeaders *headers)
{
  const char *type = soup_message_headers_get_list (headers, "Content-Type");
  gsize length = type != NULL ? strcspn (type, "; \t,") : 0;

  return length == strlen ("application/json") && g_ascii_strncasecmp (type, "application/json", length) == 0 &&
         strchr (type, ',') == NULL && soup_message_headers_get_list (headers, "Content-Encoding") == NULL;
}

static void
answer_preflight (SoupServerMessage *message, SoupMessageHeaders *headers)
{
  SoupMessageHeaders *reply = soup_server_message_get_response_headers (message);

  soup_message_headers_replace (reply, "Access-Control-Allow-Methods", "POST");
  soup_message_headers_replace (reply, "Access-Control-Allow-Headers", "Content-Type");
  soup_message_headers_replace (reply, "Access-Control-Max-Age", "0");
  if (header_is (headers, "Access-Control-Request-Private-Network", "true"))
    soup_message_headers_replace (reply, "Access-Control-Allow-Private-Network", "true");
  soup_server_message_set_status (message, SOUP_STATUS_NO_CONTENT, NULL);
}

static void
set_common_headers (SoupServerMessage *message)
{
  SoupMessageHeaders *reply = soup_server_message_get_response_headers (message);

  soup_message_headers_replace (reply, "Connection", "close");
  soup_message_headers_replace (reply, "Cache-Control", "no-store");
  soup_message_headers_replace (reply, "Vary", "Origin");
  soup_message_headers_replace (reply, "X-Content-Type-Options", "nosniff");
}

/* For a request whose Origin is the app's. */
static void
allow_origin (SoupServerMessage *message)
{
  const char *origin = soup_message_headers_get_list (soup_server_message_get_request_headers (message), "Origin");

  soup_message_headers_replace (soup_server_message_get_response_headers (message), "Access-Control-Allow-Origin", origin);
}

/* Of a request that was let in, once its body comes: libsoup forgets them when it has sent "100 Continue". */
static void
set_headers_again (SoupServerMessage *message)
{
  set_common_headers (message);
  allow_origin (message);
}

static void
free_body (gpointer data)
{
  veil_secret_byte_array_unref (data);
}

/* libsoup knows no socket of a connection that it did not accept itself, but hands on who is at the other end of it. */
void
veil_login_request_note_socket (GSocketAddress *remote, GSocket *socket)
{
  g_object_set_data_full (G_OBJECT (remote), SOCKET_KEY, g_object_ref (socket), g_object_unref);
}

/* libsoup sees the end, and closes. */
static void
hang_up (SoupServerMessage *message)
{
  GSocketAddress *remote = soup_server_message_get_remote_address (message);

  g_socket_shutdown (g_object_get_data (G_OBJECT (remote), SOCKET_KEY), TRUE, FALSE, NULL);
}

/* Kept by us and wiped, where libsoup's own copy would not be. */
static void
on_chunk (SoupServerMessage *message, GBytes *chunk, gpointer user_data)
{
  GByteArray *body = g_object_get_data (G_OBJECT (message), BODY_KEY);
  gsize *waste = user_data;
  gsize length = g_bytes_get_size (chunk);

  if (soup_server_message_get_status (message) == 0 && body->len + length <= VEIL_SESSION_MAX_BYTES)
    {
      veil_secret_byte_array_append (body, g_bytes_get_data (chunk, NULL), length);
      return;
    }
  if (soup_server_message_get_status (message) == 0)
    {
      set_headers_again (message);
      answer (message, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE, _ ("This is too large for a login bundle"));
    }
  *waste += length;
  if (*waste > MAX_WASTE)
    hang_up (message);
}

static void
free_waste (gpointer data, GClosure *closure)
{
  g_free (data);
}

/* May this request hand over a bundle? Answers if not. */
static gboolean
check (SoupServerMessage *message, const VeilLoginRules *rules, const char *path, gboolean has_query)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  SoupMessageHeaders *reply = soup_server_message_get_response_headers (message);
  const char *method = soup_server_message_get_method (message);
  goffset length = soup_message_headers_get_content_length (headers);

  if (!host_is_ours (headers, rules->port) || !target_is_ours (message, rules->port))
    answer (message, SOUP_STATUS_FORBIDDEN, _ ("This address is for programs on this machine"));
  else if (has_query || !veil_secret_equal_str (path, rules->path))
    answer (message, SOUP_STATUS_NOT_FOUND, _ ("There is nothing here"));
  else if (!header_is (headers, "Origin", rules->origin))
    answer (message, SOUP_STATUS_FORBIDDEN, _ ("Only the sign-in page may hand over a login"));
  else
    {
      allow_origin (message);
      if (g_str_equal (method, "OPTIONS"))
        answer_preflight (message, headers);
      else if (!g_str_equal (method, "POST"))
        {
          soup_message_headers_replace (reply, "Allow", "POST, OPTIONS");
          answer (message, SOUP_STATUS_METHOD_NOT_ALLOWED, _ ("A login bundle is posted"));
        }
      else if (!is_json (headers))
        answer (message, SOUP_STATUS_UNSUPPORTED_MEDIA_TYPE, _ ("A login bundle is posted as application/json"));
      else if (length < 0 || length > VEIL_SESSION_MAX_BYTES) /* less than nothing: it overflowed */
        answer (message, SOUP_STATUS_REQUEST_ENTITY_TOO_LARGE, _ ("This is too large for a login bundle"));
      else
        return TRUE;
    }
  return FALSE;
}

void
veil_login_request_begin (SoupServerMessage *message, const VeilLoginRules *rules, const char *path, gboolean has_query)
{
  soup_message_body_set_accumulate (soup_server_message_get_request_body (message), FALSE);
  g_object_set_data_full (G_OBJECT (message), BODY_KEY, g_byte_array_new (), free_body);
  g_signal_connect_data (message, "got-chunk", G_CALLBACK (on_chunk), g_new0 (gsize, 1), free_waste, 0);
  set_common_headers (message);
  check (message, rules, path, has_query);
}

VeilSession *
veil_login_request_finish (SoupServerMessage *message, const VeilLoginRules *rules)
{
  GByteArray *body = g_object_get_data (G_OBJECT (message), BODY_KEY);
  g_autoptr (VeilSession) session = NULL;
  g_autoptr (GError) error = NULL;

  set_headers_again (message);
  if (rules->used)
    answer (message, SOUP_STATUS_CONFLICT, _ ("Somebody has signed in already; start again from the program"));
  else if (g_get_monotonic_time () >= rules->deadline)
    answer (message, SOUP_STATUS_GONE, _ ("The five minutes for signing in are over; start again from the program"));
  else if ((session = veil_session_new_from_bundle ((const char *) body->data, body->len, g_get_real_time () / G_USEC_PER_SEC,
                                                    &error)) == NULL ||
           !veil_session_check_can_serve (session, &error))
    answer (message, SOUP_STATUS_BAD_REQUEST, error->message);
  else
    {
      answer (message, SOUP_STATUS_OK, NULL);
      return g_steal_pointer (&session);
    }
  return NULL;
}
