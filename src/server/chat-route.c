/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* POST /v1/chat/completions, from its headers to the verified reply. */
#include "reply.h"
#include "routes.h"
#include "secret.h"
#include "translate.h"
#include "veil-error.h"
#include "work.h"

#include <string.h>

#define YIELD_BYTES (512u * 1024) /* of a body, taken in one turn of the main loop */
#define BODY_TIMES_IDLE 10        /* a body may take ten times as long as a peer may be silent */
#define FRAME_COST 512            /* of a delta in a stream's replay, in bytes */

/* What is made in a worker thread, and from what. */
typedef struct
{
  GBytes *body;             /* owned */
  VeilChatAnswer *answer;   /* owned; gone once the reply is made: it can be so large that to free it would hold the main loop */
  VeilChatRequest *request; /* owned */
  gboolean include_proof;
  VeilReceipt *receipt; /* owned; NULL unless it was asked for */
  VeilProof *proof;     /* owned; set by the work, as is the next */
  VeilTiming timing;
} Work;

static void
work_free (Work *work)
{
  g_clear_pointer (&work->body, g_bytes_unref);
  g_clear_pointer (&work->answer, veil_chat_answer_unref);
  g_clear_pointer (&work->request, veil_chat_request_unref);
  g_clear_pointer (&work->proof, veil_proof_unref);
  g_clear_pointer (&work->receipt, veil_receipt_unref);
  g_free (work);
}

static gboolean
is_json_type (SoupMessageHeaders *headers)
{
  const char *given = soup_message_headers_get_list (headers, "Content-Type");
  g_autoptr (GHashTable) params = NULL;
  g_autofree char *type = NULL;
  const char *charset, *end;

  if (given == NULL || soup_message_headers_get_list (headers, "Content-Encoding") != NULL)
    return FALSE;
  end = strchr (given, ';');
  type = g_strndup (given, end != NULL ? (gsize) (end - given) : strlen (given));
  if (g_ascii_strcasecmp (g_strstrip (type), "application/json") != 0)
    return FALSE;
  if (end == NULL)
    return TRUE;
  params = soup_header_parse_semi_param_list (end + 1);
  charset = g_hash_table_lookup (params, "charset");
  return charset == NULL || g_ascii_strcasecmp (charset, "utf-8") == 0;
}

static void
refuse_too_large (VeilExchange *exchange)
{
  veil_exchange_refuse (exchange, 413, "request_too_large", _ ("The request is larger than 20 MiB; make it smaller"));
}

void
veil_route_chat (VeilExchange *exchange)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (exchange->message);
  goffset length = soup_message_headers_get_content_length (headers);

  exchange->record = veil_record_new ();
  veil_record_list_add (exchange->server->records, exchange->record);
  if (!is_json_type (headers))
    {
      veil_exchange_refuse (exchange, 415, "invalid_request_error",
                            _ ("Send the request as Content-Type: application/json, not compressed"));
      return;
    }
  if (length > VEIL_SERVER_MAX_BODY)
    {
      refuse_too_large (exchange);
      return;
    }
  exchange->stage = VEIL_STAGE_BODY;
  exchange->body = g_byte_array_new ();
  exchange->body_started = g_get_monotonic_time ();
  veil_secret_byte_array_reserve (exchange->body, length);
}

void
veil_route_chunk (VeilExchange *exchange, GBytes *chunk)
{
  gsize length;
  const void *data = g_bytes_get_data (chunk, &length);

  if (length > VEIL_SERVER_MAX_BODY - exchange->body->len)
    {
      refuse_too_large (exchange);
      return;
    }
  if (g_get_monotonic_time () - exchange->body_started > BODY_TIMES_IDLE * 1000 * (gint64) exchange->server->idle_ms)
    {
      veil_exchange_refuse (exchange, 408, "request_timeout", _ ("The request took too long to arrive; send it again"));
      return;
    }
  veil_secret_byte_array_append (exchange->body, data, length);
  exchange->since_yield += length;
  if (exchange->since_yield < YIELD_BYTES)
    return;
  /* libsoup reads for as long as there is something to read; others wait for the loop too. */
  exchange->since_yield = 0;
  soup_server_message_pause (exchange->message);
  soup_server_message_unpause (exchange->message);
}

