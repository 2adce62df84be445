/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "veil-seal.h"

#include "ohttp-chunked.h"
#include "readable.h"
#include "relay-client.h"
#include "relay-open.h"
#include "secret.h"
#include "translate.h"
#include "veil-error.h"
#include "wrap.h"

struct _VeilSeal
{
  GObject parent;

  VeilEnclave *enclave;     /* owned */
  VeilOhttpClient *context; /* owned */
  VeilRequest *request;     /* owned; what was sealed, or NULL */
  gint64 used_at;           /* microseconds since 1970 */
  gboolean used;
};

G_DEFINE_FINAL_TYPE (VeilSeal, veil_seal, G_TYPE_OBJECT)

/* FALSE for the empty one that g_object_new() makes when others call it: nothing was read or verified for it. */
static gboolean
is_made (VeilSeal *self)
{
  return VEIL_IS_SEAL (self) && self->context != NULL;
}

static const VeilReadable readable[] = {
  { "enclave", VEIL_READABLE_OBJECT, G_CALLBACK (veil_seal_get_enclave), veil_enclave_get_type },
  { NULL },
};

static void
veil_seal_finalize (GObject *object)
{
  VeilSeal *self = VEIL_SEAL (object);

  g_clear_object (&self->enclave);
  g_clear_object (&self->request);
  g_clear_pointer (&self->context, veil_ohttp_client_free);
  G_OBJECT_CLASS (veil_seal_parent_class)->finalize (object);
}

static void
veil_seal_class_init (VeilSealClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_seal_finalize;
  veil_readable_install (G_OBJECT_CLASS (klass), readable);
}

static void
veil_seal_init (VeilSeal *self)
{
}

VeilSeal *
veil_seal_new (VeilEnclave *enclave, GError **error)
{
  VeilOhttpClient *context;
  VeilSeal *self;
  VeilTee *tee;

  g_return_val_if_fail (veil_enclave_is_made (enclave), NULL);
  tee = veil_enclave_get_tee (enclave);
  if (tee->unusable != NULL)
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_TEE_UNUSABLE, _ ("The enclave %s cannot be used: %s"), tee->id, tee->unusable);
      return NULL;
    }
  context = veil_ohttp_client_new (&tee->ohttp_key, error);
  if (context == NULL)
    return NULL;
  self = g_object_new (VEIL_TYPE_SEAL, NULL);
  self->enclave = g_object_ref (enclave);
  self->context = context;
  return self;
}

static GBytes *
seal (VeilSeal *self, GBytes *plaintext, gboolean pad, GError **error)
{
  const guint8 *data;
  gsize length;
  gsize padded;

  if (self->used)
    {
      g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT,
                           _ ("The seal was used already; make one for each request"));
      return NULL;
    }
  self->used = TRUE;
  self->used_at = g_get_real_time ();
  data = g_bytes_get_data (plaintext, &length);
  padded = pad ? veil_relay_padded_size (length, VEIL_RELAY_MAX_REQUEST - VEIL_OHTTP_OVERHEAD) : length;
  return veil_ohttp_client_seal (self->context, data, length, padded - length);
}

GBytes *
veil_seal_encapsulate (VeilSeal *self, VeilRequest *request, GError **error)
{
  GBytes *sealed;

  g_return_val_if_fail (is_made (self) && veil_request_is_made (request), NULL);
  sealed = seal (self, veil_request_get_wire (request), TRUE, error);
  if (sealed != NULL)
    self->request = g_object_ref (request);
  return sealed;
}

GBytes *
veil_seal_encapsulate_bytes (VeilSeal *self, GBytes *plaintext, GError **error)
{
  g_return_val_if_fail (is_made (self) && plaintext != NULL, NULL);
  return seal (self, plaintext, FALSE, error);
}

VeilAnswer *
veil_seal_open_answer (VeilSeal *self, GBytes *body, GError **error)
{
  g_autoptr (VeilChatAnswer) answer = NULL;

  g_return_val_if_fail (is_made (self) && body != NULL, NULL);
  if (self->request == NULL)
    {
      g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT,
                           _ ("No request was sealed, so nothing can be its answer"));
      return NULL;
    }
  answer =
      veil_relay_open_answer (self->context, veil_enclave_get_tee (self->enclave), veil_request_get_chat_request (self->request),
                              body, veil_enclave_get_sandbox (self->enclave), error);
  return answer != NULL ? veil_answer_new_for_chat_answer (answer, self->request, self->used_at) : NULL;
}

GBytes *
veil_seal_open (VeilSeal *self, GBytes *body, GError **error)
{
  const guint8 *data;
  gsize length;

  g_return_val_if_fail (is_made (self) && body != NULL, NULL);
  data = g_bytes_get_data (body, &length);
  return veil_ohttp_client_open (self->context, data, length, error);
}

static void
collect (const guint8 *plaintext, gsize length, gboolean final, gpointer user_data)
{
  veil_secret_byte_array_append (user_data, plaintext, length);
}

GBytes *
veil_seal_open_chunked (VeilSeal *self, GBytes *body, GError **error)
{
  g_autoptr (VeilOhttpChunkOpener) opener = NULL;
  GByteArray *plaintext;
  const guint8 *data;
  gsize length;

  g_return_val_if_fail (is_made (self) && body != NULL, NULL);
  plaintext = g_byte_array_new ();
  opener = veil_ohttp_chunk_opener_new (self->context, collect, plaintext);
  data = g_bytes_get_data (body, &length);
  if (!veil_ohttp_chunk_opener_push (opener, data, length, error) || !veil_ohttp_chunk_opener_finish (opener, error))
    {
      veil_secret_byte_array_unref (plaintext);
      return NULL;
    }
  length = plaintext->len;
  return veil_secret_bytes_new_take (g_byte_array_free (plaintext, FALSE), length);
}

VeilEnclave *
veil_seal_get_enclave (VeilSeal *self)
{
  g_return_val_if_fail (is_made (self), NULL);
  return self->enclave;
}
