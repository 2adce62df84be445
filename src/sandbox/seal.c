/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "seal.h"

#include <nettle/curve25519.h>
#include <string.h>

#include "hpke.h"

#define HEADER_SIZE 7
#define KEY_SIZE 32
#define TAG_SIZE 16

/* LabeledExtract and LabeledExpand of RFC 9180 section 4 take lists of short fields; this joins them. */
typedef struct
{
  guint8 data[256];
  gsize length;
} Join;

static void
join_add (Join *join, const void *data, gsize length)
{
  g_assert (length <= sizeof join->data - join->length);
  if (length > 0)
    memcpy (join->data + join->length, data, length);
  join->length += length;
}

static void
labeled_extract (const guint8 *suite, gsize suite_length, const guint8 *salt, gsize salt_length, const char *label,
                 const guint8 *ikm, gsize ikm_length, guint8 out[static 32])
{
  Join join = { .length = 0 };

  join_add (&join, "HPKE-v1", 7);
  join_add (&join, suite, suite_length);
  join_add (&join, label, strlen (label));
  join_add (&join, ikm, ikm_length);
  veil_hkdf_sha256_extract (salt, salt_length, join.data, join.length, out);
}

static void
labeled_expand (const guint8 *suite, gsize suite_length, const guint8 prk[static 32], const char *label, const guint8 *info,
                gsize info_length, guint8 *out, gsize length)
{
  guint8 size[2] = { (guint8) (length >> 8), (guint8) length };
  Join join = { .length = 0 };

  join_add (&join, size, sizeof size);
  join_add (&join, "HPKE-v1", 7);
  join_add (&join, suite, suite_length);
  join_add (&join, label, strlen (label));
  join_add (&join, info, info_length);
  veil_hkdf_sha256_expand (prk, join.data, join.length, out, length);
}

/* Decap: section 4.1. */
static gboolean
decapsulate (const VeilSandboxEnclave *enclave, const guint8 enc[static 32], guint8 shared[static 32])
{
  static const guint8 suite[] = { 'K', 'E', 'M', 0x00, 0x20 };
  static const guint8 zero[32];
  guint8 dh[32];
  guint8 prk[32];
  guint8 context[64];

  curve25519_mul (dh, veil_sandbox_enclave_get_hpke_private (enclave), enc);
  if (memcmp (dh, zero, sizeof dh) == 0)
    return FALSE;
  memcpy (context, enc, 32);
  memcpy (context + 32, veil_sandbox_enclave_get_record (enclave)->hpke_public, 32);
  labeled_extract (suite, sizeof suite, NULL, 0, "eae_prk", dh, sizeof dh, prk);
  labeled_expand (suite, sizeof suite, prk, "shared_secret", context, sizeof context, shared, 32);
  return TRUE;
}

/* KeySchedule, ContextR.Open of the first message and the two exports: section 5. */
static gboolean
open_with_secret (const guint8 shared[static 32], const guint8 *header, const guint8 *sealed, gsize length,
                  VeilSandboxOpened *opened)
{
  static const guint8 suite[] = { 'H', 'P', 'K', 'E', 0x00, 0x20, 0x00, 0x01, 0x00, 0x03 };
  static const char request_label[] = "message/bhttp request";
  static const char response_label[] = "message/bhttp response";
  static const char chunked_label[] = "message/bhttp chunked response";
  guint8 info[sizeof request_label + HEADER_SIZE];
  guint8 context[65] = { 0 }; /* mode base, psk_id_hash, info_hash */
  guint8 secret[32];
  guint8 key[KEY_SIZE];
  guint8 nonce[12];
  guint8 exporter[32];

  memcpy (info, request_label, sizeof request_label); /* with its NUL */
  memcpy (info + sizeof request_label, header, HEADER_SIZE);
  labeled_extract (suite, sizeof suite, NULL, 0, "psk_id_hash", NULL, 0, context + 1);
  labeled_extract (suite, sizeof suite, NULL, 0, "info_hash", info, sizeof info, context + 33);
  labeled_extract (suite, sizeof suite, shared, 32, "secret", NULL, 0, secret);
  labeled_expand (suite, sizeof suite, secret, "key", context, sizeof context, key, sizeof key);
  labeled_expand (suite, sizeof suite, secret, "base_nonce", context, sizeof context, nonce, sizeof nonce);
  labeled_expand (suite, sizeof suite, secret, "exp", context, sizeof context, exporter, sizeof exporter);

  opened->length = length - TAG_SIZE;
  opened->plaintext = g_malloc (opened->length + 1);
  if (!veil_aead_open (key, nonce, NULL, 0, sealed, length, opened->plaintext))
    return FALSE;
  labeled_expand (suite, sizeof suite, exporter, "sec", (const guint8 *) response_label, strlen (response_label),
                  opened->response_secret, 32);
  labeled_expand (suite, sizeof suite, exporter, "sec", (const guint8 *) chunked_label, strlen (chunked_label),
                  opened->chunked_secret, 32);
  return TRUE;
}

