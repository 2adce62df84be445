/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Connections: kept, given up, silent, too many. */
#include "server-fixture.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

static void
keep_alive (Fixture *fixture, gpointer user_data)
{
  g_autofree char *chat = fixture_chat_request (fixture, CHAT_BODY);
  g_autofree char *bad = fixture_chat_request (fixture, "{");
  g_autofree char *head =
      g_strdup_printf ("HEAD /v1/models HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n", veil_server_get_port (fixture->server));
  g_autofree char *refused = fixture_chat_head (fixture, "Content-Length: 3\r\nContent-Encoding: gzip\r\n");
  const char *requests[] = { chat, bad, head, chat, refused, chat };
  static const guint statuses[] = { 200, 400, 200, 200, 415, 200 };
  Peer peer;

  /* One after the other, then all at once. */
  peer_connect (&peer, veil_server_get_port (fixture->server));
  for (guint round = 0; round < 2; round++)
    for (gsize i = 0; i < G_N_ELEMENTS (requests); i++)
      {
        g_auto (Reply) reply = { 0 };

        for (gsize j = round == 0 ? i
                       : i == 0   ? 0
                                  : G_N_ELEMENTS (requests);
             j < (round == 0 ? i + 1 : G_N_ELEMENTS (requests)); j++)
          {
            peer_send_all (&peer, requests[j]);
            if (requests[j] == refused)
              peer_send_all (&peer, "GET");
          }
        peer_read_reply (&peer, requests[i] == head, &reply);
        g_assert_cmpuint (reply.status, ==, statuses[i]);
      }
  peer_close (&peer);
}

static void
test_keep_alive (Fixture *fixture, gconstpointer data)
{
  fixture_run_peer (fixture, keep_alive, NULL);
  g_assert_cmpuint (fixture->backend->calls, ==, 6);
}

/* From here on the peer's side is short enough for sockets' buffers, and needs no thread. */
static void
start_hanging (Fixture *fixture, Peer *peer, const char *more)
{
  g_autofree char *request = fixture_chat_request (fixture, STREAM_BODY);

  fixture->backend->hang = TRUE;
  peer_connect (peer, veil_server_get_port (fixture->server));
  peer_send_all (peer, request);
  peer_send_all (peer, more);
  fixture_wait_for (&fixture->backend->pending, 1);
  g_assert_cmpuint (veil_server_get_n_running (fixture->server), ==, 1);
}

static void
test_hang_up (Fixture *fixture, gconstpointer data)
{
  Peer peer;

  start_hanging (fixture, &peer, "");
  peer_close (&peer);
  fixture_wait_for (&fixture->backend->cancelled, 1);
  g_assert_cmpuint (veil_server_get_n_running (fixture->server), ==, 0);
  fixture_wait_for_no_connections (fixture);

  start_hanging (fixture, &peer, "");
  g_assert_cmpint (shutdown (peer.fd, SHUT_WR), ==, 0);
  fixture_wait_for (&fixture->backend->cancelled, 2);
  peer_close (&peer);
  fixture_wait_for_no_connections (fixture);
}

/* Connections that were used and then closed by the peer, politely or not: none may stay behind. */
static void
test_peer_closes (Fixture *fixture, gconstpointer data)
{
  g_autofree char *request =
      g_strdup_printf ("GET /health HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n", veil_server_get_port (fixture->server));

  for (guint i = 0; i < 20; i++)
    {
      struct linger reset = { .l_onoff = i % 2 };
      Peer peer;

      peer_connect (&peer, veil_server_get_port (fixture->server));
      for (guint j = 0; j < 1 + i % 3; j++)
        {
          g_auto (Reply) reply = { 0 };

          peer_send_all (&peer, request);
          while (recv (peer.fd, &(char){ 0 }, 1, MSG_PEEK | MSG_DONTWAIT) < 0)
            g_main_context_iteration (NULL, TRUE);
          peer_read_reply (&peer, FALSE, &reply);
          g_assert_cmpuint (reply.status, ==, 200);
        }
      if (i % 4 == 3)
        peer_send_all (&peer, "GET /hea");
      g_assert_cmpint (setsockopt (peer.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), ==, 0);
      peer_close (&peer);
      fixture_wait_for_no_connections (fixture);
    }
}

static gboolean
close_peer (gpointer user_data)
{
  peer_close (user_data);
  return G_SOURCE_REMOVE;
}

static gboolean
reset_peer (gpointer user_data)
{
  Peer *peer = user_data;
  struct linger reset = { .l_onoff = 1 };

  g_assert_cmpint (setsockopt (peer->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), ==, 0);
  return close_peer (peer);
}

