/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Getting the port, and what is said when it cannot be had. */
#include "server-fixture.h"

#include "port-probe.h"
#include "veil-error.h"

#include <string.h>

static VeilServer *
new_server (void)
{
  g_autoptr (FakeBackend) backend = g_object_new (FAKE_TYPE_BACKEND, NULL);

  return veil_server_new (VEIL_BACKEND (backend));
}

static void
assert_refused (VeilServer *server, const char *host, guint16 port, const char *said)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (veil_server_listen (server, host, port, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_LISTEN);
  if (strstr (error->message, said) == NULL)
    g_error ("\"%s\" does not say \"%s\"", error->message, said);
}

typedef struct
{
  GError *named; /* owned */
  gboolean done;
} Naming;

static void
on_named (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Naming *naming = user_data;

  naming->named = veil_port_name_holder_finish (result, NULL);
  naming->done = TRUE;
}

/* That it is taken is said at once, and by whom as far as they tell, here and in a thread alike. */
static void
assert_taken (VeilServer *server, const char *host, guint16 port, const char *said)
{
  g_autoptr (GError) error = NULL;
  Naming naming = { NULL, FALSE };

  g_assert_false (veil_server_listen (server, host, port, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_LISTEN);
  g_assert_nonnull (strstr (error->message, "is taken by another program"));
  veil_port_name_holder_async (error, NULL, on_named, &naming);
  while (!naming.done)
    g_main_context_iteration (NULL, TRUE);
  g_assert_error (naming.named, VEIL_ERROR, VEIL_ERROR_LISTEN);
  if (strstr (naming.named->message, said) == NULL)
    g_error ("\"%s\" does not say \"%s\"", naming.named->message, said);
  g_clear_error (&naming.named);
}

static void
test_hosts (void)
{
  g_autoptr (VeilServer) server = new_server ();
  g_autoptr (GError) error = NULL;

  assert_refused (server, "", 0, "not an IP address");
  assert_refused (server, "example.org", 0, "not an IP address");
  assert_refused (server, "127.0.0.1:80", 0, "not an IP address");
  assert_refused (server, "0.0.0.0", 0, "OG_VEIL_API_KEY");
  assert_refused (server, "::", 0, "OG_VEIL_API_KEY");
  assert_refused (server, "192.0.2.1", 0, "OG_VEIL_API_KEY");
  veil_server_set_api_key (server, "k");
  assert_refused (server, "192.0.2.1", 0, "Cannot listen on 192.0.2.1"); /* an address of nobody's */
  veil_server_listen (server, "0.0.0.0", 0, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (veil_server_get_host (server), ==, "0.0.0.0");
  g_assert_cmpuint (veil_server_get_port (server), !=, 0);
}

/* Elsewhere, with what runs untouched, and back where it was if it cannot be had. */
static void
test_move (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilServer) other = new_server ();
  guint16 port = veil_server_get_port (fixture->server), moved;
  g_autoptr (GError) error = NULL;
  g_auto (Reply) reply = { 0 };

  g_assert_true (veil_server_listen (other, "127.0.0.1", 0, NULL));
  g_assert_false (veil_server_move (fixture->server, "127.0.0.1", veil_server_get_port (other), &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_LISTEN);
  g_clear_error (&error);
  g_assert_false (veil_server_move (fixture->server, "0.0.0.0", port, &error)); /* in place, and without a key */
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_LISTEN);
  g_clear_error (&error);
  g_assert_cmpuint (veil_server_get_port (fixture->server), ==, port);
  g_assert_cmpstr (veil_server_get_host (fixture->server), ==, "127.0.0.1");
  fixture_ask (fixture, "GET /health HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nConnection: close\r\n\r\n", &reply);
  g_assert_cmpuint (reply.status, ==, 200);
  reply_clear (&reply);

  g_assert_true (veil_server_move (fixture->server, "localhost", port, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (veil_server_get_host (fixture->server), ==, "localhost");
  g_assert_true (veil_server_move (fixture->server, "127.0.0.1", 0, &error));
  g_assert_no_error (error);
  moved = veil_server_get_port (fixture->server);
  g_assert_cmpuint (moved, !=, port);
  fixture_ask (fixture, "GET /health HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nConnection: close\r\n\r\n", &reply);
  g_assert_cmpuint (reply.status, ==, 200);
  /* The former one is free. */
  veil_server_stop (other);
  g_assert_true (veil_server_move (fixture->server, "127.0.0.1", port, &error));
  g_assert_cmpuint (veil_server_get_port (fixture->server), ==, port);
}

typedef struct
{
  Peer peer;
  guint16 port;
  guint status;
  gboolean ended;
} Kept;

static void
ask_again (Fixture *fixture, gpointer user_data)
{
  Kept *kept = user_data;
  g_autofree char *request = g_strdup_printf ("GET /health HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n", kept->port);
  g_auto (Reply) reply = { 0 };

  if (kept->peer.input == NULL)
    peer_connect (&kept->peer, kept->port);
  peer_send_all (&kept->peer, request);
  peer_read_reply (&kept->peer, FALSE, &reply);
  kept->status = reply.status;
  kept->ended = strstr (reply.head, "Connection: close") != NULL && peer_sees_end (&kept->peer);
}

/* Whoever kept a connection is served once more, and then told to go where the server is now. */
static void
test_move_with_connections (Fixture *fixture, gconstpointer data)
{
  Kept kept = { .port = veil_server_get_port (fixture->server) };
  g_autoptr (GError) error = NULL;

  fixture_run_peer (fixture, ask_again, &kept);
  g_assert_cmpuint (kept.status, ==, 200);
  g_assert_false (kept.ended);
  g_assert_true (veil_server_move (fixture->server, "127.0.0.1", 0, &error));
  g_assert_no_error (error);
  fixture_run_peer (fixture, ask_again, &kept);
  g_assert_cmpuint (kept.status, ==, 200);
  g_assert_true (kept.ended);
  peer_close (&kept.peer);
}

static void
test_taken (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilServer) second = new_server ();
  guint16 port = veil_server_get_port (fixture->server);
  g_autofree char *said =
      g_strdup_printf ("Port %u on 127.0.0.1 is taken by another program; choose another one with --port", port);
  g_autoptr (GError) error = NULL;

  assert_taken (second, "127.0.0.1", port, "Veil");
  assert_refused (second, "127.0.0.1", port, said);
  assert_refused (second, "localhost", port, said);
  veil_server_stop (fixture->server);
  veil_server_listen (second, "127.0.0.1", port, &error);
  g_assert_no_error (error);
}

static gpointer
play_ollama (gpointer user_data)
{
  static const char answer[] = "HTTP/1.0 200 OK\r\nContent-Length: 17\r\n\r\nOllama is running";
  g_autoptr (GSocket) accepted = g_socket_accept (user_data, NULL, NULL);
  char request[256];

  g_assert_nonnull (accepted);
  g_assert_cmpint (g_socket_receive (accepted, request, sizeof request, NULL, NULL), >, 0);
  for (gsize i = 0; i < sizeof answer - 1; i++)
    g_assert_cmpint (g_socket_send (accepted, answer + i, 1, NULL, NULL), ==, 1);
  g_socket_close (accepted, NULL);
  return NULL;
}

static void
test_ollama (void)
{
  g_autoptr (VeilServer) server = new_server ();
  g_autoptr (GSocket) socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) bound = NULL;
  GThread *thread;

  g_assert_true (g_socket_bind (socket, address, TRUE, NULL) && g_socket_listen (socket, NULL));
  bound = g_socket_get_local_address (socket, NULL);
  thread = g_thread_new ("ollama", play_ollama, socket);
  assert_taken (server, "127.0.0.1", g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound)),
                "taken by an Ollama server; stop it");
  g_thread_join (thread);
}

