/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "relay-client.h"

#include "fetch.h"
#include "relay-error.h"
#include "relay-open.h"
#include "seal-pool.h"
#include "translate.h"
#include "veil-error.h"
#include "work.h"

#define RELAY_PATH "/api/v1/chat/ohttp"
#define REQUEST_TYPE "message/ohttp-req"
#define SINGLE_TYPE "message/ohttp-res"
#define STREAM_TYPE "message/ohttp-chunked-res"

#define SINGLE_DEADLINE_MS (5 * 60 * 1000)
#define STREAM_DEADLINE_MS (10 * 60 * 1000)
#define MAX_ANSWER_BYTES (64u * 1024 * 1024)
#define MIN_PADDING_STEP 256

struct _VeilRelayClient
{
  GObject parent;

  SoupSession *session; /* owned */
  char *url;            /* owned */
  VeilRelayLimits limits;
  gboolean sandbox;
  VeilSealPool *pool; /* owned */
};

G_DEFINE_FINAL_TYPE (VeilRelayClient, veil_relay_client, G_TYPE_OBJECT)

/* One request on its way. While a worker thread has it, the main thread leaves it alone. */
typedef struct
{
  VeilTee *tee;              /* owned */
  VeilChatRequest *request;  /* owned */
  VeilOhttpClient *context;  /* owned */
  VeilRelayHeaders *headers; /* owned */
  GBytes *body;              /* owned: the sealed request, then the sealed answer */
  gboolean sandbox;
  gint64 sent_at;
  VeilTiming timing;
} Exchange;

static void
exchange_free (gpointer data)
{
  Exchange *self = data;

  veil_tee_unref (self->tee);
  veil_chat_request_unref (self->request);
  g_clear_pointer (&self->context, veil_ohttp_client_free);
  veil_relay_headers_unref (self->headers);
  g_clear_pointer (&self->body, g_bytes_unref);
  g_free (self);
}

static void
veil_relay_client_finalize (GObject *object)
{
  VeilRelayClient *self = VEIL_RELAY_CLIENT (object);

  veil_seal_pool_free (self->pool);
  g_free (self->url);
  g_object_unref (self->session);
  G_OBJECT_CLASS (veil_relay_client_parent_class)->finalize (object);
}

static void
veil_relay_client_class_init (VeilRelayClientClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_relay_client_finalize;
}

static void
veil_relay_client_init (VeilRelayClient *self)
{
  self->pool = veil_seal_pool_new ();
}

void
veil_relay_client_set_limits (VeilRelayClient *self, const VeilRelayLimits *limits)
{
  self->limits = *limits;
  if (self->limits.single_deadline_ms == 0)
    self->limits.single_deadline_ms = SINGLE_DEADLINE_MS;
  if (self->limits.stream_deadline_ms == 0)
    self->limits.stream_deadline_ms = STREAM_DEADLINE_MS;
  if (self->limits.max_answer_bytes == 0)
    self->limits.max_answer_bytes = MAX_ANSWER_BYTES;
}

VeilRelayClient *
veil_relay_client_new (SoupSession *session, const char *relay_url, const VeilRelayLimits *limits)
{
  VeilRelayClient *self = g_object_new (VEIL_TYPE_RELAY_CLIENT, NULL);

  self->session = g_object_ref (session);
  self->url = g_strconcat (relay_url, RELAY_PATH, NULL);
  veil_relay_client_set_limits (self, limits != NULL ? limits : &(VeilRelayLimits){ 0 });
  return self;
}

void
veil_relay_client_set_sandbox (VeilRelayClient *self, gboolean sandbox)
{
  self->sandbox = sandbox;
}

void
veil_relay_client_prepare (VeilRelayClient *self, VeilTee *tee)
{
  veil_seal_pool_prepare (self->pool, tee);
}

