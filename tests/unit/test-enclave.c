/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "test-enclave.h"

#include "hex.h"
#include "keccak.h"

#include <nettle/curve25519.h>
#include <nettle/rsa.h>
#include <nettle/sha2.h>
#include <string.h>
#include <sys/random.h>

struct _TestEnclave
{
  struct rsa_public_key public_key;
  struct rsa_private_key private_key;
  guint8 hpke_private[32];
  VeilTee *tee; /* owned */
};

static void
random_bytes (void *context, size_t length, uint8_t *out)
{
  for (gsize done = 0; done < length;)
    {
      gssize n = getrandom (out + done, MIN (length - done, 256), 0);

      g_assert_cmpint (n, >, 0);
      done += (gsize) n;
    }
}

/* --- DER, as little as a SubjectPublicKeyInfo needs --- */

static void
der_append (GByteArray *out, guint8 tag, const guint8 *content, gsize length)
{
  guint8 head[4] = { tag, 0x82, (guint8) (length >> 8), (guint8) length };

  if (length < 128)
    {
      head[1] = (guint8) length;
      g_byte_array_append (out, head, 2);
    }
  else if (length < 256)
    {
      head[1] = 0x81;
      head[2] = (guint8) length;
      g_byte_array_append (out, head, 3);
    }
  else
    g_byte_array_append (out, head, 4);
  g_byte_array_append (out, content, (guint) length);
}

static void
der_append_integer (GByteArray *out, const mpz_t number)
{
  gsize length = nettle_mpz_sizeinbase_256_s (number);
  g_autofree guint8 *bytes = g_malloc (length);

  nettle_mpz_get_str_256 (length, bytes, number);
  der_append (out, 0x02, bytes, length);
}

static GBytes *
encode_spki (const struct rsa_public_key *key)
{
  static const guint8 algorithm[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00 };
  g_autoptr (GByteArray) integers = g_byte_array_new ();
  g_autoptr (GByteArray) bits = g_byte_array_new ();
  g_autoptr (GByteArray) body = g_byte_array_new ();
  GByteArray *spki = g_byte_array_new ();

  der_append_integer (integers, key->n);
  der_append_integer (integers, key->e);
  g_byte_array_append (bits, (const guint8 *) "", 1);
  der_append (bits, 0x30, integers->data, integers->len);
  g_byte_array_append (body, algorithm, sizeof algorithm);
  der_append (body, 0x03, bits->data, bits->len);
  der_append (spki, 0x30, body->data, body->len);
  return g_byte_array_free_to_bytes (spki);
}

static VeilTee *
build_tee (TestEnclave *self, const char *endpoint, guint8 pcr)
{
  VeilTee *tee = veil_tee_new ();
  g_autoptr (GError) error = NULL;
  const guint8 *der;
  guint8 hash[32];
  gsize length;

  tee->signing_key_der = encode_spki (&self->public_key);
  der = g_bytes_get_data (tee->signing_key_der, &length);
  tee->signing_key = veil_rsa_key_new_from_spki (der, length, &error);
  g_assert_no_error (error);
  veil_keccak256 (der, length, hash);
  tee->id = veil_hex_encode_0x (hash, sizeof hash);
  memset (hash, pcr, sizeof hash);
  tee->pcr_hash = veil_hex_encode_0x (hash, sizeof hash);
  tee->endpoint = g_strdup (endpoint);
  tee->tls_certificate = g_bytes_new_static ("certificate", 11);
  tee->enabled = TRUE;
  tee->ohttp_key.key_id = 7;
  tee->ohttp_key.kem_id = VEIL_HPKE_KEM_ID;
  tee->ohttp_key.kdf_id = VEIL_HPKE_KDF_ID;
  tee->ohttp_key.aead_id = VEIL_HPKE_AEAD_ID;
  random_bytes (NULL, sizeof self->hpke_private, self->hpke_private);
  curve25519_mul_g (tee->ohttp_key.public_key, self->hpke_private);
  return tee;
}

