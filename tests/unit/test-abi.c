/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "abi.h"
#include "hex.h"
#include "vectors.h"
#include "veil-error.h"

#include <string.h>

typedef struct
{
  guint calls;
  guint results;
  guint malformed;
  guint entries;
} Counts;

static void
check_call (const char *name, JsonObject *entry, Counts *counts)
{
  const char *function = vectors_string (entry, "function");
  g_autoptr (GBytes) id = vectors_hex (entry, "tee_id");
  guint8 tee_type = json_object_get_int_member_with_default (entry, "tee_type", 0);
  g_autofree char *call = NULL;

  if (g_str_equal (function, "getActiveTEEs"))
    call = veil_abi_encode_get_active_tees (tee_type);
  else if (g_str_equal (function, "getEnabledTEEs"))
    call = veil_abi_encode_get_enabled_tees (tee_type);
  else if (g_str_equal (function, "getTEE"))
    call = veil_abi_encode_get_tee (g_bytes_get_data (id, NULL));
  else if (g_str_equal (function, "isTEEActive"))
    call = veil_abi_encode_is_tee_active (g_bytes_get_data (id, NULL));
  else
    return;
  g_assert_cmpstr (call, ==, vectors_string (entry, "data_hex"));
  counts->calls++;
}

static void
assert_bytes (const char *name, JsonObject *decoded, const char *key, GBytes *got)
{
  g_autoptr (GBytes) expected = vectors_base64 (decoded, key);
  gsize length;
  const guint8 *data = g_bytes_get_data (got, &length);

  vectors_assert_equal (name, key, data, length, expected);
}

static guint64
saturated (JsonObject *decoded, const char *key)
{
  guint64 value;

  return g_ascii_string_to_unsigned (vectors_string (decoded, key), 10, 0, G_MAXUINT64, &value, NULL) ? value : G_MAXUINT64;
}

static void
check_usable (const char *name, JsonObject *decoded, JsonObject *ohttp, const VeilTee *tee)
{
  g_autoptr (GBytes) key = vectors_base64 (ohttp, "publicKey_b64");

  if (!json_object_get_null_member (decoded, "usable"))
    g_assert_cmpint (tee->unusable == NULL, ==, vectors_boolean (decoded, "usable"));
  else
    g_assert_nonnull (tee->unusable); /* switched off in the registry */
  if (tee->unusable != NULL)
    return;
  g_assert_nonnull (tee->signing_key);
  g_assert_cmpstr (tee->endpoint, ==, vectors_string (decoded, "endpoint"));
  g_assert_cmpuint (tee->ohttp_key.key_id, ==, json_object_get_int_member (ohttp, "keyId"));
  g_assert_cmpuint (tee->ohttp_key.kem_id, ==, json_object_get_int_member (ohttp, "kemId"));
  g_assert_cmpuint (tee->ohttp_key.kdf_id, ==, json_object_get_int_member (ohttp, "kdfId"));
  g_assert_cmpuint (tee->ohttp_key.aead_id, ==, json_object_get_int_member (ohttp, "aeadId"));
  vectors_assert_equal (name, "OHTTP key", tee->ohttp_key.public_key, sizeof tee->ohttp_key.public_key, key);
}

static void
check_tee (const char *name, JsonObject *decoded, const VeilTee *tee, Counts *counts)
{
  JsonObject *ohttp = json_object_get_object_member (decoded, "ohttpConfig");

  g_assert_cmpstr (tee->id, ==, vectors_string (decoded, "derived_tee_id"));
  g_assert_cmpstr (tee->pcr_hash, ==, vectors_string (decoded, "pcrHash"));
  g_assert_cmpuint (tee->tee_type, ==, json_object_get_int_member (decoded, "teeType"));
  g_assert_cmpint (tee->enabled, ==, vectors_boolean (decoded, "enabled"));
  g_assert_cmpuint (tee->registered_at, ==, saturated (decoded, "registeredAt"));
  g_assert_cmpuint (tee->last_heartbeat_at, ==, saturated (decoded, "lastHeartbeatAt"));
  assert_bytes (name, decoded, "publicKey_b64", tee->signing_key_der);
  assert_bytes (name, decoded, "tlsCertificate_b64", tee->tls_certificate);
  g_assert_true (g_utf8_validate (tee->endpoint, -1, NULL));
  check_usable (name, decoded, ohttp, tee);
  counts->entries++;
}

