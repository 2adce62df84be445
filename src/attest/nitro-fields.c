/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "nitro-private.h"

#include "cbor.h"
#include "error-details.h"
#include "translate.h"
#include "veil-error.h"

#include <string.h>

#define MAX_MODULE_ID 256
#define MAX_TIMESTAMP G_GUINT64_CONSTANT (253402300799000) /* the year 9999, in milliseconds */
#define MAX_CERTIFICATE 1024
#define MAX_CABUNDLE 8
#define MAX_PUBLIC_KEY 1024
#define MAX_USER_DATA 512
#define MULTIHASH_SIZE 34 /* 0x12: SHA-256, 0x20: 32 bytes, and these */

static gboolean G_GNUC_PRINTF (3, 4) refuse (GError **error, const char *field, const char *format, ...)
{
  g_autofree char *reason = NULL;
  GError *local_error;
  va_list args;

  va_start (args, format);
  reason = g_strdup_vprintf (format, args);
  va_end (args);
  local_error = g_error_new (VEIL_ERROR, VEIL_ERROR_ATTEST_FIELD, _ ("The attestation document cannot be trusted: %s"), reason);
  veil_error_set_param (local_error, field);
  g_propagate_error (error, local_error);
  return FALSE;
}

static gboolean
read_module_id (VeilNitroFields *self, const VeilCborItem *value, GError **error)
{
  if (!veil_cbor_is (value, VEIL_CBOR_TEXT) || value->size == 0 || value->size > MAX_MODULE_ID)
    return refuse (error, "module_id", _ ("its field “%s” is not a short text"), "module_id");
  for (gsize i = 0; i < value->size; i++)
    if (!g_ascii_isgraph (value->data[i]))
      return refuse (error, "module_id", _ ("its field “%s” holds characters that do not belong there"), "module_id");
  self->attestation->module_id = g_strndup ((const char *) value->data, value->size);
  return TRUE;
}

static gboolean
read_digest (VeilNitroFields *self, const VeilCborItem *value, GError **error)
{
  return veil_cbor_equals (value, "SHA384") || refuse (error, "digest", _ ("its field “%s” is not SHA384"), "digest");
}

static gboolean
read_timestamp (VeilNitroFields *self, const VeilCborItem *value, GError **error)
{
  if (!veil_cbor_is (value, VEIL_CBOR_UINT) || value->number == 0 || value->number > MAX_TIMESTAMP)
    return refuse (error, "timestamp", _ ("its field “%s” is not a time in milliseconds"), "timestamp");
  self->attestation->timestamp_ms = value->number;
  return TRUE;
}

static gboolean
read_pcrs (VeilNitroFields *self, const VeilCborItem *value, GError **error)
{
  guint8 first[3 * VEIL_ATTESTATION_PCR_SIZE];
  const VeilCborItem *key, *pcr;

  if (!veil_cbor_is (value, VEIL_CBOR_MAP) || value->count == 0 || value->count > VEIL_ATTESTATION_PCRS)
    return refuse (error, "pcrs", _ ("its field “%s” is not a map of 1 to 32 PCRs"), "pcrs");
  for (guint i = 0; (pcr = veil_cbor_get_member_at (value, i, &key)) != NULL; i++)
    {
      if (!veil_cbor_is (key, VEIL_CBOR_UINT) || key->number >= VEIL_ATTESTATION_PCRS)
        return refuse (error, "pcrs", _ ("its field “%s” has an index that is not 0 to 31"), "pcrs");
      if (!veil_cbor_is (pcr, VEIL_CBOR_BYTES) || pcr->size != VEIL_ATTESTATION_PCR_SIZE)
        return refuse (error, "pcrs", _ ("its field “%s” has a PCR that is not 48 bytes long"), "pcrs");
      self->attestation->pcrs[key->number] = g_bytes_new (pcr->data, pcr->size);
    }
  for (guint i = 0; i < 3; i++)
    {
      if (self->attestation->pcrs[i] == NULL)
        return refuse (error, "pcrs", _ ("its field “%s” lacks one of PCR0, PCR1 and PCR2"), "pcrs");
      memcpy (first + i * VEIL_ATTESTATION_PCR_SIZE, g_bytes_get_data (self->attestation->pcrs[i], NULL),
              VEIL_ATTESTATION_PCR_SIZE);
    }
  veil_attestation_hash_pcrs (first, self->attestation->pcr_hash);
  return TRUE;
}

static gboolean
is_certificate (const VeilCborItem *value)
{
  return veil_cbor_is (value, VEIL_CBOR_BYTES) && value->size > 0 && value->size <= MAX_CERTIFICATE;
}

static gboolean
read_certificate (VeilNitroFields *self, const VeilCborItem *value, GError **error)
{
  if (!is_certificate (value))
    return refuse (error, "certificate", _ ("its field “%s” is not 1 to 1024 bytes"), "certificate");
  g_ptr_array_add (self->certificates, g_bytes_new (value->data, value->size));
  return TRUE;
}

