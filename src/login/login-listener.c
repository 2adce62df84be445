/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "login-listener.h"

#include "fetch.h"
#include "login-request.h"
#include "socket-end.h"
#include "translate.h"
#include "veil-error.h"

#include <string.h>
#include <sys/random.h>

#define MAX_CONNECTIONS 32

struct _VeilLoginListener
{
  GObject parent;

  SoupServer *soup;   /* owned; NULL when it is over */
  GSocket *socket;    /* owned */
  GSource *accepting; /* owned */
  GQueue connections; /* owned, of GSocket; the latest last */
  VeilLoginRules rules;
  char *redirect_uri;   /* owned */
  char *sign_in_url;    /* owned */
  VeilSession *session; /* owned; what was accepted */
  GTask *task;          /* owned; who waits */
  GSource *timeout;     /* owned */
  GSource *cancelled;   /* owned */
};

G_DEFINE_FINAL_TYPE (VeilLoginListener, veil_login_listener, G_TYPE_OBJECT)

static void
drop_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

/* libsoup sees the end, and closes. */
static void
drop_connection (GSocket *socket)
{
  g_socket_shutdown (socket, TRUE, TRUE, NULL);
  g_object_unref (socket);
}

static void
stop (VeilLoginListener *self)
{
  drop_source (&self->accepting);
  drop_source (&self->timeout);
  drop_source (&self->cancelled);
  if (self->socket != NULL)
    g_socket_close (self->socket, NULL);
  g_clear_object (&self->socket);
  g_queue_clear_full (&self->connections, (GDestroyNotify) drop_connection);
  if (self->soup != NULL)
    soup_server_disconnect (self->soup);
  g_clear_object (&self->soup);
}

static void
veil_login_listener_finalize (GObject *object)
{
  VeilLoginListener *self = VEIL_LOGIN_LISTENER (object);

  stop (self);
  g_clear_pointer (&self->session, veil_session_unref);
  veil_login_rules_clear (&self->rules);
  g_free (self->redirect_uri);
  g_free (self->sign_in_url);
  G_OBJECT_CLASS (veil_login_listener_parent_class)->finalize (object);
}

static void
veil_login_listener_class_init (VeilLoginListenerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_login_listener_finalize;
}

static void
veil_login_listener_init (VeilLoginListener *self)
{
  g_queue_init (&self->connections);
}

/* Ends the wait with what was accepted, or else with @error (taken over). */
static void
settle (VeilLoginListener *self, GError *error)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);

  stop (self);
  if (task != NULL && self->session != NULL)
    g_task_return_pointer (task, g_steal_pointer (&self->session), (GDestroyNotify) veil_session_unref);
  else if (task != NULL)
    g_task_return_error (task, g_steal_pointer (&error));
  g_clear_error (&error);
}

static gboolean
on_accepted (gpointer user_data)
{
  settle (user_data, NULL);
  return G_SOURCE_REMOVE;
}

/* Later, and not from within libsoup; the page has its answer by then. */
static void
on_answered (SoupServerMessage *message, VeilLoginListener *self)
{
  if (self->task != NULL)
    g_idle_add_full (G_PRIORITY_DEFAULT, on_accepted, g_object_ref (self), g_object_unref);
}

static void
on_headers (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user_data)
{
  VeilLoginListener *self = user_data;

  veil_login_request_begin (message, &self->rules, path, query != NULL);
}

static void
on_body (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user_data)
{
  VeilLoginListener *self = user_data;
  VeilSession *session = veil_login_request_finish (message, &self->rules);

  if (session == NULL)
    return;
  self->session = session;
  self->rules.used = TRUE;
  g_signal_connect_object (message, "finished", G_CALLBACK (on_answered), self, 0);
  g_signal_connect_object (message, "disconnected", G_CALLBACK (on_answered), self, 0);
}

void
veil_login_listener_adopt (VeilLoginListener *self, GSocketConnection *stream)
{
  g_autoptr (GSocketAddress) local = veil_socket_end_dup (stream, VEIL_SOCKET_END_LOCAL);
  g_autoptr (GSocketAddress) remote = veil_socket_end_dup (stream, VEIL_SOCKET_END_REMOTE);
  GSocket *socket = g_socket_connection_get_socket (stream);

  if (g_queue_get_length (&self->connections) >= MAX_CONNECTIONS)
    drop_connection (g_queue_pop_head (&self->connections));
  g_queue_push_tail (&self->connections, g_object_ref (socket));
  veil_login_request_note_socket (remote, socket);
  soup_server_accept_iostream (self->soup, G_IO_STREAM (stream), local, remote, NULL);
}

static gboolean
on_connection (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  VeilLoginListener *self = user_data;
  g_autoptr (GSocket) accepted = g_socket_accept (socket, NULL, NULL);
  g_autoptr (GSocketConnection) stream = NULL;

  if (accepted == NULL)
    {
      /* Out of descriptors: the oldest connection has had its time. */
      if (!g_queue_is_empty (&self->connections))
        drop_connection (g_queue_pop_head (&self->connections));
      return G_SOURCE_CONTINUE;
    }
  stream = g_socket_connection_factory_create_connection (accepted);
  veil_login_listener_adopt (self, stream);
  return G_SOURCE_CONTINUE;
}