TestEnclave *
test_enclave_new (const char *endpoint, guint8 pcr)
{
  TestEnclave *self = g_new0 (TestEnclave, 1);

  rsa_public_key_init (&self->public_key);
  rsa_private_key_init (&self->private_key);
  mpz_set_ui (self->public_key.e, 65537);
  g_assert_true (rsa_generate_keypair (&self->public_key, &self->private_key, NULL, random_bytes, NULL, NULL, 2048, 0));
  self->tee = build_tee (self, endpoint, pcr);
  return self;
}

void
test_enclave_free (TestEnclave *self)
{
  rsa_public_key_clear (&self->public_key);
  rsa_private_key_clear (&self->private_key);
  veil_tee_unref (self->tee);
  g_free (self);
}

VeilTee *
test_enclave_get_tee (TestEnclave *self)
{
  return self->tee;
}

/* --- the seal --- */

typedef struct
{
  guint8 id[10];
  gsize length;
} Suite;

static const Suite kem_suite = { { 'K', 'E', 'M', 0x00, 0x20 }, 5 };
static const Suite hpke_suite = { { 'H', 'P', 'K', 'E', 0x00, 0x20, 0x00, 0x01, 0x00, 0x03 }, 10 };

static void
append_label (GByteArray *out, const Suite *suite, const char *label)
{
  g_byte_array_append (out, (const guint8 *) "HPKE-v1", 7);
  g_byte_array_append (out, suite->id, (guint) suite->length);
  g_byte_array_append (out, (const guint8 *) label, (guint) strlen (label));
}

static void
labeled_extract (const Suite *suite, const guint8 *salt, gsize salt_length, const char *label, const guint8 *ikm, gsize length,
                 guint8 out[static 32])
{
  g_autoptr (GByteArray) labeled = g_byte_array_new ();

  append_label (labeled, suite, label);
  g_byte_array_append (labeled, ikm, (guint) length);
  veil_hkdf_sha256_extract (salt, salt_length, labeled->data, labeled->len, out);
}

static void
labeled_expand (const Suite *suite, const guint8 prk[static 32], const char *label, const void *info, gsize info_length,
                guint8 *out, gsize length)
{
  guint8 size[2] = { 0, (guint8) length };
  g_autoptr (GByteArray) labeled = g_byte_array_new ();

  g_byte_array_append (labeled, size, sizeof size);
  append_label (labeled, suite, label);
  g_byte_array_append (labeled, info, (guint) info_length);
  veil_hkdf_sha256_expand (prk, labeled->data, labeled->len, out, length);
}

static void
decapsulate (TestEnclave *self, const guint8 enc[static 32], guint8 shared[static 32])
{
  guint8 context[64];
  guint8 dh[32];
  guint8 prk[32];

  curve25519_mul (dh, self->hpke_private, enc);
  labeled_extract (&kem_suite, (const guint8 *) "", 0, "eae_prk", dh, sizeof dh, prk);
  memcpy (context, enc, 32);
  memcpy (context + 32, self->tee->ohttp_key.public_key, 32);
  labeled_expand (&kem_suite, prk, "shared_secret", context, sizeof context, shared, 32);
}

