/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include "ohttp-chunked.h"
#include "ohttp-private.h"
#include "vectors.h"
#include "veil-error.h"

static const guint8 *
key_of (GBytes *bytes)
{
  g_assert_nonnull (bytes);
  g_assert_cmpuint (g_bytes_get_size (bytes), ==, 32);
  return g_bytes_get_data (bytes, NULL);
}

static void
assert_hex (JsonObject *entry, const char *name, const char *key, const guint8 *got, gsize length)
{
  g_autoptr (GBytes) expected = vectors_hex (entry, key);

  g_assert_nonnull (expected);
  vectors_assert_equal (name, key, got, length, expected);
}

static void
assert_bytes (JsonObject *entry, const char *name, const char *key, GBytes *got)
{
  g_autoptr (GBytes) expected = vectors_base64 (entry, key);
  gsize length;
  const guint8 *data = g_bytes_get_data (got, &length);

  g_assert_nonnull (expected);
  vectors_assert_equal (name, key, data, length, expected);
}

static guint16
id_of (JsonObject *entry, const char *key, guint16 fallback)
{
  return json_object_get_int_member_with_default (entry, key, fallback);
}

/* FALSE for a public key of another length, which the type rules out; the registry's reader refuses such a record. */
static gboolean
load_key (JsonObject *entry, VeilOhttpKey *key)
{
  g_autoptr (GBytes) public_key = vectors_hex (entry, "pkR_hex");

  if (g_bytes_get_size (public_key) != VEIL_HPKE_PUBLIC_KEY_SIZE)
    return FALSE;
  key->key_id = id_of (entry, "key_id", 0);
  key->kem_id = id_of (entry, "kem_id", VEIL_HPKE_KEM_ID);
  key->kdf_id = id_of (entry, "kdf_id", VEIL_HPKE_KDF_ID);
  key->aead_id = id_of (entry, "aead_id", VEIL_HPKE_AEAD_ID);
  memcpy (key->public_key, key_of (public_key), sizeof key->public_key);
  return TRUE;
}

static void
check_request_refused (const VeilOhttpKey *key)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilOhttpClient) client = veil_ohttp_client_new (key, &error);

  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_TEE_UNUSABLE);
  g_assert_null (client);
}

static void
check_request (const char *name, JsonObject *entry)
{
  g_autoptr (GBytes) ephemeral = vectors_hex (entry, "skE_hex");
  g_autoptr (GBytes) plaintext = vectors_base64 (entry, "plaintext_b64");
  g_autoptr (VeilOhttpClient) client = NULL;
  g_autoptr (GBytes) wire = NULL;
  g_autoptr (GError) error = NULL;
  const guint8 *wire_data;
  VeilOhttpKey key;

  if (vectors_string (entry, "error") != NULL)
    {
      if (load_key (entry, &key))
        check_request_refused (&key);
      return;
    }
  g_assert_true (load_key (entry, &key));
  client = veil_ohttp_client_new_with_ephemeral (&key, key_of (ephemeral), &error);
  g_assert_no_error (error);
  assert_hex (entry, name, "enc_hex", veil_ohttp_client_get_enc (client), 32);
  assert_hex (entry, name, "response_secret_hex", veil_ohttp_client_get_response_secret (client), 32);
  assert_hex (entry, name, "chunked_response_secret_hex", veil_ohttp_client_get_chunked_secret (client), 32);
  wire = veil_ohttp_client_seal (client, g_bytes_get_data (plaintext, NULL), g_bytes_get_size (plaintext), 0);
  assert_bytes (entry, name, "wire_b64", wire);
  wire_data = g_bytes_get_data (wire, NULL);
  assert_hex (entry, name, "header_hex", wire_data, VEIL_OHTTP_HEADER_SIZE);
  g_assert_cmpuint (g_bytes_get_size (wire), ==, g_bytes_get_size (plaintext) + VEIL_OHTTP_OVERHEAD);
}

