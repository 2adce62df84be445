/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "ohttp-statement.h"

#include "hex.h"
#include "json.h"
#include "keccak.h"
#include "translate.h"
#include "veil-error.h"

#include <string.h>

#define DOMAIN "OPENGRADIENT_TEE_OHTTP_CONFIG_V1"
#define MAX_KEY_CONFIG 1024

/* As read. */
typedef struct
{
  guint8 tee_id[32];
  VeilOhttpKey key;
  GBytes *key_config; /* owned */
  GBytes *signature;  /* owned */
} Statement;

static void
statement_clear (Statement *self)
{
  g_clear_pointer (&self->key_config, g_bytes_unref);
  g_clear_pointer (&self->signature, g_bytes_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Statement, statement_clear)

static gboolean
refuse (GError **error, const char *reason)
{
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_ATTEST_OHTTP, _ ("The enclave's OHTTP configuration cannot be trusted: %s"), reason);
  return FALSE;
}

static void
update_number (VeilKeccak256 *state, guint16 number)
{
  guint8 word[32] = { 0 };

  word[30] = number >> 8;
  word[31] = number & 0xff;
  veil_keccak256_update (state, word, sizeof word);
}

static void
update_hash (VeilKeccak256 *state, const void *data, gsize length)
{
  guint8 hash[32];

  veil_keccak256 (data, length, hash);
  veil_keccak256_update (state, hash, sizeof hash);
}

void
veil_ohttp_statement_digest (const guint8 tee_id[static 32], const VeilOhttpKey *key, const guint8 *key_config,
                             gsize key_config_length, guint8 out[static 32])
{
  VeilKeccak256 state;

  veil_keccak256_init (&state);
  update_hash (&state, DOMAIN, strlen (DOMAIN));
  veil_keccak256_update (&state, tee_id, 32);
  update_number (&state, key->key_id);
  update_number (&state, key->kem_id);
  update_number (&state, key->kdf_id);
  update_number (&state, key->aead_id);
  update_hash (&state, key->public_key, sizeof key->public_key);
  update_hash (&state, key_config, key_config_length);
  veil_keccak256_digest (&state, out);
}

static gboolean
read_number (const VeilJson *object, const char *key, guint max, guint16 *out)
{
  guint64 number;

  if (!veil_json_get_uint64 (veil_json_get_member (object, key), &number) || number > max)
    return FALSE;
  *out = (guint16) number;
  return TRUE;
}

static gboolean
read_hex (const VeilJson *object, const char *key, guint8 out[static 32])
{
  const char *text = veil_json_get_string (veil_json_get_member (object, key), NULL);

  return text != NULL && veil_hex_decode (text, out, 32);
}

static GBytes *
read_base64 (const VeilJson *object, const char *key)
{
  gsize length;
  const char *text = veil_json_get_string (veil_json_get_member (object, key), &length);

  return text != NULL ? veil_base64_decode (text, length) : NULL;
}

static gboolean
statement_read (Statement *self, const VeilJson *object)
{
  guint16 key_id;

  if (!read_number (object, "key_id", G_MAXUINT8, &key_id) || !read_number (object, "kem_id", G_MAXUINT16, &self->key.kem_id) ||
      !read_number (object, "kdf_id", G_MAXUINT16, &self->key.kdf_id) ||
      !read_number (object, "aead_id", G_MAXUINT16, &self->key.aead_id))
    return FALSE;
  self->key.key_id = (guint8) key_id;
  self->key_config = read_base64 (object, "key_config");
  self->signature = read_base64 (object, "signature");
  return read_hex (object, "tee_id", self->tee_id) && read_hex (object, "public_key", self->key.public_key) &&
         self->key_config != NULL && g_bytes_get_size (self->key_config) <= MAX_KEY_CONFIG && self->signature != NULL;
}

static gboolean
keys_equal (const VeilOhttpKey *a, const VeilOhttpKey *b)
{
  return a->key_id == b->key_id && a->kem_id == b->kem_id && a->kdf_id == b->kdf_id && a->aead_id == b->aead_id &&
         memcmp (a->public_key, b->public_key, sizeof a->public_key) == 0;
}

static gboolean
check (const VeilTee *tee, const Statement *self, GError **error)
{
  VeilOhttpKey config_key;
  guint8 tee_id[32], digest[32];
  gsize config_length, signature_length;
  const guint8 *config = g_bytes_get_data (self->key_config, &config_length);
  const guint8 *signature = g_bytes_get_data (self->signature, &signature_length);

  if (!veil_hex_decode (tee->id, tee_id, sizeof tee_id) || memcmp (tee_id, self->tee_id, sizeof tee_id) != 0)
    return refuse (error, _ ("it is that of another enclave"));
  if (!keys_equal (&self->key, &tee->ohttp_key))
    return refuse (error, _ ("its key is not the one in the registry, to which prompts are sealed"));
  if (!veil_ohttp_key_parse_config (&config_key, config, config_length, NULL) || !keys_equal (&config_key, &self->key))
    return refuse (error, _ ("its key configuration says something else than the rest of it"));
  veil_ohttp_statement_digest (tee_id, &self->key, config, config_length, digest);
  if (tee->signing_key == NULL || !veil_rsa_key_verify_pss (tee->signing_key, digest, sizeof digest, signature, signature_length))
    return refuse (error, _ ("the enclave's key did not sign it"));
  return TRUE;
}

gboolean
veil_ohttp_statement_check (const VeilTee *tee, const char *text, gsize length, GError **error)
{
  g_auto (Statement) statement = { .key_config = NULL };
  g_autoptr (VeilJsonDoc) doc = length <= VEIL_OHTTP_STATEMENT_MAX_BYTES ? veil_json_doc_new (text, length, NULL) : NULL;

  if (doc == NULL || veil_json_doc_has_duplicate_keys (doc) || !statement_read (&statement, veil_json_doc_get_root (doc)))
    return refuse (error, _ ("it is not the JSON object that it must be"));
  return check (tee, &statement, error);
}