gboolean
test_enclave_open (TestEnclave *self, GBytes *sealed, TestOpened *opened)
{
  guint8 info[] = "message/bhttp request\0_______";
  guint8 shared[32], secret[32], exporter[32], key[32], nonce[12], context[65] = { 0 };
  gsize length;
  const guint8 *data = g_bytes_get_data (sealed, &length);
  guint8 *plaintext;

  memset (opened, 0, sizeof *opened);
  if (length < VEIL_OHTTP_OVERHEAD)
    return FALSE;
  memcpy (info + 22, data, VEIL_OHTTP_HEADER_SIZE);
  memcpy (opened->enc, data + VEIL_OHTTP_HEADER_SIZE, 32);
  decapsulate (self, opened->enc, shared);
  labeled_extract (&hpke_suite, (const guint8 *) "", 0, "psk_id_hash", (const guint8 *) "", 0, context + 1);
  labeled_extract (&hpke_suite, (const guint8 *) "", 0, "info_hash", info, 22 + VEIL_OHTTP_HEADER_SIZE, context + 33);
  labeled_extract (&hpke_suite, shared, sizeof shared, "secret", (const guint8 *) "", 0, secret);
  labeled_expand (&hpke_suite, secret, "key", context, sizeof context, key, sizeof key);
  labeled_expand (&hpke_suite, secret, "base_nonce", context, sizeof context, nonce, sizeof nonce);
  labeled_expand (&hpke_suite, secret, "exp", context, sizeof context, exporter, sizeof exporter);
  labeled_expand (&hpke_suite, exporter, "sec", "message/bhttp response", 22, opened->response_secret, 32);
  labeled_expand (&hpke_suite, exporter, "sec", "message/bhttp chunked response", 30, opened->chunked_secret, 32);

  data += VEIL_OHTTP_HEADER_SIZE + 32;
  length -= VEIL_OHTTP_HEADER_SIZE + 32;
  plaintext = g_malloc (length);
  if (!veil_aead_open (key, nonce, (const guint8 *) "", 0, data, length, plaintext))
    {
      g_free (plaintext);
      return FALSE;
    }
  opened->plaintext = g_bytes_new_take (plaintext, length - VEIL_HPKE_TAG_SIZE);
  return TRUE;
}

void
test_opened_clear (TestOpened *opened)
{
  g_clear_pointer (&opened->plaintext, g_bytes_unref);
}

typedef struct
{
  guint8 response_nonce[32];
  guint8 key[32];
  guint8 nonce[12];
} ResponseKeys;

static void
derive_keys (const TestOpened *opened, const guint8 secret[static 32], ResponseKeys *keys)
{
  guint8 salt[64];
  guint8 prk[32];

  random_bytes (NULL, sizeof keys->response_nonce, keys->response_nonce);
  memcpy (salt, opened->enc, 32);
  memcpy (salt + 32, keys->response_nonce, 32);
  veil_hkdf_sha256_extract (salt, sizeof salt, secret, 32, prk);
  veil_hkdf_sha256_expand (prk, (const guint8 *) "key", 3, keys->key, sizeof keys->key);
  veil_hkdf_sha256_expand (prk, (const guint8 *) "nonce", 5, keys->nonce, sizeof keys->nonce);
}

static void
append_sealed (GByteArray *out, const ResponseKeys *keys, guint counter, const char *aad, const char *plaintext, gsize length)
{
  g_autofree guint8 *sealed = g_malloc (length + VEIL_HPKE_TAG_SIZE);
  guint8 nonce[12];

  memcpy (nonce, keys->nonce, sizeof nonce);
  nonce[11] ^= (guint8) counter;
  nonce[10] ^= (guint8) (counter >> 8);
  veil_aead_seal (keys->key, nonce, (const guint8 *) aad, strlen (aad), (const guint8 *) plaintext, length, sealed);
  g_byte_array_append (out, sealed, (guint) length + VEIL_HPKE_TAG_SIZE);
}

GBytes *
test_opened_seal (const TestOpened *opened, const char *plaintext)
{
  GByteArray *out = g_byte_array_new ();
  ResponseKeys keys;

  derive_keys (opened, opened->response_secret, &keys);
  g_byte_array_append (out, keys.response_nonce, sizeof keys.response_nonce);
  append_sealed (out, &keys, 0, "", plaintext, strlen (plaintext));
  return g_byte_array_free_to_bytes (out);
}

static void
append_length (GByteArray *out, gsize length)
{
  guint8 two[2] = { (guint8) (0x40 | (length >> 8)), (guint8) length };

  g_assert_cmpuint (length, <, 1 << 14);
  if (length < 64)
    g_byte_array_append (out, two + 1, 1);
  else
    g_byte_array_append (out, two, 2);
}

