/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "signing.h"

#include <string.h>

#include "hex.h"
#include "keccak.h"

#define HOUR 3600

/* The list of tool calls as it is hashed. */
static GBytes *
calls_text (const VeilSandboxAnswer *answer, VeilSandboxFault fault)
{
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_CANONICAL);

  veil_json_writer_begin_array (writer);
  for (guint i = 0; i < answer->calls->len; i++)
    {
      const VeilSandboxCall *call = g_ptr_array_index (answer->calls, i);
      veil_json_writer_begin_object (writer);
      veil_json_writer_key (writer, "function");
      veil_json_writer_begin_object (writer);
      veil_json_writer_key (writer, "arguments");
      veil_json_writer_string (writer, call->arguments);
      veil_json_writer_key (writer, "name");
      veil_json_writer_string (writer, call->name);
      veil_json_writer_end_object (writer);
      veil_json_writer_key (writer, "id");
      if (fault == VEIL_SANDBOX_TOOL_ID_NULL)
        veil_json_writer_null (writer);
      else
        veil_json_writer_string (writer, fault == VEIL_SANDBOX_TOOL_ID_EMPTY ? "" : call->id);
      veil_json_writer_key (writer, "type");
      veil_json_writer_string (writer, "function");
      veil_json_writer_end_object (writer);
    }
  veil_json_writer_end_array (writer);
  return veil_json_writer_finish (writer);
}

static void
hash_output (const VeilSandboxAnswer *answer, VeilSandboxFault fault, guint8 out[static 32])
{
  VeilKeccak256 hash;

  veil_keccak256_init (&hash);
  if (answer->calls->len > 0)
    {
      g_autoptr (GBytes) text = calls_text (answer, fault);
      veil_keccak256_update (&hash, g_bytes_get_data (text, NULL), g_bytes_get_size (text));
    }
  else
    for (guint i = 0; i < answer->words->len; i++)
      {
        const char *word = g_ptr_array_index (answer->words, i);
        veil_keccak256_update (&hash, word, strlen (word));
      }
  veil_keccak256_digest (&hash, out);
}

static char *
hash_to_hex (const guint8 hash[static 32], VeilSandboxFault fault)
{
  char *text = veil_hex_encode_0x (hash, 32);

  if (fault != VEIL_SANDBOX_HASH_0X)
    memmove (text, text + 2, strlen (text + 2) + 1);
  return text;
}

static char *
sign (const VeilSandboxEnclave *signer, const guint8 *request_hash, const guint8 *output_hash, guint64 timestamp,
      VeilSandboxFault fault)
{
  gsize salt = fault == VEIL_SANDBOX_SALT_20 ? 20 : fault == VEIL_SANDBOX_SALT_0 ? 0 : fault == VEIL_SANDBOX_SALT_64 ? 64 : 32;
  gsize length;
  g_autofree guint8 *signature = veil_sandbox_enclave_sign (signer, request_hash, output_hash, timestamp, salt, &length);

  if (fault == VEIL_SANDBOX_WRONG_SIGNATURE)
    signature[length / 2] ^= 0x01;
  if (fault == VEIL_SANDBOX_SHORT_SIGNATURE)
    length--;
  if (fault == VEIL_SANDBOX_BAD_BASE64)
    return g_strdup ("this is not base64!");
  return g_base64_encode (signature, length);
}

static char *
timestamp_text (gint64 timestamp, VeilSandboxFault fault)
{
  switch ((guint) fault)
    {
    case VEIL_SANDBOX_FLOAT_TIMESTAMP:
      return g_strdup_printf ("%" G_GINT64_FORMAT ".5", timestamp);
    case VEIL_SANDBOX_NEGATIVE_TIMESTAMP:
      return g_strdup_printf ("-%" G_GINT64_FORMAT, timestamp);
    case VEIL_SANDBOX_HUGE_TIMESTAMP:
      return g_strnfill (400, '9');
    case VEIL_SANDBOX_STRING_TIMESTAMP:
      return g_strdup_printf ("\"%" G_GINT64_FORMAT "\"", timestamp);
    default:
      return g_strdup_printf ("%" G_GINT64_FORMAT, timestamp);
    }
}

void
veil_sandbox_proof_make (VeilSandboxProof *proof, const VeilSandboxEnclave *enclave, const VeilSandboxEnclave *other,
                         const VeilSandboxAnswer *answer, const guint8 request_hash[static 32], VeilSandboxFault fault)
{
  gboolean foreign = fault == VEIL_SANDBOX_OTHER_ENCLAVE;
  gboolean foreign_key = foreign || fault == VEIL_SANDBOX_OTHER_ENCLAVE_SIGNATURE;
  gint64 timestamp = g_get_real_time () / G_USEC_PER_SEC;
  guint8 signed_hash[32];
  guint8 output_hash[32];

  if (fault == VEIL_SANDBOX_STALE_TIMESTAMP)
    timestamp -= HOUR;
  if (fault == VEIL_SANDBOX_FUTURE_TIMESTAMP)
    timestamp += HOUR;
  memcpy (signed_hash, request_hash, 32);
  if (fault == VEIL_SANDBOX_REQUEST_HASH)
    veil_keccak256 (request_hash, 32, signed_hash);
  hash_output (answer, fault, output_hash);

  proof->request_hash = hash_to_hex (signed_hash, fault);
  proof->output_hash = hash_to_hex (output_hash, fault);
  proof->timestamp = timestamp_text (timestamp, fault);
  proof->signature = sign (foreign_key ? other : enclave, signed_hash, output_hash, (guint64) timestamp, fault);
  if (fault == VEIL_SANDBOX_TEE_ID)
    proof->tee_id = veil_hex_encode_0x (output_hash, 32);
  else
    proof->tee_id = g_strdup (veil_sandbox_enclave_get_record (foreign ? other : enclave)->tee_id);
}

void
veil_sandbox_proof_clear (VeilSandboxProof *proof)
{
  g_clear_pointer (&proof->signature, g_free);
  g_clear_pointer (&proof->request_hash, g_free);
  g_clear_pointer (&proof->output_hash, g_free);
  g_clear_pointer (&proof->timestamp, g_free);
  g_clear_pointer (&proof->tee_id, g_free);
}

static void
write_unless (VeilJsonWriter *writer, const char *key, const char *text, gboolean leave_out)
{
  if (leave_out)
    return;
  veil_json_writer_key (writer, key);
  veil_json_writer_string (writer, text);
}

void
veil_sandbox_proof_write (const VeilSandboxProof *proof, VeilJsonWriter *writer, VeilSandboxFault fault)
{
  if (fault == VEIL_SANDBOX_NO_SIGNED_FRAME)
    return;
  write_unless (writer, "tee_signature", fault == VEIL_SANDBOX_NULL_SIGNATURE ? NULL : proof->signature,
                fault == VEIL_SANDBOX_MISSING_SIGNATURE);
  write_unless (writer, "tee_request_hash", proof->request_hash, fault == VEIL_SANDBOX_MISSING_REQUEST_HASH);
  write_unless (writer, "tee_output_hash", proof->output_hash, fault == VEIL_SANDBOX_MISSING_OUTPUT_HASH);
  if (fault != VEIL_SANDBOX_MISSING_TIMESTAMP)
    {
      veil_json_writer_key (writer, "tee_timestamp");
      veil_json_writer_raw (writer, proof->timestamp, strlen (proof->timestamp));
    }
  write_unless (writer, "tee_id", proof->tee_id, fault == VEIL_SANDBOX_MISSING_TEE_ID);
}
