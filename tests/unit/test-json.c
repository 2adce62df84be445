/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "json-writer.h"
#include "vectors.h"
#include "veil-error.h"

static VeilJsonDoc *
read_text (const char *text)
{
  g_autoptr (GError) error = NULL;
  VeilJsonDoc *doc = veil_json_doc_new (text, strlen (text), &error);

  g_assert_no_error (error);
  return doc;
}

static void
assert_refused (const char *text, gsize length)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (veil_json_doc_new (text, length, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_JSON);
}

static void
assert_text (GBytes *text, const char *expected)
{
  g_assert_cmpmem (g_bytes_get_data (text, NULL), g_bytes_get_size (text), expected, strlen (expected));
}

static void
assert_written (const char *text, VeilJsonSpelling spelling, const char *expected)
{
  g_autoptr (VeilJsonDoc) doc = read_text (text);
  g_autoptr (GBytes) written = veil_json_to_bytes (veil_json_doc_get_root (doc), spelling);

  assert_text (written, expected);
}

static void
append (const guint8 *data, gsize length, gpointer user_data)
{
  g_byte_array_append (user_data, data, length);
}

/* The same text as in one piece, from a sink. */
static void
assert_same_through_sink (const VeilJson *value, VeilJsonSpelling spelling, GBytes *expected)
{
  g_autoptr (GByteArray) passed_on = g_byte_array_new ();
  VeilJsonWriter *writer = veil_json_writer_new_sink (spelling, append, passed_on);
  g_autoptr (GBytes) rest = NULL;

  veil_json_writer_value (writer, value);
  rest = veil_json_writer_finish (writer);
  g_assert_cmpuint (g_bytes_get_size (rest), ==, 0);
  g_assert_cmpmem (passed_on->data, passed_on->len, g_bytes_get_data (expected, NULL), g_bytes_get_size (expected));
}

static GBytes *
vector_input (JsonObject *entry)
{
  g_autoptr (GByteArray) input = g_byte_array_new ();
  JsonArray *parts;

  if (json_object_has_member (entry, "input_b64"))
    return vectors_base64 (entry, "input_b64");
  parts = json_object_get_array_member (entry, "input_parts");
  for (guint i = 0; i < json_array_get_length (parts); i++)
    {
      JsonObject *part = json_array_get_object_element (parts, i);
      g_autoptr (GBytes) piece = vectors_base64 (part, "b64");

      for (gint64 times = json_object_get_int_member (part, "repeat"); times > 0; times--)
        g_byte_array_append (input, g_bytes_get_data (piece, NULL), (guint) g_bytes_get_size (piece));
    }
  return g_byte_array_free_to_bytes (g_steal_pointer (&input));
}

static void
check_vector (const char *name, JsonObject *entry, gpointer user_data)
{
  g_autoptr (GBytes) input = vector_input (entry);
  g_autoptr (GBytes) expected = vectors_base64 (entry, "expected_b64");
  g_autoptr (GBytes) canonical = NULL;
  g_autoptr (GBytes) compact = NULL;
  g_autoptr (VeilJsonDoc) doc = NULL;
  g_autoptr (GError) error = NULL;
  const VeilJson *root;

  g_test_message ("%s", name);
  if (vectors_boolean (entry, "reject"))
    {
      assert_refused (g_bytes_get_data (input, NULL), g_bytes_get_size (input));
      return;
    }
  doc = veil_json_doc_new (g_bytes_get_data (input, NULL), g_bytes_get_size (input), &error);
  g_assert_no_error (error);
  root = veil_json_doc_get_root (doc);
  canonical = veil_json_to_bytes (root, VEIL_JSON_CANONICAL);
  compact = veil_json_to_bytes (root, VEIL_JSON_COMPACT);
  if (expected != NULL)
    vectors_assert_equal (name, "canonical", g_bytes_get_data (canonical, NULL), g_bytes_get_size (canonical), expected);
  else
    g_assert_cmpuint (g_bytes_get_size (canonical), ==, json_object_get_int_member (entry, "expected_len"));
  assert_same_through_sink (root, VEIL_JSON_CANONICAL, canonical);
  assert_same_through_sink (root, VEIL_JSON_COMPACT, compact);
}