GBytes *
test_opened_seal_chunks (const TestOpened *opened, const char *const *chunks)
{
  GByteArray *out = g_byte_array_new ();
  ResponseKeys keys;
  guint counter = 0;

  derive_keys (opened, opened->chunked_secret, &keys);
  g_byte_array_append (out, keys.response_nonce, sizeof keys.response_nonce);
  for (; chunks[counter] != NULL; counter++)
    {
      append_length (out, strlen (chunks[counter]) + VEIL_HPKE_TAG_SIZE);
      append_sealed (out, &keys, counter, "", chunks[counter], strlen (chunks[counter]));
    }
  append_length (out, 0);
  append_sealed (out, &keys, counter, "final", "", 0);
  return g_byte_array_free_to_bytes (out);
}

/* --- the signature --- */

static char *
sign (TestEnclave *self, const guint8 request_hash[static 32], const guint8 output_hash[static 32], guint64 timestamp)
{
  guint8 preimage[96] = { 0 };
  guint8 hash[32], digest[32], salt[32];
  g_autofree guint8 *signature = g_malloc (self->public_key.size);
  struct sha256_ctx sha256;
  mpz_t number;

  memcpy (preimage, request_hash, 32);
  memcpy (preimage + 32, output_hash, 32);
  for (guint i = 0; i < 8; i++)
    preimage[95 - i] = (guint8) (timestamp >> (8 * i));
  veil_keccak256 (preimage, sizeof preimage, hash);
  sha256_init (&sha256);
  sha256_update (&sha256, sizeof hash, hash);
  sha256_digest (&sha256, sizeof digest, digest);
  random_bytes (NULL, sizeof salt, salt);
  mpz_init (number);
  g_assert_true (
      rsa_pss_sha256_sign_digest_tr (&self->public_key, &self->private_key, NULL, random_bytes, sizeof salt, salt, digest, number));
  nettle_mpz_get_str_256 (self->public_key.size, signature, number);
  mpz_clear (number);
  return g_base64_encode (signature, self->public_key.size);
}

static char *
build_proof (TestEnclave *self, const guint8 *request_hash, const char *text)
{
  guint64 timestamp = (guint64) (g_get_real_time () / G_USEC_PER_SEC);
  guint8 output_hash[32];
  g_autofree char *request_hex = veil_hex_encode_0x (request_hash, 32);
  g_autofree char *output_hex = NULL;
  g_autofree char *signature = NULL;

  veil_keccak256 (text, strlen (text), output_hash);
  output_hex = veil_hex_encode_0x (output_hash, sizeof output_hash);
  signature = sign (self, request_hash, output_hash, timestamp);
  return g_strdup_printf ("\"tee_signature\":\"%s\",\"tee_request_hash\":\"%s\",\"tee_output_hash\":\"%s\",\"tee_timestamp\":"
                          "%" G_GUINT64_FORMAT ",\"tee_id\":\"%s\"",
                          signature, request_hex, output_hex, timestamp, self->tee->id);
}

char *
test_enclave_say (TestEnclave *self, const guint8 *request_hash, const char *text)
{
  g_autofree char *proof = build_proof (self, request_hash, text);

  return g_strdup_printf (
      "{\"id\":\"c-1\",\"object\":\"chat.completion\",\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":"
      "{\"role\":\"assistant\",\"content\":\"%s\"},\"finish_reason\":\"stop\"}],\"usage\":{\"total_tokens\":3},%s}",
      text, proof);
}

GStrv
test_enclave_say_frames (TestEnclave *self, const guint8 *request_hash, const char *text)
{
  g_autofree char *proof = build_proof (self, request_hash, text);
  g_autoptr (GStrvBuilder) frames = g_strv_builder_new ();
  g_autofree char *first = NULL;
  g_autofree char *last = NULL;

  first = g_strdup_printf (
      "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"%s\"},\"index\":0,\"finish_reason\":null}],"
      "\"model\":\"m\"}\n\n",
      text);
  last =
      g_strdup_printf ("data: {\"choices\":[{\"delta\":{},\"index\":0,\"finish_reason\":\"stop\"}],\"model\":\"m\",%s}\n\n", proof);
  g_strv_builder_add_many (frames, first, last, "data: [DONE]\n\n", NULL);
  return g_strv_builder_end (frames);
}

