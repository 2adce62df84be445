/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "receipt.h"

#include "receipt-private.h"
#include "signer.h"
#include "veil-error.h"

#include <string.h>

#define PCR "0x0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ARRIVED (SIGNER_NOW * G_GINT64_CONSTANT (1000000) + 123456)

static Signer *signer;
static Signer *other_signer;

static VeilProof *
make_proof (Signer *by, const char *output, guint64 timestamp)
{
  static const char *const content[] = { "content", NULL };
  static const char *const uncovered[] = { "id", "usage", "choices[0].message.\342\200\246", NULL };
  static const char *const dropped[] = { "user", NULL };
  g_autofree char *members = signer_sign_full (by, by->request_hash, output, timestamp);
  g_autofree char *text = g_strdup_printf ("{%s}", members);
  g_autoptr (VeilJsonDoc) doc = veil_json_doc_new (text, strlen (text), NULL);
  const char *signature = veil_json_get_string (veil_json_get_member (veil_json_doc_get_root (doc), "tee_signature"), NULL);
  VeilProof *proof = veil_proof_new ();

  proof->tee_id = g_strdup (by->tee_id);
  proof->tee_endpoint = g_strdup ("https://tee.example:8443");
  proof->pcr_hash = g_strdup (PCR);
  memcpy (proof->request_hash, by->request_hash, 32);
  veil_keccak256 (output, strlen (output), proof->output_hash);
  proof->timestamp = timestamp;
  proof->signature = veil_base64_decode (signature, strlen (signature));
  proof->signing_key = g_bytes_new (by->der->data, by->der->len);
  proof->signed_ = g_strdupv ((char **) content);
  proof->unsigned_ = g_strdupv ((char **) uncovered);
  proof->dropped = g_strdupv ((char **) dropped);
  return proof;
}

static VeilReceipt *
make_receipt (void)
{
  g_autoptr (VeilProof) proof = make_proof (signer, "Hi", SIGNER_NOW);
  const VeilTiming timing = { .parse = 11, .seal = 22, .relay = 33000, .open = 44, .verify = 55, .reply = 66 };

  return veil_receipt_new (proof, ARRIVED, "gpt-4.1", TRUE, 77, &timing);
}

static VeilReceipt *
read_receipt (const char *text, GError **error)
{
  return veil_receipt_new_from_data (text, strlen (text), error);
}

static char *
to_text (const VeilReceipt *receipt)
{
  g_autoptr (GBytes) bytes = veil_receipt_to_bytes (receipt);

  return g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

static void
assert_refused (const char *text, VeilError code, const char *param)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilReceipt) receipt = read_receipt (text, &error);

  if (receipt != NULL)
    g_error ("it is taken: %s", text);
  g_assert_error (error, VEIL_ERROR, (int) code);
  if (g_strcmp0 (veil_error_get_param (error), param) != 0)
    g_error ("%s: %s is blamed, not %s", error->message, veil_error_get_param (error), param);
}

static void
test_round_trip (void)
{
  g_autoptr (VeilReceipt) receipt = make_receipt ();
  g_autofree char *text = to_text (receipt), *again = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilReceipt) back = read_receipt (text, &error);

  g_assert_no_error (error);
  again = to_text (back);
  g_assert_cmpstr (again, ==, text);
  g_assert_true (g_str_has_suffix (text, "}\n"));
  g_assert_cmpint (back->time, ==, ARRIVED);
  g_assert_cmpstr (back->model, ==, "gpt-4.1");
  g_assert_true (back->stream);
  g_assert_cmpint (back->queue, ==, 77);
  g_assert_cmpint (back->timing.relay, ==, 33000);
  g_assert_cmpstr (back->proof->unsigned_[2], ==, "choices[0].message.\342\200\246");
  g_assert_true (veil_receipt_verify (back, &error));
  g_assert_no_error (error);
}

/* White space and the order of members mean nothing: somebody's pretty-printer may have been at it. */
static void
test_other_spelling (void)
{
  g_autoptr (VeilReceipt) receipt = make_receipt ();
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);
  g_autoptr (GBytes) compact = NULL;
  g_autofree char *text = NULL;
  g_autoptr (VeilReceipt) back = NULL;

  veil_receipt_write_json (receipt, writer);
  compact = veil_json_writer_finish (writer);
  text = g_strdup_printf (" \n%.*s\n\t", (int) g_bytes_get_size (compact), (const char *) g_bytes_get_data (compact, NULL));
  back = read_receipt (text, NULL);
  g_assert_nonnull (back);
}