static void
check_tees (const char *name, JsonObject *entry, const guint8 *data, gsize length, Counts *counts)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) tees = veil_abi_decode_tees (data, length, &error);
  JsonArray *expected = json_object_get_array_member (entry, "decoded");

  g_assert_no_error (error);
  g_assert_cmpuint (tees->len, ==, json_array_get_length (expected));
  for (guint i = 0; i < tees->len; i++)
    check_tee (name, json_array_get_object_element (expected, i), tees->pdata[i], counts);
}

static void
check_ids (JsonObject *entry, const guint8 *data, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) ids = veil_abi_decode_tee_ids (data, length, &error);
  JsonArray *expected = json_object_get_array_member (entry, "decoded");

  g_assert_no_error (error);
  g_assert_cmpuint (ids->len, ==, json_array_get_length (expected));
  for (guint i = 0; i < ids->len; i++)
    g_assert_cmpstr (ids->pdata[i], ==, json_array_get_string_element (expected, i));
}

static void
check_result (const char *name, JsonObject *entry, Counts *counts)
{
  const char *function = vectors_string (entry, "function");
  g_autoptr (GBytes) bytes = vectors_hex (entry, "return_hex");
  g_autoptr (GError) error = NULL;
  gsize length;
  const guint8 *data = g_bytes_get_data (bytes, &length);
  gboolean truth;

  counts->results++;
  if (g_str_equal (function, "getActiveTEEs"))
    check_tees (name, entry, data, length, counts);
  else if (g_str_equal (function, "getTEE"))
    {
      g_autoptr (VeilTee) tee = veil_abi_decode_tee (data, length, &error);

      g_assert_no_error (error);
      check_tee (name, json_object_get_object_member (entry, "decoded"), tee, counts);
    }
  else if (g_str_has_prefix (function, "is"))
    {
      veil_abi_decode_bool (data, length, &truth, &error);
      g_assert_no_error (error);
      g_assert_cmpint (truth, ==, vectors_boolean (entry, "decoded"));
    }
  else
    check_ids (entry, data, length);
}

/* TRUE if refused, as VEIL_ERROR_REGISTRY. */
static gboolean
is_refused (const char *function, const guint8 *data, gsize length, GPtrArray **tees)
{
  g_autoptr (GError) error = NULL;
  gboolean refused;
  gboolean truth;

  if (g_str_equal (function, "getActiveTEEs"))
    {
      *tees = veil_abi_decode_tees (data, length, &error);
      refused = *tees == NULL;
    }
  else if (g_str_equal (function, "getTEE"))
    {
      VeilTee *tee = veil_abi_decode_tee (data, length, &error);

      refused = tee == NULL;
      g_clear_pointer (&tee, veil_tee_unref);
    }
  else if (g_str_has_prefix (function, "is"))
    refused = !veil_abi_decode_bool (data, length, &truth, &error);
  else
    {
      g_autoptr (GPtrArray) ids = veil_abi_decode_tee_ids (data, length, &error);

      refused = ids == NULL;
    }
  if (refused)
    g_assert_error (error, VEIL_ERROR, VEIL_ERROR_REGISTRY);
  else
    g_assert_no_error (error);
  return refused;
}

