/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include <nettle/rsa.h>
#include <nettle/sha2.h>
#include <string.h>

#include "rsa-pss.h"
#include "vectors.h"
#include "veil-error.h"

static VeilRsaKey *
load (GBytes *der, GError **error)
{
  return veil_rsa_key_new_from_spki (g_bytes_get_data (der, NULL), g_bytes_get_size (der), error);
}

static void
check_key (const char *name, JsonObject *entry, gpointer user_data)
{
  g_autoptr (GBytes) der = vectors_base64 (entry, "der_b64");
  g_autoptr (VeilRsaKey) key = NULL;
  g_autoptr (GError) error = NULL;

  if (!g_str_equal (vectors_string (entry, "kind"), "key"))
    return;
  ++*(guint *) user_data;
  key = load (der, &error);
  if (key == NULL)
    {
      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_SIGNING_KEY);
      if (vectors_boolean (entry, "usable") && !vectors_boolean (entry, "allow_refuse"))
        g_error ("%s is refused: %s", name, error->message);
      return;
    }
  if (!vectors_boolean (entry, "usable"))
    g_error ("%s is accepted", name);
  g_assert_cmpint (veil_rsa_key_get_bits (key), ==, json_object_get_int_member (entry, "bits"));
  g_assert_cmpint (veil_rsa_key_get_bits (key), >=, 2048);
}

static void
test_keys (void)
{
  g_autoptr (JsonObject) file = vectors_load ("tee-ids.json");
  guint seen = 0;

  vectors_foreach (file, check_key, &seen);
  g_assert_cmpuint (seen, >=, 26);
}

static void
check_config_signature (const char *name, JsonObject *entry, gpointer user_data)
{
  g_autoptr (GBytes) der = vectors_base64 (entry, "der_b64");
  g_autoptr (GBytes) hash = vectors_hex (entry, "hash_hex");
  g_autoptr (GBytes) signature = vectors_base64 (entry, "signature_b64");
  g_autoptr (VeilRsaKey) key = NULL;
  g_autoptr (GError) error = NULL;
  gboolean valid;

  if (!g_str_equal (vectors_string (entry, "kind"), "config_signature"))
    return;
  ++*(guint *) user_data;
  key = load (der, &error);
  g_assert_no_error (error);
  valid = veil_rsa_key_verify_pss (key, g_bytes_get_data (hash, NULL), g_bytes_get_size (hash), g_bytes_get_data (signature, NULL),
                                   g_bytes_get_size (signature));
  if (valid != vectors_boolean (entry, "valid"))
    g_error ("%s is %s", name, valid ? "accepted" : "refused");
}

static void
test_config_signatures (void)
{
  g_autoptr (JsonObject) file = vectors_load ("tee-ids.json");
  guint seen = 0;

  vectors_foreach (file, check_config_signature, &seen);
  g_assert_cmpuint (seen, >=, 4);
}

/* DER, written by hand: @length bytes of head and content. */
static GByteArray *
element (guint8 tag, const guint8 *content, gsize length)
{
  GByteArray *der = g_byte_array_new ();
  guint8 head[4] = { tag, 0x82, length >> 8, length & 0xff };

  if (length < 0x80)
    g_byte_array_append (der, (const guint8[]){ tag, length }, 2);
  else if (length < 0x100)
    g_byte_array_append (der, (const guint8[]){ tag, 0x81, length }, 3);
  else
    g_byte_array_append (der, head, 4);
  g_byte_array_append (der, content, length);
  return der;
}

static GByteArray *
wrap (guint8 tag, GByteArray *content)
{
  GByteArray *der = element (tag, content->data, content->len);

  g_byte_array_unref (content);
  return der;
}

static void
append_take (GByteArray *array, GByteArray *part)
{
  g_byte_array_append (array, part->data, part->len);
  g_byte_array_unref (part);
}

static GByteArray *
integer (const mpz_t number)
{
  gsize size = mpz_sizeinbase (number, 2) / 8 + 1; /* with room for the sign */
  g_autofree guint8 *bytes = g_malloc0 (size);
  size_t used;

  mpz_export (bytes + size - (mpz_sizeinbase (number, 2) + 7) / 8, &used, 1, 1, 1, 0, number);
  return element (0x02, bytes, size);
}

static GByteArray *
spki (const mpz_t modulus, const mpz_t exponent)
{
  static const guint8 algorithm[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00 };
  GByteArray *key = g_byte_array_new ();
  GByteArray *bits = g_byte_array_new ();
  GByteArray *info = g_byte_array_new ();

  append_take (key, integer (modulus));
  append_take (key, integer (exponent));
  g_byte_array_append (bits, (const guint8 *) "", 1);
  append_take (bits, wrap (0x30, key));
  g_byte_array_append (info, algorithm, sizeof algorithm);
  append_take (info, wrap (0x03, bits));
  return wrap (0x30, info);
}

