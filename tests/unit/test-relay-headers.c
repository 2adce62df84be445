/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Headers that a caller gives for the relay: what goes through, and what is kept away from the exchange. */
#include "relay-headers.h"

#include "relay-error.h"
#include "veil-error.h"

#include <string.h>

static void
test_applied (void)
{
  g_autoptr (VeilRelayHeaders) headers = veil_relay_headers_new_bearer ("first");
  SoupMessageHeaders *given = soup_message_headers_new (SOUP_MESSAGE_HEADERS_REQUEST);
  g_autoptr (GError) error = NULL;

  g_assert_true (veil_relay_headers_set (headers, "authorization", "Basic second", &error));
  g_assert_true (veil_relay_headers_set (headers, "X-Api-Key", "third", &error));
  g_assert_no_error (error);
  g_assert_cmpuint (veil_relay_headers_get_size (headers), ==, 2);
  veil_relay_headers_apply (headers, given);
  g_assert_cmpstr (soup_message_headers_get_list (given, "Authorization"), ==, "Basic second");
  g_assert_cmpstr (soup_message_headers_get_list (given, "X-Api-Key"), ==, "third");
  g_assert_true (g_strv_contains (veil_relay_headers_get_secrets (headers), "second"));
  g_assert_true (g_strv_contains (veil_relay_headers_get_secrets (headers), "third"));
  g_assert_false (g_strv_contains (veil_relay_headers_get_secrets (headers), "first"));
  soup_message_headers_unref (given);
}

static void
test_refused (void)
{
  static const char *const names[] = {
    "",       "a b",        "a\r\nb",        "a:",       "é",        "Host",   "host",           "cookie", "TE",
    "via",    "Accept",     "User-Agent",    "X-TEE-ID", "x-tee-id", "Expect", "Content-Length", "From",   "Range",
    "Origin", "Connection", "X-OHTTP-Stream"
  };
  static const char *const values[] = { "", " a", "a ", "a\r\nX: b", "a\tb", "é", "\x7f" };
  g_autoptr (VeilRelayHeaders) headers = veil_relay_headers_new ();
  g_autofree char *long_name = g_strnfill (65, 'n');
  g_autofree char *long_value = g_strnfill (16 * 1024 + 1, 'v');
  GError *error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (names) + 1; i++)
    {
      g_assert_false (veil_relay_headers_set (headers, i < G_N_ELEMENTS (names) ? names[i] : long_name, "v", &error));
      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT);
      g_clear_error (&error);
    }
  for (guint i = 0; i < G_N_ELEMENTS (values) + 1; i++)
    {
      g_assert_false (veil_relay_headers_set (headers, "X-Key", i < G_N_ELEMENTS (values) ? values[i] : long_value, &error));
      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT);
      g_assert_null (strstr (error->message, "X: b"));
      g_clear_error (&error);
    }
  g_assert_cmpuint (veil_relay_headers_get_size (headers), ==, 0);
}

static void
test_many (void)
{
  g_autoptr (VeilRelayHeaders) headers = veil_relay_headers_new ();
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 16; i++)
    {
      g_autofree char *name = g_strdup_printf ("X-%u", i);

      g_assert_true (veil_relay_headers_set (headers, name, "v", &error));
    }
  g_assert_false (veil_relay_headers_set (headers, "X-16", "v", &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT);
}

/* Whatever the relay says, its words do not bring a header's value into a message. */
static void
test_not_repeated (void)
{
  g_autoptr (VeilRelayHeaders) headers = veil_relay_headers_new_bearer ("TOKEN-1");
  g_autoptr (GError) error = NULL;
  SoupMessageHeaders *received = soup_message_headers_new (SOUP_MESSAGE_HEADERS_RESPONSE);

  g_assert_true (veil_relay_headers_set (headers, "X-Api-Key", "KEY-2", &error));
  for (guint i = 0; i < 3; i++)
    {
      static const char *const bodies[] = { "{\"error\":\"bad token TOKEN-1!\"}", "{\"error\":\"bad key KEY-2\"}",
                                            "{\"error\":\"said plainly\"}" };
      g_autoptr (GBytes) body = g_bytes_new_static (bodies[i], strlen (bodies[i]));
      g_autoptr (GError) refused = NULL;

      refused = veil_relay_error_new (402, received, body, veil_relay_headers_get_secrets (headers));
      g_assert_null (strstr (refused->message, "TOKEN-1"));
      g_assert_null (strstr (refused->message, "KEY-2"));
      g_assert_true ((strstr (refused->message, "said plainly") != NULL) == (i == 2));
    }
  soup_message_headers_unref (received);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/relay-headers/applied", test_applied);
  g_test_add_func ("/relay-headers/refused", test_refused);
  g_test_add_func ("/relay-headers/many", test_many);
  g_test_add_func ("/relay-headers/not-repeated", test_not_repeated);
  return g_test_run ();
}