static void
check_response_keys (const char *name, JsonObject *entry, GBytes *enc, GBytes *secret, GBytes *sealed)
{
  VeilOhttpResponseKeys keys;

  veil_ohttp_derive_response_keys (key_of (enc), key_of (secret), g_bytes_get_data (sealed, NULL), &keys);
  assert_hex (entry, name, "aead_key_hex", keys.key, sizeof keys.key);
  assert_hex (entry, name, "aead_nonce_hex", keys.nonce, sizeof keys.nonce);
}

static void
check_single (const char *name, JsonObject *entry)
{
  g_autoptr (GBytes) enc = vectors_hex (entry, "enc_hex");
  g_autoptr (GBytes) secret = vectors_hex (entry, "response_secret_hex");
  g_autoptr (GBytes) sealed = vectors_base64 (entry, "sealed_b64");
  g_autoptr (VeilOhttpClient) client = veil_ohttp_client_new_for_response (key_of (enc), key_of (secret), key_of (secret));
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) opened = veil_ohttp_client_open (client, g_bytes_get_data (sealed, NULL), g_bytes_get_size (sealed), &error);

  if (vectors_string (entry, "error") != NULL)
    {
      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_SEAL);
      g_assert_null (opened);
      return;
    }
  g_assert_no_error (error);
  assert_bytes (entry, name, "plaintext_b64", opened);
  check_response_keys (name, entry, enc, secret, sealed);
}

typedef struct
{
  GPtrArray *chunks; /* of GBytes */
  gboolean final;
} Received;

static void
receive (const guint8 *plaintext, gsize length, gboolean final, gpointer user_data)
{
  Received *received = user_data;

  g_assert_false (received->final); /* nothing comes after the final chunk */
  received->final = final;
  g_ptr_array_add (received->chunks, g_bytes_new (plaintext, length));
}

typedef gsize (*NextSize) (gsize left);

static gsize
one_byte (gsize left)
{
  return 1;
}

static gsize
everything (gsize left)
{
  return left;
}

static gsize
at_random (gsize left)
{
  return g_test_rand_int_range (0, MIN (left, 60) + 1);
}

/* Feeds @stream in pieces and checks what comes out, and that nothing is taken after the end or an error. */
static void
feed (const char *name, JsonObject *entry, VeilOhttpClient *client, GBytes *stream, NextSize next)
{
  g_autoptr (GPtrArray) chunks = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  Received received = { chunks, FALSE };
  g_autoptr (VeilOhttpChunkOpener) opener = veil_ohttp_chunk_opener_new (client, receive, &received);
  gboolean bad = vectors_string (entry, "error") != NULL;
  g_autoptr (GError) error = NULL;
  JsonArray *expected = json_object_get_array_member (entry, bad ? "chunks_before_error_b64" : "chunks_b64");
  gsize length;
  const guint8 *data = g_bytes_get_data (stream, &length);
  gboolean good = TRUE;

  for (gsize at = 0; good && at < length;)
    {
      gsize size = next (length - at);

      good = veil_ohttp_chunk_opener_push (opener, data + at, size, &error);
      at += size;
    }
  if (good)
    {
      g_assert_false (received.final); /* which only the end of the body can tell */
      good = veil_ohttp_chunk_opener_finish (opener, &error);
    }

  if (!good && vectors_boolean (entry, "allow_refuse"))
    {
      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_SEAL);
      return;
    }
  if (bad)
    g_assert_error (error, VEIL_ERROR, VEIL_ERROR_SEAL);
  else
    g_assert_no_error (error);
  g_assert_true (good == !bad);
  g_assert_true (received.final == !bad);
  if (chunks->len != json_array_get_length (expected))
    g_error ("%s: %u chunks instead of %u", name, chunks->len, json_array_get_length (expected));
  for (guint i = 0; i < chunks->len; i++)
    {
      GBytes *chunk = g_ptr_array_index (chunks, i);
      gsize expected_length;
      g_autofree guchar *bytes = g_base64_decode (json_array_get_string_element (expected, i), &expected_length);
      g_autoptr (GBytes) plaintext = g_bytes_new (bytes, expected_length);

      vectors_assert_equal (name, "chunk", g_bytes_get_data (chunk, NULL), g_bytes_get_size (chunk), plaintext);
    }
  g_assert_false (veil_ohttp_chunk_opener_push (opener, (const guint8 *) "x", 1, NULL));
  g_assert_false (veil_ohttp_chunk_opener_finish (opener, NULL));
}

