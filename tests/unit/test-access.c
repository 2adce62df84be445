/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "access.h"

#include <string.h>

static const char *const origins[] = { "https://app.example", "null", NULL };

static void
test_hosts (void)
{
  static const char *const good[] = { "127.0.0.1:11434", "localhost:11434", "LocalHost:11434", "[::1]:11434", "127.8.9.1:11434" };
  static const char *const bad[] = { "",
                                     "127.0.0.1",
                                     "localhost",
                                     "127.0.0.1:11435",
                                     "127.0.0.1:",
                                     "127.0.0.1:011434",
                                     "127.0.0.1:+11434",
                                     "127.0.0.1:11434 ",
                                     " 127.0.0.1:11434",
                                     "127.0.0.1:11434,localhost:11434",
                                     "127.0.0.1:11434, 127.0.0.1:11434",
                                     "127.1:11434",
                                     "2130706433:11434",
                                     "0x7f.0.0.1:11434",
                                     "0177.0.0.1:11434",
                                     "127.0.0.01:11434",
                                     "127.0.0.1.:11434",
                                     "localhost.:11434",
                                     "0.0.0.0:11434",
                                     "[::]:11434",
                                     "[::ffff:127.0.0.1]:11434",
                                     "[::1%lo]:11434",
                                     "[::1]11434",
                                     "[::1",
                                     "::1:11434",
                                     "user@localhost:11434",
                                     "localhost:11434@evil.example",
                                     "localhost:11434/",
                                     "evil.example:11434",
                                     "127.0.0.1.evil.example:11434",
                                     "localhost.evil.example:11434",
                                     "sub.localhost:11434",
                                     "192.168.1.5:11434" };
  VeilAccessRules rules = { .host = "127.0.0.1", .port = 11434 };

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    if (!veil_access_host_is_allowed (&rules, good[i]))
      g_error ("%s is refused", good[i]);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    if (veil_access_host_is_allowed (&rules, bad[i]))
      g_error ("%s is let in", bad[i]);
}

static void
test_bound_hosts (void)
{
  g_autoptr (GInetAddress) here = g_inet_address_new_from_string ("192.168.1.5");
  g_autoptr (GInetAddress) mapped = g_inet_address_new_from_string ("::ffff:192.168.1.5");
  g_autoptr (GInetAddress) six = g_inet_address_new_from_string ("fd00::5");
  VeilAccessRules one = { .host = "192.168.1.5", .port = 80 };
  VeilAccessRules all = { .host = "0.0.0.0", .port = 80, .local = here };
  VeilAccessRules both = { .host = "::", .port = 80, .local = mapped };

  g_assert_true (veil_access_host_is_allowed (&one, "192.168.1.5:80"));
  g_assert_true (veil_access_host_is_allowed (&one, "192.168.1.5")); /* 80 is what no port means */
  g_assert_false (veil_access_host_is_allowed (&one, "192.168.1.6"));
  g_assert_true (veil_access_host_is_allowed (&all, "192.168.1.5"));
  g_assert_true (veil_access_host_is_allowed (&all, "localhost"));
  g_assert_false (veil_access_host_is_allowed (&all, "192.168.1.6"));
  g_assert_false (veil_access_host_is_allowed (&all, "0.0.0.0"));
  g_assert_false (veil_access_host_is_allowed (&all, "evil.example"));
  g_assert_true (veil_access_host_is_allowed (&both, "192.168.1.5"));
  g_assert_false (veil_access_host_is_allowed (&both, "192.168.1.6"));
  both.local = six;
  g_assert_true (veil_access_host_is_allowed (&both, "[fd00::5]"));
  g_assert_false (veil_access_host_is_allowed (&both, "[fd00::6]"));
}

static VeilAccess
check (const VeilAccessRules *rules, const char *lines, gboolean preflight)
{
  g_autofree char *request = g_strdup_printf ("POST /v1/chat/completions HTTP/1.1\r\n%s", lines);
  g_autoptr (GUri) uri = g_uri_parse ("http://127.0.0.1:11434/v1/chat/completions", SOUP_HTTP_URI_FLAGS, NULL);
  SoupMessageHeaders *headers = soup_message_headers_new (SOUP_MESSAGE_HEADERS_REQUEST);
  VeilAccess access;

  g_assert_cmpuint (soup_headers_parse_request (request, strlen (request), headers, NULL, NULL, NULL), ==, 200);
  access = veil_access_check (rules, headers, uri, preflight);
  soup_message_headers_unref (headers);
  return access;
}

