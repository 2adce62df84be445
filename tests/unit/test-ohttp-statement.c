/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "hex.h"
#include "ohttp-statement.h"
#include "vectors.h"
#include "veil-error.h"

#include <string.h>

static void
read_key (JsonObject *entry, VeilOhttpKey *key, GBytes *public_key)
{
  key->key_id = json_object_get_int_member (entry, "key_id");
  key->kem_id = json_object_get_int_member (entry, "kem_id");
  key->kdf_id = json_object_get_int_member (entry, "kdf_id");
  key->aead_id = json_object_get_int_member (entry, "aead_id");
  memcpy (key->public_key, g_bytes_get_data (public_key, NULL), sizeof key->public_key);
}

static void
check_digest (const char *name, JsonObject *entry, gpointer user_data)
{
  g_autoptr (GBytes) public_key = NULL;
  g_autoptr (GBytes) config = NULL;
  g_autoptr (GBytes) expected = NULL;
  VeilOhttpKey key;
  guint8 tee_id[32], digest[32];

  if (!g_str_equal (vectors_string (entry, "kind"), "config_hash"))
    return;
  public_key = vectors_hex (entry, "public_key_hex");
  if (g_bytes_get_size (public_key) != sizeof key.public_key)
    return; /* nothing of that kind is ever hashed here */
  config = vectors_hex (entry, "key_config_hex");
  expected = vectors_hex (entry, "hash_hex");
  read_key (entry, &key, public_key);
  g_assert_true (veil_hex_decode (vectors_string (entry, "tee_id"), tee_id, sizeof tee_id));
  veil_ohttp_statement_digest (tee_id, &key, g_bytes_get_data (config, NULL), g_bytes_get_size (config), digest);
  vectors_assert_equal (name, "digest", digest, sizeof digest, expected);
  ++*(guint *) user_data;
}

static void
test_digest (void)
{
  g_autoptr (JsonObject) file = vectors_load ("tee-ids.json");
  guint seen = 0;

  vectors_foreach (file, check_digest, &seen);
  g_assert_cmpuint (seen, >=, 9);
}

/* The one that the vectors have signed. */
typedef struct
{
  VeilTee *tee;
  char *public_key; /* hex */
  char *config;     /* base64 */
  char *signature;  /* base64 */
  char *bad_signature;
} Signed;

static void
find_signed (const char *name, JsonObject *entry, gpointer user_data)
{
  Signed *self = user_data;
  gsize length;

  if (g_str_equal (name, "config-hash/signed"))
    {
      g_autoptr (GBytes) public_key = vectors_hex (entry, "public_key_hex");
      g_autoptr (GBytes) config = vectors_hex (entry, "key_config_hex");
      const guint8 *data = g_bytes_get_data (config, &length);
      VeilOhttpKey key;

      read_key (entry, &key, public_key);
      veil_tee_set_ohttp_key (self->tee, &key, key.public_key, sizeof key.public_key, data, length);
      self->public_key = g_strdup (vectors_string (entry, "public_key_hex"));
      self->config = g_base64_encode (data, length);
    }
  else if (g_str_equal (name, "config-signature/good"))
    {
      g_autoptr (GBytes) der = vectors_base64 (entry, "der_b64");
      const guint8 *data = g_bytes_get_data (der, &length);

      veil_tee_set_signing_key (self->tee, data, length);
      self->signature = g_strdup (vectors_string (entry, "signature_b64"));
    }
  else if (g_str_equal (name, "config-signature/other-config"))
    self->bad_signature = g_strdup (vectors_string (entry, "signature_b64"));
}

static void
signed_init (Signed *self)
{
  g_autoptr (JsonObject) file = vectors_load ("tee-ids.json");

  self->tee = veil_tee_new ();
  vectors_foreach (file, find_signed, self);
  g_assert_nonnull (self->public_key);
  g_assert_nonnull (self->signature);
  g_assert_nonnull (self->bad_signature);
  g_assert_null (self->tee->unusable);
}

static void
signed_clear (Signed *self)
{
  veil_tee_unref (self->tee);
  g_free (self->public_key);
  g_free (self->config);
  g_free (self->signature);
  g_free (self->bad_signature);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Signed, signed_clear)

static char *
write_statement (const Signed *self)
{
  return g_strdup_printf ("{\"tee_id\":\"%s\",\"key_id\":1,\"kem_id\":32,\"kdf_id\":1,\"aead_id\":3,\"public_key\":\"%s\","
                          "\"key_config\":\"%s\",\"signature\":\"%s\",\"signature_hash\":\"0x00\"}",
                          self->tee->id, self->public_key, self->config, self->signature);
}

static void
assert_refused (const VeilTee *tee, const char *text)
{
  g_autoptr (GError) error = NULL;

  if (veil_ohttp_statement_check (tee, text, strlen (text), &error))
    g_error ("accepted: %s", text);
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_ATTEST_OHTTP);
}