/* The object with @path's value replaced (NULL: gone) or, if @twice, there a second time. */
static void
write_changed (VeilJsonWriter *writer, const VeilJson *object, const char *path, const char *value, gboolean twice)
{
  const char *dot = strchr (path, '.');
  gsize length = dot != NULL ? (gsize) (dot - path) : strlen (path);
  const VeilJson *member;
  const char *key;

  veil_json_writer_begin_object (writer);
  for (guint i = 0; (member = veil_json_get_member_at (object, i, &key, NULL)) != NULL; i++)
    {
      gboolean here = strlen (key) == length && memcmp (key, path, length) == 0;

      if (here && dot == NULL && value == NULL)
        continue;
      veil_json_writer_key (writer, key);
      if (here && dot != NULL)
        write_changed (writer, member, dot + 1, value, twice);
      else if (here)
        veil_json_writer_raw (writer, value, strlen (value));
      else
        veil_json_writer_value (writer, member);
      if (!here || !twice || dot != NULL)
        continue;
      veil_json_writer_key (writer, key);
      veil_json_writer_value (writer, member);
    }
  veil_json_writer_end_object (writer);
}

static char *
change (const char *text, const char *path, const char *value, gboolean twice)
{
  g_autoptr (VeilJsonDoc) doc = veil_json_doc_new (text, strlen (text), NULL);
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);
  g_autoptr (GBytes) bytes = NULL;

  write_changed (writer, veil_json_doc_get_root (doc), path, value, twice);
  bytes = veil_json_writer_finish (writer);
  return g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

static const char *const paths[] = {
  "digest",
  "dropped",
  "duration_us",
  "duration_us.open",
  "duration_us.parse",
  "duration_us.queue",
  "duration_us.relay",
  "duration_us.seal",
  "duration_us.verify",
  "model",
  "output_hash",
  "reasoning_effort_signed",
  "request_hash",
  "sandbox",
  "signature",
  "signed",
  "stream",
  "tee",
  "tee.endpoint",
  "tee.id",
  "tee.pcr_hash",
  "tee.signing_key",
  "time",
  "timestamp",
  "type",
  "unsigned",
  "version",
};

static char *
get_raw (const char *text, const char *path)
{
  g_autoptr (VeilJsonDoc) doc = veil_json_doc_new (text, strlen (text), NULL);
  const VeilJson *value = veil_json_doc_get_root (doc);
  g_auto (GStrv) keys = g_strsplit (path, ".", -1);
  g_autoptr (GBytes) bytes = NULL;

  for (guint i = 0; keys[i] != NULL; i++)
    value = veil_json_get_member (value, keys[i]);
  bytes = veil_json_to_bytes (value, VEIL_JSON_COMPACT);
  return g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

/* Every member of the schema: gone, twice (with the same value and another), of every other type, null, nested too deep. */
static void
test_each_member (void)
{
  static const char *const values[] = { "null",
                                        "true",
                                        "0",
                                        "-1",
                                        "1.5",
                                        "1e0",
                                        "\"\"",
                                        "\"x\"",
                                        "[]",
                                        "[[[[[[1]]]]]]",
                                        "{}",
                                        "99999999999999999999",
                                        "\"a\\u0000b\"",
                                        "\"\\ud800\"",
                                        "[\"content\",\"content\"]" };
  g_autoptr (VeilReceipt) receipt = make_receipt ();
  g_autofree char *text = to_text (receipt);

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autofree char *raw = get_raw (text, paths[i]);
      g_autofree char *gone = change (text, paths[i], NULL, FALSE);
      g_autofree char *same_twice = change (text, paths[i], raw, TRUE);
      g_autofree char *other_twice = change (text, paths[i], "17", TRUE);

      assert_refused (gone, VEIL_ERROR_RECEIPT, paths[i]);
      assert_refused (same_twice, VEIL_ERROR_RECEIPT, "the receipt");
      assert_refused (other_twice, VEIL_ERROR_RECEIPT, "the receipt");
      for (guint j = 0; j < G_N_ELEMENTS (values); j++)
        {
          g_autofree char *changed = change (text, paths[i], values[j], FALSE);
          g_autoptr (VeilReceipt) taken = NULL;
          g_autoptr (GError) error = NULL;

          if (g_str_equal (values[j], raw))
            continue;
          taken = read_receipt (changed, &error);
          if (taken != NULL)
            g_error ("%s as %s is taken", paths[i], values[j]);
          g_assert_error (error, VEIL_ERROR, VEIL_ERROR_RECEIPT);
        }
    }
}

