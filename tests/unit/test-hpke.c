/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include <nettle/curve25519.h>
#include <string.h>

#include "hpke-private.h"
#include "vectors.h"
#include "veil-error.h"

#define KEM "KEM\x00\x20"

static const guint8 *
bytes_of (GBytes *bytes, gsize expected)
{
  g_assert_nonnull (bytes);
  g_assert_cmpuint (g_bytes_get_size (bytes), ==, expected);
  return g_bytes_get_data (bytes, NULL);
}

static void
assert_hex (JsonObject *entry, const char *name, const char *key, const guint8 *got, gsize length)
{
  g_autoptr (GBytes) expected = vectors_hex (entry, key);

  g_assert_nonnull (expected);
  vectors_assert_equal (name, key, got, length, expected);
}

/* The recipient's half, written down once more from RFC 9180 section 4. */
static void
kem_extract (const char *label, const guint8 *ikm, gsize length, guint8 out[static 32])
{
  g_autoptr (GByteArray) input = g_byte_array_new ();

  g_byte_array_append (input, (const guint8 *) "HPKE-v1" KEM, 12);
  g_byte_array_append (input, (const guint8 *) label, strlen (label));
  g_byte_array_append (input, ikm, length);
  veil_hkdf_sha256_extract (NULL, 0, input->data, input->len, out);
}

static void
kem_expand (const guint8 prk[static 32], const char *label, const guint8 *info, gsize length, guint8 out[static 32])
{
  g_autoptr (GByteArray) input = g_byte_array_new ();

  g_byte_array_append (input, (const guint8 *) "\x00\x20HPKE-v1" KEM, 14);
  g_byte_array_append (input, (const guint8 *) label, strlen (label));
  g_byte_array_append (input, info, length);
  veil_hkdf_sha256_expand (prk, input->data, input->len, out, 32);
}

static void
decapsulate (const guint8 *private_key, const guint8 *public_key, const guint8 *enc, guint8 out[static 32])
{
  guint8 dh[32], prk[32], context[64];

  curve25519_mul (dh, private_key, enc);
  memcpy (context, enc, 32);
  memcpy (context + 32, public_key, 32);
  kem_extract ("eae_prk", dh, sizeof dh, prk);
  kem_expand (prk, "shared_secret", context, sizeof context, out);
}

/* DeriveKeyPair (section 7.1.3): where the private keys of the vectors came from. */
static void
check_derived (JsonObject *entry, const char *name, const char *ikm_key, const char *private_key)
{
  g_autoptr (GBytes) ikm = vectors_hex (entry, ikm_key);
  guint8 prk[32], private[32];

  if (ikm == NULL)
    return;
  kem_extract ("dkp_prk", g_bytes_get_data (ikm, NULL), g_bytes_get_size (ikm), prk);
  kem_expand (prk, "sk", NULL, 0, private);
  assert_hex (entry, name, private_key, private, sizeof private);
}

static void
check_recipient (JsonObject *entry, const char *name, VeilHpkeSender *sender)
{
  g_autoptr (GBytes) private_key = vectors_hex (entry, "skR_hex");
  g_autoptr (GBytes) public_key = vectors_hex (entry, "pkR_hex");
  guint8 public[32], secret[32];

  if (private_key == NULL)
    return;
  curve25519_mul_g (public, bytes_of (private_key, 32));
  assert_hex (entry, name, "pkR_hex", public, sizeof public);
  decapsulate (bytes_of (private_key, 32), bytes_of (public_key, 32), veil_hpke_sender_get_enc (sender), secret);
  assert_hex (entry, name, "shared_secret_hex", secret, sizeof secret);
}

