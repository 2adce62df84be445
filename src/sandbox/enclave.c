/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave.h"

#include <nettle/curve25519.h>
#include <nettle/rsa.h>
#include <nettle/sha2.h>
#include <string.h>
#include <sys/random.h>

#include "hex.h"
#include "keccak.h"

#define RSA_BITS 2048

struct _VeilSandboxEnclave
{
  gatomicrefcount refs;
  VeilSandboxRecord record;
  struct rsa_public_key public_key;
  struct rsa_private_key private_key;
  guint8 hpke_private[32];
};

void
veil_sandbox_random (gpointer context, gsize length, guint8 *out)
{
  while (length > 0)
    {
      ssize_t got = getrandom (out, length, 0);
      if (got <= 0)
        continue; /* interrupted; the kernel's pool is ready long before any program starts */
      out += got;
      length -= (gsize) got;
    }
}

/* Writes tag and length in front of what is in @content and empties it into @out. */
static void
der_append (GByteArray *out, guint8 tag, const guint8 *content, gsize length)
{
  guint8 head[4] = { tag };
  guint n = 1;

  if (length < 0x80)
    head[n++] = (guint8) length;
  else if (length < 0x100)
    {
      head[n++] = 0x81;
      head[n++] = (guint8) length;
    }
  else
    {
      head[n++] = 0x82;
      head[n++] = (guint8) (length >> 8);
      head[n++] = (guint8) length;
    }
  g_byte_array_append (out, head, n);
  g_byte_array_append (out, content, (guint) length);
}

static void
der_append_integer (GByteArray *out, const mpz_t number)
{
  gsize size = (mpz_sizeinbase (number, 2) + 8) / 8; /* room for the sign bit */
  g_autofree guint8 *bytes = g_malloc0 (size);

  nettle_mpz_get_str_256 (size, bytes, number);
  der_append (out, 0x02, bytes, size);
}

static GBytes *
make_spki (const struct rsa_public_key *key)
{
  static const guint8 algorithm[] = {
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00
  }; /* rsaEncryption, NULL */
  g_autoptr (GByteArray) numbers = g_byte_array_new ();
  g_autoptr (GByteArray) bits = g_byte_array_new ();
  g_autoptr (GByteArray) info = g_byte_array_new ();
  g_autoptr (GByteArray) spki = g_byte_array_new ();

  der_append_integer (numbers, key->n);
  der_append_integer (numbers, key->e);
  g_byte_array_append (bits, (const guint8[]){ 0 }, 1); /* no unused bits */
  der_append (bits, 0x30, numbers->data, numbers->len);
  g_byte_array_append (info, algorithm, sizeof algorithm);
  der_append (info, 0x03, bits->data, bits->len);
  der_append (spki, 0x30, info->data, info->len);
  return g_byte_array_free_to_bytes (g_steal_pointer (&spki));
}

static GBytes *
make_key_config (const VeilSandboxRecord *record)
{
  GByteArray *config = g_byte_array_new ();

  g_byte_array_append (config, &record->key_id, 1);
  g_byte_array_append (config, (const guint8[]){ 0x00, 0x20 }, 2);
  g_byte_array_append (config, record->hpke_public, 32);
  g_byte_array_append (config, (const guint8[]){ 0x00, 0x04, 0x00, 0x01, 0x00, 0x03 }, 6);
  return g_byte_array_free_to_bytes (config);
}