/* A value of the right form, but another: the digest tells, whichever it is. */
static void
test_each_value (void)
{
  static const char *const changes[][2] = {
    { "dropped", "[]" },
    { "dropped", "[\"usex\"]" },
    { "duration_us.open", "45" },
    { "duration_us.parse", "12" },
    { "duration_us.queue", "78" },
    { "duration_us.relay", "33001" },
    { "duration_us.seal", "23" },
    { "duration_us.verify", "56" },
    { "model", "\"gpt-4.2\"" },
    { "output_hash", "\"" PCR "\"" },
    { "reasoning_effort_signed", "true" },
    { "reasoning_effort_signed", "false" },
    { "request_hash", "\"" PCR "\"" },
    { "sandbox", "true" },
    { "signature", "\"AAAA\"" },
    { "signed", "[\"tool_calls\"]" },
    { "stream", "false" },
    { "tee.endpoint", "\"https://tee.example:8444\"" },
    { "tee.id", "\"" PCR "\"" },
    { "tee.pcr_hash", "\"0x1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"" },
    { "tee.signing_key", "\"AAAA\"" },
    { "time", "\"2025-06-15T15:06:40.123457Z\"" },
    { "timestamp", "1750000001" },
    { "unsigned", "[\"usage\",\"id\",\"choices[0].message.…\"]" },
  };
  g_autoptr (VeilReceipt) receipt = make_receipt ();
  g_autofree char *text = to_text (receipt);

  for (guint i = 0; i < G_N_ELEMENTS (changes); i++)
    {
      g_autofree char *changed = change (text, changes[i][0], changes[i][1], FALSE);

      g_assert_cmpstr (changed, !=, text);
      assert_refused (changed, VEIL_ERROR_RECEIPT, "digest");
    }
}

/* Every bit of the file: what is still taken must say the same. */
static void
test_each_bit (void)
{
  g_autoptr (VeilReceipt) receipt = make_receipt ();
  g_autofree char *text = to_text (receipt);
  gsize length = strlen (text);
  guint taken = 0;

  for (gsize i = 0; i < 8 * length; i++)
    {
      g_autoptr (VeilReceipt) other = NULL;
      g_autofree char *again = NULL;

      text[i / 8] ^= (char) (1 << i % 8);
      other = veil_receipt_new_from_data (text, length, NULL);
      text[i / 8] ^= (char) (1 << i % 8);
      if (other == NULL)
        continue;
      again = to_text (other);
      g_assert_cmpstr (again, ==, text);
      taken++;
    }
  /* Other white space, and little else. */
  g_test_message ("%u of %zu", taken, 8 * length);
  g_assert_cmpuint (taken, <, 8 * length / 100);
}

static void
test_not_receipts (void)
{
  g_autoptr (VeilReceipt) receipt = make_receipt ();
  g_autofree char *text = to_text (receipt);
  g_autofree char *trailing = g_strconcat (text, "x", NULL);
  g_autofree char *two = g_strconcat (text, text, NULL);
  g_autofree char *more = change (text, "type", "\"ai.opengradient.veil.receipt\",\"more\":1", FALSE);
  g_autofree char *more_tee = change (text, "tee.id", "\"" PCR "\",\"more\":1", FALSE);
  g_autofree char *other_type = change (text, "type", "\"ai.opengradient.veil.refusal\"", FALSE);
  g_autofree char *version_0 = change (text, "version", "0", FALSE);
  g_autofree char *version_2 = change (text, "version", "2", FALSE);
  g_autofree char *deep = g_strnfill (100000, '[');
  g_autofree char *large = g_strnfill (VEIL_RECEIPT_MAX_SIZE + 1, ' ');
  g_autoptr (GError) error = NULL;

  for (gsize cut = 0; cut < strlen (text) - 1; cut += 97)
    {
      g_autofree char *short_text = g_strndup (text, cut);

      assert_refused (short_text, VEIL_ERROR_INVALID_JSON, NULL);
    }
  assert_refused (trailing, VEIL_ERROR_INVALID_JSON, NULL);
  assert_refused (two, VEIL_ERROR_INVALID_JSON, NULL);
  assert_refused (deep, VEIL_ERROR_INVALID_JSON, NULL);
  assert_refused (large, VEIL_ERROR_TOO_LARGE, NULL);
  assert_refused ("[]", VEIL_ERROR_RECEIPT, "type");
  assert_refused ("{}", VEIL_ERROR_RECEIPT, "type");
  assert_refused ("null", VEIL_ERROR_RECEIPT, "type");
  assert_refused (other_type, VEIL_ERROR_RECEIPT, "type");
  assert_refused (more, VEIL_ERROR_RECEIPT, "the receipt");
  assert_refused (more_tee, VEIL_ERROR_RECEIPT, "tee");
  assert_refused (version_0, VEIL_ERROR_RECEIPT, "version");
  assert_refused (version_2, VEIL_ERROR_RECEIPT, "version");
  g_assert_null (veil_receipt_new_from_data (NULL, 0, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_JSON);
  g_assert_null (veil_receipt_new_from_data (text, strlen (text) + 1, NULL));
}

/* Who forges makes the digest anew. What the enclave signed is caught all the same. */
static void
assert_forged (VeilReceipt *forged, VeilError code)
{
  g_autofree char *text = to_text (forged);
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilReceipt) receipt = read_receipt (text, &error);

  g_assert_no_error (error);
  g_assert_false (veil_receipt_verify (receipt, &error));
  g_assert_error (error, VEIL_ERROR, (int) code);
}

static VeilReceipt *
forge (VeilProof *proof)
{
  const VeilTiming timing = { .relay = 33000 };

  return veil_receipt_new (proof, ARRIVED, "gpt-4.1", FALSE, 0, &timing);
}

static void
test_forged (void)
{
  enum
  {
    REQUEST,
    OUTPUT,
    TIMESTAMP,
    TEE_ID,
    KEY,
    KEY_AND_ID,
    SIGNATURE,
    SHORT_SIGNATURE,
    NO_KEY,
    N
  };
  static const VeilError codes[N] = {
    [REQUEST] = VEIL_ERROR_SIGNATURE,   [OUTPUT] = VEIL_ERROR_SIGNATURE,
    [TIMESTAMP] = VEIL_ERROR_SIGNATURE, [TEE_ID] = VEIL_ERROR_TEE_ID,
    [KEY] = VEIL_ERROR_TEE_ID,          [KEY_AND_ID] = VEIL_ERROR_SIGNATURE,
    [SIGNATURE] = VEIL_ERROR_SIGNATURE, [SHORT_SIGNATURE] = VEIL_ERROR_SIGNATURE,
    [NO_KEY] = VEIL_ERROR_SIGNING_KEY,
  };

  for (guint i = 0; i < N; i++)
    {
      g_autoptr (VeilProof) proof = make_proof (signer, "Hi", SIGNER_NOW);
      g_autoptr (VeilProof) other = make_proof (other_signer, "Ho", SIGNER_NOW);
      g_autoptr (VeilReceipt) receipt = NULL;
      guint8 hash[32];

      if (i == REQUEST)
        proof->request_hash[31] ^= 1;
      else if (i == OUTPUT)
        proof->output_hash[0] ^= 0x80;
      else if (i == TIMESTAMP)
        proof->timestamp++;
      if (i == TEE_ID || i == KEY_AND_ID)
        {
          g_free (proof->tee_id);
          proof->tee_id = g_strdup (other->tee_id);
        }
      if (i == KEY || i == KEY_AND_ID)
        {
          g_bytes_unref (proof->signing_key);
          proof->signing_key = g_bytes_ref (other->signing_key);
        }
      if (i == SIGNATURE || i == SHORT_SIGNATURE)
        {
          g_bytes_unref (proof->signature);
          proof->signature = i == SIGNATURE ? g_bytes_ref (other->signature) : g_bytes_new_static ("abc", 3);
        }
      if (i == NO_KEY)
        {
          g_bytes_unref (proof->signing_key);
          proof->signing_key = g_bytes_new_static ("no key", 6);
          veil_keccak256 ("no key", 6, hash);
          g_free (proof->tee_id);
          proof->tee_id = veil_hex_encode_0x (hash, 32);
        }
      receipt = forge (proof);
      assert_forged (receipt, codes[i]);
    }
}

/* The signed timestamp has to be of the time that the receipt tells: ten minutes off either end are allowed. */
static void
test_time_of_signature (void)
{
  static const struct
  {
    gint64 offset;
    gboolean good;
  } cases[] = { { 0, TRUE }, { -600, TRUE }, { -601, FALSE }, { 600, TRUE }, { 660, TRUE }, { 661, FALSE }, { 86400, FALSE } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (VeilProof) proof = make_proof (signer, "Hi", (guint64) (SIGNER_NOW + cases[i].offset));
      const VeilTiming timing = { .relay = 60 * G_USEC_PER_SEC };
      g_autoptr (VeilReceipt) receipt = veil_receipt_new (proof, ARRIVED, "m", FALSE, 0, &timing);
      g_autoptr (GError) error = NULL;

      g_assert_cmpint (veil_receipt_verify (receipt, &error), ==, cases[i].good);
      if (!cases[i].good)
        g_assert_error (error, VEIL_ERROR, VEIL_ERROR_STALE);
    }
}

static void
test_times (void)
{
  static const char *const bad[] = { "",
                                     "2025-06-15T15:06:40Z",
                                     "2025-06-15T15:06:40.12345Z",
                                     "2025-06-15T15:06:40.1234567Z",
                                     "2025-06-15T15:06:40,123456Z",
                                     "2025-06-15 15:06:40.123456Z",
                                     "2025-06-15T15:06:40.123456z",
                                     "2025-13-15T15:06:40.123456Z",
                                     "2025-06-31T15:06:40.123456Z",
                                     "2025-06-15T24:06:40.123456Z",
                                     "2025-06-15T15:06:61.123456Z",
                                     "1969-12-31T23:59:59.999999Z",
                                     "2025-06-15T15:06:4\\u06f0.12345Z",
                                     "20250615T150640.123456789Z+",
                                     "2025-06-15T15:06:40.+12345Z",
                                     "2025-06-15T15:06:40.12345 Z",
                                     "9999-12-31T23:59:59.0-01:00" };
  static const gint64 good[] = { 0, 1, ARRIVED, G_GINT64_CONSTANT (253402300799999999), 999999, 1000000 };
  g_autoptr (VeilReceipt) receipt = make_receipt ();
  g_autofree char *text = to_text (receipt);

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *value = g_strdup_printf ("\"%s\"", bad[i]);
      g_autofree char *changed = change (text, "time", value, FALSE);

      assert_refused (changed, VEIL_ERROR_RECEIPT, "time");
    }
  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autofree char *formatted = veil_receipt_format_time (good[i]);
      gint64 back = -1;

      g_assert_true (veil_receipt_parse_time (formatted, &back));
      g_assert_cmpint (back, ==, good[i]);
    }
}

