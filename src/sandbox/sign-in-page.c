/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* GET /cli-auth: the sign-in page. Posts the bundle to the program that asked, from the browser and across origins as the app's page does, and shows it
 * for copying when that does not work. POST /sandbox/account makes everybody who is signed in a stranger: another user, other tokens. */
#include <glib/gi18n.h>
#include <string.h>

#include "simulation.h"

static const char page[] =
    "<!DOCTYPE html>\n<html lang=\"@0@\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n"
    "<meta name=\"referrer\" content=\"no-referrer\">\n"
    "<title>@1@</title>\n"
    "<style>body{font:16px/1.5 sans-serif;max-width:40em;margin:3em auto;padding:0 1em}textarea{width:100%;height:12em}</style>\n"
    "<body dir=\"auto\">\n<h1>@2@</h1>\n<p>@3@</p>\n"
    "<p><button id=\"allow\">@4@</button></p>\n<p id=\"status\" role=\"status\"></p>\n"
    "<p id=\"done\" hidden>@5@</p>\n"
    "<div id=\"manual\" hidden><p>@6@</p>\n<textarea id=\"code\" readonly></textarea></div>\n"
    "<script id=\"bundle\" type=\"application/json\">@bundle@</script>\n"
    "<script>\n"
    "const query = new URLSearchParams(location.search);\n"
    "const element = id => document.getElementById(id);\n"
    "const bundle = element('bundle').textContent;\n"
    "if (query.get('app_name')) element('app').textContent = query.get('app_name');\n"
    "element('allow').addEventListener('click', async () => {\n"
    "  element('allow').disabled = true;\n"
    "  try {\n"
    "    const reply = await fetch(query.get('redirect_uri'), {method: 'POST', headers: {'Content-Type': 'application/json'}, "
    "body: bundle});\n"
    "    if (!reply.ok) throw new Error('refused with status ' + reply.status);\n"
    "    element('status').textContent = element('done').textContent;\n"
    "  } catch (error) {\n"
    "    element('code').value = bundle;\n"
    "    element('manual').hidden = false;\n"
    "    element('status').textContent = String(error);\n"
    "  }\n"
    "});\n"
    "</script>\n</html>\n";

/* For @0@ and so on. */
static const char *const texts[] = {
  /* TRANSLATORS: the language that this is translated to, as in HTML, such as "de" */
  N_ ("en"),
  N_ ("Sandbox sign-in"),
  N_ ("Sandbox"),
  /* TRANSLATORS: {program} is replaced by "A program" or its name, and must stay */
  N_ ("A simulated account. {program} wants to be signed in."),
  N_ ("Sign in"),
  N_ ("You are signed in and can close this page."),
  N_ ("The program could not be reached. Copy this code and paste it there (og-veil login --manual):"),
};

/* The page around the bundle, in the user's language: two parts. */
static GStrv
make_page (void)
{
  g_autofree char *program = g_markup_escape_text (_ ("A program"), -1);
  g_autofree char *span = g_strconcat ("<span id=\"app\">", program, "</span>", NULL);
  g_autoptr (GString) html = g_string_new (page);

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autofree char *mark = g_strdup_printf ("@%u@", i);
      g_autofree char *text = g_markup_escape_text (_ (texts[i]), -1);

      g_string_replace (html, mark, text, 0);
    }
  g_string_replace (html, "{program}", span, 0);
  return g_strsplit (html->str, "@bundle@", 2);
}

static void
on_page (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user_data)
{
  g_autofree char *bundle = veil_sandbox_auth_bundle (user_data);
  g_auto (GStrv) parts = NULL;
  g_autofree char *html = NULL;

  if (!veil_sandbox_check_method (message, "GET"))
    return;
  parts = make_page ();
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