/* The end comes after the main loop looked, and before libsoup reads what it was told of: it then finds the end itself, with nobody asked. */
static void
test_end_behind_bytes (Fixture *fixture, gconstpointer data)
{
  static const char *const parts[] = { "G", "GET /hea", "GET /health HTTP/1.1\r\n", "GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET",
                                       "\r\n" };
  g_autofree char *request =
      g_strdup_printf ("GET /health HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n", veil_server_get_port (fixture->server));

  for (guint i = 0; i < 2 * G_N_ELEMENTS (parts); i++)
    {
      g_auto (Reply) reply = { 0 };
      g_autoptr (GSource) closing = g_timeout_source_new_seconds (3600);
      Peer peer;

      /* Older than libsoup's source of the same priority: dispatched before it when both are ready in one turn. */
      g_source_set_callback (closing, i % 2 == 0 ? close_peer : reset_peer, &peer, NULL);
      g_source_attach (closing, NULL);
      peer_connect (&peer, veil_server_get_port (fixture->server));
      peer_send_all (&peer, request);
      while (recv (peer.fd, &(char){ 0 }, 1, MSG_PEEK | MSG_DONTWAIT) < 0)
        g_main_context_iteration (NULL, TRUE);
      peer_read_reply (&peer, FALSE, &reply);
      g_assert_cmpuint (reply.status, ==, 200);
      while (g_main_context_iteration (NULL, FALSE))
        ;
      peer_send_all (&peer, parts[i / 2]);
      g_source_set_ready_time (closing, 0);
      fixture_wait_for_no_connections (fixture);
    }
}

/* The next request, sent early: no hang-up, and no busy loop. */
static void
test_early_bytes (Fixture *fixture, gconstpointer data)
{
  guint quiet = 0;
  Peer peer;

  start_hanging (fixture, &peer, "GET /health HTTP/1.1\r\n");
  for (guint i = 0; i < 1000 && quiet < 100; i++)
    quiet = g_main_context_iteration (NULL, FALSE) ? 0 : quiet + 1;
  g_assert_cmpuint (quiet, ==, 100);
  g_assert_cmpuint (fixture->backend->cancelled, ==, 0);
  peer_close (&peer);
  fixture_wait_for (&fixture->backend->cancelled, 1);
}

static void
test_stop (Fixture *fixture, gconstpointer data)
{
  Peer peer;

  start_hanging (fixture, &peer, "");
  veil_server_stop (fixture->server);
  g_assert_cmpuint (fixture->backend->cancelled, ==, 1);
  g_assert_true (peer_sees_end (&peer));
  peer_close (&peer);
}

static gboolean
set_true (gpointer flag)
{
  *(guint *) flag = 1;
  return G_SOURCE_REMOVE;
}

/* Whoever has the word and says nothing is let go. */
static void
test_silence (Fixture *fixture, gconstpointer data)
{
  g_autofree char *half = fixture_chat_head (fixture, "Content-Length: 100\r\n");
  g_autofree char *refused = fixture_chat_head (fixture, "Content-Length: 100\r\nOrigin: null\r\n");
  g_autofree char *idle =
      g_strdup_printf ("GET /health HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n", veil_server_get_port (fixture->server));
  const char *const beginnings[] = { "", "G", "GET /health HTTP/1.1\r\nHost:", half, refused, idle };

  veil_server_set_idle_timeout (fixture->server, 50);
  for (gsize i = 0; i < G_N_ELEMENTS (beginnings); i++)
    {
      Peer peer;
      guint connected = 0;

      peer_connect (&peer, veil_server_get_port (fixture->server));
      peer_send_all (&peer, beginnings[i]);
      while (connected == 0)
        {
          g_main_context_iteration (NULL, TRUE);
          connected = g_hash_table_size (fixture->server->connections);
        }
      fixture_wait_for_no_connections (fixture);
      peer_close (&peer);
    }
}

/* Who waits for an answer is not silent. */
static void
test_patience (Fixture *fixture, gconstpointer data)
{
  guint over = 0;
  Peer peer;

  veil_server_set_idle_timeout (fixture->server, 300);
  start_hanging (fixture, &peer, "");
  g_timeout_add (1000, set_true, &over);
  fixture_wait_for (&over, 1);
  g_assert_cmpuint (fixture->backend->cancelled, ==, 0);
  peer_close (&peer);
  fixture_wait_for (&fixture->backend->cancelled, 1);
}

