/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "chat-run.h"

#include "retry.h"
#include "veil-error.h"

typedef struct
{
  VeilSession *session;     /* owned */
  VeilChatRequest *request; /* owned */
  VeilRecord *record;       /* owned; may be NULL */
  VeilTee *tee;             /* owned; where it was sent last */
  GError *first;            /* owned; why a second try is made */
} ChatRun;

static void
chat_run_free (gpointer data)
{
  ChatRun *self = data;

  veil_session_unref (self->session);
  veil_chat_request_unref (self->request);
  g_clear_object (&self->record);
  g_clear_pointer (&self->tee, veil_tee_unref);
  g_clear_error (&self->first);
  g_free (self);
}

static void try_again (GTask *task, GError *error);

/* For whoever runs it. Only names of ours: the message may quote what the relay or the gateway said, and that the prompt. */
static void
log_refusal (const ChatRun *run, const GError *error)
{
  if (error->domain == VEIL_ERROR && veil_error_is_verification (error->code))
    g_message ("An answer of the enclave %s was refused: %s", run->tee->id, veil_error_get_nick (error->code));
}

static void
sent (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VeilNetwork *network = g_task_get_source_object (task);
  ChatRun *run = g_task_get_task_data (task);
  GError *error = NULL;
  VeilChatAnswer *answer;

  answer = veil_relay_client_send_finish (VEIL_RELAY_CLIENT (source), result, &error);
  veil_network_report (network, run->tee, error);
  if (error != NULL)
    log_refusal (run, error);
  if (answer != NULL)
    g_task_return_pointer (task, answer, (GDestroyNotify) veil_chat_answer_unref);
  else if (run->first == NULL && veil_retry_elsewhere (error))
    try_again (task, error);
  else
    g_task_return_error (task, error);
}

/* Without another TEE, why the first did not do says more than why there is no second. */
static GError *
why_not (ChatRun *run, GError *error)
{
  if (run->first == NULL || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return error;
  g_clear_error (&error);
  return g_steal_pointer (&run->first);
}

static void
chosen (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VeilNetwork *network = VEIL_NETWORK (source);
  ChatRun *run = g_task_get_task_data (task);
  g_autoptr (VeilTee) tee = NULL;
  GError *error = NULL;

  tee = veil_network_choose_finish (network, result, &error);
  if (tee == NULL || (run->first != NULL && g_str_equal (tee->id, run->tee->id)))
    {
      g_task_return_error (task, why_not (run, error));
      return;
    }
  g_clear_pointer (&run->tee, veil_tee_unref);
  run->tee = g_steal_pointer (&tee);
  if (run->record != NULL)
    veil_record_set_tee (run->record, run->tee->id, run->tee->endpoint, run->tee->pcr_hash, run->session->sandbox);
  veil_relay_client_send_async (veil_network_get_relay (network), run->tee, run->request, run->session->access_token,
                                g_task_get_cancellable (task), sent, g_object_ref (task));
}

static void
try_again (GTask *task, GError *error)
{
  ChatRun *run = g_task_get_task_data (task);

  g_info ("The enclave %s could not be reached; another one is tried", run->tee->id);
  run->first = error;
  veil_network_choose_async (g_task_get_source_object (task), run->tee->id, g_task_get_cancellable (task), chosen,
                             g_object_ref (task));
}

void
veil_chat_run_async (VeilNetwork *network, VeilSession *session, VeilChatRequest *request, VeilRecord *record,
                     GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (network, cancellable, callback, user_data);
  ChatRun *run = g_new0 (ChatRun, 1);

  g_task_set_source_tag (task, veil_chat_run_async);
  run->session = veil_session_ref (session);
  run->request = veil_chat_request_ref (request);
  run->record = record != NULL ? g_object_ref (record) : NULL;
  g_task_set_task_data (task, run, chat_run_free);
  veil_network_choose_async (network, NULL, cancellable, chosen, g_object_ref (task));
}

VeilChatAnswer *
veil_chat_run_finish (VeilNetwork *network, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, network), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}