GBytes *
test_enclave_answer (TestEnclave *self, GBytes *sealed, VeilChatRequest *request, const char *text)
{
  g_auto (TestOpened) opened = { 0 };
  g_auto (GStrv) frames = NULL;
  g_autofree char *response = NULL;

  if (!test_enclave_open (self, sealed, &opened))
    return NULL;
  if (request->stream)
    {
      frames = test_enclave_say_frames (self, request->request_hash, text);
      return test_opened_seal_chunks (&opened, (const char *const *) frames);
    }
  response = test_enclave_say (self, request->request_hash, text);
  return test_opened_seal (&opened, response);
}

/* --- the registry's record --- */

static void
append_word (GByteArray *out, guint64 number)
{
  guint8 word[32] = { 0 };

  for (guint i = 0; i < 8; i++)
    word[31 - i] = (guint8) (number >> (8 * i));
  g_byte_array_append (out, word, sizeof word);
}

/* The offset goes to @heads, the content to @tails; @start is where the tails begin. */
static void
append_dynamic (GByteArray *heads, GByteArray *tails, gsize start, const void *data, gsize length)
{
  static const guint8 zeros[32] = { 0 };

  append_word (heads, start + tails->len);
  append_word (tails, length);
  g_byte_array_append (tails, data, (guint) length);
  g_byte_array_append (tails, zeros, (guint) (-length % 32));
}

static void
append_ohttp_config (GByteArray *out, const VeilOhttpKey *key)
{
  g_autoptr (GByteArray) tails = g_byte_array_new ();
  guint start = out->len;

  append_word (out, key->key_id);
  append_word (out, key->kem_id);
  append_word (out, key->kdf_id);
  append_word (out, key->aead_id);
  append_dynamic (out, tails, 7 * 32, key->public_key, sizeof key->public_key);
  append_dynamic (out, tails, 7 * 32, "", 0);
  append_word (out, 1700000000);
  g_assert_cmpuint (out->len - start, ==, 7 * 32);
  g_byte_array_append (out, tails->data, tails->len);
}

static void
append_tee (GByteArray *out, const VeilTee *tee)
{
  g_autoptr (GByteArray) tails = g_byte_array_new ();
  guint start = out->len;
  guint8 pcr[32];

  append_word (out, 1);
  append_word (out, 2);
  append_dynamic (out, tails, 11 * 32, tee->endpoint, strlen (tee->endpoint));
  append_dynamic (out, tails, 11 * 32, g_bytes_get_data (tee->signing_key_der, NULL), g_bytes_get_size (tee->signing_key_der));
  append_dynamic (out, tails, 11 * 32, g_bytes_get_data (tee->tls_certificate, NULL), g_bytes_get_size (tee->tls_certificate));
  g_assert_true (veil_hex_decode (tee->pcr_hash, pcr, sizeof pcr));
  g_byte_array_append (out, pcr, sizeof pcr);
  append_word (out, tee->tee_type);
  append_word (out, tee->enabled);
  append_word (out, 1700000000);
  append_word (out, 1700000001);
  append_word (out, 11 * 32 + tails->len);
  g_assert_cmpuint (out->len - start, ==, 11 * 32);
  append_ohttp_config (tails, &tee->ohttp_key);
  g_byte_array_append (out, tails->data, tails->len);
}

char *
test_enclave_list (TestEnclave *const *enclaves, guint n, guint64 id)
{
  g_autoptr (GByteArray) data = g_byte_array_new ();
  g_autoptr (GByteArray) tails = g_byte_array_new ();
  g_autofree char *hex = NULL;

  append_word (data, 32);
  append_word (data, n);
  for (guint i = 0; i < n; i++)
    {
      append_word (data, n * 32 + tails->len);
      append_tee (tails, enclaves[i]->tee);
    }
  g_byte_array_append (data, tails->data, tails->len);
  hex = veil_hex_encode_0x (data->data, data->len);
  return g_strdup_printf ("{\"jsonrpc\":\"2.0\",\"id\":%" G_GUINT64_FORMAT ",\"result\":\"%s\"}", id, hex);
}
