/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "fetch-private.h"

#include "translate.h"
#include "veil-error.h"

#include <libsoup/soup.h>
#include <string.h>

#define MAX_URL 2048

gboolean
veil_fetch_host_is_loopback (const char *host)
{
  if (host == NULL)
    return FALSE;
  if (g_ascii_strcasecmp (host, "localhost") == 0)
    return TRUE;

  /* Only the full dotted and colon forms are read here: "127.1" or a number count as names, and names are not trusted. */
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);
  return address != NULL && g_inet_address_get_is_loopback (address);
}

static gboolean
refuse (GError **error, const char *what, const char *reason)
{
  /* TRANSLATORS: the first is "The relay's address" or the like, the second why */
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT, _ ("%s cannot be used: %s"), what, reason);
  return FALSE;
}

gboolean
veil_fetch_check_url (const char *url, const char *what, GError **error)
{
  if (url == NULL || *url == '\0')
    return refuse (error, what, _ ("it is empty"));
  if (strlen (url) > MAX_URL)
    return refuse (error, what, _ ("it is too long"));
  for (const char *p = url; *p != '\0'; p++)
    if (!g_ascii_isgraph (*p) || *p == '\\' || *p == '#' || *p == '"' || *p == '<' || *p == '>')
      return refuse (error, what, _ ("it holds white space, a fragment or characters that must be escaped"));

  g_autoptr (GUri) uri = g_uri_parse (url, SOUP_HTTP_URI_FLAGS, NULL);
  if (uri == NULL)
    return refuse (error, what, _ ("it is not a URL"));

  gboolean https = strcmp (g_uri_get_scheme (uri), "https") == 0;
  const char *host = g_uri_get_host (uri);

  if (!https && strcmp (g_uri_get_scheme (uri), "http") != 0)
    return refuse (error, what, _ ("only https:// is allowed"));
  if (host == NULL || *host == '\0')
    return refuse (error, what, _ ("it names no host"));
  if (g_uri_get_userinfo (uri) != NULL)
    return refuse (error, what, _ ("it holds a user name"));
  if (g_uri_get_port (uri) == 0)
    return refuse (error, what, _ ("port 0 cannot be connected to"));
  if (!https && !veil_fetch_host_is_loopback (host))
    return refuse (error, what, _ ("only https:// is allowed beyond this machine"));
  return TRUE;
}