static void
check_seals (JsonObject *entry, const char *name, VeilHpkeSender *sender)
{
  JsonArray *seals = json_object_get_array_member (entry, "seals");

  for (guint i = 0; i < json_array_get_length (seals); i++)
    {
      JsonObject *seal = json_array_get_object_element (seals, i);
      g_autoptr (GBytes) aad = vectors_hex (seal, "aad_hex");
      g_autoptr (GBytes) plaintext = vectors_hex (seal, "pt_hex");
      gsize aad_length, length;
      const guint8 *aad_data = g_bytes_get_data (aad, &aad_length);
      const guint8 *data = g_bytes_get_data (plaintext, &length);
      g_autofree guint8 *out = g_malloc (length + VEIL_HPKE_TAG_SIZE);
      g_autofree guint8 *again = g_malloc (length + VEIL_HPKE_TAG_SIZE);
      guint64 sequence = json_object_get_int_member (seal, "seq");
      guint8 other[1 + VEIL_HPKE_TAG_SIZE];

      while (sender->sequence < sequence)
        veil_hpke_sender_seal (sender, NULL, 0, (const guint8 *) "x", 1, other);
      g_assert_cmpuint (sender->sequence, ==, sequence);
      veil_hpke_sender_seal (sender, aad_data, aad_length, data, length, out);
      assert_hex (seal, name, "ct_hex", out, length + VEIL_HPKE_TAG_SIZE);

      /* In place, by a copy of the context that is one message behind. */
      sender->sequence--;
      if (length > 0)
        memcpy (again, data, length);
      veil_hpke_sender_seal (sender, aad_data, aad_length, again, length, again);
      g_assert_cmpmem (again, length + VEIL_HPKE_TAG_SIZE, out, length + VEIL_HPKE_TAG_SIZE);
    }
}

static void
check_exports (JsonObject *entry, const char *name, VeilHpkeSender *sender)
{
  JsonArray *exports = json_object_get_array_member (entry, "exports");

  for (guint i = 0; i < json_array_get_length (exports); i++)
    {
      JsonObject *export = json_array_get_object_element (exports, i);
      g_autoptr (GBytes) context = vectors_hex (export, "context_hex");
      gsize length = json_object_get_int_member (export, "length");
      g_autofree guint8 *out = g_malloc (length);

      veil_hpke_sender_export (sender, g_bytes_get_data (context, NULL), g_bytes_get_size (context), out, length);
      assert_hex (export, name, "value_hex", out, length);
    }
}

static void
check_refused (const char *name, GBytes *public_key, GBytes *ephemeral)
{
  g_autoptr (VeilHpkeSender) sender = NULL;
  g_autoptr (GError) error = NULL;

  if (g_bytes_get_size (public_key) != VEIL_HPKE_PUBLIC_KEY_SIZE)
    return; /* which the type of the argument rules out; a registry record of this kind is refused in its reader */
  sender = veil_hpke_sender_new_with_ephemeral (bytes_of (public_key, 32), bytes_of (ephemeral, 32), NULL, 0, &error);
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_TEE_UNUSABLE);
  g_assert_null (sender);
  g_clear_error (&error);
  sender = veil_hpke_sender_new (bytes_of (public_key, 32), NULL, 0, &error);
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_TEE_UNUSABLE);
  g_assert_null (sender);
}

