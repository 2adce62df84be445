/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "access.h"

#include "secret.h"
#include "translate.h"

#include <arpa/inet.h>
#include <string.h>

static gboolean
port_is (const char *text, guint16 port)
{
  char expected[8];

  g_snprintf (expected, sizeof expected, "%u", port);
  return g_str_equal (text, expected);
}

/* The address that stands for "here" beside the loopback names. */
static gboolean
is_bound_address (const VeilAccessRules *rules, const void *bytes, int family)
{
  guint8 bound[16];
  gsize size = family == AF_INET ? 4 : 16;

  if (inet_pton (family, rules->host, bound) == 1)
    {
      static const guint8 any[16] = { 0 };

      if (memcmp (bound, any, size) != 0)
        return memcmp (bound, bytes, size) == 0;
    }
  else if (!g_str_equal (rules->host, "::"))
    return FALSE;

  /* Bound to every address: the one that this connection came in on. An IPv4 connection to a socket of both families
   * has a mapped address. */
  if (rules->local == NULL)
    return FALSE;
  if (g_inet_address_get_native_size (rules->local) == size)
    return memcmp (g_inet_address_to_bytes (rules->local), bytes, size) == 0;
  if (family == AF_INET)
    {
      static const guint8 mapped[12] = { [10] = 0xff, [11] = 0xff };
      const guint8 *local = g_inet_address_to_bytes (rules->local);

      return memcmp (local, mapped, sizeof mapped) == 0 && memcmp (local + sizeof mapped, bytes, size) == 0;
    }
  return FALSE;
}

static gboolean
name_is_here (const VeilAccessRules *rules, const char *name, gboolean bracketed)
{
  struct in6_addr six;
  struct in_addr four;

  if (bracketed)
    return inet_pton (AF_INET6, name, &six) == 1 && (IN6_IS_ADDR_LOOPBACK (&six) || is_bound_address (rules, &six, AF_INET6));
  if (g_ascii_strcasecmp (name, "localhost") == 0)
    return TRUE;
  return inet_pton (AF_INET, name, &four) == 1 && (ntohl (four.s_addr) >> 24 == 127 || is_bound_address (rules, &four, AF_INET));
}

gboolean
veil_access_host_is_allowed (const VeilAccessRules *rules, const char *authority)
{
  gboolean bracketed = authority[0] == '[';
  const char *end = strchr (authority, bracketed ? ']' : ':');
  const char *port = NULL;
  g_autofree char *name = NULL;

  if (bracketed)
    {
      if (end == NULL)
        return FALSE;
      name = g_strndup (authority + 1, end - authority - 1);
      if (end[1] == ':')
        port = end + 2;
      else if (end[1] != '\0')
        return FALSE;
    }
  else if (end != NULL)
    {
      name = g_strndup (authority, end - authority);
      port = end + 1;
    }
  else
    name = g_strdup (authority);

  return port_is (port != NULL ? port : "80", rules->port) && name_is_here (rules, name, bracketed);
}

/* A request line may name a host of its own, and then that one counts: both have to be right. */
static gboolean
uri_is_here (const VeilAccessRules *rules, GUri *uri)
{
  const char *host = g_uri_get_host (uri);
  int port = g_uri_get_port (uri);
  g_autofree char *authority = NULL;

  if (host == NULL)
    return FALSE;
  authority = g_strdup_printf (strchr (host, ':') != NULL ? "[%s]:%d" : "%s:%d", host, port > 0 ? port : 80);
  return veil_access_host_is_allowed (rules, authority);
}

const char *
veil_access_get_listed_origin (const VeilAccessRules *rules, SoupMessageHeaders *headers)
{
  const char *origin = soup_message_headers_get_list (headers, "Origin");

  /* "null" is what sandboxed frames and files send: no one in particular, so it cannot be listed. */
  if (origin == NULL || rules->origins == NULL || g_ascii_strcasecmp (origin, "null") == 0)
    return NULL;
  for (gsize i = 0; rules->origins[i] != NULL; i++)
    if (g_str_equal (rules->origins[i], origin))
      return rules->origins[i];
  return NULL;
}

static gboolean
is_from_a_page (SoupMessageHeaders *headers)
{
  const char *site = soup_message_headers_get_list (headers, "Sec-Fetch-Site");

  return soup_message_headers_get_list (headers, "Origin") != NULL ||
         (site != NULL && !g_str_equal (site, "none") && !g_str_equal (site, "same-origin"));
}

static gboolean
has_key (const VeilAccessRules *rules, SoupMessageHeaders *headers)
{
  const char *given = soup_message_headers_get_list (headers, "Authorization");

  if (rules->api_key == NULL || given == NULL || g_ascii_strncasecmp (given, "Bearer ", 7) != 0)
    return FALSE;
  given += 7;
  while (*given == ' ')
    given++;
  return veil_secret_equal_str (given, rules->api_key);
}

VeilAccess
veil_access_check (const VeilAccessRules *rules, SoupMessageHeaders *headers, GUri *uri, gboolean preflight)
{
  const char *host = soup_message_headers_get_list (headers, "Host");

  if (host == NULL || !veil_access_host_is_allowed (rules, host) || !uri_is_here (rules, uri))
    return VEIL_ACCESS_BAD_HOST;
  if (is_from_a_page (headers) && veil_access_get_listed_origin (rules, headers) == NULL && !has_key (rules, headers))
    return VEIL_ACCESS_BAD_ORIGIN;
  if (rules->api_key != NULL && !preflight && !has_key (rules, headers))
    return VEIL_ACCESS_BAD_KEY;
  return VEIL_ACCESS_OK;
}

const char *
veil_access_explain (VeilAccess access)
{
  switch (access)
    {
    case VEIL_ACCESS_BAD_HOST:
      /* TRANSLATORS: "og-veil" must stay; other programs of Veil look for it */
      return _ ("The Host header does not name this endpoint; use the address that og-veil printed");
    case VEIL_ACCESS_BAD_ORIGIN:
      return _ (
          "Web pages may not use this endpoint; add the page's origin to the allowed origins in Veil's settings if it should");
    case VEIL_ACCESS_BAD_KEY:
      return _ ("This endpoint requires its API key; send it as \"Authorization: Bearer KEY\"");
    case VEIL_ACCESS_OK:
      break;
    }
  return "";
}
