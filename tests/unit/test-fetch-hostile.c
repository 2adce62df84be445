/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Servers without end, silence, cancellation, TLS and crowds: what takes a deadline, a cap or patience to survive. */

#include "fetch-private.h"
#include "raw-peer.h"
#include "veil-error.h"

#include <glib/gstdio.h>
#include <string.h>

#define CAP (64 * 1024)
#define LONG 30000
#define SHORT 150
#define OK "HTTP/1.1 200 OK\r\n"

typedef struct
{
  VeilFetchResult *result;
  GError *error;
  gboolean done;
} Outcome;

static void
outcome_clear (Outcome *outcome)
{
  g_clear_pointer (&outcome->result, veil_fetch_result_free);
  g_clear_error (&outcome->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Outcome, outcome_clear)

static void
fetched_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Outcome *outcome = user_data;

  outcome->result = veil_fetch_finish (SOUP_SESSION (source), result, &outcome->error);
  outcome->done = TRUE;
}

static gboolean
on_test_timeout (gpointer user_data)
{
  g_error ("the test hangs");
  return G_SOURCE_REMOVE;
}

static void
wait_until (gboolean *condition)
{
  guint timeout = g_timeout_add_seconds (60, on_test_timeout, NULL);

  while (!*condition)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (timeout);
}

static void
start (SoupSession *session, RawPeer *peer, guint deadline, GCancellable *cancellable, Outcome *outcome)
{
  g_autofree char *url = raw_peer_url (peer, "/");
  g_autoptr (SoupMessage) message = soup_message_new ("POST", url);
  g_autoptr (GBytes) body = g_bytes_new_static ("hello", 5);

  soup_message_set_request_body_from_bytes (message, "text/plain", body);
  veil_fetch_async (session, message, CAP, deadline, cancellable, fetched_cb, outcome);
}

/* Bytes of the flood that the client's side took in. */
static gint64 flooded;

typedef struct
{
  const char *name;
  const char *head;
  const char *piece; /* again and again, until the client is gone; NULL: nothing */
  guint deadline;
  int code;
} FloodCase;

