/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "registry-private.h"

#include "abi.h"
#include "fetch.h"
#include "hex.h"
#include "json-writer.h"
#include "json.h"
#include "translate.h"
#include "veil-error.h"
#include "work.h"

#include <string.h>

#define MAX_BODY (8 * 1024 * 1024)
#define DEADLINE_MS 20000
#define MAX_QUOTE 120

struct _VeilRegistry
{
  GObject parent_instance;

  SoupSession *session; /* owned */
  char *rpc_url;        /* owned */
  char *host;           /* owned; what messages name: the rest of the URL may hold an access key */
  char *address;        /* owned */
  guint8 tee_type;
  guint deadline_ms;
  guint64 next_id;
};

G_DEFINE_FINAL_TYPE (VeilRegistry, veil_registry, G_TYPE_OBJECT)

/* One answer on its way to a worker: nothing in it changes, or is shared with the main thread. */
typedef struct
{
  GBytes *body; /* owned */
  guint64 id;
  VeilRegistryDecode decode;
  GDestroyNotify destroy;
} Answer;

static void
answer_free (gpointer data)
{
  Answer *answer = data;

  g_clear_pointer (&answer->body, g_bytes_unref);
  g_free (answer);
}

static void
veil_registry_finalize (GObject *object)
{
  VeilRegistry *self = VEIL_REGISTRY (object);

  g_clear_object (&self->session);
  g_free (self->rpc_url);
  g_free (self->host);
  g_free (self->address);
  G_OBJECT_CLASS (veil_registry_parent_class)->finalize (object);
}

static void
veil_registry_class_init (VeilRegistryClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_registry_finalize;
}

static void
veil_registry_init (VeilRegistry *self)
{
  self->deadline_ms = DEADLINE_MS;
  self->next_id = 1;
}

VeilRegistry *
veil_registry_new (SoupSession *session, const char *rpc_url, const char *address, guint8 tee_type)
{
  g_return_val_if_fail (SOUP_IS_SESSION (session) && rpc_url != NULL && address != NULL, NULL);

  VeilRegistry *self = g_object_new (VEIL_TYPE_REGISTRY, NULL);
  g_autoptr (GUri) uri = g_uri_parse (rpc_url, SOUP_HTTP_URI_FLAGS, NULL);

  self->session = g_object_ref (session);
  self->rpc_url = g_strdup (rpc_url);
  self->host = g_strdup (uri != NULL ? g_uri_get_host (uri) : "");
  self->address = g_strdup (address);
  self->tee_type = tee_type;
  return self;
}

const char *
veil_registry_get_rpc_url (VeilRegistry *self)
{
  return self->rpc_url;
}

const char *
veil_registry_get_address (VeilRegistry *self)
{
  return self->address;
}

guint8
veil_registry_get_tee_type (VeilRegistry *self)
{
  return self->tee_type;
}

guint
veil_registry_get_deadline (VeilRegistry *self)
{
  return self->deadline_ms;
}

void
veil_registry_set_deadline (VeilRegistry *self, guint milliseconds)
{
  self->deadline_ms = milliseconds;
}

static GError *
registry_error (VeilRegistry *self, const char *reason)
{
  return g_error_new (VEIL_ERROR, VEIL_ERROR_REGISTRY, _ ("The registry at %s could not be read: %s"), self->host, reason);
}

/* Text of the node for an error message: short, and nothing that is not printable ASCII. */
static char *
quote (const char *text, gsize length)
{
  GString *quoted = g_string_new (NULL);

  for (gsize i = 0; i < length && quoted->len < MAX_QUOTE; i++)
    g_string_append_c (quoted, g_ascii_isprint (text[i]) ? text[i] : '?');
  if (length > MAX_QUOTE)
    g_string_append (quoted, "...");
  return g_string_free (quoted, FALSE);
}

static GBytes *
refuse (GError **error, const char *reason)
{
  g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_REGISTRY, reason);
  return NULL;
}

static GBytes *
refuse_rpc_error (const VeilJson *rpc_error, GError **error)
{
  gsize length = 0;
  const char *message = veil_json_get_string (veil_json_get_member (rpc_error, "message"), &length);

  if (message == NULL)
    return refuse (error, _ ("it reported an error without a message"));

  g_autofree char *quoted = quote (message, length);
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_REGISTRY, _ ("it reported an error: %s"), quoted);
  return NULL;
}