static void
check_malformed (const char *name, JsonObject *entry, Counts *counts)
{
  const char *hex = vectors_string (entry, "return_hex");
  const char *expect = vectors_string (entry, "expect");
  g_autoptr (GBytes) bytes = veil_hex_decode_bytes (hex, strlen (hex), 1024 * 1024);
  g_autoptr (GPtrArray) tees = NULL;
  gboolean refused = TRUE;

  counts->malformed++;
  if (bytes != NULL)
    {
      /* The exact size on the heap, so that a sanitizer sees a byte too far. */
      gsize length;
      g_autofree guint8 *data = g_bytes_unref_to_data (g_steal_pointer (&bytes), &length);

      refused = is_refused (vectors_string (entry, "function"), data, length, &tees);
    }
  if (g_str_equal (expect, "refuse_or_skip_entry") && !refused)
    {
      guint unusable = 0;

      for (guint i = 0; i < tees->len; i++)
        unusable += ((VeilTee *) tees->pdata[i])->unusable != NULL;
      g_assert_cmpuint (unusable, ==, 1);
    }
  else if (!refused)
    g_error ("%s was accepted", name);
}

static void
check_entry (const char *name, JsonObject *entry, gpointer user_data)
{
  const char *kind = vectors_string (entry, "kind");

  if (g_str_equal (kind, "call"))
    check_call (name, entry, user_data);
  else if (g_str_equal (kind, "result"))
    check_result (name, entry, user_data);
  else if (g_str_equal (kind, "malformed"))
    check_malformed (name, entry, user_data);
  else
    g_error ("%s: unknown kind %s", name, kind);
}

static void
test_vectors (void)
{
  g_autoptr (JsonObject) file = vectors_load ("registry-abi.json");
  Counts counts = { 0 };

  vectors_foreach (file, check_entry, &counts);
  g_assert_cmpuint (counts.calls, ==, 6);
  g_assert_cmpuint (counts.results, ==, 16);
  g_assert_cmpuint (counts.malformed, ==, 93);
  g_assert_cmpuint (counts.entries, >=, 55);
}

static GBytes *
find_result (const char *wanted)
{
  g_autoptr (JsonObject) file = vectors_load ("registry-abi.json");
  JsonArray *cases = json_object_get_array_member (file, "cases");

  for (guint i = 0; i < json_array_get_length (cases); i++)
    {
      JsonObject *entry = json_array_get_object_element (cases, i);

      if (g_str_equal (vectors_string (entry, "name"), wanted))
        return vectors_hex (entry, "return_hex");
    }
  g_error ("no case %s", wanted);
  return NULL;
}

/* However the data is cut, it is refused; however one byte is changed, what comes out holds together. */
static void
test_cut_and_changed (void)
{
  g_autoptr (GBytes) bytes = find_result ("result/3");
  gsize length;
  const guint8 *data = g_bytes_get_data (bytes, &length);

  for (gsize cut = 0; cut < length; cut++)
    {
      g_autofree guint8 *copy = g_memdup2 (data, cut);
      g_autoptr (GError) error = NULL;

      g_assert_null (veil_abi_decode_tees (copy, cut, &error));
      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_REGISTRY);
    }
  for (gsize at = 0; at < length; at++)
    {
      g_autofree guint8 *copy = g_memdup2 (data, length);
      g_autoptr (GPtrArray) tees = NULL;

      copy[at] ^= 0x80;
      tees = veil_abi_decode_tees (copy, length, NULL);
      for (guint i = 0; tees != NULL && i < tees->len; i++)
        g_assert_nonnull (((VeilTee *) tees->pdata[i])->id);
    }
}