static void
check_chunked (const char *name, JsonObject *entry)
{
  g_autoptr (GBytes) enc = vectors_hex (entry, "enc_hex");
  g_autoptr (GBytes) secret = vectors_hex (entry, "chunked_response_secret_hex");
  g_autoptr (GBytes) stream = vectors_base64 (entry, "stream_b64");
  g_autoptr (VeilOhttpClient) client = veil_ohttp_client_new_for_response (key_of (enc), key_of (secret), key_of (secret));

  feed (name, entry, client, stream, everything);
  feed (name, entry, client, stream, one_byte);
  for (guint i = 0; i < 20; i++)
    feed (name, entry, client, stream, at_random);
}

typedef struct
{
  const char *kind;
  void (*check) (const char *name, JsonObject *entry);
  guint seen;
} Kind;

static void
check_kind (const char *name, JsonObject *entry, gpointer user_data)
{
  Kind *kind = user_data;

  if (!g_str_equal (vectors_string (entry, "kind"), kind->kind))
    return;
  kind->seen++;
  kind->check (name, entry);
}

static void
run_kind (const char *file_name, Kind kind, guint at_least)
{
  g_autoptr (JsonObject) file = vectors_load (file_name);

  vectors_foreach (file, check_kind, &kind);
  g_assert_cmpuint (kind.seen, >=, at_least);
}

static void
test_requests (void)
{
  run_kind ("ohttp.json", (Kind){ "request", check_request }, 18);
}

static void
test_singles (void)
{
  run_kind ("ohttp.json", (Kind){ "single", check_single }, 21);
}

static void
test_chunked (void)
{
  run_kind ("ohttp.json", (Kind){ "chunked", check_chunked }, 68);
}

static void
check_key_config (const char *name, JsonObject *entry)
{
  g_autoptr (GBytes) config = vectors_hex (entry, "key_config_hex");
  g_autoptr (GError) error = NULL;
  VeilOhttpKey key;
  gboolean valid = veil_ohttp_key_parse_config (&key, g_bytes_get_data (config, NULL), g_bytes_get_size (config), &error);

  if (!vectors_boolean (entry, "valid"))
    {
      g_assert_false (valid);
      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_TEE_UNUSABLE);
      return;
    }
  g_assert_no_error (error);
  g_assert_true (valid);
  assert_hex (entry, name, "public_key_hex", key.public_key, sizeof key.public_key);
  g_assert_cmpint (key.key_id, ==, json_object_get_int_member (entry, "key_id"));
  g_assert_cmpuint (key.kem_id, ==, VEIL_HPKE_KEM_ID);
  g_assert_cmpuint (key.kdf_id, ==, VEIL_HPKE_KDF_ID);
  g_assert_cmpuint (key.aead_id, ==, VEIL_HPKE_AEAD_ID);
}

static void
test_key_configs (void)
{
  run_kind ("tee-ids.json", (Kind){ "key_config", check_key_config }, 11);
}

/* The suites must be whole ones, and nothing is read past the end, wherever that is. */
static void
test_key_config_borders (void)
{
  const guint8 config[] = { 7, 0, 0x20, [35] = 0, 8, 0, 1, 0, 3, 0, 1, 0, 3 };

  for (gsize length = 0; length <= sizeof config; length++)
    {
      g_autofree guint8 *copy = g_memdup2 (config, length);
      gsize suites = length - 37;
      VeilOhttpKey key;

      if (length >= 37)
        copy[36] = suites;
      g_assert_true (veil_ohttp_key_parse_config (&key, copy, length, NULL) == (length >= 41 && suites % 4 == 0));
    }
}

