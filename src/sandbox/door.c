/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The enclaves' own doors: what each answers to whoever asks it directly (protocol.md section 7).
 *
 *   GET /enclaves/N/enclave/attestation?nonce=HEX
 *   GET /enclaves/N/v1/ohttp/config
 */
#include <gnutls/crypto.h>
#include <string.h>

#include "hex.h"
#include "keccak.h"
#include "simulation.h"

#define PATH "/enclaves"
#define DOCUMENT "/enclave/attestation"
#define CONFIG "/v1/ohttp/config"
#define NONCE_SIZE 20
#define USER_DATA_SIZE 68

static void
put_hash (guint8 out[static 34], GBytes *data, gboolean other)
{
  out[0] = 0x12; /* a multihash: SHA-256, 32 bytes */
  out[1] = 0x20;
  if (gnutls_hash_fast (GNUTLS_DIG_SHA256, g_bytes_get_data (data, NULL), g_bytes_get_size (data), out + 2) < 0)
    g_error ("the sandbox could not hash a key");
  out[33] ^= other ? 1 : 0;
}

static char *
make_document (VeilSandboxNetwork *self, const VeilSandboxRecord *record, const guint8 *nonce, VeilSandboxFault fault)
{
  g_autoptr (VeilSandboxHardware) foreign = fault == VEIL_SANDBOX_ATTEST_ROOT ? veil_sandbox_hardware_new () : NULL;
  g_autofree char *module_id = g_strdup_printf ("i-sandbox-enc%u", record->index + 1);
  guint8 user_data[USER_DATA_SIZE], pcrs[sizeof record->pcrs], asked[NONCE_SIZE];
  VeilSandboxClaims claims = { .module_id = module_id, .made = g_get_real_time () / G_USEC_PER_SEC };

  put_hash (user_data, record->tls_certificate, fault == VEIL_SANDBOX_ATTEST_TLS);
  put_hash (user_data + USER_DATA_SIZE / 2, record->signing_key, fault == VEIL_SANDBOX_ATTEST_KEY);
  memcpy (pcrs, record->pcrs, sizeof pcrs);
  memcpy (asked, nonce, sizeof asked);
  if (fault == VEIL_SANDBOX_ATTEST_PCR)
    pcrs[0] ^= 1;
  if (fault == VEIL_SANDBOX_ATTEST_DEBUG)
    memset (pcrs, 0, sizeof pcrs);
  if (fault == VEIL_SANDBOX_ATTEST_NONCE)
    asked[0] ^= 1;
  if (fault == VEIL_SANDBOX_ATTEST_OLD)
    claims.made -= 3600;
  claims.pcrs = pcrs;
  claims.user_data = user_data;
  claims.user_data_length = fault == VEIL_SANDBOX_ATTEST_USER_DATA ? USER_DATA_SIZE - 1 : USER_DATA_SIZE;
  claims.nonce = asked;
  claims.nonce_length = sizeof asked;
  claims.expired = fault == VEIL_SANDBOX_ATTEST_EXPIRED;
  claims.bad_signature = fault == VEIL_SANDBOX_ATTEST_SIGNATURE;
  return veil_sandbox_hardware_attest (foreign != NULL ? foreign : self->hardware, &claims);
}

static void
respond_document (VeilSandboxNetwork *self, SoupServerMessage *message, guint index, GHashTable *query, VeilSandboxFault fault)
{
  const VeilSandboxRecord *record = veil_sandbox_enclave_get_record (g_ptr_array_index (self->enclaves, index));
  const char *text = query != NULL ? g_hash_table_lookup (query, "nonce") : NULL;
  guint8 nonce[NONCE_SIZE];
  g_autofree char *document = NULL;
  g_autofree char *body = NULL;

  if (text == NULL || strlen (text) != 2 * NONCE_SIZE || !veil_hex_decode (text, nonce, sizeof nonce))
    {
      veil_sandbox_respond_error (message, 400, "the nonce has 40 hexadecimal digits");
      return;
    }
  document = fault == VEIL_SANDBOX_ATTEST_ENCODING ? g_strdup ("<!DOCTYPE html>") : make_document (self, record, nonce, fault);
  body = g_strconcat (document, "\n", NULL);
  soup_server_message_set_status (message, 200, NULL);
  soup_server_message_set_response (message, "text/plain", SOUP_MEMORY_COPY, body, strlen (body));
}

static void
write_word (GByteArray *out, guint number)
{
  guint8 word[32] = { 0 };

  word[30] = (guint8) (number >> 8);
  word[31] = (guint8) number;
  g_byte_array_append (out, word, sizeof word);
}

static void
write_hash (GByteArray *out, const void *data, gsize length)
{
  guint8 hash[32];

  veil_keccak256 (data, length, hash);
  g_byte_array_append (out, hash, sizeof hash);
}