static gboolean
reaches (GSocketFamily family, guint16 port)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (family);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, port);
  g_autoptr (GSocket) socket = g_socket_new (family, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);

  return socket != NULL && g_socket_connect (socket, address, NULL, NULL);
}

static gboolean
machine_has_ipv6 (void)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV6);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocket) socket = g_socket_new (G_SOCKET_FAMILY_IPV6, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);

  return socket != NULL && g_socket_bind (socket, address, TRUE, NULL);
}

static void
test_localhost (void)
{
  g_autoptr (VeilServer) server = new_server ();
  g_autoptr (GError) error = NULL;

  veil_server_listen (server, "localhost", 0, &error);
  g_assert_no_error (error);
  g_assert_true (reaches (G_SOCKET_FAMILY_IPV4, veil_server_get_port (server)));
  g_assert_true (reaches (G_SOCKET_FAMILY_IPV6, veil_server_get_port (server)) == machine_has_ipv6 ());
}

static void
test_again (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_auto (Reply) reply = { 0 };

  veil_server_stop (fixture->server);
  veil_server_listen (fixture->server, "127.0.0.1", 0, &error);
  g_assert_no_error (error);
  fixture_ask_chat (fixture, "", CHAT_BODY, &reply);
  g_assert_cmpuint (reply.status, ==, 200);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, func) g_test_add (path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)
  g_test_add_func ("/server/listen/hosts", test_hosts);
  ADD ("/server/listen/taken", test_taken);
  ADD ("/server/listen/move", test_move);
  ADD ("/server/listen/move-with-connections", test_move_with_connections);
  g_test_add_func ("/server/listen/ollama", test_ollama);
  g_test_add_func ("/server/listen/localhost", test_localhost);
  ADD ("/server/listen/again", test_again);
  return g_test_run ();
}
