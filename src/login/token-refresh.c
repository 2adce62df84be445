/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "token-refresh.h"

#include "fetch.h"
#include "json-writer.h"
#include "translate.h"
#include "veil-error.h"

#define DEADLINE_MS 20000

typedef struct
{
  VeilSession *old; /* owned */
  gint64 now;
} Refresh;

static void
refresh_free (gpointer data)
{
  Refresh *refresh = data;

  veil_session_unref (refresh->old);
  g_free (refresh);
}

static void
return_unreachable (GTask *task, const char *reason)
{
  g_task_return_new_error (task, VEIL_ERROR, VEIL_ERROR_UNREACHABLE,
                           _ ("The session could not be renewed (%s); it will be tried again"), reason);
}

static void
take (GTask *task, GBytes *body)
{
  Refresh *refresh = g_task_get_task_data (task);
  GError *error = NULL;
  VeilSession *renewed =
      veil_session_new_refreshed (refresh->old, g_bytes_get_data (body, NULL), g_bytes_get_size (body), refresh->now, &error);

  if (renewed != NULL)
    g_task_return_pointer (task, renewed, (GDestroyNotify) veil_session_unref);
  else
    return_unreachable (task, error->message);
  g_clear_error (&error);
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilFetchResult) answer = veil_fetch_finish (SOUP_SESSION (source), result, &error);
  g_autofree char *reason = NULL;

  if (answer == NULL && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_task_return_error (task, g_steal_pointer (&error));
  else if (answer == NULL)
    return_unreachable (task, error->message);
  else if (answer->status == 200)
    take (task, answer->body);
  else if (answer->status == 400 || answer->status == 401 || answer->status == 403)
    g_task_return_new_error (task, VEIL_ERROR, VEIL_ERROR_SESSION_REFUSED,
                             _ ("The session has ended, because its renewal was refused (HTTP %u): run `og-veil login`"),
                             answer->status);
  else
    {
      reason = g_strdup_printf (_ ("the server answered with HTTP %u"), answer->status);
      return_unreachable (task, reason);
    }
}

void
veil_token_refresh_async (SoupSession *http, VeilSession *session, gint64 now, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (http, cancellable, callback, user_data);
  g_autofree char *url = g_strconcat (session->supabase_url, "/auth/v1/token?grant_type=refresh_token", NULL);
  g_autoptr (SoupMessage) message = soup_message_new ("POST", url);
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);
  g_autoptr (GBytes) body = NULL;
  Refresh *refresh = g_new0 (Refresh, 1);

  g_task_set_source_tag (task, veil_token_refresh_async);
  refresh->old = veil_session_ref (session);
  refresh->now = now;
  g_task_set_task_data (task, refresh, refresh_free);
  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "refresh_token");
  veil_json_writer_string (writer, session->refresh_token);
  veil_json_writer_end_object (writer);
  body = veil_json_writer_finish (writer);
  soup_message_set_request_body_from_bytes (message, "application/json", body);
  soup_message_headers_replace (soup_message_get_request_headers (message), "apikey", session->supabase_anon_key);
  veil_fetch_async (http, message, VEIL_SESSION_MAX_BYTES, DEADLINE_MS, cancellable, on_answer, g_object_ref (task));
}

VeilSession *
veil_token_refresh_finish (SoupSession *http, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, http), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}
