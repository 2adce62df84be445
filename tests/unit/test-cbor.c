/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "cbor.h"
#include "vectors.h"
#include "veil-error.h"

#include <string.h>

static VeilCborDoc *
read_hex (const char *hex, VeilCborFlags flags, GBytes **bytes, GError **error)
{
  gsize length;
  const guint8 *data;

  *bytes = vectors_hex_text (hex);
  data = g_bytes_get_data (*bytes, &length);
  return veil_cbor_doc_new (data, length, flags, error);
}

/* Every value in brackets with its type: enough to compare by eye. */
static void
spell (const VeilCborItem *item, GString *out)
{
  const VeilCborItem *key, *value;

  switch (item->type)
    {
    case VEIL_CBOR_UINT:
    case VEIL_CBOR_NEGATIVE:
      g_string_append_printf (out, "%s%" G_GUINT64_FORMAT, item->type == VEIL_CBOR_UINT ? "" : "-1-", item->number);
      break;
    case VEIL_CBOR_BYTES:
      g_string_append (out, "h'");
      for (gsize i = 0; i < item->size; i++)
        g_string_append_printf (out, "%02x", item->data[i]);
      g_string_append_c (out, '\'');
      break;
    case VEIL_CBOR_TEXT:
      g_string_append_printf (out, "\"%.*s\"", (int) item->size, (const char *) item->data);
      break;
    case VEIL_CBOR_ARRAY:
      g_string_append_c (out, '[');
      for (guint i = 0; (value = veil_cbor_get_element (item, i)) != NULL; i++)
        {
          g_string_append (out, i > 0 ? "," : "");
          spell (value, out);
        }
      g_string_append_c (out, ']');
      break;
    case VEIL_CBOR_MAP:
      g_string_append_c (out, '{');
      for (guint i = 0; (value = veil_cbor_get_member_at (item, i, &key)) != NULL; i++)
        {
          g_string_append (out, i > 0 ? "," : "");
          spell (key, out);
          g_string_append_c (out, ':');
          spell (value, out);
        }
      g_string_append_c (out, '}');
      break;
    case VEIL_CBOR_NULL:
      g_string_append (out, "null");
      break;
    default:
      g_assert_not_reached ();
    }
}

static void
test_accepted (void)
{
  /* Many of RFC 8949 appendix A. */
  static const struct
  {
    const char *hex, *spelled;
  } cases[] = {
    { "00", "0" },
    { "17", "23" },
    { "1818", "24" },
    { "18ff", "255" },
    { "190100", "256" },
    { "1a00010000", "65536" },
    { "1b000000e8d4a51000", "1000000000000" },
    { "1bffffffffffffffff", "18446744073709551615" },
    { "20", "-1-0" },
    { "3822", "-1-34" },
    { "3bffffffffffffffff", "-1-18446744073709551615" },
    { "f6", "null" },
    { "40", "h''" },
    { "4401020304", "h'01020304'" },
    { "60", "\"\"" },
    { "62c3bc", "\"\303\274\"" },
    { "80", "[]" },
    { "83010203", "[1,2,3]" },
    { "8301820203820405", "[1,[2,3],[4,5]]" },
    { "a0", "{}" },
    { "a201020304", "{1:2,3:4}" },
    { "a26161016162820203", "{\"a\":1,\"b\":[2,3]}" },
    { "826161a161626163", "[\"a\",{\"b\":\"c\"}]" },
    { "a2613101200160", NULL },
    { "a3613101200140f6", NULL },
    { "a36131012001"
      "01f6",
      "{\"1\":1,-1-0:1,1:null}" },
    { "8180", "[[]]" },
    { "8181818181818180", "[[[[[[[[]]]]]]]]" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GBytes) bytes = NULL;
      g_autoptr (GError) error = NULL;
      g_autoptr (VeilCborDoc) doc = read_hex (cases[i].hex, VEIL_CBOR_STRICT, &bytes, &error);
      g_autoptr (GString) out = g_string_new (NULL);

      if (cases[i].spelled == NULL)
        {
          g_assert_error (error, VEIL_ERROR, VEIL_ERROR_ATTEST_ENCODING);
          continue;
        }
      g_assert_no_error (error);
      spell (veil_cbor_doc_get_root (doc), out);
      g_assert_cmpstr (out->str, ==, cases[i].spelled);
    }
}