/* The return data of eth_call inside a JSON-RPC answer. */
static GBytes *
read_result (const Answer *answer, GError **error)
{
  gsize length;
  const char *text = g_bytes_get_data (answer->body, &length);
  g_autoptr (VeilJsonDoc) doc = veil_json_doc_new (text, length, NULL);

  if (doc == NULL)
    return refuse (error, _ ("the answer is not JSON"));

  const VeilJson *root = veil_json_doc_get_root (doc);
  const VeilJson *rpc_error = veil_json_get_member (root, "error");
  const VeilJson *result = veil_json_get_member (root, "result");
  guint64 id;

  if (!veil_json_is (root, VEIL_JSON_OBJECT) || veil_json_doc_has_duplicate_keys (doc) ||
      !veil_json_equals (veil_json_get_member (root, "jsonrpc"), "2.0"))
    return refuse (error, _ ("the answer is not JSON-RPC"));
  if (veil_json_get_type (rpc_error) != VEIL_JSON_NULL)
    return refuse_rpc_error (rpc_error, error);
  if (!veil_json_get_uint64 (veil_json_get_member (root, "id"), &id) || id != answer->id)
    return refuse (error, _ ("the answer belongs to another question"));

  gsize digits = 0;
  const char *hex = veil_json_get_string (result, &digits);
  if (hex == NULL || digits < 2 || hex[0] != '0' || hex[1] != 'x')
    return refuse (error, _ ("the answer has no result"));

  GBytes *data = veil_hex_decode_bytes (hex, digits, MAX_BODY / 2);
  return data != NULL ? data : refuse (error, _ ("the result is not hexadecimal"));
}

static gpointer
decode_tees (VeilRegistry *self, GBytes *data, GError **error)
{
  gsize length;
  const guint8 *bytes = g_bytes_get_data (data, &length);
  GPtrArray *tees = veil_abi_decode_tees (bytes, length, error);

  for (guint i = 0; tees != NULL && i < tees->len; i++)
    {
      VeilTee *tee = tees->pdata[i];

      if (tee->tee_type != self->tee_type)
        veil_tee_set_unusable (tee, _ ("of another type than was asked for"));
    }
  return tees;
}

static void
decode_thread (GTask *task, gpointer source_object, gpointer task_data, GCancellable *cancellable)
{
  Answer *answer = task_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) data = read_result (answer, &error);
  gpointer meaning = data != NULL ? answer->decode (source_object, data, &error) : NULL;

  if (meaning != NULL)
    g_task_return_pointer (task, meaning, answer->destroy);
  else
    g_task_return_error (task, registry_error (source_object, error->message));
}

static void
fetched_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  VeilRegistry *self = g_task_get_source_object (task);
  Answer *answer = g_task_get_task_data (task);
  g_autoptr (VeilFetchResult) fetched = veil_fetch_finish (SOUP_SESSION (source), result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_task_return_error (task, g_steal_pointer (&error));
  else if (fetched == NULL)
    g_task_return_error (task, registry_error (self, error->message));
  else if (fetched->status != SOUP_STATUS_OK)
    {
      g_autofree char *reason = g_strdup_printf (_ ("it answered with HTTP status %u"), fetched->status);
      g_task_return_error (task, registry_error (self, reason));
    }
  else
    {
      answer->body = g_steal_pointer (&fetched->body);
      veil_work_run (task, g_bytes_get_size (answer->body), decode_thread);
    }
}

static GBytes *
build_call (VeilRegistry *self, guint64 id, const char *data)
{
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);

  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "jsonrpc");
  veil_json_writer_string (writer, "2.0");
  veil_json_writer_key (writer, "id");
  veil_json_writer_uint (writer, id);
  veil_json_writer_key (writer, "method");
  veil_json_writer_string (writer, "eth_call");
  veil_json_writer_key (writer, "params");
  veil_json_writer_begin_array (writer);
  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "to");
  veil_json_writer_string (writer, self->address);
  veil_json_writer_key (writer, "data");
  veil_json_writer_string (writer, data);
  veil_json_writer_end_object (writer);
  veil_json_writer_string (writer, "latest");
  veil_json_writer_end_array (writer);
  veil_json_writer_end_object (writer);
  return veil_json_writer_finish (writer);
}

void
veil_registry_call_async (VeilRegistry *self, char *call_data, VeilRegistryDecode decode, GDestroyNotify destroy,
                          GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autofree char *data = call_data;
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  g_autoptr (SoupMessage) message = soup_message_new ("POST", self->rpc_url);

  g_task_set_source_tag (task, veil_registry_call_async);
  if (message == NULL)
    {
      g_task_return_error (task, registry_error (self, _ ("its address is not a URL")));
      return;
    }

  Answer *answer = g_new0 (Answer, 1);
  answer->id = self->next_id++;
  answer->decode = decode;
  answer->destroy = destroy;
  g_task_set_task_data (task, answer, answer_free);

  g_autoptr (GBytes) call = build_call (self, answer->id, data);
  soup_message_set_request_body_from_bytes (message, "application/json", call);
  soup_message_headers_replace (soup_message_get_request_headers (message), "Accept", "application/json");
  veil_fetch_async (self->session, message, MAX_BODY, self->deadline_ms, cancellable, fetched_cb, g_steal_pointer (&task));
}

gpointer
veil_registry_call_finish (VeilRegistry *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

void
veil_registry_fetch_async (VeilRegistry *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (VEIL_IS_REGISTRY (self));

  veil_registry_call_async (self, veil_abi_encode_get_active_tees (self->tee_type), decode_tees, (GDestroyNotify) g_ptr_array_unref,
                            cancellable, callback, user_data);
}

GPtrArray *
veil_registry_fetch_finish (VeilRegistry *self, GAsyncResult *result, GError **error)
{
  return veil_registry_call_finish (self, result, error);
}