static gboolean
listen_on_loopback (VeilLoginListener *self, GError **error)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) wanted = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) got = NULL;
  g_autoptr (GError) cause = NULL;

  self->socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &cause);
  if (self->socket == NULL || !g_socket_bind (self->socket, wanted, TRUE, &cause) || !g_socket_listen (self->socket, &cause) ||
      (got = g_socket_get_local_address (self->socket, &cause)) == NULL)
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_LISTEN,
                   _ ("Signing in through the browser needs a port on 127.0.0.1 (%s); use --manual"), cause->message);
      return FALSE;
    }
  g_socket_set_blocking (self->socket, FALSE);
  self->rules.port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (got));
  self->accepting = g_socket_create_source (self->socket, G_IO_IN, NULL);
  g_source_set_callback (self->accepting, G_SOURCE_FUNC (on_connection), self, NULL);
  g_source_attach (self->accepting, g_main_context_get_thread_default ());
  self->soup = soup_server_new (NULL, NULL);
  soup_server_add_early_handler (self->soup, NULL, on_headers, self, NULL);
  soup_server_add_handler (self->soup, NULL, on_body, self, NULL);
  return TRUE;
}

static gboolean
make_path (VeilLoginListener *self, GError **error)
{
  guint8 bytes[24];

  if (getrandom (bytes, sizeof bytes, 0) != sizeof bytes)
    {
      g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_INTERNAL, _ ("The kernel gives no random numbers; use --manual"));
      return FALSE;
    }
  veil_login_rules_set_path (&self->rules, bytes, sizeof bytes);
  return TRUE;
}

static void
build_urls (VeilLoginListener *self, const char *app_url)
{
  g_autofree char *redirect = NULL;
  gsize length = strlen (app_url);

  while (length > 0 && app_url[length - 1] == '/')
    length--;
  self->redirect_uri = g_strdup_printf ("http://127.0.0.1:%u%s", self->rules.port, self->rules.path);
  redirect = g_uri_escape_string (self->redirect_uri, NULL, FALSE);
  self->sign_in_url = g_strdup_printf ("%.*s/cli-auth?redirect_uri=%s&app_name=Veil", (int) length, app_url, redirect);
}

VeilLoginListener *
veil_login_listener_new (const char *app_url, GError **error)
{
  g_autoptr (VeilLoginListener) self = g_object_new (VEIL_TYPE_LOGIN_LISTENER, NULL);

  if (!veil_login_rules_set_app (&self->rules, app_url, error) || !make_path (self, error) || !listen_on_loopback (self, error))
    return NULL;
  build_urls (self, app_url);
  veil_login_listener_set_patience (self, VEIL_LOGIN_PATIENCE_MS);
  return g_steal_pointer (&self);
}

const char *
veil_login_listener_get_sign_in_url (VeilLoginListener *self)
{
  return self->sign_in_url;
}

const char *
veil_login_listener_get_redirect_uri (VeilLoginListener *self)
{
  return self->redirect_uri;
}

static GError *
too_late (void)
{
  return g_error_new_literal (VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN,
                              _ ("Nobody signed in within five minutes: run `og-veil login` again, or use --manual"));
}

static gboolean
on_timeout (gpointer user_data)
{
  g_autoptr (VeilLoginListener) self = g_object_ref (user_data);

  /* A bundle that came in time may still be on its way out of the connection. */
  settle (self, self->session == NULL ? too_late () : NULL);
  return G_SOURCE_REMOVE;
}

void
veil_login_listener_set_patience (VeilLoginListener *self, guint milliseconds)
{
  drop_source (&self->timeout);
  self->rules.deadline = g_get_monotonic_time () + (gint64) milliseconds * 1000;
  self->timeout = g_timeout_source_new (milliseconds);
  /* What has come by then gets its answer, which says that it is too late. */
  g_source_set_priority (self->timeout, G_PRIORITY_LOW);
  g_source_set_callback (self->timeout, on_timeout, self, NULL);
  g_source_attach (self->timeout, g_main_context_get_thread_default ());
}

static gboolean
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  g_autoptr (VeilLoginListener) self = g_object_ref (user_data);

  g_clear_pointer (&self->session, veil_session_unref);
  settle (self, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, _ ("Signing in was cancelled")));
  return G_SOURCE_REMOVE;
}

void
veil_login_listener_wait_async (VeilLoginListener *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                                gpointer user_data)
{
  g_return_if_fail (self->task == NULL);

  self->task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (self->task, veil_login_listener_wait_async);
  if (self->session != NULL || self->soup == NULL)
    {
      settle (self, self->session == NULL ? too_late () : NULL);
      return;
    }
  if (cancellable == NULL)
    return;
  self->cancelled = g_cancellable_source_new (cancellable);
  g_source_set_callback (self->cancelled, G_SOURCE_FUNC (on_cancelled), self, NULL);
  g_source_attach (self->cancelled, g_main_context_get_thread_default ());
}

VeilSession *
veil_login_listener_wait_finish (VeilLoginListener *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}