static void
test_refused (void)
{
  static const struct
  {
    const char *hex, *word;
  } cases[] = {
    { "", "too early" },
    { "18", "too early" },
    { "1900", "too early" },
    { "1b00000000000000", "too early" },
    { "42ff", "longer than" },
    { "5bffffffffffffffff", "longer than" },
    { "7bffffffffffffffff", "longer than" },
    { "9bffffffffffffffff", "more elements" },
    { "bbffffffffffffffff", "more elements" },
    { "9a7fffffff00", "more elements" },
    { "8201", "more elements" },
    { "a101", "too early" },
    { "1800", "shortest" },
    { "1817", "shortest" },
    { "190017", "shortest" },
    { "1900ff", "shortest" },
    { "1a0000ffff", "shortest" },
    { "1b00000000ffffffff", "shortest" },
    { "3800", "shortest" },
    { "580100", "shortest" },
    { "5900016100", "shortest" },
    { "780161", "shortest" },
    { "980100", "shortest" },
    { "b8010000", "shortest" },
    { "f818", "simple" },
    { "f816", "shortest" },
    { "1c", "reserved" },
    { "1d", "reserved" },
    { "1e", "reserved" },
    { "5c", "reserved" },
    { "fc", "reserved" },
    { "1f", "indefinite" },
    { "3f", "indefinite" },
    { "5f4101ff", "indefinite" },
    { "7f6161ff", "indefinite" },
    { "9f01ff", "indefinite" },
    { "bf0101ff", "indefinite" },
    { "df00", "indefinite" },
    { "ff", "indefinite" },
    { "81ff", "indefinite" },
    { "c000", "tag" },
    { "d28400", "tag" },
    { "d818"
      "00",
      "tag" },
    { "f4", "simple" },
    { "f5", "simple" },
    { "f7", "simple" },
    { "e0", "simple" },
    { "f93c00", "simple" },
    { "fa47c35000", "simple" },
    { "fb3ff199999999999a", "simple" },
    { "61ff", "UTF-8" },
    { "62c328", "UTF-8" },
    { "63eda080", "UTF-8" },
    { "0000", "follows" },
    { "8000", "follows" },
    { "f6f6", "follows" },
    { "a201020103", "twice" },
    { "a2616101616102", "twice" },
    { "a220012002", "twice" },
    { "a30102030401ff", "twice" },
    { "a1a00101", "neither" },
    { "a1800101", "neither" },
    { "a1f601", "neither" },
    { "a1410101", "neither" },
    { "818181818181818180", "deeply" },
    { "a101a101a101a101a101a101a101a101a0", "deeply" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GBytes) bytes = NULL;
      g_autoptr (GError) error = NULL;
      g_autoptr (VeilCborDoc) doc = read_hex (cases[i].hex, VEIL_CBOR_STRICT, &bytes, &error);

      if (doc != NULL)
        g_error ("%s is accepted", cases[i].hex);
      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_ATTEST_ENCODING);
      if (strstr (error->message, cases[i].word) == NULL)
        g_error ("%s: %s", cases[i].hex, error->message);
    }
}

static void
check_root (const char *hex, const char *spelled)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilCborDoc) doc = read_hex (hex, VEIL_CBOR_INDEFINITE_ROOT, &bytes, &error);
  g_autoptr (GString) out = g_string_new (NULL);

  if (spelled == NULL)
    {
      g_assert_null (doc);
      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_ATTEST_ENCODING);
      return;
    }
  g_assert_no_error (error);
  spell (veil_cbor_doc_get_root (doc), out);
  g_assert_cmpstr (out->str, ==, spelled);
}