static void
check_case (const char *name, JsonObject *entry, gpointer user_data)
{
  g_autoptr (GBytes) public_key = vectors_hex (entry, "pkR_hex");
  g_autoptr (GBytes) ephemeral = vectors_hex (entry, "skE_hex");
  g_autoptr (GBytes) info = vectors_hex (entry, "info_hex");
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilHpkeSender) sender = NULL;

  if (vectors_boolean (entry, "refuse"))
    {
      check_refused (name, public_key, ephemeral);
      return;
    }
  g_assert_cmpint (json_object_get_int_member (entry, "mode"), ==, 0);
  g_assert_cmpint (json_object_get_int_member (entry, "kem_id"), ==, VEIL_HPKE_KEM_ID);
  g_assert_cmpint (json_object_get_int_member (entry, "kdf_id"), ==, VEIL_HPKE_KDF_ID);
  g_assert_cmpint (json_object_get_int_member (entry, "aead_id"), ==, VEIL_HPKE_AEAD_ID);

  sender = veil_hpke_sender_new_with_ephemeral (bytes_of (public_key, 32), bytes_of (ephemeral, 32), g_bytes_get_data (info, NULL),
                                                g_bytes_get_size (info), &error);
  g_assert_no_error (error);
  assert_hex (entry, name, "enc_hex", veil_hpke_sender_get_enc (sender), VEIL_HPKE_ENC_SIZE);
  assert_hex (entry, name, "pkE_hex", veil_hpke_sender_get_enc (sender), VEIL_HPKE_ENC_SIZE);
  assert_hex (entry, name, "shared_secret_hex", sender->shared_secret, sizeof sender->shared_secret);
  assert_hex (entry, name, "key_hex", sender->key, sizeof sender->key);
  assert_hex (entry, name, "base_nonce_hex", sender->base_nonce, sizeof sender->base_nonce);
  assert_hex (entry, name, "exporter_secret_hex", sender->exporter_secret, sizeof sender->exporter_secret);
  check_derived (entry, name, "ikmE_hex", "skE_hex");
  check_derived (entry, name, "ikmR_hex", "skR_hex");
  check_recipient (entry, name, sender);
  check_seals (entry, name, sender);
  check_exports (entry, name, sender);
}

static void
test_vectors (void)
{
  g_autoptr (JsonObject) file = vectors_load ("hpke.json");

  g_assert_cmpuint (vectors_foreach (file, check_case, NULL), >=, 32);
}

/* A fresh key every time, which the recipient can follow. */
static void
test_fresh (void)
{
  const guint8 private_key[32] = { 1, 2, 3 };
  guint8 public_key[32], dh[32], secret[32], export[32], expected[32];
  g_autoptr (VeilHpkeSender) first = NULL;
  g_autoptr (VeilHpkeSender) second = NULL;
  static const guint8 zero[32];

  curve25519_mul_g (public_key, private_key);
  first = veil_hpke_sender_new (public_key, (const guint8 *) "i", 1, NULL);
  second = veil_hpke_sender_new (public_key, (const guint8 *) "i", 1, NULL);
  g_assert_cmpint (memcmp (first->enc, second->enc, 32), !=, 0);
  g_assert_cmpint (memcmp (first->key, second->key, 32), !=, 0);
  g_assert_cmpmem (first->shared_secret, 32, zero, 32);

  /* Not the enc of an all-zero or otherwise constant ephemeral key: the recipient's result depends on it. */
  curve25519_mul (dh, private_key, first->enc);
  g_assert_cmpint (memcmp (dh, zero, 32), !=, 0);
  decapsulate (private_key, public_key, first->enc, secret);
  decapsulate (private_key, public_key, second->enc, expected);
  g_assert_cmpint (memcmp (secret, expected, 32), !=, 0);
  veil_hpke_sender_export (first, NULL, 0, export, sizeof export);
  veil_hpke_sender_export (second, NULL, 0, expected, sizeof expected);
  g_assert_cmpint (memcmp (export, expected, 32), !=, 0);
}