gboolean
veil_sandbox_open (const VeilSandboxEnclave *enclave, const guint8 *message, gsize length, VeilSandboxOpened *opened)
{
  static const guint8 suite[] = { 0x00, 0x20, 0x00, 0x01, 0x00, 0x03 };
  guint8 shared[32];

  *opened = (VeilSandboxOpened){ .plaintext = NULL };
  if (length < HEADER_SIZE + 32 + TAG_SIZE || message[0] != veil_sandbox_enclave_get_record (enclave)->key_id ||
      memcmp (message + 1, suite, sizeof suite) != 0)
    return FALSE;
  memcpy (opened->enc, message + HEADER_SIZE, 32);
  if (decapsulate (enclave, opened->enc, shared) &&
      open_with_secret (shared, message, message + HEADER_SIZE + 32, length - HEADER_SIZE - 32, opened))
    return TRUE;
  veil_sandbox_opened_clear (opened);
  return FALSE;
}

void
veil_sandbox_opened_clear (VeilSandboxOpened *opened)
{
  g_clear_pointer (&opened->plaintext, g_free);
}

static void
response_keys (const VeilSandboxOpened *opened, const guint8 *secret, const guint8 response_nonce[static 32], guint8 key[static 32],
               guint8 nonce[static 12])
{
  guint8 salt[64];
  guint8 prk[32];

  memcpy (salt, opened->enc, 32);
  memcpy (salt + 32, response_nonce, 32);
  veil_hkdf_sha256_extract (salt, sizeof salt, secret, 32, prk);
  veil_hkdf_sha256_expand (prk, (const guint8 *) "key", 3, key, 32);
  veil_hkdf_sha256_expand (prk, (const guint8 *) "nonce", 5, nonce, 12);
}

GByteArray *
veil_sandbox_seal (const VeilSandboxOpened *opened, const char *plaintext, gsize length, const char *aad)
{
  GByteArray *body = g_byte_array_sized_new ((guint) (32 + length + TAG_SIZE));
  guint8 key[32];
  guint8 nonce[12];

  g_byte_array_set_size (body, (guint) (32 + length + TAG_SIZE));
  veil_sandbox_random (NULL, 32, body->data);
  response_keys (opened, opened->response_secret, body->data, key, nonce);
  veil_aead_seal (key, nonce, (const guint8 *) aad, aad != NULL ? strlen (aad) : 0, (const guint8 *) plaintext, length,
                  body->data + 32);
  return body;
}

void
veil_sandbox_chunk_sealer_init (VeilSandboxChunkSealer *self, const VeilSandboxOpened *opened)
{
  *self = (VeilSandboxChunkSealer){ .counter = 0 };
  veil_sandbox_random (NULL, sizeof self->response_nonce, self->response_nonce);
  response_keys (opened, opened->chunked_secret, self->response_nonce, self->key, self->nonce);
}

static gsize
write_varint (guint8 out[static 8], guint64 number, gboolean long_form)
{
  guint log = long_form ? 3 : number < 0x40 ? 0 : number < 0x4000 ? 1 : number < 0x40000000 ? 2 : 3;
  gsize size = (gsize) 1 << log;

  for (gsize i = 0; i < size; i++)
    out[i] = (guint8) (number >> (8 * (size - 1 - i)));
  out[0] |= (guint8) (log << 6);
  return size;
}

/* @head is what comes before the ciphertext. */
static GBytes *
seal_chunk (VeilSandboxChunkSealer *self, const guint8 *head, gsize head_length, const char *plaintext, gsize length,
            const char *aad)
{
  gsize size = head_length + length + TAG_SIZE;
  guint8 *chunk = g_malloc (size);
  guint8 nonce[12];

  memcpy (nonce, self->nonce, sizeof nonce);
  for (guint i = 0; i < 8; i++)
    nonce[11 - i] ^= (guint8) (self->counter >> (8 * i));
  self->counter++;
  memcpy (chunk, head, head_length);
  veil_aead_seal (self->key, nonce, (const guint8 *) aad, strlen (aad), (const guint8 *) plaintext, length, chunk + head_length);
  return g_bytes_new_take (chunk, size);
}

GBytes *
veil_sandbox_chunk_sealer_next (VeilSandboxChunkSealer *self, const char *plaintext, gsize length)
{
  guint8 head[8];
  gsize size = write_varint (head, length + TAG_SIZE, self->long_lengths);

  return seal_chunk (self, head, size, plaintext, length, "");
}

GBytes *
veil_sandbox_chunk_sealer_final (VeilSandboxChunkSealer *self, const char *plaintext, gsize length, const char *aad)
{
  guint8 head[8];
  gsize size = write_varint (head, 0, self->long_lengths);

  return seal_chunk (self, head, size, plaintext, length, aad);
}
