/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "fetch-private.h"

/* What half of the web calls itself, without a version that would tell this program or machine apart. */
#define USER_AGENT "Mozilla/5.0"
#define CONNECTIONS_PER_HOST 64
#define CONNECTIONS 256
#define IDLE_CONNECTION_SECONDS 30
#define CONNECT_TIMEOUT_MS 20000
#define CONNECT_TIMEOUT_KEY "veil-connect-timeout"
#define CHOICE "GIO_USE_PROXY_RESOLVER"

static gboolean
has_schema (const char *id)
{
  GSettingsSchemaSource *source = g_settings_schema_source_get_default ();
  g_autoptr (GSettingsSchema) schema = source != NULL ? g_settings_schema_source_lookup (source, id, TRUE) : NULL;

  return schema != NULL;
}

/* GNOME's resolver ends the program where its schema is not found, as with an XDG_DATA_DIRS that was made for something else.
 * GIO chooses once for the whole process, and makes what it chose even for connections that bring a resolver of their own: so it
 * is its choice that is guided. */
static GProxyResolver *
get_system_resolver (void)
{
  GIOExtensionPoint *point;
  gboolean other;
  GProxyResolver *chosen;

  if (g_getenv (CHOICE) != NULL || has_schema ("org.gnome.system.proxy"))
    return g_proxy_resolver_get_default ();
  g_tls_backend_get_default (); /* loads the list of modules */
  point = g_io_extension_point_lookup (G_PROXY_RESOLVER_EXTENSION_POINT_NAME);
  other = point != NULL && g_io_extension_point_get_extension_by_name (point, "libproxy") != NULL;
  g_setenv (CHOICE, other ? "libproxy" : "dummy", TRUE);
  chosen = g_proxy_resolver_get_default ();
  g_unsetenv (CHOICE);
  return chosen;
}

SoupSession *
veil_fetch_session_new (void)
{
  g_autoptr (GProxyResolver) resolver = veil_fetch_proxy_resolver_new (get_system_resolver ());
  SoupSession *session = soup_session_new_with_options ("user-agent", USER_AGENT, "max-conns", CONNECTIONS, "max-conns-per-host",
                                                        CONNECTIONS_PER_HOST, "idle-timeout", IDLE_CONNECTION_SECONDS, "timeout",
                                                        VEIL_FETCH_SILENCE_SECONDS, "proxy-resolver", resolver, NULL);

  soup_session_remove_feature_by_type (session, SOUP_TYPE_CONTENT_DECODER);
  soup_session_remove_feature_by_type (session, SOUP_TYPE_AUTH_MANAGER);
  return session;
}

void
veil_fetch_session_set_connect_timeout (SoupSession *session, guint milliseconds)
{
  g_object_set_data (G_OBJECT (session), CONNECT_TIMEOUT_KEY, GUINT_TO_POINTER (milliseconds));
}

guint
veil_fetch_session_get_connect_timeout (SoupSession *session)
{
  guint milliseconds = GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (session), CONNECT_TIMEOUT_KEY));

  return milliseconds > 0 ? milliseconds : CONNECT_TIMEOUT_MS;
}