static void
test_good (void)
{
  g_auto (Signed) self = { NULL };
  g_autofree char *text = NULL;
  g_autofree char *large = NULL;
  g_autoptr (GError) error = NULL;

  signed_init (&self);
  text = write_statement (&self);
  g_assert_true (veil_ohttp_statement_check (self.tee, text, strlen (text), &error));
  g_assert_no_error (error);
  large = g_strnfill (VEIL_OHTTP_STATEMENT_MAX_BYTES + 1, ' ');
  memcpy (large, text, strlen (text));
  assert_refused (self.tee, large);
  large[VEIL_OHTTP_STATEMENT_MAX_BYTES] = '\0';
  g_assert_true (veil_ohttp_statement_check (self.tee, large, strlen (large), &error));
}

static void
test_changes (void)
{
  static const struct
  {
    const char *old, *new;
  } changes[] = {
    { "\"tee_id\":\"0x6", "\"tee_id\":\"0x7" },
    { "\"tee_id\":\"0x", "\"tee_id\":\"0x0" },
    { "\"key_id\":1", "\"key_id\":2" },
    { "\"key_id\":1", "\"key_id\":257" },
    { "\"key_id\":1", "\"key_id\":\"1\"" },
    { "\"key_id\":1", "\"key_id\":-1" },
    { "\"key_id\":1", "\"key_id\":1.0" },
    { "\"key_id\":1,", "" },
    { "\"key_id\":1", "\"key_id\":2,\"key_id\":1" },
    { "\"kem_id\":32", "\"kem_id\":16" },
    { "\"kem_id\":32", "\"kem_id\":65568" },
    { "\"kdf_id\":1", "\"kdf_id\":2" },
    { "\"aead_id\":3", "\"aead_id\":1" },
    { "\"public_key\":\"2b", "\"public_key\":\"2c" },
    { "\"public_key\":\"2b", "\"public_key\":\"" },
    { "\"public_key\":\"2b", "\"public_key\":\"zz" },
    { "\"public_key\":\"2b", "\"public_keys\":\"2b" },
    { "\"key_config\":\"AQ", "\"key_config\":\"Ag" },
    { "\"key_config\":\"AQ", "\"key_config\":\"*Q" },
    { "\"key_config\":\"AQ", "\"key_config\":\"AQAAAQ" },
    { "\"key_config\":\"AQ", "\"key_configs\":\"AQ" },
    { "\"signature\":\"mS", "\"signature\":\"mT" },
    { "\"signature\":\"mS", "\"signature\":\"mSAAmS" },
    { "\"signature\":\"mS", "\"signature\":\"!S" },
    { "\"signature\":\"mS", "\"signatures\":\"mS" },
    { "{\"tee_id\"", "[{\"tee_id\"" },
    { "\"0x00\"}", "\"0x00\"" },
    { "\"0x00\"}", "\"0x00\"}}" },
  };
  g_auto (Signed) self = { NULL };
  g_autofree char *text = NULL;

  signed_init (&self);
  text = write_statement (&self);
  for (guint i = 0; i < G_N_ELEMENTS (changes); i++)
    {
      g_auto (GStrv) parts = g_strsplit (text, changes[i].old, 2);
      g_autofree char *changed = g_strjoinv (changes[i].new, parts);

      g_assert_cmpuint (g_strv_length (parts), ==, 2);
      assert_refused (self.tee, changed);
    }
  assert_refused (self.tee, "");
  assert_refused (self.tee, "null");
  assert_refused (self.tee, "[]");
  assert_refused (self.tee, "{}");
}

/* True statements, but not about what the registry says. */
static void
test_other_registry (void)
{
  g_auto (Signed) self = { NULL };
  g_autofree char *text = NULL;
  g_autofree char *bad = NULL;
  VeilRsaKey *key;

  signed_init (&self);
  text = write_statement (&self);
  self.tee->ohttp_key.public_key[31] ^= 1;
  assert_refused (self.tee, text);
  self.tee->ohttp_key.public_key[31] ^= 1;
  self.tee->ohttp_key.key_id++;
  assert_refused (self.tee, text);
  self.tee->ohttp_key.key_id--;
  self.tee->id[10] ^= 1;
  assert_refused (self.tee, text);
  self.tee->id[10] ^= 1;
  key = g_steal_pointer (&self.tee->signing_key);
  assert_refused (self.tee, text);
  self.tee->signing_key = key;
  g_assert_true (veil_ohttp_statement_check (self.tee, text, strlen (text), NULL));
  g_free (self.signature);
  self.signature = g_strdup (self.bad_signature);
  bad = write_statement (&self);
  assert_refused (self.tee, bad);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ohttp-statement/digest", test_digest);
  g_test_add_func ("/ohttp-statement/good", test_good);
  g_test_add_func ("/ohttp-statement/changes", test_changes);
  g_test_add_func ("/ohttp-statement/other-registry", test_other_registry);
  return g_test_run ();
}