/* RFC 5869, test cases 1 and 3, and the longest output there is. */
static void
test_hkdf (void)
{
  g_autoptr (GBytes) salt = vectors_hex_text ("000102030405060708090a0b0c");
  g_autoptr (GBytes) info = vectors_hex_text ("f0f1f2f3f4f5f6f7f8f9");
  g_autoptr (GBytes) prk1 = vectors_hex_text ("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
  g_autoptr (GBytes) okm1 =
      vectors_hex_text ("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  g_autoptr (GBytes) prk3 = vectors_hex_text ("19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04");
  g_autoptr (GBytes) okm3 =
      vectors_hex_text ("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
  g_autofree guint8 *longest = g_malloc (255 * 32);
  guint8 ikm[22], prk[32], okm[42];

  memset (ikm, 0x0b, sizeof ikm);
  veil_hkdf_sha256_extract (g_bytes_get_data (salt, NULL), 13, ikm, sizeof ikm, prk);
  vectors_assert_equal ("rfc5869-1", "prk", prk, sizeof prk, prk1);
  veil_hkdf_sha256_expand (prk, g_bytes_get_data (info, NULL), 10, okm, sizeof okm);
  vectors_assert_equal ("rfc5869-1", "okm", okm, sizeof okm, okm1);
  veil_hkdf_sha256_extract (NULL, 0, ikm, sizeof ikm, prk);
  vectors_assert_equal ("rfc5869-3", "prk", prk, sizeof prk, prk3);
  veil_hkdf_sha256_expand (prk, NULL, 0, okm, sizeof okm);
  vectors_assert_equal ("rfc5869-3", "okm", okm, sizeof okm, okm3);
  veil_hkdf_sha256_expand (prk, NULL, 0, longest, 255 * 32);
  vectors_assert_equal ("rfc5869-3", "longest", longest, 42, okm3);
}

/* RFC 8439 section 2.8.2. */
static void
test_aead (void)
{
  static const char plaintext[] =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
  g_autoptr (GBytes) aad = vectors_hex_text ("50515253c0c1c2c3c4c5c6c7");
  g_autoptr (GBytes) nonce = vectors_hex_text ("070000004041424344454647");
  g_autoptr (GBytes) sealed =
      vectors_hex_text ("d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b"
                        "1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
                        "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691");
  const gsize length = sizeof plaintext - 1;
  guint8 key[32], out[sizeof plaintext - 1 + VEIL_HPKE_TAG_SIZE], zero[sizeof plaintext - 1] = { 0 };
  const guint8 *nonce_data = bytes_of (nonce, 12), *aad_data = bytes_of (aad, 12);

  for (guint i = 0; i < sizeof key; i++)
    key[i] = 0x80 + i;
  veil_aead_seal (key, nonce_data, aad_data, 12, (const guint8 *) plaintext, length, out);
  vectors_assert_equal ("rfc8439", "ciphertext", out, sizeof out, sealed);
  g_assert_true (veil_aead_open (key, nonce_data, aad_data, 12, out, sizeof out, out));
  g_assert_cmpmem (out, length, plaintext, length);

  for (gsize i = 0; i < 8 * sizeof out; i++)
    {
      memcpy (out, bytes_of (sealed, sizeof out), sizeof out);
      out[i / 8] ^= 1 << i % 8;
      g_assert_false (veil_aead_open (key, nonce_data, aad_data, 12, out, sizeof out, out));
      g_assert_cmpmem (out, length, zero, length);
    }
  memcpy (out, bytes_of (sealed, sizeof out), sizeof out);
  g_assert_false (veil_aead_open (key, nonce_data, aad_data, 11, out, sizeof out, zero));
  g_assert_false (veil_aead_open (key, nonce_data, NULL, 0, out, sizeof out, zero));
  for (gsize cut = 0; cut < sizeof out; cut++)
    g_assert_false (veil_aead_open (key, nonce_data, aad_data, 12, out, cut, zero));
}

static void
test_aead_nonce (void)
{
  guint8 base[12], out[12];

  memset (base, 0xff, sizeof base);
  veil_aead_nonce (base, G_GUINT64_CONSTANT (0x0102030405060708), out);
  g_assert_cmpmem (out, 12, "\xff\xff\xff\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7", 12);
  veil_aead_nonce (out, 1, out);
  g_assert_cmpmem (out, 12, "\xff\xff\xff\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf6", 12);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hpke/vectors", test_vectors);
  g_test_add_func ("/hpke/fresh", test_fresh);
  g_test_add_func ("/hpke/hkdf", test_hkdf);
  g_test_add_func ("/hpke/aead", test_aead);
  g_test_add_func ("/hpke/aead-nonce", test_aead_nonce);
  return g_test_run ();
}
