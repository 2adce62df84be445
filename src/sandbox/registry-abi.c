/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "registry-abi.h"

#include <string.h>

static void
append_uint (GByteArray *out, guint64 number)
{
  guint8 word[32] = { 0 };

  for (guint i = 0; i < 8; i++)
    word[31 - i] = (guint8) (number >> (8 * i));
  g_byte_array_append (out, word, sizeof word);
}

void
veil_sandbox_tuple_init (VeilSandboxTuple *tuple, gsize n_fields)
{
  tuple->head = g_byte_array_new ();
  tuple->tail = g_byte_array_new ();
  tuple->n_fields = n_fields;
}

void
veil_sandbox_tuple_uint (VeilSandboxTuple *tuple, guint64 number)
{
  append_uint (tuple->head, number);
}

void
veil_sandbox_tuple_bytes32 (VeilSandboxTuple *tuple, const guint8 bytes[static 32])
{
  g_byte_array_append (tuple->head, bytes, 32);
}

static void
tuple_address (VeilSandboxTuple *tuple, const guint8 address[static 20])
{
  guint8 word[32] = { 0 };

  memcpy (word + 12, address, 20);
  g_byte_array_append (tuple->head, word, sizeof word);
}

void
veil_sandbox_tuple_dynamic (VeilSandboxTuple *tuple, GByteArray *encoded)
{
  append_uint (tuple->head, 32 * tuple->n_fields + tuple->tail->len);
  g_byte_array_append (tuple->tail, encoded->data, encoded->len);
  g_byte_array_unref (encoded);
}

void
veil_sandbox_tuple_bytes (VeilSandboxTuple *tuple, const void *data, gsize length)
{
  static const guint8 zeros[32];
  GByteArray *encoded = g_byte_array_new ();

  append_uint (encoded, length);
  g_byte_array_append (encoded, data, (guint) length);
  g_byte_array_append (encoded, zeros, (guint) ((32 - length % 32) % 32));
  veil_sandbox_tuple_dynamic (tuple, encoded);
}

GByteArray *
veil_sandbox_tuple_finish (VeilSandboxTuple *tuple)
{
  g_assert (tuple->head->len == 32 * tuple->n_fields);
  g_byte_array_append (tuple->head, tuple->tail->data, tuple->tail->len);
  g_byte_array_unref (tuple->tail);
  return tuple->head;
}

static GByteArray *
ohttp_config (const VeilSandboxRecord *record, gboolean zero_key)
{
  static const guint8 zeros[32];
  gsize config_length = zero_key ? 0 : g_bytes_get_size (record->key_config);
  VeilSandboxTuple tuple;

  veil_sandbox_tuple_init (&tuple, 7);
  veil_sandbox_tuple_uint (&tuple, record->key_id);
  veil_sandbox_tuple_uint (&tuple, 0x0020);
  veil_sandbox_tuple_uint (&tuple, 0x0001);
  veil_sandbox_tuple_uint (&tuple, 0x0003);
  veil_sandbox_tuple_bytes (&tuple, zero_key ? zeros : record->hpke_public, 32);
  veil_sandbox_tuple_bytes (&tuple, g_bytes_get_data (record->key_config, NULL), config_length);
  veil_sandbox_tuple_uint (&tuple, (guint64) record->registered_at);
  return veil_sandbox_tuple_finish (&tuple);
}

GByteArray *
veil_sandbox_abi_tee_info (const VeilSandboxRecord *record, gboolean enabled, guint64 heartbeat, gboolean zero_key)
{
  VeilSandboxTuple tuple;

  veil_sandbox_tuple_init (&tuple, 11);
  tuple_address (&tuple, record->owner);
  tuple_address (&tuple, record->payment);
  veil_sandbox_tuple_bytes (&tuple, record->endpoint, strlen (record->endpoint));
  veil_sandbox_tuple_bytes (&tuple, g_bytes_get_data (record->signing_key, NULL), g_bytes_get_size (record->signing_key));
  veil_sandbox_tuple_bytes (&tuple, g_bytes_get_data (record->tls_certificate, NULL), g_bytes_get_size (record->tls_certificate));
  veil_sandbox_tuple_bytes32 (&tuple, record->pcr_hash);
  veil_sandbox_tuple_uint (&tuple, 0); /* LLM proxy */
  veil_sandbox_tuple_uint (&tuple, enabled ? 1 : 0);
  veil_sandbox_tuple_uint (&tuple, (guint64) record->registered_at);
  veil_sandbox_tuple_uint (&tuple, heartbeat);
  veil_sandbox_tuple_dynamic (&tuple, ohttp_config (record, zero_key));
  return veil_sandbox_tuple_finish (&tuple);
}