static void
log_exchange (VeilExchange *exchange, guint status, const VeilTiming *timing)
{
  g_debug ("chat: status %u, stream %d, %.3f ms (parse %.3f, seal %.3f, relay %.3f, open %.3f, verify %.3f, reply %.3f)", status,
           exchange->request != NULL && exchange->request->stream, (g_get_monotonic_time () - exchange->started) / 1e3,
           timing->parse / 1e3, timing->seal / 1e3, timing->relay / 1e3, timing->open / 1e3, timing->verify / 1e3,
           timing->reply / 1e3);
}

static void
respond_error (VeilExchange *exchange, const GError *error)
{
  g_auto (VeilApiError) api_error = { 0 };

  if (exchange->message == NULL)
    return;
  veil_api_error_init_from (&api_error, error);
  log_exchange (exchange, api_error.status, &exchange->timing);
  veil_exchange_respond_error (exchange, &api_error);
}

static gboolean
is_tee_id (const char *id)
{
  return id != NULL && strlen (id) == 66 && g_str_has_prefix (id, "0x") && strspn (id + 2, "0123456789abcdef") == 64;
}

static void
set_proof_headers (SoupMessageHeaders *headers, const VeilProof *proof)
{
  soup_message_headers_replace (headers, "X-OpenGradient-Verified", "true");
  if (is_tee_id (proof->tee_id))
    soup_message_headers_replace (headers, "X-OpenGradient-TEE-Id", proof->tee_id);
  if (proof->sandbox)
    soup_message_headers_replace (headers, "X-OpenGradient-Sandbox", "true");
}

static void
render (GTask *task, gpointer source, gpointer task_data, GCancellable *cancellable)
{
  Work *work = task_data;
  VeilReplyOptions options = { work->request->model, work->request->include_usage, work->include_proof, work->receipt };
  gint64 start = g_get_monotonic_time ();
  GBytes *reply;

  reply = work->request->stream ? veil_reply_stream (work->answer, &options) : veil_reply_single (work->answer, &options);
  work->proof = veil_proof_ref (work->answer->proof);
  work->timing = work->answer->timing;
  work->timing.reply = g_get_monotonic_time () - start;
  g_clear_pointer (&work->answer, veil_chat_answer_unref);
  g_task_return_pointer (task, reply, (GDestroyNotify) g_bytes_unref);
}

static void
on_rendered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilExchange) exchange = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) reply = g_task_propagate_pointer (G_TASK (result), &error);
  Work *work = g_task_get_task_data (G_TASK (result));

  if (reply == NULL)
    {
      respond_error (exchange, error);
      return;
    }
  if (exchange->message == NULL)
    return;
  exchange->timing = work->timing;
  log_exchange (exchange, 200, &exchange->timing);
  veil_record_verify (exchange->record, work->proof, &exchange->timing, 200);
  set_proof_headers (soup_server_message_get_response_headers (exchange->message), work->proof);
  veil_exchange_respond (exchange, 200, work->request->stream ? "text/event-stream" : "application/json", reply);
}

static gboolean
wants (VeilExchange *exchange, const char *header)
{
  SoupMessageHeaders *headers = soup_server_message_get_request_headers (exchange->message);

  return g_strcmp0 (soup_message_headers_get_list (headers, header), "1") == 0;
}

/* What its record will give for it, too. */
static VeilReceipt *
build_receipt (VeilExchange *exchange, const VeilChatAnswer *answer)
{
  VeilRecord *record = exchange->record;

  return veil_receipt_new (answer->proof, veil_record_get_time (record), veil_record_get_model (record),
                           veil_record_get_stream (record), veil_record_get_queue (record), &answer->timing);
}

