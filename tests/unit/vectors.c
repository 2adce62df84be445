/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "vectors.h"

#include <string.h>

JsonObject *
vectors_load (const char *name)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "vectors", name, NULL);
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (GError) error = NULL;

  if (!json_parser_load_from_file (parser, path, &error))
    g_error ("%s: %s", path, error->message);
  return json_object_ref (json_node_get_object (json_parser_get_root (parser)));
}

guint
vectors_foreach (JsonObject *file, VectorsFunc func, gpointer user_data)
{
  JsonArray *cases = json_object_get_array_member (file, "cases");
  guint length = json_array_get_length (cases);

  g_assert_cmpuint (length, >, 0);
  for (guint i = 0; i < length; i++)
    {
      JsonObject *entry = json_array_get_object_element (cases, i);

      func (json_object_get_string_member (entry, "name"), entry, user_data);
    }
  return length;
}

const char *
vectors_string (JsonObject *entry, const char *key)
{
  return json_object_get_string_member_with_default (entry, key, NULL);
}

gboolean
vectors_boolean (JsonObject *entry, const char *key)
{
  return json_object_get_boolean_member_with_default (entry, key, FALSE);
}

GBytes *
vectors_base64 (JsonObject *entry, const char *key)
{
  const char *text = vectors_string (entry, key);
  gsize length;
  guchar *data;

  if (text == NULL)
    return NULL;
  data = g_base64_decode (text, &length);
  return g_bytes_new_take (data, length);
}

GBytes *
vectors_hex_text (const char *text)
{
  GByteArray *bytes = g_byte_array_new ();

  if (g_str_has_prefix (text, "0x"))
    text += 2;
  g_assert_cmpuint (strlen (text) % 2, ==, 0);
  for (; *text != '\0'; text += 2)
    {
      guint8 byte = g_ascii_xdigit_value (text[0]) << 4 | g_ascii_xdigit_value (text[1]);

      g_byte_array_append (bytes, &byte, 1);
    }
  return g_byte_array_free_to_bytes (bytes);
}

GBytes *
vectors_hex (JsonObject *entry, const char *key)
{
  const char *text = vectors_string (entry, key);

  return text != NULL ? vectors_hex_text (text) : NULL;
}

static char *
to_hex (const guint8 *data, gsize length)
{
  GString *hex = g_string_new (NULL);

  for (gsize i = 0; i < MIN (length, 512); i++)
    g_string_append_printf (hex, "%02x", data[i]);
  return g_string_free (hex, FALSE);
}

void
vectors_assert_equal (const char *name, const char *what, const guint8 *got, gsize got_length, GBytes *expected)
{
  gsize length;
  const guint8 *data = g_bytes_get_data (expected, &length);
  g_autofree char *got_hex = NULL;
  g_autofree char *expected_hex = NULL;

  if (got_length == length && (length == 0 || memcmp (got, data, length) == 0))
    return;
  got_hex = to_hex (got, got_length);
  expected_hex = to_hex (data, length);
  g_error ("%s: %s is %s (%" G_GSIZE_FORMAT " bytes), expected %s (%" G_GSIZE_FORMAT " bytes)", name, what, got_hex, got_length,
           expected_hex, length);
}
