/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "veil-verification.h"

#include "hex.h"
#include "json-writer.h"
#include "readable.h"
#include "wrap.h"

struct _VeilVerification
{
  GObject parent;

  VeilProof *proof;   /* owned */
  char *request_hash; /* owned */
  char *output_hash;  /* owned */
};

G_DEFINE_FINAL_TYPE (VeilVerification, veil_verification, G_TYPE_OBJECT)

/* FALSE for the empty one that g_object_new() makes when others call it: nothing was read or verified for it. */
static gboolean
is_made (VeilVerification *self)
{
  return VEIL_IS_VERIFICATION (self) && self->proof != NULL;
}

static const VeilReadable readable[] = {
  { "tee-id", VEIL_READABLE_STRING, G_CALLBACK (veil_verification_get_tee_id) },
  { "tee-endpoint", VEIL_READABLE_STRING, G_CALLBACK (veil_verification_get_tee_endpoint) },
  { "pcr-hash", VEIL_READABLE_STRING, G_CALLBACK (veil_verification_get_pcr_hash) },
  { "request-hash", VEIL_READABLE_STRING, G_CALLBACK (veil_verification_get_request_hash) },
  { "output-hash", VEIL_READABLE_STRING, G_CALLBACK (veil_verification_get_output_hash) },
  { "timestamp", VEIL_READABLE_INT64, G_CALLBACK (veil_verification_get_timestamp) },
  { "signature", VEIL_READABLE_BYTES, G_CALLBACK (veil_verification_get_signature) },
  { "signing-key", VEIL_READABLE_BYTES, G_CALLBACK (veil_verification_get_signing_key) },
  { "signed-fields", VEIL_READABLE_STRV, G_CALLBACK (veil_verification_get_signed_fields) },
  { "unsigned-fields", VEIL_READABLE_STRV, G_CALLBACK (veil_verification_get_unsigned_fields) },
  { "dropped-fields", VEIL_READABLE_STRV, G_CALLBACK (veil_verification_get_dropped_fields) },
  { "effort-signed", VEIL_READABLE_BOOLEAN, G_CALLBACK (veil_verification_get_effort_signed) },
  { "sandbox", VEIL_READABLE_BOOLEAN, G_CALLBACK (veil_verification_get_sandbox) },
  { NULL },
};

static void
veil_verification_finalize (GObject *object)
{
  VeilVerification *self = VEIL_VERIFICATION (object);

  g_clear_pointer (&self->proof, veil_proof_unref);
  g_free (self->request_hash);
  g_free (self->output_hash);
  G_OBJECT_CLASS (veil_verification_parent_class)->finalize (object);
}

static void
veil_verification_class_init (VeilVerificationClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_verification_finalize;
  veil_readable_install (G_OBJECT_CLASS (klass), readable);
}

static void
veil_verification_init (VeilVerification *self)
{
}

VeilVerification *
veil_verification_new_for_proof (VeilProof *proof)
{
  VeilVerification *self = g_object_new (VEIL_TYPE_VERIFICATION, NULL);

  self->proof = veil_proof_ref (proof);
  self->request_hash = veil_hex_encode_0x (proof->request_hash, sizeof proof->request_hash);
  self->output_hash = veil_hex_encode_0x (proof->output_hash, sizeof proof->output_hash);
  return self;
}

VeilProof *
veil_verification_get_proof (VeilVerification *self)
{
  return self->proof;
}

char *
veil_verification_to_json (VeilVerification *self)
{
  VeilJsonWriter *writer;

  g_return_val_if_fail (is_made (self), NULL);
  writer = veil_json_writer_new (VEIL_JSON_COMPACT);
  veil_proof_write_json (self->proof, writer);
  return veil_wrap_bytes_to_string (veil_json_writer_finish (writer));
}

const char *
veil_verification_get_tee_id (VeilVerification *self)
{
  g_return_val_if_fail (is_made (self), NULL);
  return self->proof->tee_id;
}

const char *
veil_verification_get_tee_endpoint (VeilVerification *self)
{
  g_return_val_if_fail (is_made (self), NULL);
  return self->proof->tee_endpoint;
}

const char *
veil_verification_get_pcr_hash (VeilVerification *self)
{
  g_return_val_if_fail (is_made (self), NULL);
  return self->proof->pcr_hash;
}

const char *
veil_verification_get_request_hash (VeilVerification *self)
{
  g_return_val_if_fail (is_made (self), NULL);
  return self->request_hash;
}

const char *
veil_verification_get_output_hash (VeilVerification *self)
{
  g_return_val_if_fail (is_made (self), NULL);
  return self->output_hash;
}

gint64
veil_verification_get_timestamp (VeilVerification *self)
{
  g_return_val_if_fail (is_made (self), 0);
  return (gint64) self->proof->timestamp;
}

GBytes *
veil_verification_get_signature (VeilVerification *self)
{
  g_return_val_if_fail (is_made (self), NULL);
  return self->proof->signature;
}

GBytes *
veil_verification_get_signing_key (VeilVerification *self)
{
  g_return_val_if_fail (is_made (self), NULL);
  return self->proof->signing_key;
}

const char *const *
veil_verification_get_signed_fields (VeilVerification *self)
{
  g_return_val_if_fail (is_made (self), NULL);
  return (const char *const *) self->proof->signed_;
}

const char *const *
veil_verification_get_unsigned_fields (VeilVerification *self)
{
  g_return_val_if_fail (is_made (self), NULL);
  return (const char *const *) self->proof->unsigned_;
}

const char *const *
veil_verification_get_dropped_fields (VeilVerification *self)
{
  g_return_val_if_fail (is_made (self), NULL);
  return (const char *const *) self->proof->dropped;
}

gboolean
veil_verification_get_effort_signed (VeilVerification *self)
{
  g_return_val_if_fail (is_made (self), FALSE);
  return self->proof->effort_signed;
}

gboolean
veil_verification_get_sandbox (VeilVerification *self)
{
  g_return_val_if_fail (is_made (self), FALSE);
  return self->proof->sandbox;
}
