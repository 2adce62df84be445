/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "nitro.h"

#include "cose.h"
#include "hex.h"
#include "nitro-private.h"
#include "translate.h"
#include "veil-error.h"

const guint8 veil_nitro_aws_root[32] = {
  0x64, 0x1a, 0x03, 0x21, 0xa3, 0xe2, 0x44, 0xef, 0xe4, 0x56, 0x46, 0x31, 0x95, 0xd6, 0x06, 0x31,
  0x7e, 0xd7, 0xcd, 0xcc, 0x3c, 0x17, 0x56, 0xe0, 0x98, 0x93, 0xf3, 0xc6, 0x8f, 0x79, 0xbb, 0x5b,
};

GBytes *
veil_nitro_decode (const char *text, gsize length, GError **error)
{
  g_autoptr (GBytes) document = NULL;

  while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
    length--;
  if (length <= VEIL_NITRO_MAX_DOCUMENT / 3 * 4)
    document = veil_base64_decode (text, length);
  if (document == NULL || g_bytes_get_size (document) == 0)
    {
      g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_ATTEST_ENCODING,
                           _ ("What the enclave sent is not an attestation document in base64, or is too large for one"));
      return NULL;
    }
  return g_steal_pointer (&document);
}

static GPtrArray *
read_certificates (GPtrArray *certificates, GError **error)
{
  g_autoptr (GPtrArray) chain = g_ptr_array_new_with_free_func ((GDestroyNotify) veil_certificate_free);

  for (guint i = 0; i < certificates->len; i++)
    {
      gsize length;
      const guint8 *der = g_bytes_get_data (certificates->pdata[i], &length);
      g_autofree char *name = i + 1 < certificates->len ? g_strdup_printf (_ ("certificate %u of its chain"), i + 1)
                                                        : g_strdup (_ ("the enclave's certificate"));
      VeilCertificate *certificate = veil_certificate_new (der, length, name, error);

      if (certificate == NULL)
        return NULL;
      g_ptr_array_add (chain, certificate);
    }
  return g_steal_pointer (&chain);
}

VeilAttestation *
veil_nitro_verify (GBytes *document, const guint8 root[static 32], gint64 at, GError **error)
{
  g_auto (VeilNitroFields) fields = { NULL, NULL };
  g_autoptr (GPtrArray) chain = NULL;
  VeilCoseSign1 message;
  gsize length;
  const guint8 *data = g_bytes_get_data (document, &length);

  if (length > VEIL_NITRO_MAX_DOCUMENT)
    {
      g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_ATTEST_ENCODING, _ ("The attestation document is too large to be one"));
      return NULL;
    }
  if (!veil_cose_sign1_read (&message, data, length, error) ||
      !veil_nitro_fields_read (&fields, message.payload, message.payload_length, error))
    return NULL;
  if (at == VEIL_NITRO_AT_ITS_TIME)
    at = fields.attestation->timestamp_ms / 1000;
  chain = read_certificates (fields.certificates, error);
  if (chain == NULL || !veil_certificate_check_chain (chain, root, at, error) ||
      !veil_cose_sign1_verify (&message, chain->pdata[chain->len - 1], error))
    return NULL;
  return g_steal_pointer (&fields.attestation);
}
