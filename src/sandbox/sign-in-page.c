/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* GET /cli-auth: the sign-in page. Posts the bundle to the program that asked, from the browser and across origins as the app's page does, and shows it
 * for copying when that does not work. POST /sandbox/account makes everybody who is signed in a stranger: another user, other tokens. */
#include <string.h>

#include "simulation.h"

static const char page[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n"
    "<meta name=\"referrer\" content=\"no-referrer\">\n"
    "<title>Sandbox sign-in</title>\n"
    "<style>body{font:16px/1.5 sans-serif;max-width:40em;margin:3em auto;padding:0 1em}textarea{width:100%;height:12em}</style>\n"
    "<h1>Sandbox</h1>\n<p>A simulated account. <span id=\"app\"></span> wants to be signed in.</p>\n"
    "<p><button id=\"allow\">Sign in</button></p>\n<p id=\"status\" role=\"status\"></p>\n"
    "<div id=\"manual\" hidden><p>The program could not be reached. Copy this code and paste it there (<code>og-veil login "
    "--manual</code>):</p>\n<textarea id=\"code\" readonly></textarea></div>\n"
    "<script id=\"bundle\" type=\"application/json\">%s</script>\n"
    "<script>\n"
    "const query = new URLSearchParams(location.search);\n"
    "const element = id => document.getElementById(id);\n"
    "const bundle = element('bundle').textContent;\n"
    "element('app').textContent = query.get('app_name') || 'A program';\n"
    "element('allow').addEventListener('click', async () => {\n"
    "  element('allow').disabled = true;\n"
    "  try {\n"
    "    const reply = await fetch(query.get('redirect_uri'), {method: 'POST', headers: {'Content-Type': 'application/json'}, "
    "body: bundle});\n"
    "    if (!reply.ok) throw new Error('refused with status ' + reply.status);\n"
    "    element('status').textContent = 'You are signed in and can close this page.';\n"
    "  } catch (error) {\n"
    "    element('code').value = bundle;\n"
    "    element('manual').hidden = false;\n"
    "    element('status').textContent = String(error);\n"
    "  }\n"
    "});\n"
    "</script>\n</html>\n";

static void
on_page (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user_data)
{
  g_autofree char *bundle = veil_sandbox_auth_bundle (user_data);
  g_auto (GStrv) parts = NULL;
  g_autofree char *html = NULL;

  if (!veil_sandbox_check_method (message, "GET"))
    return;
  parts = g_strsplit (page, "%s", 2);
  html = g_strconcat (parts[0], bundle, parts[1], NULL);
  soup_message_headers_replace (soup_server_message_get_response_headers (message), "Cache-Control", "no-store");
  soup_server_message_set_status (message, 200, NULL);
  soup_server_message_set_response (message, "text/html; charset=utf-8", SOUP_MEMORY_COPY, html, strlen (html));
}

static void
renew_text (char **text, const char *prefix)
{
  g_free (*text);
  *text = veil_sandbox_random_text (prefix);
}

static void
on_account (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user_data)
{
  VeilSandboxNetwork *self = user_data;
  VeilJsonWriter *writer;

  if (!veil_sandbox_check_method (message, "POST"))
    return;
  renew_text (&self->access_token, "sandbox-access-");
  renew_text (&self->refresh_token, "sandbox-refresh-");
  g_free (self->user_id);
  self->user_id = g_uuid_string_random ();
  writer = veil_json_writer_new (VEIL_JSON_COMPACT);
  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "user_id");
  veil_json_writer_string (writer, self->user_id);
  veil_json_writer_end_object (writer);
  veil_sandbox_respond (message, 200, writer);
}

void
veil_sandbox_sign_in_attach (VeilSandboxNetwork *self)
{
  veil_sandbox_network_add (self, "/cli-auth", on_page);
  veil_sandbox_network_add (self, "/sandbox/account", on_account);
}
