/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "listener.h"

#include "error-details.h"
#include "translate.h"

#include <gio/gnetworking.h>
#include <sys/resource.h>

#define BACKLOG 1024
#define ACCEPTS_PER_TURN 64
#define RETRY_MS 100
#define OTHER_FILES 32 /* that the process has open */
#define LEAST_CONNECTIONS 8

typedef struct
{
  VeilServer *server; /* not owned */
  GSocket *socket;    /* owned */
  GSource *source;    /* owned: new connections, or the wait after an error; NULL while there is no room */
} VeilListener;

static void listener_wait (VeilListener *self);

static void
listener_stop (VeilListener *self)
{
  if (self->source == NULL)
    return;
  g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
}

static void
listener_free (VeilListener *self)
{
  listener_stop (self);
  g_socket_close (self->socket, NULL);
  g_object_unref (self->socket);
  g_free (self);
}

static gboolean
on_retry (gpointer user_data)
{
  listener_wait (user_data);
  return G_SOURCE_REMOVE;
}

static void
listener_retry_later (VeilListener *self)
{
  listener_stop (self);
  self->source = g_timeout_source_new (RETRY_MS);
  g_source_set_callback (self->source, on_retry, self, NULL);
  g_source_attach (self->source, g_main_context_get_thread_default ());
}

/* Each request that is let in may need a connection to the relay: callers get no more than half of the descriptors, or none could be answered. */
static guint
get_max_connections (void)
{
  struct rlimit files;

  if (getrlimit (RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= OTHER_FILES + 2 * VEIL_SERVER_MAX_CONNECTIONS)
    return VEIL_SERVER_MAX_CONNECTIONS;
  return files.rlim_cur <= OTHER_FILES + 2 * LEAST_CONNECTIONS ? LEAST_CONNECTIONS : (guint) (files.rlim_cur - OTHER_FILES) / 2;
}

static gboolean
on_connection (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  VeilListener *self = user_data;
  guint max_connections = get_max_connections ();

  for (guint i = 0; i < ACCEPTS_PER_TURN; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GSocket) accepted = NULL;
      g_autoptr (GSocketConnection) stream = NULL;

      if (g_hash_table_size (self->server->connections) >= max_connections)
        {
          listener_stop (self);
          return G_SOURCE_REMOVE;
        }
      accepted = g_socket_accept (socket, NULL, &error);
      if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        return G_SOURCE_CONTINUE;
      if (accepted == NULL)
        {
          listener_retry_later (self);
          return G_SOURCE_REMOVE;
        }
      g_socket_set_option (accepted, IPPROTO_TCP, TCP_NODELAY, TRUE, NULL);
      stream = g_socket_connection_factory_create_connection (accepted);
      veil_server_adopt (self->server, stream);
    }
  return G_SOURCE_CONTINUE;
}

static void
listener_wait (VeilListener *self)
{
  listener_stop (self);
  self->source = g_socket_create_source (self->socket, G_IO_IN, NULL);
  g_source_set_callback (self->source, G_SOURCE_FUNC (on_connection), self, NULL);
  g_source_attach (self->source, g_main_context_get_thread_default ());
}

static GSocket *
bind_socket (GInetAddress *address, guint16 port, GError **error)
{
  g_autoptr (GSocketAddress) socket_address = g_inet_socket_address_new (address, port);
  g_autoptr (GSocket) socket =
      g_socket_new (g_inet_address_get_family (address), G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, error);

  if (socket == NULL)
    return NULL;
  g_socket_set_blocking (socket, FALSE);
  g_socket_set_listen_backlog (socket, BACKLOG);
  if (!g_socket_bind (socket, socket_address, TRUE, error) || !g_socket_listen (socket, error))
    return NULL;
  return g_steal_pointer (&socket);
}

static guint16
get_port (GSocket *socket)
{
  g_autoptr (GSocketAddress) address = g_socket_get_local_address (socket, NULL);

  return address != NULL ? g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)) : 0;
}

/* Looking who has it takes a moment, which a main loop does not have: see port-probe.h. */
static void
set_listen_error (GError **error, const GError *cause, GInetAddress *address, guint16 port)
{
  g_autoptr (GSocketAddress) taken = g_inet_socket_address_new (address, port);
  g_autofree char *name = g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (taken));
  g_autofree char *host = g_inet_address_to_string (address);
  GError *made;

  if (!g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE))
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_LISTEN, _ ("Cannot listen on %s port %u: %s"), host, port, cause->message);
      return;
    }
  made = g_error_new (VEIL_ERROR, VEIL_ERROR_LISTEN,
                      _ ("Port %u on %s is taken by another program; choose another one with --port"), port, host);
  veil_error_set_taken (made, name);
  g_propagate_error (error, made);
}

static gboolean
open_one (VeilServer *server, GInetAddress *address, guint16 port, GError **error)
{
  g_autoptr (GError) cause = NULL;
  GSocket *socket = bind_socket (address, port, &cause);
  VeilListener *listener;

  if (socket == NULL)
    {
      set_listen_error (error, cause, address, port);
      return FALSE;
    }
  listener = g_new0 (VeilListener, 1);
  listener->server = server;
  listener->socket = socket;
  g_ptr_array_add (server->listeners, listener);
  server->port = get_port (socket);
  return TRUE;
}

