/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The login listener's five minutes. Whom it lets in is tested with the program. */
#include "login-listener.h"
#include "test-peer.h"
#include "veil-error.h"

#include <libsoup/soup.h>
#include <string.h>

static const char bundle[] =
    "{\"type\":\"opengradient-cli-auth\",\"access_token\":\"access\",\"config\":{\"supabase_url\":\"https://auth.example\","
    "\"supabase_anon_key\":\"anon\",\"chat_api_base_url\":\"https://relay.example\",\"tee_registry_rpc_url\":"
    "\"https://rpc.example\",\"tee_registry_address\":\"0x703cB174AEadB35D611858369B4b1111dC9Abda6\"}}";

static void
on_login (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_assert_null (veil_login_listener_wait_finish (VEIL_LOGIN_LISTENER (source), result, user_data));
}

static void
test_patience (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilLoginListener) listener = veil_login_listener_new ("https://app.example:443/x/", &error);
  g_autoptr (SoupSession) http = soup_session_new ();
  g_autoptr (SoupMessage) message = NULL;
  g_autoptr (GBytes) body = NULL;

  g_assert_no_error (error);
  g_assert_true (
      g_str_has_prefix (veil_login_listener_get_sign_in_url (listener), "https://app.example:443/x/cli-auth?redirect_uri="));
  veil_login_listener_set_patience (listener, 30);
  veil_login_listener_wait_async (listener, NULL, on_login, &error);
  TEST_ITERATE_UNTIL (error != NULL);
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN);
  g_clear_error (&error);
  message = soup_message_new ("POST", veil_login_listener_get_redirect_uri (listener));
  body = soup_session_send_and_read (http, message, NULL, &error);
  g_assert_null (body);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
}

static GSocketConnection *
connect_to (const char *uri)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GError) error = NULL;
  GSocketConnection *connection = g_socket_client_connect_to_uri (client, uri, 80, NULL, &error);

  g_assert_no_error (error);
  return connection;
}

static void
send_text (GSocketConnection *connection, const char *text)
{
  GOutputStream *stream = g_io_stream_get_output_stream (G_IO_STREAM (connection));

  g_assert_true (g_output_stream_write_all (stream, text, strlen (text), NULL, NULL, NULL));
}

static gboolean
stay_busy (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

/* Begun in time, and ended when the time is over: it is told so, and signs nobody in. The listener has more to do than to see that it is over. */
static void
test_late (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilLoginListener) listener = veil_login_listener_new ("https://app.example", &error);
  g_autoptr (GSocketConnection) connection = connect_to (veil_login_listener_get_redirect_uri (listener));
  g_autoptr (GUri) uri = g_uri_parse (veil_login_listener_get_redirect_uri (listener), G_URI_FLAGS_NONE, NULL);
  g_autofree char *head = g_strdup_printf ("POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nOrigin: https://app.example\r\nContent-Type: "
                                           "application/json\r\nContent-Length: %" G_GSIZE_FORMAT "\r\n\r\n",
                                           g_uri_get_path (uri), g_uri_get_port (uri), strlen (bundle));
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  guint busy = g_idle_add_full (G_PRIORITY_DEFAULT, stay_busy, NULL, NULL);
  char answer[4096] = "";
  gsize length = 0;
  gint64 deadline;

  veil_login_listener_set_patience (listener, 50);
  deadline = g_get_monotonic_time () + 51 * 1000;
  veil_login_listener_wait_async (listener, NULL, on_login, &error);
  send_text (connection, head);
  TEST_ITERATE_UNTIL (g_get_monotonic_time () > deadline);
  send_text (connection, bundle);
  TEST_ITERATE_UNTIL (g_socket_condition_check (g_socket_connection_get_socket (connection), G_IO_IN) != 0);
  g_source_remove (busy);
  TEST_ITERATE_UNTIL (error != NULL);
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN);
  g_assert_true (g_input_stream_read_all (input, answer, sizeof answer - 1, &length, NULL, NULL));
  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 410 "));
  g_assert_nonnull (strstr (answer, "five minutes"));
}

static void
test_cancelled (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (VeilLoginListener) listener = veil_login_listener_new ("http://localhost:1", &error);

  veil_login_listener_wait_async (listener, cancellable, on_login, &error);
  g_cancellable_cancel (cancellable);
  TEST_ITERATE_UNTIL (error != NULL);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/login-listener/patience", test_patience);
  g_test_add_func ("/login-listener/late", test_late);
  g_test_add_func ("/login-listener/cancelled", test_cancelled);
  return g_test_run ();
}