static void
test_vectors (void)
{
  g_autoptr (JsonObject) file = vectors_load ("canonical-json.json");

  g_assert_cmpuint (vectors_foreach (file, check_vector, NULL), >, 600);
}

static void
test_spellings (void)
{
  const char *text =
      "{ \"z\" : [ 1.50 , -0, 1E2, \"\\u00e9\\/\\u007f\\ud83d\\ude00\\n\" ], \"a\" : { }, \"\\u0007\" : \"\\udc00\" }";

  assert_written (text, VEIL_JSON_CANONICAL,
                  "{\"\\u0007\": \"\\udc00\", \"a\": {}, \"z\": [1.5, 0, 100.0, \"\\u00e9/\\u007f\\ud83d\\ude00\\n\"]}");
  assert_written (text, VEIL_JSON_COMPACT, "{\"z\":[1.5,0,100.0,\"\u00e9/\x7f\U0001f600\\n\"],\"a\":{},\"\\u0007\":\"\\udc00\"}");
}

static void
test_accessors (void)
{
  g_autoptr (VeilJsonDoc) doc =
      read_text ("{\"s\":\"a\\u0000b\",\"n\":12,\"f\":2.5,\"t\":true,\"l\":[1,[],null],\"o\":{\"k\":\"\\ud800\"}}");
  const VeilJson *root = veil_json_doc_get_root (doc);
  const VeilJson *list = veil_json_get_member (root, "l");
  const char *key = NULL;
  gsize length = 0;
  guint64 number = 0;
  double real = 0;

  g_assert_cmpuint (veil_json_get_size (root), ==, 6);
  g_assert_cmpmem (veil_json_get_string (veil_json_get_member (root, "s"), &length), 4, "a\0b", 4);
  g_assert_cmpuint (length, ==, 3);
  g_assert_false (veil_json_equals (veil_json_get_member (root, "s"), "a"));
  g_assert_true (veil_json_get_uint64 (veil_json_get_member (root, "n"), &number) && number == 12);
  g_assert_false (veil_json_get_uint64 (veil_json_get_member (root, "f"), &number));
  g_assert_true (veil_json_get_double (veil_json_get_member (root, "f"), &real) && real == 2.5);
  g_assert_true (veil_json_is (veil_json_get_member (root, "t"), VEIL_JSON_TRUE));
  g_assert_cmpuint (veil_json_get_size (list), ==, 3);
  g_assert_true (veil_json_is (veil_json_get_element (list, 2), VEIL_JSON_NULL));
  g_assert_null (veil_json_get_element (list, 3));
  g_assert_null (veil_json_get_member (list, "k"));
  g_assert_null (veil_json_get_element (root, 0));
  g_assert_null (veil_json_get_member (root, "missing"));
  g_assert_true (veil_json_get_member_at (root, 4, &key, &length) == list);
  g_assert_cmpstr (key, ==, "l");
  g_assert_cmpuint (length, ==, 1);
  g_assert_null (veil_json_get_member_at (root, 6, NULL, NULL));
  g_assert_false (veil_json_string_is_utf8 (veil_json_get_member (veil_json_get_member (root, "o"), "k")));
  g_assert_true (veil_json_string_is_utf8 (veil_json_get_member (root, "s")));
}

static void
test_absent (void)
{
  gsize length = 1;
  guint64 number;
  double real;

  g_assert_cmpint (veil_json_get_type (NULL), ==, VEIL_JSON_NULL);
  g_assert_false (veil_json_is (NULL, VEIL_JSON_NULL));
  g_assert_false (veil_json_is_truthy (NULL));
  g_assert_null (veil_json_get_string (NULL, &length));
  g_assert_cmpuint (length, ==, 0);
  g_assert_null (veil_json_get_number_text (NULL, NULL));
  g_assert_false (veil_json_equals (NULL, ""));
  g_assert_false (veil_json_get_uint64 (NULL, &number));
  g_assert_false (veil_json_get_double (NULL, &real));
  g_assert_cmpuint (veil_json_get_size (NULL), ==, 0);
  g_assert_null (veil_json_get_element (NULL, 0));
  g_assert_null (veil_json_get_member (NULL, "k"));
  g_assert_null (veil_json_get_member_at (NULL, 0, NULL, NULL));
}