static VeilOhttpKey
some_key (void)
{
  /* RFC 9180 A.2.1 */
  g_autoptr (GBytes) public_key = vectors_hex_text ("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a");
  VeilOhttpKey key = { 9, VEIL_HPKE_KEM_ID, VEIL_HPKE_KDF_ID, VEIL_HPKE_AEAD_ID };

  memcpy (key.public_key, key_of (public_key), sizeof key.public_key);
  return key;
}

/* Padding is spaces inside the seal: what is sealed is the same as if the caller had written them. */
static void
test_padding (void)
{
  const guint8 ephemeral[32] = { 4, 5, 6 };
  VeilOhttpKey key = some_key ();
  g_autoptr (VeilOhttpClient) padded = veil_ohttp_client_new_with_ephemeral (&key, ephemeral, NULL);
  g_autoptr (VeilOhttpClient) written = veil_ohttp_client_new_with_ephemeral (&key, ephemeral, NULL);
  g_autoptr (GBytes) first = veil_ohttp_client_seal (padded, (const guint8 *) "{}", 2, 3);
  g_autoptr (GBytes) second = veil_ohttp_client_seal (written, (const guint8 *) "{}   ", 5, 0);

  g_assert_true (g_bytes_equal (first, second));
}

static void
test_fresh (void)
{
  VeilOhttpKey key = some_key ();
  g_autoptr (VeilOhttpClient) first = veil_ohttp_client_new (&key, NULL);
  g_autoptr (VeilOhttpClient) second = veil_ohttp_client_new (&key, NULL);

  g_assert_cmpint (memcmp (veil_ohttp_client_get_enc (first), veil_ohttp_client_get_enc (second), 32), !=, 0);
  g_assert_cmpint (memcmp (veil_ohttp_client_get_response_secret (first), veil_ohttp_client_get_chunked_secret (first), 32), !=, 0);
}

/* A second message under the same response secrets is a mistake of the program, and is not sealed. */
static void
test_seal_twice (void)
{
  VeilOhttpKey key = some_key ();

  if (g_test_subprocess ())
    {
      g_autoptr (VeilOhttpClient) client = veil_ohttp_client_new (&key, NULL);

      for (guint i = 0; i < 2; i++)
        g_bytes_unref (veil_ohttp_client_seal (client, (const guint8 *) "1", 1, 0));
      return;
    }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*self->sender != NULL*");
}

/* A stream as an enclave would send it, with the counter and the varints written down here once more. */
static GByteArray *
seal_stream (const VeilOhttpResponseKeys *keys, const guint8 *response_nonce, const gsize *lengths, guint n_lengths)
{
  GByteArray *stream = g_byte_array_new ();

  g_byte_array_append (stream, response_nonce, 32);
  for (guint i = 0; i < n_lengths; i++)
    {
      gboolean final = i == n_lengths - 1;
      gsize sealed_length = lengths[i] + VEIL_HPKE_TAG_SIZE;
      g_autofree guint8 *sealed = g_malloc (sealed_length);
      guint8 nonce[12], varint[4];

      memcpy (nonce, keys->nonce, sizeof nonce);
      nonce[11] ^= i;
      memset (sealed, 'a' + i, lengths[i]);
      veil_aead_seal (keys->key, nonce, (const guint8 *) "final", final ? 5 : 0, sealed, lengths[i], sealed);
      varint[0] = 0x80 | sealed_length >> 24;
      varint[1] = sealed_length >> 16;
      varint[2] = sealed_length >> 8;
      varint[3] = sealed_length;
      g_byte_array_append (stream, final ? (const guint8 *) "" : varint, final ? 1 : 4);
      g_byte_array_append (stream, sealed, sealed_length);
    }
  return stream;
}

static void
count_bytes (const guint8 *plaintext, gsize length, gboolean final, gpointer user_data)
{
  for (gsize i = 0; i < length; i++)
    g_assert_cmpint (plaintext[i], >=, 'a');
  *(gsize *) user_data += length;
}

