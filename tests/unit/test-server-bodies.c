/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Bodies of requests: up to the limit, over it, asked for, dripping. */
#include "server-fixture.h"

#include "linger.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define LIMIT VEIL_SERVER_MAX_BODY

/* A chat body of exactly that many bytes. */
static char *
body_of_size (gsize size)
{
  static const char head[] = "{\"model\":\"gpt-4.1\",\"messages\":[{\"role\":\"user\",\"content\":\"", tail[] = "\"}]}";
  char *body = g_strnfill (size, 'x');

  memcpy (body, head, sizeof head - 1);
  memcpy (body + size - (sizeof tail - 1), tail, sizeof tail - 1);
  return body;
}

static void
send_body (Peer *peer, const char *body, gsize size, gboolean chunked)
{
  static const gsize step = 1000000;

  if (!chunked)
    {
      peer_send (peer, body, size);
      return;
    }
  for (gsize i = 0; i < size; i += step)
    {
      gsize length = MIN (step, size - i);
      g_autofree char *head = g_strdup_printf ("%zx\r\n", length);

      if (!peer_send (peer, head, strlen (head)) || !peer_send (peer, body + i, length) || !peer_send (peer, "\r\n", 2))
        return;
    }
  peer_send (peer, "0\r\n\r\n", 5);
}

typedef struct
{
  gsize size;
  gboolean chunked;
  guint status;
} Size;

static void
ask_with_size (Fixture *fixture, gpointer user_data)
{
  const Size *size = user_data;
  g_autofree char *body = body_of_size (size->size);
  g_autofree char *lines =
      size->chunked ? g_strdup ("Transfer-Encoding: chunked\r\n") : g_strdup_printf ("Content-Length: %zu\r\n", size->size);
  g_autofree char *head = fixture_chat_head (fixture, lines);
  g_auto (Reply) reply = { 0 };
  Peer peer;

  peer_connect (&peer, veil_server_get_port (fixture->server));
  peer_send_all (&peer, head);
  send_body (&peer, body, size->size, size->chunked);
  peer_read_reply (&peer, FALSE, &reply);
  g_assert_cmpuint (reply.status, ==, size->status);
  peer_close (&peer);
}

static void
test_sizes (Fixture *fixture, gconstpointer data)
{
  static const Size sizes[] = { { LIMIT, FALSE, 200 }, { LIMIT + 1, FALSE, 413 }, { LIMIT, TRUE, 200 }, { LIMIT + 1, TRUE, 413 } };

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      fixture->backend->wire_size = 0;
      fixture_run_peer (fixture, ask_with_size, (gpointer) &sizes[i]);
      g_assert_true ((fixture->backend->wire_size > LIMIT - 1000) == (sizes[i].status == 200));
    }
}