gsize
veil_relay_padded_size (gsize length, gsize limit)
{
  gsize step = MIN_PADDING_STEP;
  gsize padded;

  while (step <= length / 16)
    step *= 2;
  padded = length + (step - length % step) % step;
  if (length >= limit)
    return length;
  return padded < length || padded > limit ? limit : padded;
}

static void
open_in_work (GTask *task, gpointer source, gpointer task_data, GCancellable *cancellable)
{
  Exchange *exchange = task_data;
  GError *error = NULL;
  VeilChatAnswer *answer;

  answer = veil_relay_open_answer (exchange->context, exchange->tee, exchange->request, exchange->body, exchange->sandbox, &error);
  if (answer == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  answer->timing.seal = exchange->timing.seal;
  answer->timing.relay = exchange->timing.relay;
  g_task_return_pointer (task, answer, (GDestroyNotify) veil_chat_answer_unref);
}

static void
opened (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) send = user_data;
  GError *error = NULL;
  VeilChatAnswer *answer = g_task_propagate_pointer (G_TASK (result), &error);

  if (answer == NULL)
    g_task_return_error (send, error);
  else
    g_task_return_pointer (send, answer, (GDestroyNotify) veil_chat_answer_unref);
}

/* What was asked for, and nothing else, is a sealed answer. */
static gboolean
check_answer (const Exchange *exchange, const VeilFetchResult *result, GError **error)
{
  const char *expected = exchange->request->stream ? STREAM_TYPE : SINGLE_TYPE;
  const char *type;

  if (result->status < 200 || result->status > 299)
    {
      g_propagate_error (error, veil_relay_error_new (result->status, result->headers, result->body,
                                                      veil_relay_headers_get_secrets (exchange->headers)));
      return FALSE;
    }
  type = soup_message_headers_get_content_type (result->headers, NULL);
  if (type == NULL || g_ascii_strcasecmp (type, expected) != 0)
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_BROKEN_ANSWER,
                   _ ("The relay's answer is not of the type that was asked for (%s); nothing of it is shown"), expected);
      return FALSE;
    }
  if (g_bytes_get_size (result->body) == 0)
    {
      g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_BROKEN_ANSWER, _ ("The relay's answer is empty; try again"));
      return FALSE;
    }
  return TRUE;
}

static void
fetched (GObject *source, GAsyncResult *fetch_result, gpointer user_data)
{
  g_autoptr (GTask) send = user_data;
  g_autoptr (GTask) task = NULL;
  g_autoptr (VeilFetchResult) result = NULL;
  Exchange *exchange = g_task_get_task_data (send);
  GError *error = NULL;

  result = veil_fetch_finish (SOUP_SESSION (source), fetch_result, &error);
  if (result == NULL || !check_answer (exchange, result, &error))
    {
      g_task_return_error (send, error);
      return;
    }
  exchange->timing.relay = g_get_monotonic_time () - exchange->sent_at;
  exchange->body = g_bytes_ref (result->body);

  task = g_task_new (NULL, g_task_get_cancellable (send), opened, g_object_ref (send));
  g_task_set_name (task, "veil-relay-open");
  g_task_set_task_data (task, exchange, NULL);
  veil_work_run (task, g_bytes_get_size (exchange->body), open_in_work);
}

/* Nothing here tells more about the person than the exchange needs (product.md section 5, rule 7). */
static SoupMessage *
build_message (VeilRelayClient *self, const Exchange *exchange)
{
  SoupMessage *message = soup_message_new ("POST", self->url);
  SoupMessageHeaders *headers;

  if (message == NULL)
    return NULL;
  headers = soup_message_get_request_headers (message);
  soup_message_set_request_body_from_bytes (message, REQUEST_TYPE, exchange->body);
  soup_message_headers_replace (headers, "Accept", exchange->request->stream ? STREAM_TYPE : SINGLE_TYPE);
  soup_message_headers_replace (headers, "Accept-Encoding", "identity");
  soup_message_headers_replace (headers, "X-TEE-ID", exchange->tee->id);
  if (exchange->request->stream)
    soup_message_headers_replace (headers, "X-OHTTP-Stream", "true");
  veil_relay_headers_apply (exchange->headers, headers);
  return message;
}

