/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The relay: knows who asks, sees ciphertext (protocol.md section 4). */
#include <string.h>

#include "job.h"
#include "secret.h"
#include "simulation.h"

#define PATH "/api/v1/chat/ohttp"

typedef struct
{
  VeilSandboxNetwork *network;
  VeilSandboxExchange *exchange; /* owned */
  VeilSandboxJob *job;           /* owned */
} Work;

static void
work_free (gpointer data)
{
  Work *work = data;

  veil_sandbox_exchange_unref (work->exchange);
  veil_sandbox_job_free (work->job);
  g_free (work);
}

static void
run_job (GTask *task, gpointer source, gpointer task_data, GCancellable *cancellable)
{
  Work *work = task_data;

  g_task_return_pointer (task, veil_sandbox_job_run (work->job), (GDestroyNotify) veil_sandbox_reply_free);
}

static void
on_job_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Work *work = g_task_get_task_data (G_TASK (result));

  work->network->jobs--;
  veil_sandbox_exchange_reply (work->exchange, g_task_propagate_pointer (G_TASK (result), NULL));
}

static gboolean
is_signed_in (VeilSandboxNetwork *self, SoupMessageHeaders *headers)
{
  const char *value = soup_message_headers_get_one (headers, "Authorization");

  return value != NULL && g_str_has_prefix (value, "Bearer ") &&
         veil_secret_equal_str (value + strlen ("Bearer "), self->access_token);
}

static gint
find_enclave (VeilSandboxNetwork *self, const char *tee_id)
{
  for (guint i = 0; tee_id != NULL && i < self->enclaves->len; i++)
    if (strcmp (veil_sandbox_enclave_get_record (g_ptr_array_index (self->enclaves, i))->tee_id, tee_id) == 0)
      return (gint) i;
  return -1;
}

/* NULL if the relay would pass the request on. */
static VeilSandboxReply *
check_request (VeilSandboxNetwork *self, SoupMessageHeaders *headers, gsize length, gint tee)
{
  gboolean stream = soup_message_headers_get_one (headers, "X-OHTTP-Stream") != NULL;
  const char *accept = soup_message_headers_get_one (headers, "Accept");

  if (!is_signed_in (self, headers))
    return veil_sandbox_error_reply (401, "the sandbox does not accept this session");
  if (g_strcmp0 (soup_message_headers_get_one (headers, "Content-Type"), "message/ohttp-req") != 0)
    return veil_sandbox_error_reply (415, "the relay takes message/ohttp-req");
  if (g_strcmp0 (accept, veil_sandbox_sealed_type (stream)) != 0)
    return veil_sandbox_error_reply (406, "the relay answers with message/ohttp-res, or message/ohttp-chunked-res for streams");
  if (length > VEIL_SANDBOX_MAX_BODY)
    return veil_sandbox_error_reply (413, "the encapsulated request is too large");
  if (tee < 0)
    return veil_sandbox_error_reply (503, "no such enclave");
  return NULL;
}

static void
start_job (VeilSandboxNetwork *self, VeilSandboxExchange *exchange, VeilSandboxJob *job)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, on_job_done, NULL);
  Work *work = g_new0 (Work, 1);

  work->network = self;
  work->exchange = veil_sandbox_exchange_ref (exchange);
  work->job = job;
  self->jobs++;
  g_task_set_task_data (task, work, work_free);
  g_task_run_in_thread (task, run_job);
}

static VeilSandboxEnclave *
other_enclave (VeilSandboxNetwork *self, guint tee)
{
  if (self->enclaves->len == 1)
    return g_ptr_array_index (self->strangers, 0);
  return g_ptr_array_index (self->enclaves, (tee + 1) % self->enclaves->len);
}

static VeilSandboxJob *
make_job (VeilSandboxNetwork *self, SoupServerMessage *message, gint tee, VeilSandboxFault fault)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  VeilSandboxJob *job = g_new0 (VeilSandboxJob, 1);

  job->body = soup_message_body_flatten (soup_server_message_get_request_body (message));
  job->stream = soup_message_headers_get_one (headers, "X-OHTTP-Stream") != NULL;
  job->envelope = self->stats.total % 2 == 0;
  job->fault = fault;
  job->latency_ms = self->latency_ms;
  job->frame_latency_ms = self->frame_latency_ms;
  if (tee >= 0)
    {
      job->enclave = veil_sandbox_enclave_ref (g_ptr_array_index (self->enclaves, tee));
      job->other = veil_sandbox_enclave_ref (other_enclave (self, (guint) tee));
    }
  return job;
}

static void
on_request (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user_data)
{
  static const VeilSandboxScope scopes[] = { VEIL_SANDBOX_SCOPE_ENCLAVE, VEIL_SANDBOX_SCOPE_VARIANT, VEIL_SANDBOX_SCOPE_RELAY };
  VeilSandboxNetwork *self = user_data;
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (message);
  gint tee = find_enclave (self, soup_message_headers_get_one (headers, "X-TEE-ID"));
  VeilSandboxFault fault = veil_sandbox_network_take_fault (self, scopes, G_N_ELEMENTS (scopes), tee);
  VeilSandboxReply *refusal = NULL;
  VeilSandboxJob *job;
  VeilSandboxExchange *exchange;

  if (!veil_sandbox_check_method (message, "POST"))
    return;
  self->stats.total++;
  if (tee >= 0)
    self->stats.seen[tee]++;
  job = make_job (self, message, tee, fault);
  exchange = veil_sandbox_network_begin (self, message, TRUE);
  if (veil_sandbox_fault_get_scope (fault) != VEIL_SANDBOX_SCOPE_RELAY)
    refusal = check_request (self, headers, g_bytes_get_size (job->body), tee);
  if (refusal == NULL)
    {
      start_job (self, exchange, job);
      return;
    }
  self->stats.refused++;
  veil_sandbox_job_free (job);
  veil_sandbox_exchange_reply (exchange, refusal);
}

static void
on_redirected (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user_data)
{
  VeilSandboxNetwork *self = user_data;

  self->stats.redirects_followed++;
  veil_sandbox_respond_error (message, 404, "a client must not follow the relay's redirects");
}

void
veil_sandbox_relay_attach (VeilSandboxNetwork *self)
{
  veil_sandbox_network_add (self, PATH, on_request);
  veil_sandbox_network_add (self, VEIL_SANDBOX_REDIRECT_PATH, on_redirected);
}