/* A machine without IPv6 does without. A port that somebody else has there is an error: who gets a name's two addresses tries both, and
 * would bring that somebody the prompts. */
static gboolean
machine_has (GInetAddress *address)
{
  g_autoptr (GSocket) probe = bind_socket (address, 0, NULL);

  return probe != NULL;
}

static gboolean
open_localhost (VeilServer *server, guint16 port, GError **error)
{
  g_autoptr (GInetAddress) four = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GInetAddress) six = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV6);
  gboolean both = machine_has (six);

  /* A port that is free on one may be taken on the other: with any port asked for, there are more. */
  for (guint attempt = 0;; attempt++)
    {
      g_autoptr (GError) local_error = NULL;

      if (open_one (server, four, port, &local_error) && (!both || open_one (server, six, server->port, &local_error)))
        return TRUE;
      veil_listeners_stop_accepting (server);
      if (port != 0 || attempt == 8)
        {
          g_propagate_error (error, g_steal_pointer (&local_error));
          return FALSE;
        }
    }
}

static void
free_listeners (GPtrArray *listeners)
{
  g_ptr_array_set_free_func (listeners, (GDestroyNotify) listener_free);
  g_ptr_array_set_size (listeners, 0);
}

/* libsoup keeps a connection for the next request only while it has a listener; it gets one on which nothing will ever happen. */
static gboolean
open_keep_alive (VeilServer *server, GError **error)
{
  int fds[2];

  if (server->keep_alive[0] != NULL)
    return TRUE;
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_LISTEN, _ ("Cannot open a socket: %s"), g_strerror (errno));
      return FALSE;
    }
  for (guint i = 0; i < 2; i++)
    {
      server->keep_alive[i] = g_socket_new_from_fd (fds[i], error);
      if (server->keep_alive[i] == NULL)
        return FALSE;
    }
  return soup_server_listen_socket (server->soup, server->keep_alive[0], 0, error);
}

gboolean
veil_listeners_host_is_local (const char *host)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);

  return g_ascii_strcasecmp (host, "localhost") == 0 || (address != NULL && g_inet_address_get_is_loopback (address));
}

static gboolean
open_all (VeilServer *server, const char *host, guint16 port, GError **error)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (host);
  gboolean localhost = g_ascii_strcasecmp (host, "localhost") == 0;

  if (address == NULL && !localhost)
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_LISTEN, _ ("\"%s\" is not an IP address; use one of this machine's, or localhost"),
                   host);
      return FALSE;
    }
  if (!veil_listeners_host_is_local (host) && server->api_key == NULL)
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_LISTEN,
                   _ ("%s can be reached from other machines, which needs an API key; set OG_VEIL_API_KEY, or listen on 127.0.0.1"),
                   host);
      return FALSE;
    }
  if (!(localhost ? open_localhost (server, port, error) : open_one (server, address, port, error)) ||
      !open_keep_alive (server, error))
    {
      free_listeners (server->listeners);
      return FALSE;
    }
  veil_listeners_resume (server);
  return TRUE;
}

gboolean
veil_listeners_open (VeilServer *server, const char *host, guint16 port, GError **error)
{
  if (open_all (server, host, port, error))
    return TRUE;
  veil_listeners_close (server);
  return FALSE;
}

void
veil_listeners_stop_accepting (VeilServer *server)
{
  free_listeners (server->listeners);
}

/* One after the other where two cannot be there at once. */
static gboolean
reopen_in_place (VeilServer *server, const char *host, guint16 port, GError **error)
{
  g_autoptr (GError) back = NULL;

  veil_listeners_stop_accepting (server);
  if (open_all (server, host, port, error))
    return TRUE;
  if (!open_all (server, server->host, port, &back))
    g_warning ("The former address is lost, too: %s", back->message);
  return FALSE;
}

gboolean
veil_listeners_move (VeilServer *server, const char *host, guint16 port, GError **error)
{
  GPtrArray *former = server->listeners;
  guint16 former_port = server->port;
  gboolean moved;

  if (port == server->port)
    return reopen_in_place (server, host, port, error);
  server->listeners = g_ptr_array_new ();
  moved = open_all (server, host, port, error);
  if (!moved)
    {
      free_listeners (server->listeners);
      g_ptr_array_unref (server->listeners);
      server->listeners = former;
      server->port = former_port;
      return FALSE;
    }
  free_listeners (former);
  g_ptr_array_unref (former);
  return TRUE;
}

void
veil_listeners_close (VeilServer *server)
{
  veil_listeners_stop_accepting (server);
  g_clear_object (&server->keep_alive[0]);
  g_clear_object (&server->keep_alive[1]);
}

void
veil_listeners_resume (VeilServer *server)
{
  for (guint i = 0; i < server->listeners->len; i++)
    {
      VeilListener *listener = g_ptr_array_index (server->listeners, i);

      if (listener->source == NULL)
        listener_wait (listener);
    }
}