/* Megabytes in a chunk, pushed as a socket would: linear in the length, or the test takes hours. */
static void
test_large_chunks (void)
{
  const gsize lengths[] = { 5000000, 0, 3, 4000000, 3000000 };
  const guint8 enc[32] = { 1 }, secret[32] = { 2 }, response_nonce[32] = { 3 };
  g_autoptr (VeilOhttpClient) client = veil_ohttp_client_new_for_response (enc, secret, secret);
  g_autoptr (GByteArray) stream = NULL;
  VeilOhttpResponseKeys keys;
  const gsize steps[] = { 7, 8192, 1000003, G_MAXSIZE };

  veil_ohttp_derive_response_keys (enc, secret, response_nonce, &keys);
  stream = seal_stream (&keys, response_nonce, lengths, G_N_ELEMENTS (lengths));
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      gsize total = 0;
      g_autoptr (VeilOhttpChunkOpener) opener = veil_ohttp_chunk_opener_new (client, count_bytes, &total);

      for (gsize at = 0; at < stream->len;)
        {
          gsize size = MIN (steps[i], stream->len - at);

          g_assert_true (veil_ohttp_chunk_opener_push (opener, stream->data + at, size, NULL));
          at += size;
        }
      g_assert_true (veil_ohttp_chunk_opener_finish (opener, NULL));
      g_assert_cmpuint (total, ==, 12000003);
    }
}

/* What is claimed is not what is allocated, and what is impossible is refused at once. */
static void
test_claimed_lengths (void)
{
  static const struct
  {
    const char *varint;
    gsize length;
    gboolean refused;
  } claims[] = {
    { "\xff\xff\xff\xff\xff\xff\xff\xff", 8, TRUE },
    { "\xc0\x00\x00\x01\x00\x00\x00\x00", 8, TRUE },
    { "\xc0\x00\x00\x00\x40\x00\x00\x01", 8, TRUE },
    { "\xc0\x00\x00\x00\x40\x00\x00\x00", 8, FALSE },
    { "\xbf\xff\xff\xff", 4, FALSE },
    { "\x0f", 1, TRUE },
    { "\x10", 1, FALSE },
    { "\x40\x0f", 2, TRUE },
    { "\x40\x10", 2, FALSE },
    { "\x40\x00", 2, TRUE },
    { "\x80\x00\x00\x00", 4, TRUE },
    { "\xc0\x00\x00\x00\x00\x00\x00\x00", 8, TRUE },
  };
  const guint8 key[32] = { 1 };
  g_autoptr (VeilOhttpClient) client = veil_ohttp_client_new_for_response (key, key, key);

  for (guint i = 0; i < G_N_ELEMENTS (claims); i++)
    {
      g_autoptr (VeilOhttpChunkOpener) opener = veil_ohttp_chunk_opener_new (client, count_bytes, NULL);
      const guint8 *varint = (const guint8 *) claims[i].varint;

      g_assert_true (veil_ohttp_chunk_opener_push (opener, key, sizeof key, NULL));
      g_assert_true (veil_ohttp_chunk_opener_push (opener, varint, claims[i].length - 1, NULL));
      g_assert_true (veil_ohttp_chunk_opener_push (opener, varint + claims[i].length - 1, 1, NULL) == !claims[i].refused);
      if (!claims[i].refused)
        g_assert_true (veil_ohttp_chunk_opener_push (opener, (const guint8 *) "12345678", 8, NULL));
      g_assert_false (veil_ohttp_chunk_opener_finish (opener, NULL));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ohttp/vectors/requests", test_requests);
  g_test_add_func ("/ohttp/vectors/singles", test_singles);
  g_test_add_func ("/ohttp/vectors/chunked", test_chunked);
  g_test_add_func ("/ohttp/vectors/key-configs", test_key_configs);
  g_test_add_func ("/ohttp/key-config-borders", test_key_config_borders);
  g_test_add_func ("/ohttp/padding", test_padding);
  g_test_add_func ("/ohttp/fresh", test_fresh);
  g_test_add_func ("/ohttp/seal-twice", test_seal_twice);
  g_test_add_func ("/ohttp/chunked/large", test_large_chunks);
  g_test_add_func ("/ohttp/chunked/claimed-lengths", test_claimed_lengths);
  return g_test_run ();
}