/* Of writing the reply, in bytes. The documents hold tool calls and what is passed on unsigned, which may be large too. */
static gsize
estimate_cost (const VeilChatAnswer *answer)
{
  gsize cost = (answer->text != NULL ? g_bytes_get_size (answer->text) : 0) +
               (answer->deltas != NULL ? answer->deltas->len : 0) * FRAME_COST;

  for (guint i = 0; i < answer->docs->len; i++)
    cost += veil_json_doc_get_weight (answer->docs->pdata[i]);
  return cost;
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilExchange) exchange = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilChatAnswer) answer = veil_backend_chat_finish (VEIL_BACKEND (source), result, &error);
  g_autoptr (GTask) task = NULL;
  Work *work;
  gsize cost;

  if (answer == NULL)
    {
      respond_error (exchange, error);
      return;
    }
  if (exchange->message == NULL)
    return;
  cost = estimate_cost (answer);
  work = g_new0 (Work, 1);
  work->include_proof = wants (exchange, "X-OpenGradient-Proof");
  if (wants (exchange, "X-OpenGradient-Receipt"))
    work->receipt = build_receipt (exchange, answer);
  work->answer = g_steal_pointer (&answer);
  work->request = veil_chat_request_ref (exchange->request);
  task = g_task_new (NULL, exchange->cancellable, on_rendered, veil_exchange_ref (exchange));
  g_task_set_source_tag (task, on_answer);
  g_task_set_task_data (task, work, (GDestroyNotify) work_free);
  veil_work_run (task, cost, render);
}

static void
parse (GTask *task, gpointer source, gpointer task_data, GCancellable *cancellable)
{
  Work *work = task_data;
  GError *error = NULL;
  gsize length;
  const char *text = g_bytes_get_data (work->body, &length);
  VeilChatRequest *request = veil_chat_request_new (length > 0 ? text : "", length, VEIL_CHAT_REQUEST_OPENAI, &error);

  if (request == NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, request, (GDestroyNotify) veil_chat_request_unref);
}

static void
on_parsed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilExchange) exchange = user_data;
  g_autoptr (GError) error = NULL;

  exchange->request = g_task_propagate_pointer (G_TASK (result), &error);
  if (exchange->request == NULL)
    {
      respond_error (exchange, error);
      return;
    }
  if (exchange->message == NULL)
    return;
  exchange->timing.parse = exchange->request->parse_us;
  veil_record_set_request (exchange->record, exchange->request->model, exchange->request->stream, exchange->request->request_hash,
                           (const char *const *) exchange->request->dropped, exchange->timing.parse);
  veil_backend_chat_async (exchange->server->backend, exchange->request, exchange->record, exchange->cancellable, on_answer,
                           veil_exchange_ref (exchange));
}

/* Nobody is there to read the answer: what runs for it ends, and the connection goes. */
static void
on_hung_up (VeilConnection *connection, gpointer user_data)
{
  g_autoptr (VeilExchange) exchange = veil_exchange_ref (user_data);
  g_autoptr (SoupServerMessage) message = g_object_ref (exchange->message);

  log_exchange (exchange, 499, &exchange->timing);
  veil_exchange_end (exchange);
  veil_connection_close (connection, message);
}

void
veil_route_body (VeilExchange *exchange)
{
  g_autoptr (GTask) task = NULL;
  Work *work = g_new0 (Work, 1);
  gsize length;
  guint8 *data = g_byte_array_steal (exchange->body, &length);

  g_clear_pointer (&exchange->body, g_byte_array_unref);
  work->body = veil_secret_bytes_new_take (data, length);
  exchange->stage = VEIL_STAGE_RUNNING;
  soup_server_message_pause (exchange->message);
  veil_connection_expect (exchange->connection, 0);
  veil_connection_watch (exchange->connection, on_hung_up, exchange);

  task = g_task_new (NULL, exchange->cancellable, on_parsed, veil_exchange_ref (exchange));
  g_task_set_source_tag (task, veil_route_body);
  g_task_set_task_data (task, work, (GDestroyNotify) work_free);
  veil_work_run (task, length, parse);
}
