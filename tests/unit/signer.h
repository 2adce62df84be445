/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* An enclave's signing key, made for one test program: the client holds no code that could sign. Test programs are one file each, so this is all in the header. */
#pragma once

#include <nettle/rsa.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "hex.h"
#include "keccak.h"
#include "verifier.h"

#define SIGNER_NOW 1750000000

typedef struct
{
  struct rsa_public_key public_key;
  struct rsa_private_key private_key;
  GByteArray *der;
  char tee_id[67];
  guint8 request_hash[32];
} Signer;

static inline void
signer_random (void *context, size_t length, uint8_t *out)
{
  g_assert_cmpint (getrandom (out, length, 0), ==, (gssize) length);
}

/* SubjectPublicKeyInfo of a 2048-bit key with exponent 65537: everything but the modulus is constant. */
static inline GByteArray *
signer_encode_spki (const struct rsa_public_key *key)
{
  static const guint8 head[] = { 0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01,
                                 0x05, 0x00, 0x03, 0x82, 0x01, 0x0f, 0x00, 0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00 };
  static const guint8 tail[] = { 0x02, 0x03, 0x01, 0x00, 0x01 };
  GByteArray *der = g_byte_array_new ();
  guint8 modulus[256];

  nettle_mpz_get_str_256 (sizeof modulus, modulus, key->n);
  g_byte_array_append (der, head, sizeof head);
  g_byte_array_append (der, modulus, sizeof modulus);
  return g_byte_array_append (der, tail, sizeof tail);
}

static inline Signer *
signer_new (void)
{
  Signer *self = g_new0 (Signer, 1);
  guint8 hash[32];

  rsa_public_key_init (&self->public_key);
  rsa_private_key_init (&self->private_key);
  mpz_set_ui (self->public_key.e, 65537);
  g_assert_true (rsa_generate_keypair (&self->public_key, &self->private_key, NULL, signer_random, NULL, NULL, 2048, 0));
  self->der = signer_encode_spki (&self->public_key);
  veil_keccak256 (self->der->data, self->der->len, hash);
  memcpy (self->tee_id, "0x", 2);
  veil_hex_encode (hash, 32, self->tee_id + 2);
  veil_keccak256 ("the request", 11, self->request_hash);
  return self;
}

static inline void
signer_free (Signer *self)
{
  rsa_public_key_clear (&self->public_key);
  rsa_private_key_clear (&self->private_key);
  g_byte_array_unref (self->der);
  g_free (self);
}

static inline VeilVerifierInput
signer_input (const Signer *self)
{
  return (VeilVerifierInput) {
    .tee_id = self->tee_id,
    .signing_key_der = self->der->data,
    .signing_key_length = self->der->len,
    .request_hash = self->request_hash,
    .now = SIGNER_NOW,
  };
}

/* The five members, without braces, over @output. */
static inline char *
signer_sign_full (Signer *self, const guint8 request_hash[32], const char *output, guint64 timestamp)
{
  guint8 message[96] = { 0 };
  guint8 digest[32];
  guint8 salt[32];
  guint8 raw[256];
  struct sha256_ctx sha;
  char request_hex[65];
  char output_hex[65];
  g_autofree char *base64 = NULL;
  mpz_t signature;

  memcpy (message, request_hash, 32);
  veil_keccak256 (output, strlen (output), message + 32);
  for (guint i = 0; i < 8; i++)
    message[95 - i] = (guint8) (timestamp >> (8 * i));
  veil_hex_encode (message, 32, request_hex);
  veil_hex_encode (message + 32, 32, output_hex);
  veil_keccak256 (message, sizeof message, digest);
  sha256_init (&sha);
  sha256_update (&sha, sizeof digest, digest);
  sha256_digest (&sha, sizeof digest, digest);
  signer_random (NULL, sizeof salt, salt);
  mpz_init (signature);
  g_assert_true (rsa_pss_sha256_sign_digest_tr (&self->public_key, &self->private_key, NULL, signer_random, sizeof salt, salt, digest,
                                                signature));
  nettle_mpz_get_str_256 (sizeof raw, raw, signature);
  mpz_clear (signature);
  base64 = g_base64_encode (raw, sizeof raw);
  return g_strdup_printf ("\"tee_signature\":\"%s\",\"tee_request_hash\":\"%s\",\"tee_output_hash\":\"%s\",\"tee_timestamp\":%" G_GUINT64_FORMAT
                          ",\"tee_id\":\"%s\"",
                          base64, request_hex, output_hex, timestamp, self->tee_id);
}

static inline char *
signer_sign (Signer *self, const char *output)
{
  return signer_sign_full (self, self->request_hash, output, SIGNER_NOW);
}
