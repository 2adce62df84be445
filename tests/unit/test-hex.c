/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The small things of base: hexadecimal, base64, secrets and error details. */
#include <gio/gio.h>
#include <string.h>

#include "hex.h"
#include "secret.h"
#include "error-details.h"

static void
test_hex_encode (void)
{
  static const guint8 bytes[] = { 0x00, 0x0f, 0xa5, 0xff };
  g_autofree char *prefixed = veil_hex_encode_0x (bytes, sizeof bytes);
  g_autofree char *empty = veil_hex_encode_0x (NULL, 0);
  char plain[2 * sizeof bytes + 1];

  veil_hex_encode (bytes, sizeof bytes, plain);
  g_assert_cmpstr (plain, ==, "000fa5ff");
  g_assert_cmpstr (prefixed, ==, "0x000fa5ff");
  g_assert_cmpstr (empty, ==, "0x");
}

static void
test_hex_decode (void)
{
  static const char *const good[] = { "0aFf", "0x0aff", "0X0AFF" };
  static const char *const bad[] = { "",     "0x",    "0af",   "0aff0", "0aff00", "0x0x0aff",
                                     "0agf", " 0aff", "0aff ", "x0aff", "-0af",   "0x-aff" };
  static const guint8 expected[] = { 0x0a, 0xff };
  guint8 out[sizeof expected];

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_assert_true (veil_hex_decode (good[i], out, sizeof out));
      g_assert_cmpmem (out, sizeof out, expected, sizeof expected);
    }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    if (veil_hex_decode (bad[i], out, sizeof out))
      g_error ("\"%s\" was taken for two bytes", bad[i]);
}

static void
test_hex_decode_bytes (void)
{
  g_autoptr (GBytes) some = veil_hex_decode_bytes ("0x00ffzz", 6, 2);
  g_autoptr (GBytes) none = veil_hex_decode_bytes ("0x", 2, 0);

  g_assert_cmpmem (g_bytes_get_data (some, NULL), g_bytes_get_size (some), "\0\xff", 2);
  g_assert_cmpuint (g_bytes_get_size (none), ==, 0);
  g_assert_null (veil_hex_decode_bytes ("0x00ff", 6, 1));
  g_assert_null (veil_hex_decode_bytes ("0x00f", 5, 8));
  g_assert_null (veil_hex_decode_bytes ("00fg", 4, 8));
}

static void
test_base64_round_trip (void)
{
  guint8 bytes[67];

  for (guint i = 0; i < sizeof bytes; i++)
    bytes[i] = (guint8) (i * 37 + 251);
  for (gsize length = 0; length <= sizeof bytes; length++)
    {
      g_autofree char *text = g_base64_encode (bytes, length);
      g_autoptr (GBytes) back = veil_base64_decode (text, strlen (text));

      g_assert_nonnull (back);
      g_assert_cmpmem (g_bytes_get_data (back, NULL), g_bytes_get_size (back), bytes, length);
    }
}

static void
test_base64_strict (void)
{
  static const char *const bad[] = {
    "A",     "AA",     "AAA",  "AAAAA", "=",    "====",     "A===", "AA=A", "AA==AAAA", "AAA=AAAA",
    "AA\nA", "AAAA\n", " AAA", "AA-A",  "AA_A", "AAAAAA= ", "AB==", "AAB=", "AAA\xc3",  "AA==\n",
  };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GBytes) bytes = veil_base64_decode (bad[i], strlen (bad[i]));

      if (bytes != NULL)
        g_error ("\"%s\" was taken for base64", bad[i]);
    }
  g_assert_null (veil_base64_decode ("AA\0A", 4));
}

static void
test_secret_equal (void)
{
  g_assert_true (veil_secret_equal ("abc", "abc", 3));
  g_assert_true (veil_secret_equal ("abc", "xyz", 0));
  g_assert_false (veil_secret_equal ("abc", "abd", 3));
  g_assert_false (veil_secret_equal ("abc", "bbc", 3));

  g_assert_true (veil_secret_equal_str ("", ""));
  g_assert_true (veil_secret_equal_str ("token", "token"));
  g_assert_false (veil_secret_equal_str ("token", "tokex"));
  g_assert_false (veil_secret_equal_str ("token", "toke"));
  g_assert_false (veil_secret_equal_str ("toke", "token"));
  g_assert_false (veil_secret_equal_str ("", "token"));
  g_assert_false (veil_secret_equal_str ("token", ""));
  g_assert_false (veil_secret_equal_str (NULL, "token"));
  g_assert_false (veil_secret_equal_str ("token", NULL));
  g_assert_false (veil_secret_equal_str (NULL, NULL));
}

static void
test_secret_wipe (void)
{
  char text[] = "secret";
  GBytes *bytes;

  veil_secret_wipe (text, 3);
  g_assert_cmpmem (text, sizeof text, "\0\0\0ret", 7);
  veil_secret_wipe (NULL, 0);
  veil_secret_free (NULL);
  veil_secret_free (g_strdup ("secret"));
  veil_secret_byte_array_unref (NULL);
  bytes = veil_secret_bytes_new_take (g_strdup ("secret"), 6);
  g_assert_cmpuint (g_bytes_get_size (bytes), ==, 6);
  g_bytes_unref (bytes);
}

