/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "cose.h"

#include "cbor.h"
#include "translate.h"
#include "veil-error.h"

#include <string.h>

/* {1: -35}: alg is ES384. There is only one way to write it. */
static const guint8 protected_header[] = { 0xa1, 0x01, 0x38, 0x22 };

static gboolean
refuse (GError **error, const char *reason)
{
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_ATTEST_COSE, _ ("The attestation document is not signed as AWS Nitro signs: %s"),
               reason);
  return FALSE;
}

gboolean
veil_cose_sign1_read (VeilCoseSign1 *self, const guint8 *data, gsize length, GError **error)
{
  g_autoptr (VeilCborDoc) doc = veil_cbor_doc_new (data, length, VEIL_CBOR_STRICT, error);
  const VeilCborItem *root, *header, *open, *payload, *signature;

  if (doc == NULL)
    return FALSE;
  root = veil_cbor_doc_get_root (doc);
  header = veil_cbor_get_element (root, 0);
  open = veil_cbor_get_element (root, 1);
  payload = veil_cbor_get_element (root, 2);
  signature = veil_cbor_get_element (root, 3);
  if (!veil_cbor_is (root, VEIL_CBOR_ARRAY) || root->count != 4)
    return refuse (error, _ ("it is not an array of four"));
  if (!veil_cbor_is (header, VEIL_CBOR_BYTES) || header->size != sizeof protected_header ||
      memcmp (header->data, protected_header, sizeof protected_header) != 0)
    return refuse (error, _ ("its protected header does not say ES384 and nothing else"));
  if (!veil_cbor_is (open, VEIL_CBOR_MAP) || open->count != 0)
    return refuse (error, _ ("its unprotected header is not empty"));
  if (!veil_cbor_is (payload, VEIL_CBOR_BYTES) || payload->size == 0)
    return refuse (error, _ ("it has no payload"));
  if (!veil_cbor_is (signature, VEIL_CBOR_BYTES) || signature->size != VEIL_ES384_SIGNATURE_SIZE)
    return refuse (error, _ ("its signature does not have 96 bytes"));
  self->payload = payload->data;
  self->payload_length = payload->size;
  self->signature = signature->data;
  return TRUE;
}

/* A byte string: its head in the shortest form. */
static void
append_bytes (GByteArray *out, const guint8 *data, guint length)
{
  guint8 head[5] = { 0x5a, length >> 24, length >> 16, length >> 8, length };
  guint8 small[3] = { 0x59, length >> 8, length };
  guint8 tiny[2] = { 0x58, length };
  guint8 least = 0x40 | length;

  if (length < 24)
    g_byte_array_append (out, &least, 1);
  else if (length < 1 << 8)
    g_byte_array_append (out, tiny, sizeof tiny);
  else if (length < 1 << 16)
    g_byte_array_append (out, small, sizeof small);
  else
    g_byte_array_append (out, head, sizeof head);
  g_byte_array_append (out, data, length);
}

gboolean
veil_cose_sign1_verify (const VeilCoseSign1 *self, const VeilCertificate *signer, GError **error)
{
  static const char context[] = "\x84\x6aSignature1"; /* an array of four, the first a text of ten */
  GByteArray *structure = g_byte_array_new ();
  g_autoptr (GBytes) message = NULL;

  g_byte_array_append (structure, (const guint8 *) context, strlen (context));
  append_bytes (structure, protected_header, sizeof protected_header);
  append_bytes (structure, NULL, 0);
  append_bytes (structure, self->payload, self->payload_length);
  message = g_byte_array_free_to_bytes (structure);
  if (veil_certificate_verify_es384 (signer, message, self->signature))
    return TRUE;
  g_set_error_literal (
      error, VEIL_ERROR, VEIL_ERROR_ATTEST_SIGNATURE,
      _ ("The attestation document's signature does not fit: it was altered, or another key signed it; do not trust it"));
  return FALSE;
}