static const FloodCase flood_cases[] = {
  { "header-line", OK "X: ", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", LONG, VEIL_ERROR_BROKEN_ANSWER },
  { "headers", OK, "X-Bomb: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", LONG, VEIL_ERROR_BROKEN_ANSWER },
  { "status-line", "HTTP/1.1 200 ", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", LONG, VEIL_ERROR_BROKEN_ANSWER },
  { "empty-lines", "", "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n", LONG, VEIL_ERROR_BROKEN_ANSWER },
  { "interim", "", "HTTP/1.1 100 Continue\r\n\r\n", LONG, VEIL_ERROR_BROKEN_ANSWER },
  { "switching", "", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", LONG,
    VEIL_ERROR_BROKEN_ANSWER },
  { "body", OK "\r\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", LONG, VEIL_ERROR_ANSWER_TOO_LARGE },
  { "chunks", OK "Transfer-Encoding: chunked\r\n\r\n", "4\r\naaaa\r\n", LONG, VEIL_ERROR_ANSWER_TOO_LARGE },
  { "chunk-size", OK "Transfer-Encoding: chunked\r\n\r\n", "11111111111111111111111111111111", LONG, VEIL_ERROR_BROKEN_ANSWER },
  { "silence", "", NULL, SHORT, VEIL_ERROR_TIMED_OUT },
  { "silence-in-headers", OK, NULL, SHORT, VEIL_ERROR_TIMED_OUT },
  { "silence-in-body", OK "Content-Length: 5\r\n\r\nabc", NULL, SHORT, VEIL_ERROR_TIMED_OUT },
};

static void
script_flood (RawConnection *connection, gpointer user_data)
{
  const FloodCase *c = user_data;
  g_autoptr (GString) block = g_string_new (NULL);

  raw_skip_request (connection);
  if (!raw_write (connection, c->head))
    return;
  if (c->piece == NULL)
    {
      raw_wait_for_close (connection);
      return;
    }
  while (block->len < 16 * 1024)
    g_string_append (block, c->piece);
  while (raw_write_bytes (connection, block->str, block->len))
    flooded += block->len;
}

static void
test_flood (gconstpointer data)
{
  const FloodCase *c = data;
  g_autoptr (RawPeer) peer = raw_peer_new (script_flood, (gpointer) c);
  g_autoptr (SoupSession) session = veil_fetch_session_new ();
  g_auto (Outcome) outcome = { 0 };

  flooded = 0;
  start (session, peer, c->deadline, NULL, &outcome);
  wait_until (&outcome.done);
  g_assert_error (outcome.error, VEIL_ERROR, c->code);
  /* The client hung up, so that the script ends by itself. */
  while (raw_peer_get_ended (peer) == 0)
    g_main_context_iteration (NULL, FALSE);
  /* What the kernel's buffers hold, and a little. */
  g_assert_cmpint (flooded, <, 16 * 1024 * 1024);
}

static void
script_drip (RawConnection *connection, gpointer user_data)
{
  gboolean open;

  raw_skip_request (connection);
  open = raw_write (connection, user_data);
  while (open)
    {
      open = raw_write (connection, "a");
      g_usleep (2000);
    }
}

/* Never silent for long, never done. */
static void
test_drip (gconstpointer data)
{
  g_autoptr (RawPeer) peer = raw_peer_new (script_drip, (gpointer) data);
  g_autoptr (SoupSession) session = veil_fetch_session_new ();
  g_auto (Outcome) outcome = { 0 };
  gint64 began = g_get_monotonic_time ();

  start (session, peer, SHORT, NULL, &outcome);
  wait_until (&outcome.done);
  g_assert_error (outcome.error, VEIL_ERROR, VEIL_ERROR_TIMED_OUT);
  g_assert_cmpint (g_get_monotonic_time () - began, >=, SHORT * 1000);
}

static void
script_trailers (RawConnection *connection, gpointer user_data)
{
  gboolean open;

  raw_skip_request (connection);
  open = raw_write (connection, OK "Transfer-Encoding: chunked\r\n\r\n0\r\n");
  while (open)
    open = raw_write (connection, "T: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nT: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n");
}

static void
test_trailers (void)
{
  g_autoptr (RawPeer) peer = raw_peer_new (script_trailers, NULL);
  g_autoptr (SoupSession) session = veil_fetch_session_new ();
  g_auto (Outcome) outcome = { 0 };

  /* The body is whole, if empty. What counts is that nobody reads on, and that the connection is not used again. */
  start (session, peer, LONG, NULL, &outcome);
  wait_until (&outcome.done);
  g_clear_object (&session);
  while (raw_peer_get_ended (peer) == 0)
    g_main_context_iteration (NULL, FALSE);
}

static void
script_write_and_wait (RawConnection *connection, gpointer user_data)
{
  raw_skip_request (connection);
  if (raw_write (connection, user_data))
    raw_wait_for_close (connection);
}

static gboolean
cancel_in_loop (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return G_SOURCE_REMOVE;
}

static gpointer
cancel_in_thread (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return NULL;
}

/* The peer sees that nobody waits any more. */
static void
test_cancel (gconstpointer data)
{
  for (guint from_thread = 0; from_thread < 2; from_thread++)
    {
      g_autoptr (RawPeer) peer = raw_peer_new (script_write_and_wait, (gpointer) data);
      g_autoptr (SoupSession) session = veil_fetch_session_new ();
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_auto (Outcome) outcome = { 0 };

      start (session, peer, LONG, cancellable, &outcome);
      while (raw_peer_get_requests (peer) == 0)
        g_main_context_iteration (NULL, FALSE);
      if (from_thread)
        g_thread_join (g_thread_new ("cancel", cancel_in_thread, cancellable));
      else
        g_idle_add (cancel_in_loop, cancellable);
      wait_until (&outcome.done);
      g_assert_error (outcome.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      while (raw_peer_get_ended (peer) == 0)
        g_main_context_iteration (NULL, FALSE);
    }
}

static void
cancel_at_headers (SoupMessage *message, gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
}

/* The same when the headers have just been read, and libsoup has handed the answer to nobody yet. */
static void
test_cancel_at_headers (void)
{
  const char *answer = OK "Content-Length: 10\r\n\r\nabc";
  g_autoptr (RawPeer) peer = raw_peer_new (script_write_and_wait, (gpointer) answer);
  g_autoptr (SoupSession) session = veil_fetch_session_new ();
  g_autofree char *url = raw_peer_url (peer, "/");

  for (guint i = 1; i <= 20; i++)
    {
      g_autoptr (SoupMessage) message = soup_message_new ("GET", url);
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_auto (Outcome) outcome = { 0 };

      g_signal_connect_object (message, "got-headers", G_CALLBACK (cancel_at_headers), cancellable, 0);
      veil_fetch_async (session, message, CAP, LONG, cancellable, fetched_cb, &outcome);
      wait_until (&outcome.done);
      g_assert_error (outcome.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      while (raw_peer_get_ended (peer) < i)
        g_main_context_iteration (NULL, FALSE);
    }
}

static void
test_cancelled_before (void)
{
  g_autoptr (RawPeer) peer = raw_peer_new (script_write_and_wait, (gpointer) "");
  g_autoptr (SoupSession) session = veil_fetch_session_new ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (Outcome) outcome = { 0 };

  g_cancellable_cancel (cancellable);
  start (session, peer, LONG, cancellable, &outcome);
  g_assert_false (outcome.done);
  wait_until (&outcome.done);
  g_assert_error (outcome.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (raw_peer_get_connections (peer), ==, 0);
}

/* A self-signed certificate for 127.0.0.1 and its key, made for this test. */
static const char pem[] = "-----BEGIN CERTIFICATE-----\n"
                          "MIIBRzCB7qADAgECAgEBMAoGCCqGSM49BAMCMBQxEjAQBgNVBAMMCWxvY2FsaG9z\n"
                          "dDAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowFDESMBAGA1UEAwwJ\n"
                          "bG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEg0jyKMcYXQbCs475\n"
                          "Q/8KAASAMDjTCRXQ4hBF1MZ63Anx/SYxNXbPhM22sdI/lVwGlk2G7t0z5bjQfhaO\n"
                          "i2NgFqMvMC0wDwYDVR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SH\n"
                          "BH8AAAEwCgYIKoZIzj0EAwIDSAAwRQIgLu2gaKcjKDMxvBuuCecZsUeRGSC71Ti9\n"
                          "55wcIESBKuECIQC6RAgyVeFtKSi7MR+7cblSUCUjXRd/uGmFWhCNqSeNBA==\n"
                          "-----END CERTIFICATE-----\n"
                          "-----BEGIN PRIVATE KEY-----\n"
                          "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgaq7sxPrbkkKrcbYk\n"
                          "MQHukFZpHbI+PO7TdYxF1/pyLsChRANCAASDSPIoxxhdBsKzjvlD/woABIAwONMJ\n"
                          "FdDiEEXUxnrcCfH9JjE1ds+Ezbax0j+VXAaWTYbu3TPluNB+Fo6LY2AW\n"
                          "-----END PRIVATE KEY-----\n";

static void
script_protocol (RawConnection *connection, gpointer user_data)
{
  char **protocol = user_data;

  raw_skip_request (connection);
  *protocol = g_strdup (raw_negotiated_protocol (connection));
  raw_write (connection, OK "Content-Length: 2\r\n\r\nok");
  raw_wait_for_close (connection);
}

static void
test_tls (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsCertificate) certificate = g_tls_certificate_new_from_pem (pem, -1, &error);
  g_autofree char *protocol = NULL;
  g_assert_no_error (error);
  g_autoptr (RawPeer) peer = raw_peer_new_tls (script_protocol, &protocol, certificate);
  g_autoptr (SoupSession) session = veil_fetch_session_new ();
  g_auto (Outcome) unknown = { 0 };
  g_auto (Outcome) trusted = { 0 };

  start (session, peer, LONG, NULL, &unknown);
  wait_until (&unknown.done);
  g_assert_error (unknown.error, VEIL_ERROR, VEIL_ERROR_UNREACHABLE);
  g_assert_cmpuint (raw_peer_get_requests (peer), ==, 0);

  g_autofree char *path = NULL;
  int fd = g_file_open_tmp ("veil-XXXXXX.pem", &path, &error);
  g_assert_no_error (error);
  g_close (fd, NULL);
  g_file_set_contents (path, pem, -1, &error);
  g_assert_no_error (error);
  g_autoptr (GTlsDatabase) database = g_tls_file_database_new (path, &error);
  g_assert_no_error (error);

  soup_session_set_tls_database (session, database);
  start (session, peer, LONG, NULL, &trusted);
  wait_until (&trusted.done);
  g_assert_no_error (trusted.error);
  g_assert_cmpuint (trusted.result->status, ==, 200);
  /* The peer would rather have spoken HTTP/2. */
  g_assert_cmpstr (protocol, ==, "http/1.1");
  g_unlink (path);
}

static void
script_deaf (RawConnection *connection, gpointer user_data)
{
  raw_wait_for_close (connection);
}

/* Accepts connections, and never says a word of TLS. */
static void
test_connect_timeout (void)
{
  g_autoptr (RawPeer) peer = raw_peer_new (script_deaf, NULL);
  g_autoptr (SoupSession) session = veil_fetch_session_new ();
  g_autofree char *url = g_strdup_printf ("https://127.0.0.1:%u/", raw_peer_get_port (peer));
  g_autoptr (SoupMessage) message = soup_message_new ("GET", url);
  g_auto (Outcome) outcome = { 0 };

  veil_fetch_session_set_connect_timeout (session, SHORT);
  veil_fetch_async (session, message, CAP, LONG, NULL, fetched_cb, &outcome);
  wait_until (&outcome.done);
  g_assert_error (outcome.error, VEIL_ERROR, VEIL_ERROR_UNREACHABLE);
}

/* Answers nobody before 64 have come. */
static void
script_crowd (RawConnection *connection, gpointer user_data)
{
  RawPeer **peer = user_data;
  char *request;

  while ((request = raw_read_request (connection)) != NULL)
    {
      g_free (request);
      while (raw_peer_get_requests (*peer) < 64)
        g_usleep (1000);
      raw_write (connection, OK "Content-Length: 2\r\n\r\nok");
    }
}

static void
test_crowd (void)
{
  g_autoptr (RawPeer) peer = raw_peer_new (script_crowd, &peer);
  g_autoptr (SoupSession) session = veil_fetch_session_new ();
  Outcome outcomes[200] = { 0 };

  for (gsize i = 0; i < G_N_ELEMENTS (outcomes); i++)
    start (session, peer, LONG, NULL, &outcomes[i]);
  for (gsize i = 0; i < G_N_ELEMENTS (outcomes); i++)
    {
      wait_until (&outcomes[i].done);
      g_assert_no_error (outcomes[i].error);
      outcome_clear (&outcomes[i]);
    }
  g_assert_cmpuint (raw_peer_get_requests (peer), ==, G_N_ELEMENTS (outcomes));
  g_assert_cmpuint (raw_peer_get_connections (peer), ==, 64);
}

static void
script_extra (RawConnection *connection, gpointer user_data)
{
  raw_skip_request (connection);
  if (raw_write (connection, OK "Content-Length: 2\r\n\r\nok" OK "Content-Length: 4\r\n\r\nevil"))
    raw_wait_for_close (connection);
}

/* An answer that nobody asked for yet is not the next request's. */
static void
test_answer_ahead (void)
{
  g_autoptr (RawPeer) peer = raw_peer_new (script_extra, NULL);
  g_autoptr (SoupSession) session = veil_fetch_session_new ();

  for (guint i = 1; i <= 2; i++)
    {
      g_auto (Outcome) outcome = { 0 };

      start (session, peer, LONG, NULL, &outcome);
      wait_until (&outcome.done);
      g_assert_no_error (outcome.error);
      g_assert_cmpmem (g_bytes_get_data (outcome.result->body, NULL), g_bytes_get_size (outcome.result->body), "ok", 2);
      g_assert_cmpuint (raw_peer_get_connections (peer), ==, i);
    }
}

static void
looked_up_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  char ***proxies = user_data;
  g_autoptr (GError) error = NULL;

  *proxies = g_proxy_resolver_lookup_finish (G_PROXY_RESOLVER (source), result, &error);
  g_assert_no_error (error);
}

static void
test_proxy (void)
{
  const struct
  {
    const char *uri;
    const char *proxy;
  } cases[] = {
    { "http://127.0.0.1:80/", "direct://" },
    { "https://localhost", "direct://" },
    { "http://[::1]:1/x", "direct://" },
    { "http://127.9.9.9/", "direct://" },
    { "https://relay.example/", "http://proxy.example:3128" },
    { "https://127.0.0.1.relay.example/", "http://proxy.example:3128" },
    { "https://192.168.0.1/", "http://proxy.example:3128" },
  };
  g_autoptr (GProxyResolver) system = g_simple_proxy_resolver_new ("http://proxy.example:3128", NULL);
  g_autoptr (GProxyResolver) resolver = veil_fetch_proxy_resolver_new (system);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (GStrv) proxies = NULL;
      g_auto (GStrv) sync = g_proxy_resolver_lookup (resolver, cases[i].uri, NULL, NULL);

      g_proxy_resolver_lookup_async (resolver, cases[i].uri, NULL, looked_up_cb, &proxies);
      while (proxies == NULL)
        g_main_context_iteration (NULL, TRUE);
      g_assert_cmpstrv (proxies, ((const char *[]){ cases[i].proxy, NULL }));
      g_assert_cmpstrv (sync, proxies);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* LeakSanitizer misreads the thread-local memory of idle threads that once spoke TLS: let them end before it looks. */
  g_thread_pool_set_max_unused_threads (0);
  for (gsize i = 0; i < G_N_ELEMENTS (flood_cases); i++)
    {
      g_autofree char *path = g_strconcat ("/fetch-hostile/flood/", flood_cases[i].name, NULL);

      g_test_add_data_func (path, &flood_cases[i], test_flood);
    }
  g_test_add_data_func ("/fetch-hostile/drip/headers", OK "X: ", test_drip);
  g_test_add_data_func ("/fetch-hostile/drip/body", OK "Content-Length: 60000\r\n\r\n", test_drip);
  g_test_add_func ("/fetch-hostile/trailers", test_trailers);
  g_test_add_data_func ("/fetch-hostile/cancel/waiting", "", test_cancel);
  g_test_add_data_func ("/fetch-hostile/cancel/headers", OK, test_cancel);
  g_test_add_data_func ("/fetch-hostile/cancel/body", OK "Content-Length: 10\r\n\r\nabc", test_cancel);
  g_test_add_func ("/fetch-hostile/cancel/at-headers", test_cancel_at_headers);
  g_test_add_func ("/fetch-hostile/cancel/before", test_cancelled_before);
  g_test_add_func ("/fetch-hostile/tls", test_tls);
  g_test_add_func ("/fetch-hostile/connect-timeout", test_connect_timeout);
  g_test_add_func ("/fetch-hostile/crowd", test_crowd);
  g_test_add_func ("/fetch-hostile/answer-ahead", test_answer_ahead);
  g_test_add_func ("/fetch-hostile/proxy", test_proxy);
  return g_test_run ();
}