/* Comes after read_certificate() and puts its own in front. */
static gboolean
read_cabundle (VeilNitroFields *self, const VeilCborItem *value, GError **error)
{
  if (!veil_cbor_is (value, VEIL_CBOR_ARRAY) || value->count == 0 || value->count > MAX_CABUNDLE)
    return refuse (error, "cabundle", _ ("its field “%s” is not a list of 1 to 8 certificates"), "cabundle");
  for (guint i = 0; i < value->count; i++)
    {
      const VeilCborItem *certificate = veil_cbor_get_element (value, i);

      if (!is_certificate (certificate))
        return refuse (error, "cabundle", _ ("its field “%s” has a certificate that is not 1 to 1024 bytes"), "cabundle");
      g_ptr_array_insert (self->certificates, (gint) i, g_bytes_new (certificate->data, certificate->size));
    }
  return TRUE;
}

/* Absent and null are the same. */
static gboolean
read_optional (const VeilCborItem *value, const char *field, gsize least, gsize most, GBytes **out, GError **error)
{
  if (value == NULL || veil_cbor_is (value, VEIL_CBOR_NULL))
    return TRUE;
  if (!veil_cbor_is (value, VEIL_CBOR_BYTES) || value->size < least || value->size > most)
    return refuse (error, field, _ ("its field “%s” is not a byte string of a size that it may have"), field);
  *out = g_bytes_new (value->data, value->size);
  return TRUE;
}

static gboolean
read_public_key (VeilNitroFields *self, const VeilCborItem *value, GError **error)
{
  return read_optional (value, "public_key", 1, MAX_PUBLIC_KEY, &self->attestation->public_key, error);
}

static gboolean
read_nonce (VeilNitroFields *self, const VeilCborItem *value, GError **error)
{
  return read_optional (value, "nonce", 0, MAX_USER_DATA, &self->attestation->nonce, error);
}

/* Two multihashes, where it is of the form that the gateway gives it. */
static gboolean
read_user_data (VeilNitroFields *self, const VeilCborItem *value, GError **error)
{
  VeilAttestation *attestation = self->attestation;
  const guint8 *data;
  gsize size;

  if (!read_optional (value, "user_data", 0, MAX_USER_DATA, &attestation->user_data, error))
    return FALSE;
  if (attestation->user_data == NULL)
    return TRUE;
  data = g_bytes_get_data (attestation->user_data, &size);
  attestation->has_hashes = size == 2 * MULTIHASH_SIZE && data[0] == 0x12 && data[1] == 0x20 && data[MULTIHASH_SIZE] == 0x12 &&
                            data[MULTIHASH_SIZE + 1] == 0x20;
  if (attestation->has_hashes)
    {
      memcpy (attestation->tls_certificate_hash, data + 2, 32);
      memcpy (attestation->signing_key_hash, data + MULTIHASH_SIZE + 2, 32);
    }
  return TRUE;
}

static const struct
{
  const char *name;
  gboolean required;
  gboolean (*read) (VeilNitroFields *self, const VeilCborItem *value, GError **error);
} fields[] = {
  { "module_id", TRUE, read_module_id },
  { "digest", TRUE, read_digest },
  { "timestamp", TRUE, read_timestamp },
  { "pcrs", TRUE, read_pcrs },
  { "certificate", TRUE, read_certificate },
  { "cabundle", TRUE, read_cabundle },
  { "public_key", FALSE, read_public_key },
  { "user_data", FALSE, read_user_data },
  { "nonce", FALSE, read_nonce },
};

static gboolean
check_names (const VeilCborItem *root, GError **error)
{
  const VeilCborItem *key;

  for (guint i = 0; veil_cbor_get_member_at (root, i, &key) != NULL; i++)
    {
      gboolean known = FALSE;

      for (guint j = 0; j < G_N_ELEMENTS (fields); j++)
        known |= veil_cbor_equals (key, fields[j].name);
      if (!known)
        return refuse (error, "(other)", _ ("it has a field that AWS does not write"));
    }
  return TRUE;
}

gboolean
veil_nitro_fields_read (VeilNitroFields *self, const guint8 *payload, gsize length, GError **error)
{
  g_autoptr (VeilCborDoc) doc = veil_cbor_doc_new (payload, length, VEIL_CBOR_INDEFINITE_ROOT, error);
  const VeilCborItem *root;

  if (doc == NULL)
    return FALSE;
  root = veil_cbor_doc_get_root (doc);
  if (!veil_cbor_is (root, VEIL_CBOR_MAP))
    return refuse (error, "(all)", _ ("it holds no map of fields"));
  self->attestation = veil_attestation_new ();
  self->certificates = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  if (!check_names (root, error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      const VeilCborItem *value = veil_cbor_get_member (root, fields[i].name);

      if (value == NULL && fields[i].required)
        return refuse (error, fields[i].name, _ ("its field “%s” is missing"), fields[i].name);
      if (!fields[i].read (self, value, error))
        return FALSE;
    }
  return TRUE;
}

void
veil_nitro_fields_clear (VeilNitroFields *self)
{
  g_clear_pointer (&self->attestation, veil_attestation_unref);
  g_clear_pointer (&self->certificates, g_ptr_array_unref);
}
