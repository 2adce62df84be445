/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "veil-signed-receipt.h"

#include "keccak.h"
#include "readable.h"
#include "receipt.h"
#include "translate.h"
#include "veil-error.h"
#include "wrap.h"

#include <string.h>

struct _VeilSignedReceipt
{
  GObject parent;

  VeilReceipt *receipt;           /* owned */
  VeilVerification *verification; /* owned */
};

G_DEFINE_FINAL_TYPE (VeilSignedReceipt, veil_signed_receipt, G_TYPE_OBJECT)

/* FALSE for the empty one that g_object_new() makes when others call it: nothing was read or verified for it. */
static gboolean
is_made (VeilSignedReceipt *self)
{
  return VEIL_IS_SIGNED_RECEIPT (self) && self->receipt != NULL;
}

static const VeilReadable readable[] = {
  { "verification", VEIL_READABLE_OBJECT, G_CALLBACK (veil_signed_receipt_get_verification), veil_verification_get_type },
  { "time", VEIL_READABLE_INT64, G_CALLBACK (veil_signed_receipt_get_time) },
  { "model", VEIL_READABLE_STRING, G_CALLBACK (veil_signed_receipt_get_model) },
  { "stream", VEIL_READABLE_BOOLEAN, G_CALLBACK (veil_signed_receipt_get_stream) },
  { NULL },
};

static void
veil_signed_receipt_finalize (GObject *object)
{
  VeilSignedReceipt *self = VEIL_SIGNED_RECEIPT (object);

  g_clear_pointer (&self->receipt, veil_receipt_unref);
  g_clear_object (&self->verification);
  G_OBJECT_CLASS (veil_signed_receipt_parent_class)->finalize (object);
}

static void
veil_signed_receipt_class_init (VeilSignedReceiptClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_signed_receipt_finalize;
  veil_readable_install (G_OBJECT_CLASS (klass), readable);
}

static void
veil_signed_receipt_init (VeilSignedReceipt *self)
{
}

/* Takes @receipt over. */
static VeilSignedReceipt *
wrap_receipt (VeilReceipt *receipt)
{
  VeilSignedReceipt *self = g_object_new (VEIL_TYPE_SIGNED_RECEIPT, NULL);

  self->receipt = receipt;
  self->verification = veil_verification_new_for_proof (receipt->proof);
  return self;
}

VeilSignedReceipt *
veil_signed_receipt_new (VeilAnswer *answer)
{
  VeilProof *proof;

  g_return_val_if_fail (veil_answer_is_made (answer), NULL);
  proof = veil_verification_get_proof (veil_answer_get_verification (answer));
  return wrap_receipt (veil_receipt_new (proof, veil_answer_get_asked_at (answer), veil_answer_get_model (answer),
                                         veil_answer_is_stream (answer), 0, veil_answer_get_timing (answer)));
}

VeilSignedReceipt *
veil_signed_receipt_new_from_json (const char *json, GError **error)
{
  g_autoptr (VeilReceipt) receipt = NULL;

  g_return_val_if_fail (json != NULL, NULL);
  receipt = veil_receipt_new_from_data (json, strlen (json), error);
  if (receipt == NULL || !veil_receipt_verify (receipt, error))
    return NULL;
  return wrap_receipt (g_steal_pointer (&receipt));
}

char *
veil_signed_receipt_to_json (VeilSignedReceipt *self)
{
  g_return_val_if_fail (is_made (self), NULL);
  return veil_wrap_bytes_to_string (veil_receipt_to_bytes (self->receipt));
}

gboolean
veil_signed_receipt_check_request (VeilSignedReceipt *self, VeilRequest *request, GError **error)
{
  const VeilChatRequest *asked;
  const VeilProof *proof;

  g_return_val_if_fail (is_made (self) && veil_request_is_made (request), FALSE);
  asked = veil_request_get_chat_request (request);
  proof = self->receipt->proof;
  if (memcmp (proof->request_hash, asked->request_hash, sizeof proof->request_hash) == 0)
    return TRUE;
  /* Older gateways leave reasoning_effort out; then the proof says so. */
  if (!proof->effort_signed && memcmp (proof->request_hash, asked->request_hash_plain, sizeof proof->request_hash) == 0)
    return TRUE;
  g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_REQUEST_HASH, _ ("The receipt is for another request"));
  return FALSE;
}

gboolean
veil_signed_receipt_check_output (VeilSignedReceipt *self, GBytes *output, GError **error)
{
  guint8 hash[VEIL_KECCAK256_SIZE];

  g_return_val_if_fail (is_made (self) && output != NULL, FALSE);
  veil_keccak256 (g_bytes_get_data (output, NULL), g_bytes_get_size (output), hash);
  if (memcmp (self->receipt->proof->output_hash, hash, sizeof hash) == 0)
    return TRUE;
  g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_OUTPUT_HASH, _ ("The receipt is for another answer"));
  return FALSE;
}

VeilVerification *
veil_signed_receipt_get_verification (VeilSignedReceipt *self)
{
  g_return_val_if_fail (is_made (self), NULL);
  return self->verification;
}

gint64
veil_signed_receipt_get_time (VeilSignedReceipt *self)
{
  g_return_val_if_fail (is_made (self), 0);
  return self->receipt->time;
}

const char *
veil_signed_receipt_get_model (VeilSignedReceipt *self)
{
  g_return_val_if_fail (is_made (self), NULL);
  return self->receipt->model;
}

gboolean
veil_signed_receipt_get_stream (VeilSignedReceipt *self)
{
  g_return_val_if_fail (is_made (self), FALSE);
  return self->receipt->stream;
}