#define HOST "Host: 127.0.0.1:11434\r\n"

static void
test_origins (void)
{
  VeilAccessRules rules = { .host = "127.0.0.1", .port = 11434, .origins = origins };
  VeilAccessRules none = { .host = "127.0.0.1", .port = 11434 };

  g_assert_cmpint (check (&rules, HOST, FALSE), ==, VEIL_ACCESS_OK);
  g_assert_cmpint (check (&rules, HOST "Origin: https://app.example\r\n", FALSE), ==, VEIL_ACCESS_OK);
  g_assert_cmpint (check (&rules, HOST "Origin: https://app.example\r\nSec-Fetch-Site: cross-site\r\n", FALSE), ==, VEIL_ACCESS_OK);
  g_assert_cmpint (check (&none, HOST "Origin: https://app.example\r\n", FALSE), ==, VEIL_ACCESS_BAD_ORIGIN);
  g_assert_cmpint (check (&rules, HOST "Origin: https://evil.example\r\n", FALSE), ==, VEIL_ACCESS_BAD_ORIGIN);
  g_assert_cmpint (check (&rules, HOST "Origin: https://app.example.evil\r\n", FALSE), ==, VEIL_ACCESS_BAD_ORIGIN);
  g_assert_cmpint (check (&rules, HOST "Origin: http://app.example\r\n", FALSE), ==, VEIL_ACCESS_BAD_ORIGIN);
  g_assert_cmpint (check (&rules, HOST "Origin: http://127.0.0.1:11434\r\n", FALSE), ==, VEIL_ACCESS_BAD_ORIGIN);
  g_assert_cmpint (check (&rules, HOST "Origin: null\r\n", FALSE), ==, VEIL_ACCESS_BAD_ORIGIN);
  g_assert_cmpint (check (&rules, HOST "Origin:\r\n", FALSE), ==, VEIL_ACCESS_BAD_ORIGIN);
  g_assert_cmpint (check (&rules, HOST "Origin: https://app.example\r\nOrigin: https://evil.example\r\n", FALSE), ==,
                   VEIL_ACCESS_BAD_ORIGIN);
  g_assert_cmpint (check (&rules, HOST "Origin: https://evil.example\r\nOrigin: https://app.example\r\n", FALSE), ==,
                   VEIL_ACCESS_BAD_ORIGIN);
  g_assert_cmpint (check (&rules, HOST "Sec-Fetch-Site: none\r\n", FALSE), ==, VEIL_ACCESS_OK);
  g_assert_cmpint (check (&rules, HOST "Sec-Fetch-Site: same-origin\r\n", FALSE), ==, VEIL_ACCESS_OK);
  g_assert_cmpint (check (&rules, HOST "Sec-Fetch-Site: cross-site\r\n", FALSE), ==, VEIL_ACCESS_BAD_ORIGIN);
  g_assert_cmpint (check (&rules, HOST "Sec-Fetch-Site: same-site\r\n", FALSE), ==, VEIL_ACCESS_BAD_ORIGIN);
  g_assert_cmpint (check (&rules, HOST "Origin: https://evil.example\r\n", TRUE), ==, VEIL_ACCESS_BAD_ORIGIN);
}

