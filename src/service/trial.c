/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "trial.h"

#include "fetch.h"
#include "json-writer.h"
#include "veil-error.h"

#include <glib/gi18n.h>

#define MAX_BYTES (32 * 1024 * 1024)
#define DEADLINE_MS (630 * 1000) /* a little more than the endpoint itself allows */

static GBytes *
build_body (const char *model, const char *prompt)
{
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);

  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "model");
  veil_json_writer_string (writer, model);
  veil_json_writer_key (writer, "messages");
  veil_json_writer_begin_array (writer);
  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "role");
  veil_json_writer_string (writer, "user");
  veil_json_writer_key (writer, "content");
  veil_json_writer_string (writer, prompt);
  veil_json_writer_end_object (writer);
  veil_json_writer_end_array (writer);
  veil_json_writer_end_object (writer);
  return veil_json_writer_finish (writer);
}

static const char *
get_text (const VeilJson *object, const char *key)
{
  return veil_json_get_string (veil_json_get_member (object, key), NULL);
}

static VeilTrial *
read_answer (const VeilJson *answer, const VeilFetchResult *reply, GError **error)
{
  const VeilJson *proof = veil_json_get_member (answer, "opengradient_verification");
  const VeilJson *choice = veil_json_get_element (veil_json_get_member (answer, "choices"), 0);
  const char *text = get_text (veil_json_get_member (choice, "message"), "content");
  const char *tee_id = get_text (proof, "tee_id");
  const char *header = soup_message_headers_get_one (reply->headers, "X-OpenGradient-Verified");
  VeilTrial *self;

  if (g_strcmp0 (header, "true") != 0 || !veil_json_is (veil_json_get_member (proof, "verified"), VEIL_JSON_TRUE) || tee_id == NULL)
    {
      g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_BROKEN_ANSWER,
                           _ ("What answers on this port is not Veil: the answer is not verified"));
      return NULL;
    }
  self = g_new0 (VeilTrial, 1);
  self->outcome = VEIL_TRIAL_VERIFIED;
  self->text = g_strdup (text != NULL ? text : "");
  self->tee_id = g_strdup (tee_id);
  self->sandbox = veil_json_is (veil_json_get_member (proof, "sandbox"), VEIL_JSON_TRUE);
  return self;
}

static VeilTrial *
read_refusal (const VeilJson *answer)
{
  const VeilJson *refusal = veil_json_get_member (answer, "error");
  const char *message = get_text (refusal, "message");
  VeilTrial *self = g_new0 (VeilTrial, 1);

  self->outcome = get_text (refusal, "check") != NULL ? VEIL_TRIAL_REFUSED : VEIL_TRIAL_FAILED;
  self->text = g_strdup (message != NULL ? message : _ ("The endpoint answered with an error that it did not explain"));
  return self;
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  g_autoptr (VeilFetchResult) reply = veil_fetch_finish (SOUP_SESSION (source), result, &error);
  g_autoptr (VeilJsonDoc) doc = NULL;
  VeilTrial *trial = NULL;

  /* The endpoint is ours, but another program may sit on its port: read it as strictly as anything else. */
  if (reply != NULL)
    doc = veil_json_doc_new (g_bytes_get_data (reply->body, NULL), g_bytes_get_size (reply->body), &error);
  if (doc != NULL && reply->status == SOUP_STATUS_OK)
    trial = read_answer (veil_json_doc_get_root (doc), reply, &error);
  else if (doc != NULL)
    trial = read_refusal (veil_json_doc_get_root (doc));
  if (trial != NULL)
    g_task_return_pointer (task, trial, (GDestroyNotify) veil_trial_free);
  else
    g_task_return_error (task, error);
}

void
veil_trial_async (const char *url, const char *api_key, const char *model, const char *prompt, GCancellable *cancellable,
                  GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  g_autoptr (SoupSession) session = veil_fetch_session_new ();
  g_autofree char *address = g_strconcat (url, "/chat/completions", NULL);
  g_autoptr (SoupMessage) message = soup_message_new ("POST", address);
  g_autoptr (GBytes) body = build_body (model, prompt);

  g_task_set_source_tag (task, veil_trial_async);
  /* It is this machine that is asked. */
  g_object_set (session, "proxy-resolver", NULL, NULL);
  soup_message_set_request_body_from_bytes (message, "application/json", body);
  if (api_key != NULL)
    {
      g_autofree char *authorization = g_strconcat ("Bearer ", api_key, NULL);

      soup_message_headers_append (soup_message_get_request_headers (message), "Authorization", authorization);
    }
  veil_fetch_async (session, message, MAX_BYTES, DEADLINE_MS, cancellable, on_answer, task);
}

VeilTrial *
veil_trial_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

void
veil_trial_free (VeilTrial *self)
{
  g_free (self->text);
  g_free (self->tee_id);
  g_free (self);
}
