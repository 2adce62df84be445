/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Bytes on a connection to the endpoint. Whatever they are: what comes back is our HTTP with our headers and nothing else, an answer comes only of a
 * request that the backend was asked for, under a Host of ours and as JSON, and nothing stays behind when the peer goes. */
#include "server-private.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize length);
const char *__lsan_default_suppressions (void);
const char *__asan_default_options (void);

#define ANSWER "the-verified-answer"
#define PORT 11434
#define MAX_TURNS 100000

/* A request as it should be. */
static const char good[] = "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:11434\r\n"
                           "Content-Type: application/json\r\nContent-Length: 63\r\n\r\n"
                           "{\"model\":\"gpt-4.1\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";

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

#define FUZZ_TYPE_BACKEND (fuzz_backend_get_type ())
G_DECLARE_FINAL_TYPE (FuzzBackend, fuzz_backend, FUZZ, BACKEND, GObject)

struct _FuzzBackend
{
  GObject parent;

  guint calls;
};

static void fuzz_backend_iface_init (VeilBackendInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (FuzzBackend, fuzz_backend, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (VEIL_TYPE_BACKEND, fuzz_backend_iface_init))

static void
chat_async (VeilBackend *backend, VeilChatRequest *request, VeilRecord *record, GCancellable *cancellable,
            GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (backend, cancellable, callback, user_data);
  VeilChatAnswer *answer = veil_chat_answer_new ();

  FUZZ_BACKEND (backend)->calls++;
  answer->text = g_bytes_new_static (ANSWER, strlen (ANSWER));
  answer->proof->tee_id = g_strdup_printf ("0x%064d", 1);
  g_task_return_pointer (task, answer, (GDestroyNotify) veil_chat_answer_unref);
}

static VeilChatAnswer *
chat_finish (VeilBackend *backend, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
get_health (VeilBackend *backend, VeilBackendHealth *health)
{
  *health = (VeilBackendHealth){ .status = "ok" };
}

static void
fuzz_backend_iface_init (VeilBackendInterface *iface)
{
  iface->chat_async = chat_async;
  iface->chat_finish = chat_finish;
  iface->get_health = get_health;
}

static void
fuzz_backend_init (FuzzBackend *self)
{
}

static void
fuzz_backend_class_init (FuzzBackendClass *klass)
{
}

static void
require (gboolean condition, const char *what)
{
  if (!condition)
    g_error ("%s", what);
}

/* One connection: everything sent, everything read, until nothing moves any more. */
static void
talk (VeilServer *server, int fd, const guint8 *data, gsize length, GByteArray *output)
{
  guint quiet = 0;

  for (guint turn = 0; quiet < 3; turn++)
    {
      guint8 buffer[4096];
      gssize sent = length > 0 ? send (fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
      gssize got;
      gboolean moved = g_main_context_iteration (NULL, veil_server_get_n_running (server) > 0);

      require (turn < MAX_TURNS, "the connection never comes to rest");
      if (sent > 0)
        {
          data += sent;
          length -= sent;
        }
      while ((got = recv (fd, buffer, sizeof buffer, MSG_DONTWAIT)) > 0)
        g_byte_array_append (output, buffer, got);
      quiet = moved || sent > 0 ? 0 : quiet + 1;
    }
}

static void
check_header (const char *line, const char *end)
{
  static const char *const names[] = { "Date",
                                       "Content-Type",
                                       "Content-Length",
                                       "Cache-Control",
                                       "Vary",
                                       "X-Content-Type-Options",
                                       "Allow",
                                       "Connection",
                                       "WWW-Authenticate",
                                       "x-should-retry",
                                       "X-OpenGradient-Verified",
                                       "X-OpenGradient-TEE-Id",
                                       NULL };
  const char *colon = memchr (line, ':', end - line);
  g_autofree char *name = NULL;

  require (colon != NULL, "a header without a name");
  name = g_strndup (line, colon - line);
  require (g_strv_contains (names, name), "a header that is none of ours");
}

/* The first response. */
static void
check_head (const char *text)
{
  const char *end = strstr (text, "\r\n\r\n"), *line;

  require (g_str_has_prefix (text, "HTTP/1.1 ") || g_str_has_prefix (text, "HTTP/1.0 "), "not HTTP");
  require (g_ascii_isdigit (text[9]) && g_ascii_isdigit (text[10]) && g_ascii_isdigit (text[11]) && text[12] == ' ', "no status");
  require (end != NULL, "no end of the headers");
  for (line = strstr (text, "\r\n") + 2; line < end; line = strstr (line, "\r\n") + 2)
    check_header (line, strstr (line, "\r\n"));
}

static guint
count (const char *text, const char *what)
{
  guint n = 0;

  for (const char *p = strstr (text, what); p != NULL; p = strstr (p + 1, what))
    n++;
  return n;
}

static gboolean
has (const char *text, const char *what)
{
  g_autofree char *lower = g_ascii_strdown (text, -1);

  return strstr (lower, what) != NULL;
}

/* Returns how many answers there are. */
static guint
check (const guint8 *data, gsize length, GByteArray *output, guint calls)
{
  g_autofree char *sent = g_strndup ((const char *) data, length);
  guint answers;

  /* Headers with a NUL are refused before they are read, bodies with one are no JSON. */
  for (gsize i = 0; i < length; i++)
    sent[i] = data[i] != 0 ? data[i] : ' ';
  g_byte_array_append (output, (const guint8 *) "", 1);
  if (output->len > 1)
    check_head ((const char *) output->data);
  answers = count ((const char *) output->data, "\"content\":\"" ANSWER "\"");
  require (answers <= calls, "an answer that nobody gave");
  require (answers <= count ((const char *) output->data, "X-OpenGradient-Verified: true"), "an answer without its header");
  if (calls == 0)
    return answers;
  require (has (sent, "127.") || has (sent, "localhost") || has (sent, "[::") || has (sent, "[0"), "a request without our name");
  require (has (sent, ":11434"), "a request without our port");
  require (has (sent, "application/json"), "a request that is not JSON");
  return answers;
}

static VeilServer *server;
static FuzzBackend *backend;

static void
start (void)
{
  backend = g_object_new (FUZZ_TYPE_BACKEND, NULL);
  server = veil_server_new (VEIL_BACKEND (backend));
  require (veil_server_listen (server, "127.0.0.1", 0, NULL), "no port");
  veil_server_set_bound_address (server, "127.0.0.1", PORT);
}

/* Returns how many answers there are. */
static guint
converse (const guint8 *data, gsize length)
{
  g_autoptr (GByteArray) output = g_byte_array_new ();
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GSocketConnection) stream = NULL;
  guint answers;
  int fds[2];

  backend->calls = 0;
  require (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0, "no sockets");
  socket = g_socket_new_from_fd (fds[0], NULL);
  stream = g_socket_connection_factory_create_connection (socket);
  veil_server_adopt (server, stream);
  g_clear_object (&stream);
  g_clear_object (&socket);

  talk (server, fds[1], data, length, output);
  answers = check (data, length, output, backend->calls);
  close (fds[1]);
  for (guint turn = 0; g_hash_table_size (server->connections) > 0 || g_hash_table_size (server->exchanges) > 0; turn++)
    {
      require (turn < MAX_TURNS, "a connection stays behind");
      g_main_context_iteration (NULL, FALSE);
    }
  require (g_hash_table_size (server->lingers) == 0, "a linger stays behind");
  return answers;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize length)
{
  if (server == NULL)
    {
      start ();
      require (converse ((const guint8 *) good, strlen (good)) == 1, "a request as it should be is not answered");
    }
  converse (data, length);
  return 0;
}