static void
test_keys (void)
{
  VeilAccessRules rules = { .host = "127.0.0.1", .port = 11434, .origins = origins, .api_key = "s3cret" };
  VeilAccessRules none = { .host = "127.0.0.1", .port = 11434 };

  g_assert_cmpint (check (&rules, HOST, FALSE), ==, VEIL_ACCESS_BAD_KEY);
  g_assert_cmpint (check (&rules, HOST, TRUE), ==, VEIL_ACCESS_OK);
  g_assert_cmpint (check (&rules, HOST "Authorization: Bearer s3cret\r\n", FALSE), ==, VEIL_ACCESS_OK);
  g_assert_cmpint (check (&rules, HOST "Authorization: bearer  s3cret\r\n", FALSE), ==, VEIL_ACCESS_OK);
  g_assert_cmpint (check (&rules, HOST "Authorization: Bearer s3cre\r\n", FALSE), ==, VEIL_ACCESS_BAD_KEY);
  g_assert_cmpint (check (&rules, HOST "Authorization: Bearer s3cretX\r\n", FALSE), ==, VEIL_ACCESS_BAD_KEY);
  g_assert_cmpint (check (&rules, HOST "Authorization: Bearer \r\n", FALSE), ==, VEIL_ACCESS_BAD_KEY);
  g_assert_cmpint (check (&rules, HOST "Authorization: s3cret\r\n", FALSE), ==, VEIL_ACCESS_BAD_KEY);
  g_assert_cmpint (check (&rules, HOST "Authorization: Basic s3cret\r\n", FALSE), ==, VEIL_ACCESS_BAD_KEY);
  g_assert_cmpint (check (&rules, HOST "Authorization: Bearer s3cret\r\nAuthorization: Bearer s3cret\r\n", FALSE), ==,
                   VEIL_ACCESS_BAD_KEY);
  /* The key stands in for an allow-listed Origin; an allow-listed Origin does not stand in for the key. */
  g_assert_cmpint (check (&rules, HOST "Origin: null\r\nAuthorization: Bearer s3cret\r\n", FALSE), ==, VEIL_ACCESS_OK);
  g_assert_cmpint (check (&rules, HOST "Origin: https://app.example\r\n", FALSE), ==, VEIL_ACCESS_BAD_KEY);
  g_assert_cmpint (check (&rules, HOST "Origin: https://evil.example\r\nAuthorization: Bearer wrong\r\n", FALSE), ==,
                   VEIL_ACCESS_BAD_ORIGIN);
  /* Nor does it make up for a wrong Host. */
  g_assert_cmpint (check (&rules, "Host: evil.example\r\nAuthorization: Bearer s3cret\r\n", FALSE), ==, VEIL_ACCESS_BAD_HOST);
  /* Where no key is required, none opens anything. */
  g_assert_cmpint (check (&none, HOST "Origin: null\r\nAuthorization: Bearer \r\n", FALSE), ==, VEIL_ACCESS_BAD_ORIGIN);
  g_assert_cmpint (check (&none, HOST "Authorization: Bearer anything\r\n", FALSE), ==, VEIL_ACCESS_OK);
}

static void
test_host_headers (void)
{
  VeilAccessRules rules = { .host = "127.0.0.1", .port = 11434 };
  g_autoptr (GUri) elsewhere = g_uri_parse ("http://evil.example:11434/health", SOUP_HTTP_URI_FLAGS, NULL);
  SoupMessageHeaders *headers = soup_message_headers_new (SOUP_MESSAGE_HEADERS_REQUEST);

  g_assert_cmpint (check (&rules, "Accept: x\r\n", FALSE), ==, VEIL_ACCESS_BAD_HOST);
  g_assert_cmpint (check (&rules, HOST "Host: evil.example\r\n", FALSE), ==, VEIL_ACCESS_BAD_HOST);
  g_assert_cmpint (check (&rules, "Host: evil.example\r\n" HOST, FALSE), ==, VEIL_ACCESS_BAD_HOST);
  g_assert_cmpint (check (&rules, HOST HOST, FALSE), ==, VEIL_ACCESS_BAD_HOST);
  /* A request line that names another host than the header. */
  soup_message_headers_replace (headers, "Host", "127.0.0.1:11434");
  g_assert_cmpint (veil_access_check (&rules, headers, elsewhere, FALSE), ==, VEIL_ACCESS_BAD_HOST);
  soup_message_headers_unref (headers);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/access/hosts", test_hosts);
  g_test_add_func ("/access/hosts/bound", test_bound_hosts);
  g_test_add_func ("/access/hosts/headers", test_host_headers);
  g_test_add_func ("/access/origins", test_origins);
  g_test_add_func ("/access/keys", test_keys);
  return g_test_run ();
}
