/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "running.h"

#include "api-key-store.h"
#include "cli.h"
#include "fetch.h"
#include "secret.h"
#include "settings-file.h"
#include "veil-error.h"

#include <glib/gi18n.h>
#include <stdlib.h>
#include <string.h>

#define HEALTH_MS 2000
#define HEALTH_BYTES (64 * 1024)

VeilSettings *
veil_running_follow (VeilSettings *settings)
{
  g_autoptr (VeilSettings) own = settings;
  g_autoptr (VeilInstanceInfo) running = own != NULL ? veil_instance_find (own->home, NULL) : NULL;
  VeilSettings *resolved;
  g_autoptr (GError) error = NULL;

  if (running == NULL || !running->sandbox)
    return g_steal_pointer (&own);
  own->sandbox = TRUE;
  resolved = veil_settings_file_resolve (own, &error);
  if (resolved == NULL)
    exit (veil_cli_fail (error));
  return resolved;
}

void
veil_running_print_scope (const VeilSettings *settings)
{
  if (settings->sandbox)
    g_print (_ ("This holds in the sandbox that runs now, and ends with it.\n"));
}

char *
veil_running_get_url (const VeilSettings *settings, GError **error)
{
  g_autoptr (VeilInstanceInfo) info = NULL;

  if (!veil_settings_has_flag (settings, "port") && !veil_settings_has_flag (settings, "host") && settings->home != NULL)
    {
      g_autoptr (GError) local_error = NULL;

      info = veil_instance_find (settings->home, &local_error);
      if (local_error != NULL)
        {
          g_propagate_error (error, g_steal_pointer (&local_error));
          return NULL;
        }
    }
  if (info != NULL && info->port != 0)
    return veil_instance_info_get_url (info);
  if (settings->port != 0)
    return veil_settings_get_url (settings, settings->port);
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT,
               _ ("No server runs in this home, and port 0 is any port: start one with `og-veil`, or say which with --port"));
  return NULL;
}

static void
on_key (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

char *
veil_running_load_key (const VeilSettings *settings, gboolean prompt, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  if (settings->api_key != NULL || !settings->require_api_key)
    return g_strdup (settings->api_key);
  veil_api_key_load_async (settings->session_store, settings->home, prompt ? VEIL_STORE_MAY_PROMPT : VEIL_STORE_QUIET, NULL, on_key,
                           &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return veil_api_key_load_finish (result, error);
}

void
veil_running_authorize (const VeilSettings *settings, SoupMessage *message)
{
  char *key = veil_running_load_key (settings, FALSE, NULL);
  char *authorization = key != NULL ? g_strconcat ("Bearer ", key, NULL) : NULL;

  if (key != NULL)
    soup_message_headers_append (soup_message_get_request_headers (message), "Authorization", authorization);
  veil_secret_free (authorization);
  veil_secret_free (key);
}

typedef struct
{
  GMainLoop *loop;
  VeilFetchResult *result; /* owned */
  GError *error;           /* owned */
} Wait;

static void
on_health (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Wait *wait = user_data;

  wait->result = veil_fetch_finish (SOUP_SESSION (source), result, &wait->error);
  g_main_loop_quit (wait->loop);
}

static VeilFetchResult *
fetch (SoupMessage *message, GError **error)
{
  g_autoptr (SoupSession) http = veil_fetch_session_new ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Wait wait = { .loop = loop };

  veil_fetch_async (http, message, HEALTH_BYTES, HEALTH_MS, NULL, on_health, &wait);
  g_main_loop_run (loop);
  if (wait.error != NULL)
    g_propagate_error (error, wait.error);
  return wait.result;
}

VeilJsonDoc *
veil_running_ask_health (const VeilSettings *settings, const char *url, GError **error)
{
  g_autofree char *address = g_strdup_printf ("%.*s/health", (int) (strlen (url) - strlen ("/v1")), url);
  g_autoptr (SoupMessage) message = soup_message_new ("GET", address);
  g_autoptr (VeilFetchResult) result = NULL;

  veil_running_authorize (settings, message);
  result = fetch (message, error);
  if (result == NULL)
    return NULL;
  if (result->status == SOUP_STATUS_UNAUTHORIZED)
    g_set_error (error, VEIL_ERROR, VEIL_ERROR_UNREACHABLE, _ ("The server wants an API key; let OG_VEIL_API_KEY hold it"));
  else if (result->status != SOUP_STATUS_OK)
    g_set_error (error, VEIL_ERROR, VEIL_ERROR_UNREACHABLE, _ ("The server answers with status %u"), result->status);
  else
    return veil_json_doc_new (g_bytes_get_data (result->body, NULL), g_bytes_get_size (result->body), error);
  return NULL;
}