static void
make_record (VeilSandboxEnclave *self, guint index, const char *base)
{
  VeilSandboxRecord *record = &self->record;
  g_autofree char *certificate = g_strdup_printf ("sandbox enclave %u has no certificate", index);
  g_autoptr (GByteArray) pseudo = g_byte_array_new ();
  guint8 hash[32];

  record->index = index;
  record->endpoint = g_strdup_printf ("%s/enclaves/%u", base, index + 1);
  record->registered_at = g_get_real_time () / G_USEC_PER_SEC;
  veil_sandbox_random (NULL, sizeof record->owner, record->owner);
  veil_sandbox_random (NULL, sizeof record->payment, record->payment);

  record->signing_key = make_spki (&self->public_key);
  veil_keccak256 (g_bytes_get_data (record->signing_key, NULL), g_bytes_get_size (record->signing_key), hash);
  memcpy (record->tee_id, "0x", 2);
  veil_hex_encode (hash, sizeof hash, record->tee_id + 2);

  der_append (pseudo, 0x30, (const guint8 *) certificate, strlen (certificate));
  record->tls_certificate = g_byte_array_free_to_bytes (g_steal_pointer (&pseudo));

  /* The same from run to run, so that a pin can be tried. */
  for (guint i = 0; i < 3; i++)
    memset (record->pcrs + 48 * i, (int) (16 * (index + 1) + i), 48);
  veil_keccak256 (record->pcrs, sizeof record->pcrs, record->pcr_hash);

  record->key_id = (guint8) (index + 1);
  record->key_config = make_key_config (record);
}

VeilSandboxEnclave *
veil_sandbox_enclave_new (guint index, const char *base)
{
  VeilSandboxEnclave *self = g_new0 (VeilSandboxEnclave, 1);

  g_atomic_ref_count_init (&self->refs);
  rsa_public_key_init (&self->public_key);
  rsa_private_key_init (&self->private_key);
  mpz_set_ui (self->public_key.e, 65537);
  if (!rsa_generate_keypair (&self->public_key, &self->private_key, NULL, veil_sandbox_random, NULL, NULL, RSA_BITS, 0))
    g_error ("no RSA key of %d bits could be made", RSA_BITS); /* the sizes are constants: cannot happen */
  veil_sandbox_random (NULL, sizeof self->hpke_private, self->hpke_private);
  curve25519_mul_g (self->record.hpke_public, self->hpke_private);
  make_record (self, index, base);
  return self;
}

VeilSandboxEnclave *
veil_sandbox_enclave_ref (VeilSandboxEnclave *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
veil_sandbox_enclave_unref (VeilSandboxEnclave *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  rsa_public_key_clear (&self->public_key);
  rsa_private_key_clear (&self->private_key);
  g_free (self->record.endpoint);
  g_bytes_unref (self->record.signing_key);
  g_bytes_unref (self->record.tls_certificate);
  g_bytes_unref (self->record.key_config);
  g_free (self);
}

const VeilSandboxRecord *
veil_sandbox_enclave_get_record (const VeilSandboxEnclave *self)
{
  return &self->record;
}

const guint8 *
veil_sandbox_enclave_get_hpke_private (const VeilSandboxEnclave *self)
{
  return self->hpke_private;
}

guint8 *
veil_sandbox_enclave_sign (const VeilSandboxEnclave *self, const guint8 request_hash[static 32],
                           const guint8 output_hash[static 32], guint64 timestamp, gsize salt_length, gsize *length)
{
  guint8 message[96] = { 0 };
  guint8 hash[32];

  memcpy (message, request_hash, 32);
  memcpy (message + 32, output_hash, 32);
  for (guint i = 0; i < 8; i++)
    message[95 - i] = (guint8) (timestamp >> (8 * i));
  veil_keccak256 (message, sizeof message, hash);
  return veil_sandbox_enclave_sign_hash (self, hash, salt_length, length);
}

guint8 *
veil_sandbox_enclave_sign_hash (const VeilSandboxEnclave *self, const guint8 hash[static 32], gsize salt_length, gsize *length)
{
  guint8 digest[SHA256_DIGEST_SIZE];
  guint8 salt[64];
  guint8 *signature = g_malloc (self->public_key.size);
  struct sha256_ctx sha;
  mpz_t number;

  sha256_init (&sha);
  sha256_update (&sha, 32, hash);
  sha256_digest (&sha, sizeof digest, digest);

  veil_sandbox_random (NULL, sizeof salt, salt);
  mpz_init (number);
  if (!rsa_pss_sha256_sign_digest_tr (&self->public_key, &self->private_key, NULL, veil_sandbox_random,
                                      MIN (salt_length, sizeof salt), salt, digest, number))
    g_error ("the sandbox's own RSA key does not sign"); /* only for keys too small for the salt */
  nettle_mpz_get_str_256 (self->public_key.size, signature, number);
  mpz_clear (number);
  *length = self->public_key.size;
  return signature;
}