/* What getApprovedPCRs and approvedPCRs return, whole, cut everywhere, and with each byte changed. */
static void
test_approvals (void)
{
  static const char list[] = "0000000000000000000000000000000000000000000000000000000000000020"
                             "0000000000000000000000000000000000000000000000000000000000000002"
                             "aa000000000000000000000000000000000000000000000000000000000000bb"
                             "0000000000000000000000000000000000000000000000000000000000000000"
                             "cc000000000000000000000000000000000000000000000000000000000000dd"
                             "00000000000000000000000000000000000000000000000000000000000000ff";
  static const char one[] = "0000000000000000000000000000000000000000000000000000000000000001"
                            "0000000000000000000000000000000000000000000000000000000000000000"
                            "0000000000000000000000000000000000000000000000000000000065000000"
                            "0000000000000000000000000000000000000000000000000000000000000080"
                            "0000000000000000000000000000000000000000000000000000000000000004"
                            "76312e3200000000000000000000000000000000000000000000000000000000";
  g_autoptr (GBytes) list_bytes = veil_hex_decode_bytes (list, strlen (list), 1000);
  g_autoptr (GBytes) one_bytes = veil_hex_decode_bytes (one, strlen (one), 1000);
  gsize length;
  const guint8 *data = g_bytes_get_data (list_bytes, &length);
  g_autoptr (GPtrArray) builds = veil_abi_decode_approved_pcrs (data, length, NULL);
  g_autoptr (VeilBuild) build = NULL;

  g_assert_cmpuint (builds->len, ==, 2);
  g_assert_cmpstr (((VeilBuild *) builds->pdata[0])->pcr_hash, ==,
                   "0xaa000000000000000000000000000000000000000000000000000000000000bb");
  g_assert_cmpuint (((VeilBuild *) builds->pdata[1])->tee_type, ==, 255);
  for (gsize cut = 0; cut < length; cut++)
    g_assert_null (veil_abi_decode_approved_pcrs (data, cut, NULL));

  data = g_bytes_get_data (one_bytes, &length);
  build = veil_abi_decode_approval (data, length, NULL);
  g_assert_true (build->approved);
  g_assert_cmpuint (build->approved_at, ==, 0x65000000);
  g_assert_cmpstr (build->version, ==, "v1.2");
  for (gsize cut = 0; cut < length; cut++)
    g_assert_null (veil_abi_decode_approval (data, cut, NULL));
  /* Bits that would change neither meaning nor length are not let pass. */
  for (gsize at = 0; at < 31; at++)
    {
      g_autofree guint8 *copy = g_memdup2 (data, length);

      copy[at] ^= 1;
      g_assert_null (veil_abi_decode_approval (copy, length, NULL));
      copy[at] ^= 1;
      copy[4 * 32 + at] ^= 0x80;
      g_assert_null (veil_abi_decode_approval (copy, length, NULL));
    }
}

static void
test_version (void)
{
  static const struct
  {
    const char *text;
    gsize length;
    const char *shown;
  } cases[] = {
    { "", 0, NULL },         { "v1", 2, "v1" },   { "\303\274", 2, "\303\274" }, { "\303", 1, NULL },
    { "a\033[2J", 5, NULL }, { "a\0b", 3, NULL }, { "a\342\200\256b", 5, NULL },
  };
  g_autofree char *longest = g_strnfill (129, 'v');
  g_autoptr (VeilBuild) build = veil_build_new (NULL, 0);

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      veil_build_set_version (build, (const guint8 *) cases[i].text, cases[i].length);
      g_assert_cmpstr (build->version, ==, cases[i].shown);
    }
  veil_build_set_version (build, (const guint8 *) longest, 128);
  g_assert_cmpuint (strlen (build->version), ==, 128);
  veil_build_set_version (build, (const guint8 *) longest, 129);
  g_assert_null (build->version);
}

/* A list far larger than any registry's is refused from its count alone. */
static void
test_too_many (void)
{
  const gsize length = 64 + 4097 * 32;
  g_autofree guint8 *data = g_malloc0 (length);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) ids = NULL;

  data[31] = 0x20;
  data[62] = 0x10;
  data[63] = 0x01;
  g_assert_null (veil_abi_decode_tee_ids (data, length, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_REGISTRY);

  data[63] = 0x00;
  ids = veil_abi_decode_tee_ids (data, length - 32, NULL);
  g_assert_cmpuint (ids->len, ==, 4096);
}

/* The list in tee.c against the arithmetic: exactly these keys give an all-zero shared secret. */
static void
test_small_order (void)
{
  const char *points[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  };
  guint8 key[32];

  for (gsize i = 0; i < G_N_ELEMENTS (points); i++)
    for (guint top = 0; top < 2; top++)
      {
        g_autoptr (GError) error = NULL;

        g_assert_true (veil_hex_decode (points[i], key, sizeof key));
        key[31] |= top << 7;
        g_assert_true (veil_tee_is_small_order (key));
        g_assert_null (veil_hpke_sender_new (key, (const guint8 *) "", 0, &error));
        g_assert_error (error, VEIL_ERROR, VEIL_ERROR_TEE_UNUSABLE);
      }
  for (guint i = 2; i < 200; i++)
    {
      g_autoptr (VeilHpkeSender) sender = NULL;

      memset (key, 0, sizeof key);
      key[0] = i;
      g_assert_false (veil_tee_is_small_order (key));
      sender = veil_hpke_sender_new (key, (const guint8 *) "", 0, NULL);
      g_assert_nonnull (sender);
    }
}

