/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* An HTTP/1.1 peer that is all ours: it sees the bytes of a request as they came, and answers with whatever bytes it is told to. Each connection
 * has a thread of its own. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _TestPeer TestPeer;

typedef struct
{
  char   *head; /* owned: the request line and headers as sent, with CRLFs, without the empty line */
  GBytes *body; /* owned */
} TestPeerRequest;

/* Answers one request, in the connection's thread. TRUE keeps the connection for another. */
typedef gboolean (*TestPeerFunc) (TestPeer *peer, const TestPeerRequest *request, GSocketConnection *connection, gpointer user_data);

TestPeer   *test_peer_new (TestPeerFunc func, gpointer user_data);
/* Ends all connections and waits for their threads. */
void        test_peer_free (TestPeer *self);
const char *test_peer_get_url (TestPeer *self); /* "http://127.0.0.1:PORT" */
guint       test_peer_get_n_requests (TestPeer *self);
guint       test_peer_get_n_connections (TestPeer *self);
/* How often test_peer_wait_closed() saw the other end go. */
guint       test_peer_get_n_closed (TestPeer *self);

/* For use in a TestPeerFunc. FALSE if the other end is gone. */
gboolean    test_peer_send (GSocketConnection *connection, const void *data, gsize length);
gboolean    test_peer_send_text (GSocketConnection *connection, const char *text);
/* A whole answer; @headers are lines with CRLF, Content-Length is added. */
gboolean    test_peer_answer (GSocketConnection *connection, guint status, const char *headers, GBytes *body);
/* Until the other end closes the connection. */
void        test_peer_wait_closed (TestPeer *self, GSocketConnection *connection);
/* Until it closes, but at most @milliseconds. Returns: TRUE if it closed. */
gboolean    test_peer_pause (TestPeer *self, GSocketConnection *connection, guint milliseconds);
/* The connection ends with a reset instead of an orderly end. */
void        test_peer_reset (GSocketConnection *connection);

/* Turns the main loop until @condition holds; aborts the test after 30 s. */
#define TEST_ITERATE_UNTIL(condition) \
  G_STMT_START { \
    gint64 iterate_end = g_get_monotonic_time () + 30 * G_USEC_PER_SEC; \
    guint iterate_tick = g_timeout_add (20, test_peer_tick, NULL); \
    while (!(condition)) \
      { \
        if (g_get_monotonic_time () > iterate_end) \
          g_error ("%s:%d: not reached: %s", __FILE__, __LINE__, #condition); \
        g_main_context_iteration (NULL, TRUE); \
      } \
    g_source_remove (iterate_tick); \
  } G_STMT_END
gboolean    test_peer_tick (gpointer data);

G_END_DECLS