static void
test_truthiness (void)
{
  static const char *const falsy[] = { "null", "false", "0", "-0", "0.0", "-0.0", "0e5", "1e-400", "\"\"", "[]", "{}" };
  static const char *const truthy[] = { "true", "1", "-1", "5e-324", "\"0\"", "[0]", "{\"\":0}" };

  for (guint i = 0; i < G_N_ELEMENTS (falsy); i++)
    {
      g_autoptr (VeilJsonDoc) doc = read_text (falsy[i]);

      g_assert_false (veil_json_is_truthy (veil_json_doc_get_root (doc)));
    }
  for (guint i = 0; i < G_N_ELEMENTS (truthy); i++)
    {
      g_autoptr (VeilJsonDoc) doc = read_text (truthy[i]);

      g_assert_true (veil_json_is_truthy (veil_json_doc_get_root (doc)));
    }
}

static void
assert_uint64 (const char *text, gboolean fits, guint64 expected)
{
  g_autoptr (VeilJsonDoc) doc = read_text (text);
  guint64 number = 0;

  g_assert_true (veil_json_get_uint64 (veil_json_doc_get_root (doc), &number) == fits);
  if (fits)
    g_assert_cmpuint (number, ==, expected);
}

static void
test_numbers (void)
{
  g_autoptr (VeilJsonDoc) doc = read_text ("[-0, 1.50e+01, 123456789012345678901234567890]");
  const VeilJson *root = veil_json_doc_get_root (doc);
  g_autofree char *huge = g_strnfill (400, '9');
  g_autoptr (VeilJsonDoc) huge_doc = read_text (huge);
  gsize length;
  double real;

  assert_uint64 ("18446744073709551615", TRUE, G_MAXUINT64);
  assert_uint64 ("18446744073709551616", FALSE, 0);
  assert_uint64 ("99999999999999999999999", FALSE, 0);
  assert_uint64 ("-1", FALSE, 0);
  assert_uint64 ("-0", TRUE, 0);
  assert_uint64 ("1.0", FALSE, 0);
  assert_uint64 ("\"1\"", FALSE, 0);

  g_assert_cmpstr (veil_json_get_number_text (veil_json_get_element (root, 0), &length), ==, "0");
  g_assert_cmpuint (length, ==, 1);
  g_assert_cmpstr (veil_json_get_number_text (veil_json_get_element (root, 1), &length), ==, "1.50e+01");
  g_assert_cmpuint (length, ==, 8);
  g_assert_true (veil_json_get_double (veil_json_get_element (root, 2), &real) && real == 123456789012345678901234567890.0);
  g_assert_false (veil_json_get_double (veil_json_doc_get_root (huge_doc), &real));
  assert_written (huge, VEIL_JSON_CANONICAL, huge);
}

/* Rows of zeros and the exponents that make up for them, or do not. */
static void
test_far_exponents (void)
{
  g_autofree char *zeros = g_strnfill (1000000, '0');
  g_autofree char *one = g_strdup_printf ("0.%s1e1000001", zeros);
  g_autofree char *nothing = g_strdup_printf ("1%.100000s.0e-1000000", zeros);
  g_autofree char *too_large = g_strdup_printf ("0.%s1e1000400", zeros);

  assert_written (one, VEIL_JSON_CANONICAL, "1.0");
  assert_written (nothing, VEIL_JSON_CANONICAL, "0.0");
  assert_refused (too_large, strlen (too_large));
}

/* GLib's opinion on what is UTF-8, for every shape of sequence and every edge of a range. */
static void
test_utf8 (void)
{
  static const guint8 edges[] = { 0x20, 0x7f, 0x80, 0xbf, 0xc0 };
  guint accepted = 0;

  for (guint i = 0; i < 128 * 256 * 25; i++)
    {
      const char text[] = {
        '"', (char) (0x80 + i / (256 * 25)), (char) (i / 25 % 256), (char) edges[i / 5 % 5], (char) edges[i % 5], '"'
      };
      g_autoptr (VeilJsonDoc) doc = NULL;
      guint8 second = (guint8) text[2];

      if (second < 0x20 || second == '"' || second == '\\')
        continue;
      doc = veil_json_doc_new (text, sizeof text, NULL);
      g_assert_true ((doc != NULL) == g_utf8_validate_len (text + 1, 4, NULL));
      accepted += doc != NULL;
    }
  g_assert_cmpuint (accepted, >, 1000);
}