static void
test_records (void)
{
  g_autoptr (VeilRecord) waiting = veil_record_new ();
  g_autoptr (VeilRecord) refused = veil_record_new ();
  g_autoptr (VeilRecord) verified = veil_record_new ();
  g_autoptr (VeilProof) proof = make_proof (signer, "Hi", (guint64) (g_get_real_time () / G_USEC_PER_SEC));
  g_autoptr (VeilReceipt) receipt = NULL;
  g_autoptr (GError) error = NULL, second = NULL;
  const VeilTiming timing = { .relay = 5 };

  g_assert_null (veil_receipt_new_from_record (waiting, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_RECEIPT);
  veil_record_fail (refused, 502, "verification_failed", "signature", 5, "Why");
  g_assert_null (veil_receipt_new_from_record (refused, &second));
  g_assert_error (second, VEIL_ERROR, VEIL_ERROR_RECEIPT);
  veil_record_set_request (verified, "gpt-4.1", TRUE, proof->request_hash, NULL, 7);
  veil_record_verify (verified, proof, &timing, 200);
  g_clear_error (&error);
  receipt = veil_receipt_new_from_record (verified, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (receipt->model, ==, "gpt-4.1");
  g_assert_cmpint (receipt->time, ==, veil_record_get_time (verified));
  g_assert_true (veil_receipt_verify (receipt, &error));
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  signer = signer_new ();
  other_signer = signer_new ();
  g_test_add_func ("/receipt/round-trip", test_round_trip);
  g_test_add_func ("/receipt/other-spelling", test_other_spelling);
  g_test_add_func ("/receipt/each-member", test_each_member);
  g_test_add_func ("/receipt/each-value", test_each_value);
  g_test_add_func ("/receipt/each-bit", test_each_bit);
  g_test_add_func ("/receipt/not-receipts", test_not_receipts);
  g_test_add_func ("/receipt/forged", test_forged);
  g_test_add_func ("/receipt/time-of-signature", test_time_of_signature);
  g_test_add_func ("/receipt/times", test_times);
  g_test_add_func ("/receipt/records", test_records);
  status = g_test_run ();
  signer_free (signer);
  signer_free (other_signer);
  return status;
}