static void
test_indefinite_root (void)
{
  check_root ("bfff", "{}");
  check_root ("bf0102ff", "{1:2}");
  check_root ("bf01a10203ff", "{1:{2:3}}");
  check_root ("a10102", "{1:2}");
  check_root ("bf01bfffff", NULL); /* the outermost only */
  check_root ("bf0180", NULL);     /* no end */
  check_root ("bf", NULL);
  check_root ("bf01ff", NULL); /* a key without a value */
  check_root ("bf01020102ff", NULL);
  check_root ("bf0102ffff", NULL);
  check_root ("9f01ff", NULL);
  check_root ("5f4101ff", NULL);
}

static void
test_access (void)
{
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (VeilCborDoc) doc = read_hex ("a36161820102616281a1616301616303", VEIL_CBOR_STRICT, &bytes, NULL);
  const VeilCborItem *root = veil_cbor_doc_get_root (doc);
  const VeilCborItem *key;

  g_assert_cmpuint (veil_cbor_get_member (root, "c")->number, ==, 3);
  g_assert_cmpuint (veil_cbor_get_element (veil_cbor_get_member (root, "a"), 1)->number, ==, 2);
  g_assert_null (veil_cbor_get_element (veil_cbor_get_member (root, "a"), 2));
  g_assert_cmpuint (veil_cbor_get_member (veil_cbor_get_element (veil_cbor_get_member (root, "b"), 0), "c")->number, ==, 1);
  g_assert_null (veil_cbor_get_member (root, "d"));
  g_assert_null (veil_cbor_get_member (root, "aa"));
  g_assert_null (veil_cbor_get_member_at (root, 3, &key));
  g_assert_null (veil_cbor_get_element (root, 0));
  g_assert_null (veil_cbor_get_member (NULL, "a"));
  g_assert_null (veil_cbor_get_element (NULL, 0));
  g_assert_false (veil_cbor_is (NULL, VEIL_CBOR_UINT));
  g_assert_false (veil_cbor_equals (veil_cbor_get_member (root, "c"), "c"));
}

static void
test_limits (void)
{
  g_autofree guint8 *data = g_malloc (VEIL_CBOR_MAX_LENGTH + 1);
  g_autoptr (GError) error = NULL;
  VeilCborDoc *doc;

  /* A string of all that may come, and one byte more. */
  memset (data, 0, VEIL_CBOR_MAX_LENGTH + 1);
  memcpy (data, "\x59\xff\xfd", 3);
  doc = veil_cbor_doc_new (data, VEIL_CBOR_MAX_LENGTH, VEIL_CBOR_STRICT, &error);
  g_assert_no_error (error);
  veil_cbor_doc_free (doc);
  memcpy (data, "\x59\xff\xfe", 3);
  g_assert_null (veil_cbor_doc_new (data, VEIL_CBOR_MAX_LENGTH + 1, VEIL_CBOR_STRICT, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_ATTEST_ENCODING);
  g_clear_error (&error);

  /* An array of as many values as may be, itself included, and one more. */
  memset (data, 0, VEIL_CBOR_MAX_LENGTH);
  memcpy (data, "\x99\x01\xff", 3);
  doc = veil_cbor_doc_new (data, 3 + 511, VEIL_CBOR_STRICT, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (veil_cbor_doc_get_root (doc)->count, ==, 511);
  veil_cbor_doc_free (doc);
  memcpy (data, "\x99\x02\x00", 3);
  g_assert_null (veil_cbor_doc_new (data, 3 + 512, VEIL_CBOR_STRICT, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_ATTEST_ENCODING);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cbor/accepted", test_accepted);
  g_test_add_func ("/cbor/refused", test_refused);
  g_test_add_func ("/cbor/indefinite-root", test_indefinite_root);
  g_test_add_func ("/cbor/access", test_access);
  g_test_add_func ("/cbor/limits", test_limits);
  return g_test_run ();
}