/* An answer that nobody takes off the socket. */
static void
test_no_reader (Fixture *fixture, gconstpointer data)
{
  g_autofree char *text = g_strnfill (16 * 1024 * 1024, 'x');
  g_autofree char *request = fixture_chat_request (fixture, CHAT_BODY);
  Peer peer;

  veil_chat_answer_unref (fixture->backend->answer);
  fixture->backend->answer = fake_answer_new (text, 0, NULL);
  veil_server_set_idle_timeout (fixture->server, 500);
  peer_connect (&peer, veil_server_get_port (fixture->server));
  peer_send_all (&peer, request);
  fixture_wait_for (&fixture->backend->calls, 1);
  fixture_wait_for_no_connections (fixture);
  peer_close (&peer);
}

/* More connections than there is room for: the rest wait, and get their turn. */
static void
test_full_house (Fixture *fixture, gconstpointer data)
{
  g_autofree char *request =
      g_strdup_printf ("GET /health HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n", veil_server_get_port (fixture->server));
  g_autofree Peer *peers = g_new0 (Peer, VEIL_SERVER_MAX_CONNECTIONS + 1);
  Peer *last = &peers[VEIL_SERVER_MAX_CONNECTIONS];
  g_auto (Reply) reply = { 0 };
  struct rlimit limit;

  g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  limit.rlim_cur = MIN (limit.rlim_max, 4096);
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
  for (guint i = 0; i <= VEIL_SERVER_MAX_CONNECTIONS; i++)
    {
      peer_connect (&peers[i], veil_server_get_port (fixture->server));
      while (g_main_context_iteration (NULL, FALSE))
        ;
    }
  peer_send_all (last, request);
  g_assert_cmpuint (g_hash_table_size (fixture->server->connections), ==, VEIL_SERVER_MAX_CONNECTIONS);
  peer_close (&peers[0]);
  while (recv (last->fd, &(char){ 0 }, 1, MSG_PEEK | MSG_DONTWAIT) < 0)
    g_main_context_iteration (NULL, TRUE);
  peer_read_reply (last, FALSE, &reply);
  g_assert_cmpuint (reply.status, ==, 200);
  for (guint i = 1; i <= VEIL_SERVER_MAX_CONNECTIONS; i++)
    peer_close (&peers[i]);
}

typedef struct
{
  guint waiting, good;
} Crowd;

static void
on_crowd_reply (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Crowd *crowd = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) body = soup_session_send_and_read_finish (SOUP_SESSION (source), result, &error);
  SoupMessage *message = soup_session_get_async_result_message (SOUP_SESSION (source), result);
  SoupMessageHeaders *headers = soup_message_get_response_headers (message);

  g_assert_no_error (error);
  crowd->waiting--;
  crowd->good += soup_message_get_status (message) == 200 &&
                 g_strcmp0 (soup_message_headers_get_one (headers, "X-OpenGradient-Verified"), "true") == 0 &&
                 g_bytes_get_size (body) > 100;
}

static void
test_crowd (Fixture *fixture, gconstpointer data)
{
  g_autoptr (SoupSession) session = soup_session_new_with_options ("max-conns", 100, "max-conns-per-host", 100, NULL);
  g_autofree char *url = g_strdup_printf ("http://127.0.0.1:%u/v1/chat/completions", veil_server_get_port (fixture->server));
  Crowd crowd = { 0 };

  for (guint i = 0; i < 100; i++)
    {
      g_autoptr (SoupMessage) message = soup_message_new ("POST", url);
      g_autoptr (GBytes) body = g_bytes_new_static (i % 2 ? CHAT_BODY : STREAM_BODY, strlen (i % 2 ? CHAT_BODY : STREAM_BODY));

      soup_message_set_request_body_from_bytes (message, "application/json", body);
      soup_session_send_and_read_async (session, message, G_PRIORITY_DEFAULT, NULL, on_crowd_reply, &crowd);
      crowd.waiting++;
    }
  fixture_wait_for (&crowd.waiting, 0);
  g_assert_cmpuint (crowd.good, ==, 100);
  g_assert_cmpuint (fixture->backend->calls, ==, 100);
  soup_session_abort (session);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, func) g_test_add (path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)
  ADD ("/server/connections/keep-alive", test_keep_alive);
  ADD ("/server/connections/hang-up", test_hang_up);
  ADD ("/server/connections/peer-closes", test_peer_closes);
  ADD ("/server/connections/end-behind-bytes", test_end_behind_bytes);
  ADD ("/server/connections/early-bytes", test_early_bytes);
  ADD ("/server/connections/stop", test_stop);
  ADD ("/server/connections/silence", test_silence);
  ADD ("/server/connections/patience", test_patience);
  ADD ("/server/connections/no-reader", test_no_reader);
  ADD ("/server/connections/full-house", test_full_house);
  ADD ("/server/connections/crowd", test_crowd);
  return g_test_run ();
}