static void
post (GTask *send)
{
  VeilRelayClient *self = g_task_get_source_object (send);
  Exchange *exchange = g_task_get_task_data (send);
  guint deadline_ms = exchange->request->stream ? self->limits.stream_deadline_ms : self->limits.single_deadline_ms;
  g_autoptr (SoupMessage) message = build_message (self, exchange);

  g_clear_pointer (&exchange->body, g_bytes_unref);
  if (message == NULL)
    {
      g_task_return_new_error (send, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT,
                               _ ("The relay's address is not a URL; sign in again"));
      return;
    }
  exchange->sent_at = g_get_monotonic_time ();
  veil_fetch_async (self->session, message, self->limits.max_answer_bytes, deadline_ms, g_task_get_cancellable (send), fetched,
                    g_object_ref (send));
}

static void
sealed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) send = user_data;
  GError *error = NULL;

  if (!g_task_propagate_boolean (G_TASK (result), &error))
    g_task_return_error (send, error);
  else
    post (send);
}

static void
seal_in_work (GTask *task, gpointer source, gpointer task_data, GCancellable *cancellable)
{
  Exchange *exchange = task_data;
  gint64 start = g_get_monotonic_time ();
  GError *error = NULL;
  const guint8 *wire;
  gsize length;
  gsize padded;

  if (exchange->context == NULL)
    exchange->context = veil_ohttp_client_new (&exchange->tee->ohttp_key, &error);
  if (exchange->context == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  wire = g_bytes_get_data (exchange->request->wire, &length);
  padded = veil_relay_padded_size (length, VEIL_RELAY_MAX_REQUEST - VEIL_OHTTP_OVERHEAD);
  exchange->body = veil_ohttp_client_seal (exchange->context, wire, length, padded - length);
  exchange->timing.seal = g_get_monotonic_time () - start;
  g_task_return_boolean (task, TRUE);
}

void
veil_relay_client_send_with_headers_async (VeilRelayClient *self, VeilTee *tee, VeilChatRequest *request, VeilRelayHeaders *headers,
                                           GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) send = g_task_new (self, cancellable, callback, user_data);
  g_autoptr (GTask) task = NULL;
  Exchange *exchange;

  g_task_set_source_tag (send, veil_relay_client_send_async);
  if (tee->unusable != NULL)
    {
      g_task_return_new_error (send, VEIL_ERROR, VEIL_ERROR_TEE_UNUSABLE, _ ("The enclave %s cannot be used: %s"), tee->id,
                               tee->unusable);
      return;
    }
  exchange = g_new0 (Exchange, 1);
  exchange->tee = veil_tee_ref (tee);
  exchange->request = veil_chat_request_ref (request);
  exchange->headers = veil_relay_headers_ref (headers);
  exchange->sandbox = self->sandbox;
  exchange->context = veil_seal_pool_take (self->pool, tee);
  g_task_set_task_data (send, exchange, exchange_free);

  /* Without a source object: a worker may hold the last reference to its task, and must not be the one to finalize this client. */
  task = g_task_new (NULL, cancellable, sealed, g_object_ref (send));
  g_task_set_name (task, "veil-relay-seal");
  g_task_set_task_data (task, exchange, NULL);
  veil_work_run (task, g_bytes_get_size (request->wire), seal_in_work);
}

void
veil_relay_client_send_async (VeilRelayClient *self, VeilTee *tee, VeilChatRequest *request, const char *access_token,
                              GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (VeilRelayHeaders) headers = veil_relay_headers_new_bearer (access_token);

  veil_relay_client_send_with_headers_async (self, tee, request, headers, cancellable, callback, user_data);
}

VeilChatAnswer *
veil_relay_client_send_finish (VeilRelayClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}
