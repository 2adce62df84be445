/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Sign-in: the bundle that the app's page would hand over, and the token refresh (protocol.md section 6). */
#include <string.h>

#include "secret.h"
#include "simulation.h"

#define PATH "/auth/v1/token"
#define EMAIL "sandbox@localhost"

static void
write_string (VeilJsonWriter *writer, const char *key, const char *text)
{
  veil_json_writer_key (writer, key);
  veil_json_writer_string (writer, text);
}

static void
write_tokens (VeilSandboxNetwork *self, VeilJsonWriter *writer)
{
  write_string (writer, "access_token", self->access_token);
  write_string (writer, "refresh_token", self->refresh_token);
  write_string (writer, "token_type", "bearer");
  veil_json_writer_key (writer, "expires_at");
  veil_json_writer_uint (writer, (guint64) (g_get_real_time () / G_USEC_PER_SEC) + self->expires_in);
  veil_json_writer_key (writer, "expires_in");
  veil_json_writer_uint (writer, self->expires_in);
  veil_json_writer_key (writer, "user");
  veil_json_writer_begin_object (writer);
  write_string (writer, "id", self->user_id);
  write_string (writer, "email", EMAIL);
  veil_json_writer_key (writer, "is_anonymous");
  veil_json_writer_boolean (writer, FALSE);
  veil_json_writer_end_object (writer);
}

char *
veil_sandbox_auth_bundle (VeilSandboxNetwork *self)
{
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);
  const char *base = self->base;
  g_autofree char *rpc = g_strconcat (base, VEIL_SANDBOX_RPC_PATH, NULL);
  g_autofree char *root = veil_sandbox_hardware_get_root (self->hardware);
  g_autoptr (GBytes) text = NULL;
  gsize length;

  veil_json_writer_begin_object (writer);
  write_string (writer, "type", "opengradient-cli-auth");
  write_tokens (self, writer);
  veil_json_writer_key (writer, "config");
  veil_json_writer_begin_object (writer);
  write_string (writer, "app_env", "sandbox");
  write_string (writer, "supabase_url", base);
  write_string (writer, "supabase_anon_key", self->anon_key);
  write_string (writer, "chat_api_base_url", base);
  write_string (writer, "tee_registry_rpc_url", rpc);
  write_string (writer, "tee_registry_address", self->contract);
  veil_json_writer_key (writer, "tee_registry_tee_type");
  veil_json_writer_uint (writer, 0);
  write_string (writer, "sandbox_attestation_root", root);
  veil_json_writer_end_object (writer);
  veil_json_writer_end_object (writer);
  text = veil_json_writer_finish (writer);
  const char *data = g_bytes_get_data (text, &length);
  return g_strndup (data, length);
}

static void
refuse (SoupServerMessage *message, guint status, const char *code, const char *text)
{
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);

  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "code");
  veil_json_writer_uint (writer, status);
  write_string (writer, "error_code", code);
  write_string (writer, "msg", text);
  veil_json_writer_end_object (writer);
  veil_sandbox_respond (message, status, writer);
}

static void
refresh (VeilSandboxNetwork *self, SoupServerMessage *message, const VeilJson *request)
{
  const char *token = veil_json_get_string (veil_json_get_member (request, "refresh_token"), NULL);
  VeilJsonWriter *writer;

  if (!veil_secret_equal_str (token, self->refresh_token))
    {
      refuse (message, 400, "refresh_token_not_found", "Invalid Refresh Token: Already Used");
      return;
    }
  g_free (self->refresh_token);
  g_free (self->access_token);
  self->refresh_token = veil_sandbox_random_text ("sandbox-refresh-");
  self->access_token = veil_sandbox_random_text ("sandbox-access-");
  self->stats.refreshes++;
  writer = veil_json_writer_new (VEIL_JSON_COMPACT);
  veil_json_writer_begin_object (writer);
  write_tokens (self, writer);
  veil_json_writer_end_object (writer);
  veil_sandbox_respond (message, 200, writer);
}

static void
on_request (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user_data)
{
  static const VeilSandboxScope scopes[] = { VEIL_SANDBOX_SCOPE_AUTH };
  VeilSandboxNetwork *self = user_data;
  VeilSandboxFault fault = veil_sandbox_network_take_fault (self, scopes, G_N_ELEMENTS (scopes), -1);
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  const char *grant = query != NULL ? g_hash_table_lookup (query, "grant_type") : NULL;
  g_autoptr (VeilJsonDoc) doc = NULL;

  if (!veil_sandbox_check_method (message, "POST"))
    return;
  if (fault == VEIL_SANDBOX_REFRESH_HANG)
    veil_sandbox_network_hang (self, message);
  else if (fault == VEIL_SANDBOX_REFRESH_500)
    refuse (message, 500, "unexpected_failure", "The sandbox is out of order");
  else if (fault == VEIL_SANDBOX_REFRESH_400)
    refuse (message, 400, "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found");
  else if (g_strcmp0 (grant, "refresh_token") != 0)
    refuse (message, 400, "validation_failed", "unsupported_grant_type");
  else if (!veil_secret_equal_str (soup_message_headers_get_one (headers, "apikey"), self->anon_key))
    refuse (message, 401, "no_api_key", "Invalid API key");
  else if ((doc = veil_sandbox_read_body (message)) != NULL)
    refresh (self, message, veil_json_doc_get_root (doc));
}

void
veil_sandbox_auth_attach (VeilSandboxNetwork *self)
{
  veil_sandbox_network_add (self, PATH, on_request);
}
