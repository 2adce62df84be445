/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Bytes on a connection to the login listener, in which @PATH and @PORT stand for its own. Whatever they are: a session comes out only of a request with
 * the path, the Origin and a Host of ours, as JSON; and the listener goes on until then. */
#include "login-listener.h"

#include <libsoup/soup.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize length);
const char *__lsan_default_suppressions (void);
const char *__asan_default_options (void);

#define MAX_TURNS 100000

/* A bundle as it should be. */
static const char good[] = "POST @PATH HTTP/1.1\r\nHost: 127.0.0.1:@PORT\r\nOrigin: https://app.example\r\n"
                           "Content-Type: application/json\r\nContent-Length: 310\r\n\r\n"
                           "{\"type\":\"opengradient-cli-auth\",\"access_token\":\"a\",\"refresh_token\":\"r\",\"expires_in\":3600,"
                           "\"config\":{\"supabase_url\":\"https://a.example\",\"supabase_anon_key\":\"k\","
                           "\"chat_api_base_url\":\"https://b.example\",\"tee_registry_rpc_url\":\"https://r.example\","
                           "\"tee_registry_address\":\"0x1111111111111111111111111111111111111111\"}}";

/* libsoup 3.2.3 forgets the path of a request whose Transfer-Encoding or Content-Length it does not know. */
const char *
__lsan_default_suppressions (void)
{
  return "leak:soup_headers_parse_request\n";
}

const char *
__asan_default_options (void)
{
  return "fast_unwind_on_malloc=0";
}

static void
require (gboolean condition, const char *what)
{
  if (!condition)
    g_error ("%s", what);
}

static void
replace (GString *text, const char *from, const char *to)
{
  gsize length = strlen (from);

  for (gsize i = 0; i + length <= text->len; i++)
    if (memcmp (text->str + i, from, length) == 0)
      {
        g_string_erase (text, (gssize) i, (gssize) length);
        g_string_insert (text, (gssize) i, to);
        i += strlen (to) - 1;
      }
}

static void
talk (VeilLoginListener *listener, const GString *sent)
{
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GSocketConnection) stream = NULL;
  const char *data = sent->str;
  gsize length = sent->len;
  guint quiet = 0;
  int fds[2];

  require (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0, "no sockets");
  socket = g_socket_new_from_fd (fds[0], NULL);
  stream = g_socket_connection_factory_create_connection (socket);
  veil_login_listener_adopt (listener, stream);
  for (guint turn = 0; quiet < 3; turn++)
    {
      char buffer[4096];
      gssize n = length > 0 ? send (fds[1], data, length, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
      gboolean moved = g_main_context_iteration (NULL, FALSE);

      require (turn < MAX_TURNS, "the connection never comes to rest");
      data += MAX (n, 0);
      length -= (gsize) MAX (n, 0);
      while (recv (fds[1], buffer, sizeof buffer, MSG_DONTWAIT) > 0)
        moved = TRUE;
      quiet = moved || n > 0 ? 0 : quiet + 1;
    }
  close (fds[1]);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
on_session (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(VeilSession **) user_data = veil_login_listener_wait_finish (VEIL_LOGIN_LISTENER (source), result, NULL);
}

static gboolean
has (const GString *sent, const char *what)
{
  g_autofree char *copy = g_strndup (sent->str, sent->len);

  for (gsize i = 0; i < sent->len; i++)
    copy[i] = sent->str[i] != '\0' ? sent->str[i] : ' ';
  return strcasestr (copy, what) != NULL;
}

/* Did somebody sign in? */
static gboolean
converse (const char *data, gsize length)
{
  g_autoptr (VeilLoginListener) listener = veil_login_listener_new ("https://app.example", NULL);
  g_autoptr (GUri) uri = NULL;
  g_autoptr (VeilSession) session = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GString *sent = g_string_new_len (data, (gssize) length);
  g_autofree char *port = NULL;

  require (listener != NULL, "no port");
  uri = g_uri_parse (veil_login_listener_get_redirect_uri (listener), SOUP_HTTP_URI_FLAGS, NULL);
  port = g_strdup_printf ("%d", g_uri_get_port (uri));
  replace (sent, "@PATH", g_uri_get_path (uri));
  replace (sent, "@PORT", port);
  veil_login_listener_wait_async (listener, cancellable, on_session, &session);
  talk (listener, sent);
  if (session != NULL)
    {
      require (has (sent, g_uri_get_path (uri)), "a login without the path");
      require (has (sent, "https://app.example"), "a login from elsewhere");
      require (has (sent, port), "a login for another host");
      require (has (sent, "application/json"), "a login that is not JSON");
    }
  g_cancellable_cancel (cancellable);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_string_free (sent, TRUE);
  return session != NULL;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize length)
{
  static gboolean works;

  if (!works)
    works = converse (good, strlen (good));
  require (works, "a bundle as it should be is refused");
  converse ((const char *) data, length);
  return 0;
}