static void
test_doubles (void)
{
  static const struct
  {
    double number;
    const char *expected;
  } cases[] = {
    { 0.0, "0.0" },
    { -0.0, "-0.0" },
    { 1.0, "1.0" },
    { 0.1, "0.1" },
    { -2.5, "-2.5" },
    { 100.0, "100.0" },
    { 0.0001, "0.0001" },
    { 0.00001, "1e-05" },
    { 0.000012345, "1.2345e-05" },
    { 1e15, "1000000000000000.0" },
    { 1e16, "1e+16" },
    { 1.5e16, "1.5e+16" },
    { 123456789012345680.0, "1.2345678901234568e+17" },
    { 9007199254740993.0, "9007199254740992.0" },
    { 0.1 + 0.2, "0.30000000000000004" },
    { 1.0 / 3.0, "0.3333333333333333" },
    { 5e-324, "5e-324" },
    { 1.7976931348623157e308, "1.7976931348623157e+308" },
    { -2.2250738585072014e-308, "-2.2250738585072014e-308" },
    /* Powers of two whose closest 16 digits miss: the next ones hit. */
    { 0x1p-44, "5.684341886080802e-14" },
    { 0x1p-1022, "2.2250738585072014e-308" },
    { 0x1p122, "5.316911983139664e+36" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      char out[32];

      g_assert_cmpuint (veil_json_format_double (cases[i].number, out), ==, strlen (cases[i].expected));
      g_assert_cmpstr (out, ==, cases[i].expected);
    }
}

static void
assert_duplicates (const char *text, gboolean differ, const char *canonical)
{
  g_autoptr (VeilJsonDoc) doc = read_text (text);
  g_autoptr (GBytes) written = veil_json_to_bytes (veil_json_doc_get_root (doc), VEIL_JSON_CANONICAL);

  g_assert_true (veil_json_doc_has_duplicate_keys (doc) == differ);
  assert_text (written, canonical);
}

static void
test_duplicate_keys (void)
{
  assert_duplicates ("{\"a\":1,\"b\":1}", FALSE, "{\"a\": 1, \"b\": 1}");
  assert_duplicates ("{\"a\":1,\"a\":1}", FALSE, "{\"a\": 1}");
  assert_duplicates ("{\"a\":1,\"a\":2}", TRUE, "{\"a\": 2}");
  assert_duplicates ("{\"a\":1,\"\\u0061\":1.0}", TRUE, "{\"a\": 1.0}");
  assert_duplicates ("{\"a\":1.0,\"a\":1.00}", FALSE, "{\"a\": 1.0}");
  assert_duplicates ("{\"a\":0.0,\"a\":-0.0}", TRUE, "{\"a\": -0.0}");
  assert_duplicates ("{\"a\":1,\"a\":2,\"a\":1}", TRUE, "{\"a\": 1}");
  assert_duplicates ("{\"a\":null,\"a\":false}", TRUE, "{\"a\": false}");
  assert_duplicates ("{\"a\":{\"x\":[1,{}],\"y\":2},\"a\":{\"y\":2,\"x\":[1,{}]}}", FALSE, "{\"a\": {\"x\": [1, {}], \"y\": 2}}");
  assert_duplicates ("{\"a\":{\"x\":[1,{}]},\"a\":{\"x\":[1,[]]}}", TRUE, "{\"a\": {\"x\": [1, []]}}");
  assert_duplicates ("{\"a\":{\"x\":1},\"a\":{\"y\":1}}", TRUE, "{\"a\": {\"y\": 1}}");
  assert_duplicates ("{\"a\":[1,2],\"a\":[1]}", TRUE, "{\"a\": [1]}");
  assert_duplicates ("{\"a\":[1],\"a\":[1,2]}", TRUE, "{\"a\": [1, 2]}");
  assert_duplicates ("[[{\"a\":1},{\"a\":2}],{\"b\":{\"c\":0,\"c\":[]}}]", TRUE,
                     "[[{\"a\": 1}, {\"a\": 2}], {\"b\": {\"c\": []}}]");
}

/* As in Python: the place of the first, the value of the last. */
static void
test_duplicate_order (void)
{
  g_autoptr (VeilJsonDoc) doc = read_text ("{\"b\":1,\"c\":2,\"a\":3,\"b\":4,\"a\":5}");
  const VeilJson *root = veil_json_doc_get_root (doc);
  g_autoptr (GBytes) compact = veil_json_to_bytes (root, VEIL_JSON_COMPACT);
  guint64 number;

  assert_text (compact, "{\"b\":4,\"c\":2,\"a\":5}");
  g_assert_cmpuint (veil_json_get_size (root), ==, 3);
  g_assert_true (veil_json_get_uint64 (veil_json_get_member (root, "b"), &number) && number == 4);
  g_assert_true (veil_json_get_uint64 (veil_json_get_member (root, "a"), &number) && number == 5);
}

/* A hundred thousand keys, one in ten of them twice, are found again: a quadratic reader would need minutes. */
static void
test_many_keys (void)
{
  const guint count = 100000;
  g_autoptr (GString) text = g_string_new ("{");
  g_autoptr (VeilJsonDoc) doc = NULL;
  gint64 begun;

  for (guint i = 0; i < count; i++)
    g_string_append_printf (text, "\"%s%x\":%u,", i % 2 == 0 ? "" : "a long common prefix of the key ", i * 2654435761u, i);
  for (guint i = 0; i < count; i += 10)
    g_string_append_printf (text, "\"%x\":%u,", i * 2654435761u, i + 1);
  text->str[text->len - 1] = '}';

  begun = g_get_monotonic_time ();
  doc = read_text (text->str);
  g_assert_cmpuint (veil_json_get_size (veil_json_doc_get_root (doc)), ==, count);
  for (guint i = 0; i < count; i++)
    {
      g_autofree char *key = g_strdup_printf ("%s%x", i % 2 == 0 ? "" : "a long common prefix of the key ", i * 2654435761u);
      guint64 number = 0;

      g_assert_true (veil_json_get_uint64 (veil_json_get_member (veil_json_doc_get_root (doc), key), &number));
      g_assert_cmpuint (number, ==, i % 10 == 0 ? i + 1 : i);
    }
  g_assert_cmpint (g_get_monotonic_time () - begun, <, 10 * G_USEC_PER_SEC);
  g_assert_true (veil_json_doc_has_duplicate_keys (doc));
}

/* Each level holds the level below twice, and alike: comparing anew at every level would take ever longer. */
static void
test_nested_duplicates (void)
{
  g_autoptr (GString) text = g_string_new ("[1]");
  g_autoptr (VeilJsonDoc) doc = NULL;

  for (guint level = 0; level < 17; level++)
    {
      g_autofree char *inner = g_strdup (text->str);

      g_string_printf (text, "{\"a\":%s,\"a\":%s}", inner, inner);
    }
  doc = read_text (text->str);
  g_assert_false (veil_json_doc_has_duplicate_keys (doc));
}

static void
nest (GString *text, guint depth, const char *opening, const char *inside, const char *closing)
{
  g_string_truncate (text, 0);
  for (guint i = 0; i < depth; i++)
    g_string_append (text, opening);
  g_string_append (text, inside);
  for (guint i = 0; i < depth; i++)
    g_string_append (text, closing);
}

static void
test_depth (void)
{
  g_autoptr (GString) text = g_string_new (NULL);

  nest (text, VEIL_JSON_MAX_DEPTH, "[", "", "]");
  assert_written (text->str, VEIL_JSON_CANONICAL, text->str);
  nest (text, VEIL_JSON_MAX_DEPTH, "{\"a\":", "1", "}");
  assert_written (text->str, VEIL_JSON_COMPACT, text->str);
  nest (text, VEIL_JSON_MAX_DEPTH + 1, "[", "", "]");
  assert_refused (text->str, text->len);
  nest (text, VEIL_JSON_MAX_DEPTH, "{\"a\":", "{}", "}");
  assert_refused (text->str, text->len);
  nest (text, 1000000, "[{\"\":", "", "");
  assert_refused (text->str, text->len);
}

/* Every cut of a document is refused, at the end of exactly as much memory. */
static void
test_cut_short (void)
{
  const char *text = "{\"a\":[1.5e+3,-2,\"\\ud83d\\ude00\u00e9\U0001f600\\n\",true,null,{}],\"b\":false}";

  assert_refused (NULL, 0);
  for (gsize length = 1; length < strlen (text); length++)
    {
      g_autofree char *cut = g_memdup2 (text, length);

      assert_refused (cut, length);
    }
}

static void
test_error_message (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (veil_json_doc_new ("{\"token\": \"sesame\", }", 21, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_JSON);
  g_assert_nonnull (strstr (error->message, "byte 20"));
  g_assert_null (strstr (error->message, "sesame"));
  g_clear_error (&error);
  g_assert_null (veil_json_doc_new ("[]", (gsize) 1 << 40, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_TOO_LARGE);
}

static void
write_members (VeilJsonWriter *writer)
{
  static const char *const strings[] = { "x", "\"", NULL };
  g_autoptr (VeilJsonDoc) doc = read_text ("{\"z\":1,\"a\":[\"\\u00e9\"]}");

  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "");
  veil_json_writer_null (writer);
  veil_json_writer_key (writer, "a");
  veil_json_writer_begin_array (writer);
  veil_json_writer_uint (writer, G_MAXUINT64);
  veil_json_writer_double (writer, 0.5);
  veil_json_writer_boolean (writer, TRUE);
  veil_json_writer_boolean (writer, FALSE);
  veil_json_writer_begin_object (writer);
  veil_json_writer_end_object (writer);
  veil_json_writer_begin_array (writer);
  veil_json_writer_end_array (writer);
  veil_json_writer_end_array (writer);
  veil_json_writer_key (writer, "b");
  veil_json_writer_string (writer, "t\u00e9\n");
  veil_json_writer_key (writer, "c");
  veil_json_writer_string (writer, NULL);
  veil_json_writer_key (writer, "d");
  veil_json_writer_string_len (writer, "a\0b", 3);
  veil_json_writer_key (writer, "e");
  veil_json_writer_value (writer, veil_json_doc_get_root (doc));
  veil_json_writer_key (writer, "f");
  veil_json_writer_value (writer, NULL);
  veil_json_writer_key (writer, "g");
  veil_json_writer_strv (writer, strings);
  veil_json_writer_key (writer, "h");
  veil_json_writer_strv (writer, NULL);
  veil_json_writer_key (writer, "i");
  veil_json_writer_raw (writer, "[7]", 3);
  veil_json_writer_end_object (writer);
}

static void
test_writer (void)
{
  VeilJsonWriter *canonical = veil_json_writer_new (VEIL_JSON_CANONICAL);
  VeilJsonWriter *compact = veil_json_writer_new (VEIL_JSON_COMPACT);
  g_autoptr (GBytes) canonical_text = NULL;
  g_autoptr (GBytes) compact_text = NULL;

  write_members (canonical);
  write_members (compact);
  canonical_text = veil_json_writer_finish (canonical);
  compact_text = veil_json_writer_finish (compact);
  assert_text (canonical_text,
               "{\"\": null, \"a\": [18446744073709551615, 0.5, true, false, {}, []], \"b\": \"t\\u00e9\\n\", \"c\": null, "
               "\"d\": \"a\\u0000b\", \"e\": {\"a\": [\"\\u00e9\"], \"z\": 1}, \"f\": null, \"g\": [\"x\", \"\\\"\"], \"h\": [], "
               "\"i\": [7]}");
  assert_text (compact_text,
               "{\"\":null,\"a\":[18446744073709551615,0.5,true,false,{},[]],\"b\":\"t\u00e9\\n\",\"c\":null,"
               "\"d\":\"a\\u0000b\",\"e\":{\"z\":1,\"a\":[\"\u00e9\"]},\"f\":null,\"g\":[\"x\",\"\\\"\"],\"h\":[],\"i\":[7]}");
}

/* What is no UTF-8 at all cannot come out of the reader; from elsewhere it must neither crash nor pass. */
static void
test_writer_invalid_utf8 (void)
{
  static const char bad[] = "\xff"
                            "a\xc3\xe2\x82\xf0\x9f\x98";
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_CANONICAL);
  g_autoptr (GBytes) text = NULL;

  veil_json_writer_begin_array (writer);
  veil_json_writer_string_len (writer, bad, strlen (bad));
  veil_json_writer_string_len (writer, NULL, 0);
  veil_json_writer_end_array (writer);
  text = veil_json_writer_finish (writer);
  assert_text (text, "[\"\\ufffda\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\", \"\"]");
}

static void
write_unsorted (void)
{
  g_autoptr (VeilJsonWriter) writer = veil_json_writer_new (VEIL_JSON_CANONICAL);

  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "b");
  veil_json_writer_null (writer);
  veil_json_writer_key (writer, "a");
}