static char *
sign_config (const VeilSandboxEnclave *enclave, const guint8 *key)
{
  static const char domain[] = "OPENGRADIENT_TEE_OHTTP_CONFIG_V1";
  const VeilSandboxRecord *record = veil_sandbox_enclave_get_record (enclave);
  g_autoptr (GByteArray) message = g_byte_array_new ();
  guint8 id[32] = { 0 }, hash[32];
  g_autofree guint8 *signature = NULL;
  gsize length;

  veil_hex_decode (record->tee_id, id, sizeof id);
  write_hash (message, domain, strlen (domain));
  g_byte_array_append (message, id, sizeof id);
  write_word (message, record->key_id);
  write_word (message, 0x0020);
  write_word (message, 0x0001);
  write_word (message, 0x0003);
  write_hash (message, key, 32);
  write_hash (message, g_bytes_get_data (record->key_config, NULL), g_bytes_get_size (record->key_config));
  veil_keccak256 (message->data, message->len, hash);
  signature = veil_sandbox_enclave_sign_hash (enclave, hash, 32, &length);
  return g_base64_encode (signature, length);
}

static void
write_member (VeilJsonWriter *writer, const char *key, const char *text)
{
  veil_json_writer_key (writer, key);
  veil_json_writer_string (writer, text);
}

static void
write_number (VeilJsonWriter *writer, const char *key, guint number)
{
  veil_json_writer_key (writer, key);
  veil_json_writer_uint (writer, number);
}

static void
respond_config (VeilSandboxNetwork *self, SoupServerMessage *message, guint index, VeilSandboxFault fault)
{
  const VeilSandboxEnclave *enclave = g_ptr_array_index (self->enclaves, index);
  const VeilSandboxRecord *record = veil_sandbox_enclave_get_record (enclave);
  gsize length;
  const guint8 *config = g_bytes_get_data (record->key_config, &length);
  g_autofree char *config_text = g_base64_encode (config, length);
  g_autofree char *signature = NULL;
  guint8 key[32];
  char digits[65];
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);

  memcpy (key, record->hpke_public, sizeof key);
  key[0] ^= fault == VEIL_SANDBOX_ATTEST_OHTTP_KEY ? 1 : 0;
  signature = sign_config (enclave, key);
  if (fault == VEIL_SANDBOX_ATTEST_OHTTP_SIGNATURE)
    signature[0] = signature[0] == 'A' ? 'B' : 'A';
  veil_hex_encode (key, sizeof key, digits);
  veil_json_writer_begin_object (writer);
  write_member (writer, "tee_id", record->tee_id);
  write_number (writer, "key_id", record->key_id);
  write_number (writer, "kem_id", 0x0020);
  write_number (writer, "kdf_id", 0x0001);
  write_number (writer, "aead_id", 0x0003);
  write_member (writer, "public_key", digits);
  write_member (writer, "key_config", config_text);
  write_member (writer, "signature", signature);
  veil_json_writer_end_object (writer);
  veil_sandbox_respond (message, 200, writer);
}

/* The enclave's index, and what is asked of it; -1 if there is none of that number. */
static gint
find_enclave (VeilSandboxNetwork *self, const char *path, const char **rest)
{
  char *end = NULL;
  guint64 number = g_str_has_prefix (path, PATH "/") ? g_ascii_strtoull (path + strlen (PATH "/"), &end, 10) : 0;

  *rest = end;
  return number >= 1 && number <= self->enclaves->len ? (gint) number - 1 : -1;
}

static void
on_request (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user_data)
{
  static const VeilSandboxScope scopes[] = { VEIL_SANDBOX_SCOPE_DOOR };
  VeilSandboxNetwork *self = user_data;
  const char *rest;
  gint index = find_enclave (self, path, &rest);
  VeilSandboxFault fault = veil_sandbox_network_take_fault (self, scopes, G_N_ELEMENTS (scopes), index);

  if (!veil_sandbox_check_method (message, "GET"))
    return;
  if (fault == VEIL_SANDBOX_ATTEST_HANG)
    veil_sandbox_network_hang (self, message);
  else if (fault == VEIL_SANDBOX_ATTEST_500)
    veil_sandbox_respond_error (message, 500, "the enclave's hardware is out of order");
  else if (index >= 0 && strcmp (rest, DOCUMENT) == 0)
    respond_document (self, message, (guint) index, query, fault);
  else if (index >= 0 && strcmp (rest, CONFIG) == 0)
    respond_config (self, message, (guint) index, fault);
  else
    veil_sandbox_respond_error (message, 404, "no enclave has anything here");
}

void
veil_sandbox_door_attach (VeilSandboxNetwork *self)
{
  veil_sandbox_network_add (self, PATH, on_request);
}