static void
assert_parsed (const mpz_t modulus, const mpz_t exponent, gboolean usable)
{
  g_autoptr (GByteArray) der = spki (modulus, exponent);
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilRsaKey) key = veil_rsa_key_new_from_spki (der->data, der->len, &error);

  if (!usable)
    {
      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_SIGNING_KEY);
      g_assert_null (key);
      return;
    }
  g_assert_no_error (error);
  g_assert_cmpuint (veil_rsa_key_get_bits (key), ==, mpz_sizeinbase (modulus, 2));
}

/* An odd number of @bits bits. */
static void
set_modulus (mpz_t number, guint bits)
{
  mpz_set_ui (number, 0);
  mpz_setbit (number, bits - 1);
  mpz_setbit (number, bits / 2);
  mpz_setbit (number, 0);
}

static void
test_sizes (void)
{
  const guint good[] = { 2048, 2049, 2055, 2056, 3000, 4096, 8192 };
  const guint bad[] = { 1, 512, 1024, 2040, 2047, 8193, 8200, 16384 };
  mpz_t modulus, exponent;

  mpz_init (modulus);
  mpz_init_set_ui (exponent, 65537);
  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      set_modulus (modulus, good[i]);
      assert_parsed (modulus, exponent, TRUE);
    }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      set_modulus (modulus, bad[i]);
      assert_parsed (modulus, exponent, FALSE);
    }
  set_modulus (modulus, 2048);
  mpz_clrbit (modulus, 0);
  assert_parsed (modulus, exponent, FALSE);
  mpz_clear (modulus);
  mpz_clear (exponent);
}

static void
test_exponents (void)
{
  const guint64 good[] = { 3, 5, 17, 127, 129, 65537, G_MAXUINT64 };
  const guint64 bad[] = { 0, 1, 2, 4, 65536 };
  mpz_t modulus, exponent;

  mpz_init (modulus);
  mpz_init (exponent);
  set_modulus (modulus, 2048);
  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      mpz_set_ui (exponent, good[i]);
      assert_parsed (modulus, exponent, TRUE);
    }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      mpz_set_ui (exponent, bad[i]);
      assert_parsed (modulus, exponent, FALSE);
    }
  set_modulus (exponent, 65);
  assert_parsed (modulus, exponent, FALSE);
  set_modulus (exponent, 2047);
  assert_parsed (modulus, exponent, FALSE);
  mpz_clear (modulus);
  mpz_clear (exponent);
}

/* No byte of the frame is free: any other value in it makes the key foreign. Only the numbers' own bytes may differ, as they are the key. */
static void
test_frame (void)
{
  mpz_t modulus, exponent;
  g_autoptr (GByteArray) der = NULL;
  gsize modulus_at;

  mpz_init (modulus);
  mpz_init_set_ui (exponent, 65537);
  set_modulus (modulus, 2048);
  der = spki (modulus, exponent);
  modulus_at = der->len - 5 - 257; /* with the sign byte */
  for (gsize i = 0; i < der->len; i++)
    for (guint value = 0; value < 256; value++)
      {
        guint8 before = der->data[i];
        g_autoptr (VeilRsaKey) key = NULL;

        if (value == before || (i >= modulus_at && i < der->len - 5) || i >= der->len - 3)
          continue;
        der->data[i] = value;
        key = veil_rsa_key_new_from_spki (der->data, der->len, NULL);
        if (key != NULL)
          g_error ("byte %" G_GSIZE_FORMAT " may be %02x instead of %02x", i, value, before);
        der->data[i] = before;
      }
  for (gsize length = 0; length < der->len; length++)
    {
      g_autofree guint8 *copy = g_memdup2 (der->data, length);

      g_assert_null (veil_rsa_key_new_from_spki (copy, length, NULL));
    }
  mpz_clear (modulus);
  mpz_clear (exponent);
}