static void
write_value_without_key (void)
{
  g_autoptr (VeilJsonWriter) writer = veil_json_writer_new (VEIL_JSON_CANONICAL);

  veil_json_writer_begin_object (writer);
  veil_json_writer_null (writer);
}

static void
test_writer_mistakes (void)
{
  if (g_test_subprocess ())
    {
      write_unsorted ();
      return;
    }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_subprocess ("/json/writer/subprocess/no-key", 0, 0);
  g_test_trap_assert_failed ();
}

/* A writer given up half-way, and one whose sink sees pieces of texts longer than its buffer. */
static void
test_writer_sink (void)
{
  g_autofree char *plain = g_strnfill (100000, 'x');
  g_autoptr (GByteArray) passed_on = g_byte_array_new ();
  VeilJsonWriter *writer = veil_json_writer_new_sink (VEIL_JSON_COMPACT, append, passed_on);
  g_autoptr (VeilJsonWriter) given_up = veil_json_writer_new (VEIL_JSON_COMPACT);
  g_autoptr (GBytes) rest = NULL;

  veil_json_writer_begin_array (given_up);
  veil_json_writer_string (given_up, plain);

  veil_json_writer_begin_array (writer);
  veil_json_writer_raw (writer, "1", 1);
  veil_json_writer_string (writer, plain);
  veil_json_writer_string (writer, "\n");
  veil_json_writer_end_array (writer);
  rest = veil_json_writer_finish (writer);
  g_assert_cmpuint (g_bytes_get_size (rest), ==, 0);
  g_assert_cmpuint (passed_on->len, ==, 100000 + 11);
  g_assert_cmpmem (passed_on->data, 4, "[1,\"", 4);
  g_assert_cmpmem (passed_on->data + 100004, 7, "\",\"\\n\"]", 7);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json/vectors", test_vectors);
  g_test_add_func ("/json/spellings", test_spellings);
  g_test_add_func ("/json/accessors", test_accessors);
  g_test_add_func ("/json/absent", test_absent);
  g_test_add_func ("/json/truthiness", test_truthiness);
  g_test_add_func ("/json/numbers", test_numbers);
  g_test_add_func ("/json/doubles", test_doubles);
  g_test_add_func ("/json/far-exponents", test_far_exponents);
  g_test_add_func ("/json/utf8", test_utf8);
  g_test_add_func ("/json/duplicate-keys", test_duplicate_keys);
  g_test_add_func ("/json/duplicate-order", test_duplicate_order);
  g_test_add_func ("/json/many-keys", test_many_keys);
  g_test_add_func ("/json/nested-duplicates", test_nested_duplicates);
  g_test_add_func ("/json/depth", test_depth);
  g_test_add_func ("/json/cut-short", test_cut_short);
  g_test_add_func ("/json/error-message", test_error_message);
  g_test_add_func ("/json/writer", test_writer);
  g_test_add_func ("/json/writer/invalid-utf8", test_writer_invalid_utf8);
  g_test_add_func ("/json/writer/mistakes", test_writer_mistakes);
  g_test_add_func ("/json/writer/subprocess/no-key", write_value_without_key);
  g_test_add_func ("/json/writer/sink", test_writer_sink);
  return g_test_run ();
}
