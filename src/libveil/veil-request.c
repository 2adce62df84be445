/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "veil-request.h"

#include "hex.h"
#include "json-writer.h"
#include "readable.h"
#include "relay-open.h"
#include "secret.h"
#include "translate.h"
#include "veil-error.h"
#include "wrap.h"

#include <string.h>

#define MAX_TIME G_GINT64_CONSTANT (253402300799) /* the last second of the year 9999 */

struct _VeilRequest
{
  GObject parent;

  VeilChatRequest *request; /* owned */
  GBytes *canonical;        /* owned, wiped */
  char *hash;               /* owned */
  char *hash_plain;         /* owned */
};

G_DEFINE_FINAL_TYPE (VeilRequest, veil_request, G_TYPE_OBJECT)

gboolean
veil_request_is_made (VeilRequest *self)
{
  return VEIL_IS_REQUEST (self) && self->request != NULL;
}

static const VeilReadable readable[] = {
  { "hash", VEIL_READABLE_STRING, G_CALLBACK (veil_request_get_hash) },
  { "hash-without-effort", VEIL_READABLE_STRING, G_CALLBACK (veil_request_get_hash_without_effort) },
  { "wire", VEIL_READABLE_BYTES, G_CALLBACK (veil_request_get_wire) },
  { "canonical", VEIL_READABLE_BYTES, G_CALLBACK (veil_request_get_canonical) },
  { "model", VEIL_READABLE_STRING, G_CALLBACK (veil_request_get_model) },
  { "stream", VEIL_READABLE_BOOLEAN, G_CALLBACK (veil_request_get_stream) },
  { "dropped-fields", VEIL_READABLE_STRV, G_CALLBACK (veil_request_get_dropped_fields) },
  { NULL },
};

static void
veil_request_finalize (GObject *object)
{
  VeilRequest *self = VEIL_REQUEST (object);

  g_clear_pointer (&self->request, veil_chat_request_unref);
  g_clear_pointer (&self->canonical, g_bytes_unref);
  g_free (self->hash);
  g_free (self->hash_plain);
  G_OBJECT_CLASS (veil_request_parent_class)->finalize (object);
}

static void
veil_request_class_init (VeilRequestClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_request_finalize;
  veil_readable_install (G_OBJECT_CLASS (klass), readable);
}

static void
veil_request_init (VeilRequest *self)
{
}

VeilRequest *
veil_request_new (const char *body, GError **error)
{
  g_autoptr (VeilChatRequest) request = NULL;
  g_autoptr (GBytes) canonical = NULL;
  VeilRequest *self;

  g_return_val_if_fail (body != NULL, NULL);
  request = veil_chat_request_new (body, strlen (body), VEIL_CHAT_REQUEST_OPENAI, error);
  if (request == NULL)
    return NULL;
  canonical = veil_chat_request_build_canonical (body, strlen (body), VEIL_CHAT_REQUEST_OPENAI, error);
  if (canonical == NULL)
    return NULL;
  self = g_object_new (VEIL_TYPE_REQUEST, NULL);
  self->hash = veil_hex_encode_0x (request->request_hash, sizeof request->request_hash);
  self->hash_plain = veil_hex_encode_0x (request->request_hash_plain, sizeof request->request_hash_plain);
  self->request = g_steal_pointer (&request);
  self->canonical = g_steal_pointer (&canonical);
  return self;
}

VeilRequest *
veil_request_new_for_prompt (const char *model, const char *prompt, GError **error)
{
  VeilJsonWriter *writer;
  VeilRequest *self;
  char *body;

  g_return_val_if_fail (model != NULL && prompt != NULL, NULL);
  if (!g_utf8_validate (model, -1, NULL) || !g_utf8_validate (prompt, -1, NULL))
    {
      g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT, _ ("The model or the prompt is not UTF-8"));
      return NULL;
    }
  writer = veil_json_writer_new (VEIL_JSON_COMPACT);
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
  body = veil_wrap_bytes_to_string (veil_json_writer_finish (writer));
  self = veil_request_new (body, error);
  veil_secret_free (body);
  return self;
}

VeilChatRequest *
veil_request_get_chat_request (VeilRequest *self)
{
  return self->request;
}

VeilAnswer *
veil_request_verify_response (VeilRequest *self, VeilEnclave *enclave, GBytes *response, gint64 at, GError **error)
{
  g_autoptr (VeilChatAnswer) answer = NULL;

  g_return_val_if_fail (veil_request_is_made (self) && veil_enclave_is_made (enclave) && response != NULL, NULL);
  if (at < -1 || at > MAX_TIME)
    {
      g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT,
                           _ ("The time at which the response was received is none that a clock shows"));
      return NULL;
    }
  if (at < 0)
    at = g_get_real_time () / G_USEC_PER_SEC;
  answer = veil_relay_verify_answer (veil_enclave_get_tee (enclave), self->request, response, at,
                                     veil_enclave_get_sandbox (enclave), error);
  return answer != NULL ? veil_answer_new_for_chat_answer (answer, self, at * G_USEC_PER_SEC) : NULL;
}

const char *
veil_request_get_hash (VeilRequest *self)
{
  g_return_val_if_fail (veil_request_is_made (self), NULL);
  return self->hash;
}

const char *
veil_request_get_hash_without_effort (VeilRequest *self)
{
  g_return_val_if_fail (veil_request_is_made (self), NULL);
  return self->hash_plain;
}

GBytes *
veil_request_get_wire (VeilRequest *self)
{
  g_return_val_if_fail (veil_request_is_made (self), NULL);
  return self->request->wire;
}

GBytes *
veil_request_get_canonical (VeilRequest *self)
{
  g_return_val_if_fail (veil_request_is_made (self), NULL);
  return self->canonical;
}

const char *
veil_request_get_model (VeilRequest *self)
{
  g_return_val_if_fail (veil_request_is_made (self), NULL);
  return self->request->model;
}

gboolean
veil_request_get_stream (VeilRequest *self)
{
  g_return_val_if_fail (veil_request_is_made (self), FALSE);
  return self->request->stream;
}

const char *const *
veil_request_get_dropped_fields (VeilRequest *self)
{
  g_return_val_if_fail (veil_request_is_made (self), NULL);
  return (const char *const *) self->request->dropped;
}
