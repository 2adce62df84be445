/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include <string.h>

#include "keccak.h"
#include "vectors.h"

static const char *
kind_of (JsonObject *entry)
{
  return vectors_string (entry, "kind");
}

static void
update_bytes (VeilKeccak256 *state, GBytes *bytes)
{
  gsize length;
  const guint8 *data = g_bytes_get_data (bytes, &length);

  veil_keccak256_update (state, data, length);
}

static void
check_hash (const char *name, JsonObject *entry, gpointer user_data)
{
  g_autoptr (GBytes) input = vectors_base64 (entry, "input_b64");
  g_autoptr (GBytes) expected = vectors_hex (entry, "hash_hex");
  guint8 hash[VEIL_KECCAK256_SIZE];
  const guint8 *data;
  gsize length;

  if (!g_str_equal (kind_of (entry), "keccak256"))
    return;
  ++*(guint *) user_data;
  data = g_bytes_get_data (input, &length);
  veil_keccak256 (data, length, hash);
  vectors_assert_equal (name, "hash", hash, sizeof hash, expected);

  for (gsize step = 1; step <= 300; step += step < 10 ? 1 : 63)
    {
      VeilKeccak256 state;

      veil_keccak256_init (&state);
      for (gsize at = 0; at < length; at += step)
        veil_keccak256_update (&state, data + at, MIN (step, length - at));
      veil_keccak256_digest (&state, hash);
      vectors_assert_equal (name, "hash of pieces", hash, sizeof hash, expected);
    }
}

static void
test_hashes (void)
{
  g_autoptr (JsonObject) file = vectors_load ("tee-ids.json");
  guint seen = 0;

  vectors_foreach (file, check_hash, &seen);
  g_assert_cmpuint (seen, >=, 15);
}

static void
check_tee_id (const char *name, JsonObject *entry, gpointer user_data)
{
  g_autoptr (GBytes) der = vectors_base64 (entry, "der_b64");
  g_autoptr (GBytes) expected = vectors_hex (entry, "tee_id");
  guint8 hash[VEIL_KECCAK256_SIZE];
  const guint8 *data;
  gsize length;

  if (!g_str_equal (kind_of (entry), "key"))
    return;
  ++*(guint *) user_data;
  data = g_bytes_get_data (der, &length);
  veil_keccak256 (data, length, hash);
  vectors_assert_equal (name, "tee_id", hash, sizeof hash, expected);
}

static void
test_tee_ids (void)
{
  g_autoptr (JsonObject) file = vectors_load ("tee-ids.json");
  guint seen = 0;

  vectors_foreach (file, check_tee_id, &seen);
  g_assert_cmpuint (seen, >=, 26);
}

static void
update_number (VeilKeccak256 *state, JsonObject *entry, const char *key)
{
  guint8 word[32] = { 0 };
  gint64 value = json_object_get_int_member (entry, key);

  word[30] = value >> 8;
  word[31] = value & 0xff;
  veil_keccak256_update (state, word, sizeof word);
}

static void
update_hash (VeilKeccak256 *state, GBytes *bytes)
{
  guint8 hash[VEIL_KECCAK256_SIZE];
  gsize length;
  const guint8 *data = g_bytes_get_data (bytes, &length);

  veil_keccak256 (data, length, hash);
  veil_keccak256_update (state, hash, sizeof hash);
}

static void
check_config_hash (const char *name, JsonObject *entry, gpointer user_data)
{
  g_autoptr (GBytes) domain = g_bytes_new_static ("OPENGRADIENT_TEE_OHTTP_CONFIG_V1", 32);
  g_autoptr (GBytes) tee_id = vectors_hex (entry, "tee_id");
  g_autoptr (GBytes) public_key = vectors_hex (entry, "public_key_hex");
  g_autoptr (GBytes) key_config = vectors_hex (entry, "key_config_hex");
  g_autoptr (GBytes) expected = vectors_hex (entry, "hash_hex");
  guint8 hash[VEIL_KECCAK256_SIZE];
  VeilKeccak256 state;

  if (!g_str_equal (kind_of (entry), "config_hash"))
    return;
  ++*(guint *) user_data;
  veil_keccak256_init (&state);
  update_hash (&state, domain);
  update_bytes (&state, tee_id);
  update_number (&state, entry, "key_id");
  update_number (&state, entry, "kem_id");
  update_number (&state, entry, "kdf_id");
  update_number (&state, entry, "aead_id");
  update_hash (&state, public_key);
  update_hash (&state, key_config);
  veil_keccak256_digest (&state, hash);
  vectors_assert_equal (name, "hash", hash, sizeof hash, expected);
}

static void
test_config_hashes (void)
{
  g_autoptr (JsonObject) file = vectors_load ("tee-ids.json");
  guint seen = 0;

  vectors_foreach (file, check_config_hash, &seen);
  g_assert_cmpuint (seen, >=, 11);
}

/* Every length around the block borders, in one and in three pieces: the pieces must not matter. */
static void
test_borders (void)
{
  guint8 data[3 * 136 + 2];

  for (gsize i = 0; i < sizeof data; i++)
    data[i] = i * 7;
  for (gsize length = 0; length <= sizeof data; length++)
    for (gsize cut = 0; cut <= length; cut += 17)
      {
        guint8 whole[VEIL_KECCAK256_SIZE], pieces[VEIL_KECCAK256_SIZE];
        VeilKeccak256 state;

        veil_keccak256 (data, length, whole);
        veil_keccak256_init (&state);
        veil_keccak256_update (&state, data, cut);
        veil_keccak256_update (&state, NULL, 0);
        veil_keccak256_update (&state, data + cut, length - cut);
        veil_keccak256_digest (&state, pieces);
        g_assert_cmpmem (whole, sizeof whole, pieces, sizeof pieces);
      }
}

static void
test_fork (void)
{
  guint8 first[VEIL_KECCAK256_SIZE], second[VEIL_KECCAK256_SIZE], expected[VEIL_KECCAK256_SIZE];
  VeilKeccak256 state, copy;

  veil_keccak256_init (&state);
  veil_keccak256_update (&state, "abc", 3);
  copy = state;
  veil_keccak256_update (&state, "def", 3);
  veil_keccak256_digest (&state, first);
  veil_keccak256_digest (&copy, second);
  veil_keccak256 ("abcdef", 6, expected);
  g_assert_cmpmem (first, sizeof first, expected, sizeof expected);
  veil_keccak256 ("abc", 3, expected);
  g_assert_cmpmem (second, sizeof second, expected, sizeof expected);
}

static void
test_wiped (void)
{
  static const VeilKeccak256 zero;
  guint8 hash[VEIL_KECCAK256_SIZE];
  VeilKeccak256 state;

  veil_keccak256_init (&state);
  veil_keccak256_update (&state, "secret", 6);
  veil_keccak256_digest (&state, hash);
  g_assert_cmpint (memcmp (&state, &zero, sizeof state), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/keccak/vectors/hashes", test_hashes);
  g_test_add_func ("/keccak/vectors/tee-ids", test_tee_ids);
  g_test_add_func ("/keccak/vectors/config-hashes", test_config_hashes);
  g_test_add_func ("/keccak/borders", test_borders);
  g_test_add_func ("/keccak/fork", test_fork);
  g_test_add_func ("/keccak/wiped", test_wiped);
  return g_test_run ();
}
