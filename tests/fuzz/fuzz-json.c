/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Whatever was accepted comes back the same: through either spelling, through a sink, and through the accessors. */
#include <string.h>

#include "json-writer.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize length);

static VeilJsonDoc *
reread (GBytes *text)
{
  g_autoptr (GError) error = NULL;
  gsize length;
  const char *data = g_bytes_get_data (text, &length);
  VeilJsonDoc *doc = veil_json_doc_new (data, length, &error);

  if (doc == NULL)
    g_error ("what we wrote is refused: %s", error->message);
  /* Repeated keys were dropped. */
  g_assert_false (veil_json_doc_has_duplicate_keys (doc));
  return doc;
}

static void
append (const guint8 *data, gsize length, gpointer user_data)
{
  g_assert_cmpuint (length, >, 0);
  g_byte_array_append (user_data, data, length);
}

static void
check_spelling (const VeilJson *root, VeilJsonSpelling spelling, GBytes *canonical)
{
  g_autoptr (GBytes) text = veil_json_to_bytes (root, spelling);
  g_autoptr (VeilJsonDoc) doc = reread (text);
  g_autoptr (GBytes) again = veil_json_to_bytes (veil_json_doc_get_root (doc), spelling);
  g_autoptr (GBytes) canonical_again = veil_json_to_bytes (veil_json_doc_get_root (doc), VEIL_JSON_CANONICAL);
  g_autoptr (GByteArray) passed_on = g_byte_array_new ();
  VeilJsonWriter *writer = veil_json_writer_new_sink (spelling, append, passed_on);

  g_assert_true (g_bytes_equal (text, again));
  g_assert_true (g_bytes_equal (canonical, canonical_again));

  veil_json_writer_value (writer, root);
  g_bytes_unref (veil_json_writer_finish (writer));
  g_assert_cmpmem (passed_on->data, passed_on->len, g_bytes_get_data (text, NULL), g_bytes_get_size (text));
}

static void
check_members (const VeilJson *object)
{
  for (guint i = 0; veil_json_is (object, VEIL_JSON_OBJECT) && i < veil_json_get_size (object); i++)
    {
      gsize length;
      const char *key;
      const VeilJson *value = veil_json_get_member_at (object, i, &key, &length);

      g_assert_cmpint (key[length], ==, '\0');
      if (strlen (key) == length)
        g_assert_true (veil_json_get_member (object, key) == value);
    }
}

/* Every value but for those that lie too deep for a test that may recurse. */
static void
check_value (const VeilJson *value, guint depth)
{
  gsize length;
  const char *text = veil_json_get_string (value, &length);
  double number;

  if (text != NULL)
    {
      g_assert_cmpint (text[length], ==, '\0');
      /* GLib takes NUL for invalid. */
      if (memchr (text, '\0', length) == NULL)
        g_assert_true (g_utf8_validate_len (text, length, NULL) == veil_json_string_is_utf8 (value));
    }
  if (veil_json_is (value, VEIL_JSON_FLOAT))
    g_assert_true (veil_json_get_double (value, &number));
  check_members (value);
  for (guint i = 0; depth > 0 && i < veil_json_get_size (value); i++)
    check_value (veil_json_is (value, VEIL_JSON_ARRAY) ? veil_json_get_element (value, i)
                                                       : veil_json_get_member_at (value, i, NULL, NULL),
                 depth - 1);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilJsonDoc) doc = veil_json_doc_new ((const char *) data, length, &error);
  g_autoptr (GBytes) canonical = NULL;

  g_assert_true ((doc == NULL) == (error != NULL));
  if (doc == NULL)
    {
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      return 0;
    }
  g_assert_true (length > 0);
  canonical = veil_json_to_bytes (veil_json_doc_get_root (doc), VEIL_JSON_CANONICAL);
  for (gsize i = 0; i < g_bytes_get_size (canonical); i++)
    g_assert_true (g_ascii_isprint (((const char *) g_bytes_get_data (canonical, NULL))[i]));
  check_spelling (veil_json_doc_get_root (doc), VEIL_JSON_CANONICAL, canonical);
  check_spelling (veil_json_doc_get_root (doc), VEIL_JSON_COMPACT, canonical);
  check_value (veil_json_doc_get_root (doc), 20);
  return 0;
}