static void
append_hex (GByteArray *array, const char *hex)
{
  g_autoptr (GBytes) bytes = vectors_hex_text (hex);

  g_byte_array_append (array, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

/* Lengths in a longer form than needed, or indefinite; numbers with a needless leading byte, or negative; anything after the end, on each level. */
static void
test_not_canonical (void)
{
  static const struct
  {
    const char *key_head;
    const char *exponent; /* the whole INTEGER */
    const char *after_key;
    const char *after_bits;
    gboolean usable;
  } cases[] = {
    { "3082010a", "0203010001", "", "", TRUE },    { "30820108", "020103", "", "", TRUE },
    { "30820109", "020203ff", "", "", TRUE },      { "30820109", "020200ff", "", "", TRUE },
    { "3082010b", "020400010001", "", "", FALSE }, { "30820109", "02810103", "", "", FALSE },
    { "30820108", "0201ff", "", "", FALSE },       { "30820107", "0200", "", "", FALSE },
    { "30820109", "0202ff03", "", "", FALSE },     { "3083000108", "020103", "", "", FALSE },
    { "30820108", "030103", "", "", FALSE },       { "3080", "020103", "", "", FALSE },
    { "3082010a", "0201030000", "", "", FALSE },   { "3182010a", "0203010001", "", "", FALSE },
    { "3082010b", "0203010001", "", "", FALSE },   { "30820109", "0203010001", "", "", FALSE },
    { "30820108", "020103", "00", "", FALSE },     { "30820108", "020103", "0500", "", FALSE },
    { "30820108", "020103", "", "00", FALSE },     { "30820108", "020103", "", "0500", FALSE },
  };
  mpz_t modulus;

  mpz_init (modulus);
  set_modulus (modulus, 2048);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      GByteArray *bits = g_byte_array_new ();
      GByteArray *info = g_byte_array_new ();
      g_autoptr (GByteArray) der = NULL;
      g_autoptr (VeilRsaKey) key = NULL;

      append_hex (bits, "00");
      append_hex (bits, cases[i].key_head);
      append_take (bits, integer (modulus));
      append_hex (bits, cases[i].exponent);
      append_hex (bits, cases[i].after_key);
      append_hex (info, "300d06092a864886f70d0101010500");
      append_take (info, wrap (0x03, bits));
      append_hex (info, cases[i].after_bits);
      der = wrap (0x30, info);
      key = veil_rsa_key_new_from_spki (der->data, der->len, NULL);
      if ((key != NULL) != cases[i].usable)
        g_error ("case %u (%s %s) is %s", i, cases[i].key_head, cases[i].exponent, key != NULL ? "accepted" : "refused");
    }
  mpz_clear (modulus);
}

/* Repeatable, as nothing here needs to be secret. */
static void
random_bytes (void *context, size_t length, uint8_t *out)
{
  for (size_t i = 0; i < length; i++)
    out[i] = g_rand_int ((GRand *) context);
}

typedef struct
{
  struct rsa_public_key public;
  struct rsa_private_key private;
  GRand *random;
  VeilRsaKey *key;
} Signer;

static void
signer_init (Signer *signer, guint bits)
{
  g_autoptr (GByteArray) der = NULL;
  g_autoptr (GError) error = NULL;

  signer->random = g_rand_new_with_seed (bits);
  rsa_public_key_init (&signer->public);
  rsa_private_key_init (&signer->private);
  mpz_set_ui (signer->public.e, 65537);
  g_assert_true (rsa_generate_keypair (&signer->public, &signer->private, signer->random, random_bytes, NULL, NULL, bits, 0));
  der = spki (signer->public.n, signer->public.e);
  signer->key = veil_rsa_key_new_from_spki (der->data, der->len, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (veil_rsa_key_get_bits (signer->key), ==, bits);
}

static void
signer_clear (Signer *signer)
{
  rsa_public_key_clear (&signer->public);
  rsa_private_key_clear (&signer->private);
  g_rand_free (signer->random);
  veil_rsa_key_unref (signer->key);
}

static void
signer_sign (Signer *signer, const char *message, gsize salt_length, mpz_t signature)
{
  guint8 digest[SHA256_DIGEST_SIZE], salt[64];
  struct sha256_ctx context;

  sha256_init (&context);
  sha256_update (&context, strlen (message), (const guint8 *) message);
  sha256_digest (&context, sizeof digest, digest);
  random_bytes (signer->random, salt_length, salt);
  g_assert_true (rsa_pss_sha256_sign_digest_tr (&signer->public, &signer->private, signer->random, random_bytes, salt_length, salt,
                                                digest, signature));
}

static GBytes *
number_bytes (const mpz_t number, gsize size)
{
  gsize needed = (mpz_sizeinbase (number, 2) + 7) / 8;
  guint8 *bytes = g_malloc0 (size);

  g_assert_cmpuint (needed, <=, size);
  mpz_export (bytes + size - needed, NULL, 1, 1, 1, 0, number);
  return g_bytes_new_take (bytes, size);
}

static gboolean
verifies (Signer *signer, const char *message, const mpz_t number, gsize size)
{
  g_autoptr (GBytes) signature = number_bytes (number, size);

  return veil_rsa_key_verify_pss (signer->key, (const guint8 *) message, strlen (message), g_bytes_get_data (signature, NULL),
                                  size);
}

/* Also for moduli whose encoded message is a byte shorter than the signature (8n + 1 bits). */
static void
test_signatures (void)
{
  const guint sizes[] = { 2048, 2049, 2050, 2055 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      gsize size = (sizes[i] + 7) / 8;
      Signer signer;
      mpz_t signature, changed;

      mpz_init (signature);
      mpz_init (changed);
      signer_init (&signer, sizes[i]);
      signer_sign (&signer, "message", 32, signature);
      g_assert_true (verifies (&signer, "message", signature, size));
      g_assert_false (verifies (&signer, "messagf", signature, size));
      g_assert_false (verifies (&signer, "", signature, size));
      for (guint bit = 0; bit < 2048; bit += 61)
        {
          mpz_set (changed, signature);
          mpz_combit (changed, bit);
          g_assert_false (verifies (&signer, "message", changed, size));
        }
      /* Of another length, or the same number plus the modulus: the signature has one form only. */
      g_assert_false (verifies (&signer, "message", signature, size + 1));
      mpz_add (changed, signature, signer.public.n);
      g_assert_false (verifies (&signer, "message", changed, MAX (size, (mpz_sizeinbase (changed, 2) + 7) / 8)));
      mpz_set_ui (changed, 0);
      g_assert_false (verifies (&signer, "message", changed, size));
      mpz_set_ui (changed, 1);
      g_assert_false (verifies (&signer, "message", changed, size));
      mpz_sub_ui (changed, signer.public.n, 1);
      g_assert_false (verifies (&signer, "message", changed, size));
      mpz_set (changed, signer.public.n);
      g_assert_false (verifies (&signer, "message", changed, size));
      signer_clear (&signer);
      mpz_clear (signature);
      mpz_clear (changed);
    }
}

static void
test_salt_lengths (void)
{
  const gsize lengths[] = { 0, 1, 16, 20, 31, 33, 48, 64 };
  Signer signer;
  mpz_t signature;

  mpz_init (signature);
  signer_init (&signer, 2048);
  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      signer_sign (&signer, "message", lengths[i], signature);
      g_assert_false (verifies (&signer, "message", signature, 256));
    }
  signer_sign (&signer, "message", 32, signature);
  g_assert_true (verifies (&signer, "message", signature, 256));
  signer_clear (&signer);
  mpz_clear (signature);
}

/* The older padding under the same key and hash. */
static void
test_pkcs1_refused (void)
{
  struct sha256_ctx context;
  Signer signer;
  mpz_t signature;

  mpz_init (signature);
  signer_init (&signer, 2048);
  sha256_init (&context);
  sha256_update (&context, 7, (const guint8 *) "message");
  g_assert_true (rsa_sha256_sign (&signer.private, &context, signature));
  g_assert_false (verifies (&signer, "message", signature, 256));
  signer_clear (&signer);
  mpz_clear (signature);
}

static gpointer
verify_often (gpointer data)
{
  Signer *signer = data;
  mpz_t signature;

  mpz_init_set_ui (signature, 12345);
  for (guint i = 0; i < 200; i++)
    {
      g_autoptr (VeilRsaKey) key = veil_rsa_key_ref (signer->key);

      g_assert_true (key == signer->key);
      g_assert_false (verifies (signer, "message", signature, 256));
    }
  mpz_clear (signature);
  return NULL;
}

/* The key is shared by worker threads. */
static void
test_threads (void)
{
  GThread *threads[4];
  Signer signer;

  signer_init (&signer, 2048);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("verify", verify_often, &signer);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  signer_clear (&signer);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rsa-pss/vectors/keys", test_keys);
  g_test_add_func ("/rsa-pss/vectors/config-signatures", test_config_signatures);
  g_test_add_func ("/rsa-pss/key/sizes", test_sizes);
  g_test_add_func ("/rsa-pss/key/exponents", test_exponents);
  g_test_add_func ("/rsa-pss/key/frame", test_frame);
  g_test_add_func ("/rsa-pss/key/not-canonical", test_not_canonical);
  g_test_add_func ("/rsa-pss/signatures", test_signatures);
  g_test_add_func ("/rsa-pss/salt-lengths", test_salt_lengths);
  g_test_add_func ("/rsa-pss/pkcs1-refused", test_pkcs1_refused);
  g_test_add_func ("/rsa-pss/threads", test_threads);
  return g_test_run ();
}
