/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "fetch-private.h"

#define VEIL_TYPE_PROXY_RESOLVER (veil_proxy_resolver_get_type ())
G_DECLARE_FINAL_TYPE (VeilProxyResolver, veil_proxy_resolver, VEIL, PROXY_RESOLVER, GObject)

struct _VeilProxyResolver
{
  GObject parent_instance;

  GProxyResolver *system; /* owned */
};

static gboolean
is_loopback_uri (const char *uri)
{
  g_autofree char *host = NULL;

  return g_uri_split_network (uri, G_URI_FLAGS_NONE, NULL, &host, NULL, NULL) && veil_fetch_host_is_loopback (host);
}

static char **
direct (void)
{
  const char *const proxies[] = { "direct://", NULL };

  return g_strdupv ((char **) proxies);
}

static gboolean
veil_proxy_resolver_is_supported (GProxyResolver *resolver)
{
  return TRUE;
}

static char **
veil_proxy_resolver_lookup (GProxyResolver *resolver, const char *uri, GCancellable *cancellable, GError **error)
{
  if (is_loopback_uri (uri))
    return direct ();
  return g_proxy_resolver_lookup (VEIL_PROXY_RESOLVER (resolver)->system, uri, cancellable, error);
}

static void
system_lookup_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  char **proxies = g_proxy_resolver_lookup_finish (G_PROXY_RESOLVER (source), result, &error);

  if (proxies == NULL)
    g_task_return_error (task, g_steal_pointer (&error));
  else
    g_task_return_pointer (task, proxies, (GDestroyNotify) g_strfreev);
}

static void
veil_proxy_resolver_lookup_async (GProxyResolver *resolver, const char *uri, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (resolver, cancellable, callback, user_data);

  g_task_set_source_tag (task, veil_proxy_resolver_lookup_async);
  if (is_loopback_uri (uri))
    g_task_return_pointer (task, direct (), (GDestroyNotify) g_strfreev);
  else
    g_proxy_resolver_lookup_async (VEIL_PROXY_RESOLVER (resolver)->system, uri, cancellable, system_lookup_cb,
                                   g_steal_pointer (&task));
}

static char **
veil_proxy_resolver_lookup_finish (GProxyResolver *resolver, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
veil_proxy_resolver_iface_init (GProxyResolverInterface *iface)
{
  iface->is_supported = veil_proxy_resolver_is_supported;
  iface->lookup = veil_proxy_resolver_lookup;
  iface->lookup_async = veil_proxy_resolver_lookup_async;
  iface->lookup_finish = veil_proxy_resolver_lookup_finish;
}

G_DEFINE_FINAL_TYPE_WITH_CODE (VeilProxyResolver, veil_proxy_resolver, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_PROXY_RESOLVER, veil_proxy_resolver_iface_init))

static void
veil_proxy_resolver_finalize (GObject *object)
{
  g_object_unref (VEIL_PROXY_RESOLVER (object)->system);
  G_OBJECT_CLASS (veil_proxy_resolver_parent_class)->finalize (object);
}

static void
veil_proxy_resolver_class_init (VeilProxyResolverClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_proxy_resolver_finalize;
}

static void
veil_proxy_resolver_init (VeilProxyResolver *self)
{
}

GProxyResolver *
veil_fetch_proxy_resolver_new (GProxyResolver *system)
{
  VeilProxyResolver *self = g_object_new (VEIL_TYPE_PROXY_RESOLVER, NULL);

  self->system = g_object_ref (system);
  return G_PROXY_RESOLVER (self);
}