/* Someone who sends and sends, and looks at the answer when it goes no further. */
static void
flood (Fixture *fixture, gpointer user_data)
{
  const char *lines = user_data;
  g_autofree char *head = fixture_chat_head (fixture, lines);
  g_autofree char *block = g_strnfill (65536, 'x');
  gboolean chunked = strstr (lines, "chunked") != NULL;
  g_auto (Reply) reply = { 0 };
  gsize sent = 0;
  int small = 262144;
  Peer peer;

  peer_connect (&peer, veil_server_get_port (fixture->server));
  setsockopt (peer.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  peer_send_all (&peer, head);
  while (sent < 64u * 1024 * 1024)
    {
      if ((chunked && !peer_send (&peer, "10000\r\n", 7)) || !peer_send (&peer, block, 65536) ||
          (chunked && !peer_send (&peer, "\r\n", 2)))
        break;
      sent += 65536;
    }
  peer_read_reply (&peer, FALSE, &reply);
  g_assert_cmpuint (reply.status, ==, 413);
  g_assert_nonnull (strstr (reply.head, "Connection: close"));
  g_assert_nonnull (strstr (reply.body->str, "request_too_large"));
  g_test_message ("%zu of 67108864 bytes were taken", sent);
  /* What was read, thrown away, and lay in the sockets' buffers. */
  g_assert_cmpuint (sent, <, (chunked ? LIMIT : 0) + VEIL_LINGER_MAX_BYTES + 16u * 1024 * 1024);
  peer_close (&peer);
}

static void
test_flood (Fixture *fixture, gconstpointer data)
{
  fixture_run_peer (fixture, flood, (gpointer) "Content-Length: 67108864\r\n");
  fixture_run_peer (fixture, flood, (gpointer) "Transfer-Encoding: chunked\r\n");
  g_assert_cmpuint (fixture->backend->calls, ==, 0);
}

/* Someone who writes what fits, and looks at the answer only when no more does: it is there, and no reset has come before it. */
static void
fill (Fixture *fixture, gpointer user_data)
{
  g_autofree char *head = fixture_chat_head (fixture, "Content-Length: 67108864\r\n");
  g_autofree char *block = g_strnfill (65536, 'x');
  const struct timeval patience = { .tv_usec = 300 * 1000 };
  g_auto (Reply) reply = { 0 };
  Peer peer;

  peer_connect (&peer, veil_server_get_port (fixture->server));
  setsockopt (peer.fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  peer_send_all (&peer, head);
  while (send (peer.fd, block, 65536, MSG_NOSIGNAL) > 0)
    ;
  g_assert_cmpint (errno, ==, EAGAIN);
  peer_read_reply (&peer, FALSE, &reply);
  g_assert_cmpuint (reply.status, ==, 413);
  peer_close (&peer);
}

static void
test_fill (Fixture *fixture, gconstpointer data)
{
  fixture_run_peer (fixture, fill, NULL);
}

static void
expect_continue (Fixture *fixture, gpointer user_data)
{
  static const struct
  {
    const char *lines;
    guint status;
  } refused[] = {
    { "Expect: 100-continue\r\nContent-Length: 20971521\r\n", 413 },
    { "Expect: 100-continue\r\nContent-Length: 5\r\nOrigin: null\r\n", 403 },
    { "Expect: 100-continue\r\nContent-Length: 5\r\nContent-Encoding: br\r\n", 415 },
  };
  g_autofree char *lines = g_strdup_printf ("Expect: 100-continue\r\nContent-Length: %zu\r\n", strlen (CHAT_BODY));
  g_autofree char *good = fixture_chat_head (fixture, lines);
  g_auto (Reply) reply = { 0 }, final = { 0 };
  Peer peer;

  for (gsize i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autofree char *head = fixture_chat_head (fixture, refused[i].lines);
      g_auto (Reply) refusal = { 0 };

      peer_connect (&peer, veil_server_get_port (fixture->server));
      peer_send_all (&peer, head);
      peer_read_reply (&peer, FALSE, &refusal);
      g_assert_cmpuint (refusal.status, ==, refused[i].status);
      g_assert_true (peer_sees_end (&peer)); /* no desync: a body sent all the same is not read as a request */
      peer_close (&peer);
    }
  peer_connect (&peer, veil_server_get_port (fixture->server));
  peer_send_all (&peer, good);
  peer_read_reply (&peer, FALSE, &reply);
  g_assert_cmpuint (reply.status, ==, 100);
  peer_send_all (&peer, CHAT_BODY);
  peer_read_reply (&peer, FALSE, &final);
  g_assert_cmpuint (final.status, ==, 200);
  g_assert_nonnull (strstr (final.head, "X-OpenGradient-Verified: true"));
  peer_close (&peer);
}

static void
test_expect (Fixture *fixture, gconstpointer data)
{
  fixture_run_peer (fixture, expect_continue, NULL);
  fixture_wait_for_no_connections (fixture);
  g_assert_cmpuint (fixture->backend->calls, ==, 1);
}

static void
drip (Fixture *fixture, gpointer user_data)
{
  g_autofree char *head = fixture_chat_head (fixture, "Content-Length: 1000000\r\n");
  g_auto (Reply) reply = { 0 };
  Peer peer;

  peer_connect (&peer, veil_server_get_port (fixture->server));
  peer_send_all (&peer, head);
  while (peer_send (&peer, " ", 1) && recv (peer.fd, &(char){ 0 }, 1, MSG_PEEK | MSG_DONTWAIT) < 0)
    g_poll (NULL, 0, 5); /* the pace is what is tested */
  peer_read_reply (&peer, FALSE, &reply);
  g_assert_cmpuint (reply.status, ==, 408);
  peer_close (&peer);
}

static void
test_drip (Fixture *fixture, gconstpointer data)
{
  /* Long enough that a busy machine reads the head in time; the body has ten times as long. */
  veil_server_set_idle_timeout (fixture->server, 500);
  fixture_run_peer (fixture, drip, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, func) g_test_add (path, Fixture, NULL, fixture_set_up, func, fixture_tear_down)
  ADD ("/server/bodies/sizes", test_sizes);
  ADD ("/server/bodies/flood", test_flood);
  ADD ("/server/bodies/fill", test_fill);
  ADD ("/server/bodies/expect", test_expect);
  ADD ("/server/bodies/drip", test_drip);
  return g_test_run ();
}