static void
test_unusable (void)
{
  const guint8 key[32] = { 9 };
  const guint8 zero[32] = { 0 };
  const VeilOhttpKey suite = { 1, VEIL_HPKE_KEM_ID, VEIL_HPKE_KDF_ID, VEIL_HPKE_AEAD_ID, { 0 } };
  const VeilOhttpKey foreign = { 1, VEIL_HPKE_KEM_ID, VEIL_HPKE_KDF_ID, 1, { 0 } };
  g_autofree guint8 *config = g_malloc0 (41);
  const struct
  {
    const VeilOhttpKey *suite;
    const guint8 *key;
    gsize key_length;
    gsize config_length;
    const char *reason; /* a part of it; NULL: usable */
  } cases[] = {
    { &suite, key, 32, 0, NULL },        { &suite, key, 32, 41, NULL },        { &suite, key, 32, 40, "cannot be read" },
    { &suite, key, 31, 0, "32 bytes" },  { &suite, key, 0, 0, "no HPKE key" }, { &suite, zero, 32, 0, "small order" },
    { &foreign, key, 32, 0, "foreign" },
  };

  memcpy (config, "\x01\x00\x20", 3);
  memcpy (config + 3, key, 32);
  memcpy (config + 35, "\x00\x04\x00\x01\x00\x03", 6);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (VeilTee) tee = veil_tee_new ();

      veil_tee_set_ohttp_key (tee, cases[i].suite, cases[i].key, cases[i].key_length, config, cases[i].config_length);
      g_assert_cmpint (tee->unusable == NULL, ==, cases[i].reason == NULL);
      if (cases[i].reason != NULL)
        g_assert_nonnull (strstr (tee->unusable, cases[i].reason));
    }
  for (gsize at = 0; at < 41; at++)
    {
      g_autoptr (VeilTee) tee = veil_tee_new ();

      config[at] ^= 1;
      veil_tee_set_ohttp_key (tee, &suite, key, 32, config, 41);
      config[at] ^= 1;
      g_assert_nonnull (tee->unusable);
    }
}

/* Shown in terminals and windows: what could forge a line there is not taken over. */
static void
test_endpoint (void)
{
  const char *bad[] = { "https://a\x1b[2J",
                        "https://a\r\nb",
                        "https://a\xe2\x80\xae"
                        "b",
                        "https://a\xe2\x80\xa8"
                        "b",
                        "https://a\xc2\x9b"
                        "b",
                        "\xff",
                        "" };
  g_autoptr (VeilTee) good = veil_tee_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (VeilTee) tee = veil_tee_new ();

      veil_tee_set_endpoint (tee, (const guint8 *) bad[i], strlen (bad[i]));
      g_assert_nonnull (tee->unusable);
      g_assert_cmpstr (tee->endpoint, ==, "");
    }
  veil_tee_set_endpoint (good, (const guint8 *) "https://t\xc3\xa9\xc3\xa9.example", strlen ("https://t\xc3\xa9\xc3\xa9.example"));
  g_assert_null (good->unusable);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/abi/vectors", test_vectors);
  g_test_add_func ("/abi/cut-and-changed", test_cut_and_changed);
  g_test_add_func ("/abi/approvals", test_approvals);
  g_test_add_func ("/abi/version", test_version);
  g_test_add_func ("/abi/too-many", test_too_many);
  g_test_add_func ("/abi/small-order", test_small_order);
  g_test_add_func ("/abi/unusable", test_unusable);
  g_test_add_func ("/abi/endpoint", test_endpoint);
  return g_test_run ();
}