static void
test_secret_byte_array (void)
{
  GByteArray *array = g_byte_array_new ();
  GByteArray *taken = g_byte_array_new_take ((guint8 *) g_strdup ("12345"), 5);
  guint moves = 0;

  for (guint i = 0; i < 100000; i++)
    {
      const guint8 *before = array->data;
      guint8 byte = (guint8) i;

      veil_secret_byte_array_append (array, &byte, 1);
      moves += array->data != before;
    }
  g_assert_cmpuint (array->len, ==, 100000);
  for (guint i = 0; i < array->len; i++)
    g_assert_cmpuint (array->data[i], ==, (guint8) i);
  g_assert_cmpuint (moves, <, 20);

  veil_secret_byte_array_append (taken, "67890123456789", 14);
  g_assert_cmpmem (taken->data, taken->len, "1234567890123456789", 19);
  veil_secret_byte_array_unref (array);
  veil_secret_byte_array_unref (taken);
}

/* What was reserved is there: nothing moves while it is filled, so nothing is left behind unwiped. */
static void
test_secret_byte_array_reserve (void)
{
  for (guint size = 1; size < 5000; size += 61)
    {
      GByteArray *array = g_byte_array_new ();
      const guint8 *data;

      veil_secret_byte_array_append (array, "head", 4);
      veil_secret_byte_array_reserve (array, size);
      data = array->data;
      for (guint i = 0; i < size; i++)
        g_byte_array_append (array, (const guint8 *) "x", 1);
      g_assert_true (array->data == data);
      g_assert_cmpmem (array->data, 4, "head", 4);
      g_assert_cmpuint (array->len, ==, 4 + size);
      veil_secret_byte_array_unref (array);
    }
}

static void
test_error_details (void)
{
  g_autoptr (GError) error = g_error_new (VEIL_ERROR, VEIL_ERROR_RELAY_REFUSED, "The relay is busy; try again later");
  g_autoptr (GError) copy = NULL;
  g_autoptr (GError) propagated = NULL;

  g_assert_null (veil_error_get_param (error));
  g_assert_null (veil_error_get_retry_after (error));
  g_assert_cmpuint (veil_error_get_status (error), ==, 0);
  g_assert_false (veil_error_get_retryable (error));

  veil_error_set_param (error, "messages[0]");
  veil_error_set_param (error, "messages[1].role");
  veil_error_set_status (error, 429);
  veil_error_set_retry_after (error, "7");
  veil_error_set_retryable (error, TRUE);
  copy = g_error_copy (error);
  g_clear_error (&error);
  g_propagate_prefixed_error (&propagated, g_steal_pointer (&copy), "seen: ");

  g_assert_error (propagated, VEIL_ERROR, VEIL_ERROR_RELAY_REFUSED);
  g_assert_cmpstr (veil_error_get_param (propagated), ==, "messages[1].role");
  g_assert_cmpstr (veil_error_get_retry_after (propagated), ==, "7");
  g_assert_cmpuint (veil_error_get_status (propagated), ==, 429);
  g_assert_true (veil_error_get_retryable (propagated));
}

static void
test_error_of_others (void)
{
  g_autoptr (GError) other = g_error_new (G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled");

  g_assert_null (veil_error_get_param (other));
  g_assert_cmpuint (veil_error_get_status (NULL), ==, 0);
  g_test_expect_message ("veil", G_LOG_LEVEL_CRITICAL, "*VEIL_ERROR*");
  veil_error_set_status (other, 500);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (veil_error_get_status (other), ==, 0);
}

static void
test_error_nicks (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint code = 0; code <= VEIL_ERROR_INTERNAL; code++)
    {
      const char *nick = veil_error_get_nick (code);

      g_assert_nonnull (nick);
      g_assert_true (g_hash_table_add (seen, (gpointer) nick));
    }
  g_assert_cmpstr (veil_error_get_nick (VEIL_ERROR_OUTPUT_HASH), ==, "output_hash");
  g_assert_cmpstr (veil_error_get_nick (VEIL_ERROR_STALE), ==, "stale_response");
  g_assert_cmpstr (veil_error_get_nick (9999), ==, "internal");
  g_assert_true (veil_error_is_verification (VEIL_ERROR_SEAL));
  g_assert_true (veil_error_is_verification (VEIL_ERROR_UNSIGNED_CONTENT));
  g_assert_false (veil_error_is_verification (VEIL_ERROR_GATEWAY));
  g_assert_false (veil_error_is_verification (VEIL_ERROR_LISTEN));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hex/encode", test_hex_encode);
  g_test_add_func ("/hex/decode", test_hex_decode);
  g_test_add_func ("/hex/decode-bytes", test_hex_decode_bytes);
  g_test_add_func ("/base64/round-trip", test_base64_round_trip);
  g_test_add_func ("/base64/strict", test_base64_strict);
  g_test_add_func ("/secret/equal", test_secret_equal);
  g_test_add_func ("/secret/wipe", test_secret_wipe);
  g_test_add_func ("/secret/byte-array", test_secret_byte_array);
  g_test_add_func ("/secret/byte-array-reserve", test_secret_byte_array_reserve);
  g_test_add_func ("/error/details", test_error_details);
  g_test_add_func ("/error/of-others", test_error_of_others);
  g_test_add_func ("/error/nicks", test_error_nicks);
  return g_test_run ();
}
