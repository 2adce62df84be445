/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "server-fixture.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEADLINE_S 20

static void fake_backend_iface_init (VeilBackendInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (FakeBackend, fake_backend, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (VEIL_TYPE_BACKEND, fake_backend_iface_init))

static void
on_cancelled (GCancellable *cancellable, GTask *task)
{
  FakeBackend *self = g_task_get_source_object (task);

  self->cancelled++;
  self->pending--;
  g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled");
  /* They hold each other. */
  g_signal_handlers_disconnect_by_func (cancellable, on_cancelled, task);
}

static void
fake_chat_async (VeilBackend *backend, VeilChatRequest *request, VeilRecord *record, GCancellable *cancellable,
                 GAsyncReadyCallback callback, gpointer user_data)
{
  FakeBackend *self = FAKE_BACKEND (backend);
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);

  self->calls++;
  g_free (self->model);
  self->model = g_strdup (request->model);
  self->wire_size = g_bytes_get_size (request->wire);
  self->stream = request->stream;
  if (self->hang)
    {
      self->pending++;
      g_task_set_check_cancellable (task, FALSE);
      g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), g_object_ref (task), g_object_unref);
    }
  else if (self->error != NULL)
    g_task_return_error (task, g_error_copy (self->error));
  else
    g_task_return_pointer (task, veil_chat_answer_ref (self->answer), (GDestroyNotify) veil_chat_answer_unref);
}

static VeilChatAnswer *
fake_chat_finish (VeilBackend *backend, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
fake_get_health (VeilBackend *backend, VeilBackendHealth *health)
{
  FakeBackend *self = FAKE_BACKEND (backend);

  *health = (VeilBackendHealth){ .status = "ok",
                                 .tee_id = g_strdup ("0xab"),
                                 .tee_endpoint = g_strdup ("https://tee.example"),
                                 .tee_pcr_hash = g_strdup ("0xcd"),
                                 .verified = self->calls };
}

static void
fake_backend_iface_init (VeilBackendInterface *iface)
{
  iface->chat_async = fake_chat_async;
  iface->chat_finish = fake_chat_finish;
  iface->get_health = fake_get_health;
}

static void
fake_backend_init (FakeBackend *self)
{
  self->answer = fake_answer_new ("Hello", 0, NULL);
}

static void
fake_backend_finalize (GObject *object)
{
  FakeBackend *self = FAKE_BACKEND (object);

  veil_chat_answer_unref (self->answer);
  g_clear_error (&self->error);
  g_free (self->model);
  G_OBJECT_CLASS (fake_backend_parent_class)->finalize (object);
}

static void
fake_backend_class_init (FakeBackendClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = fake_backend_finalize;
}

static const VeilJson *
add_doc (VeilChatAnswer *answer, const char *text)
{
  VeilJsonDoc *doc = veil_json_doc_new (text, strlen (text), NULL);

  g_assert_nonnull (doc);
  g_ptr_array_add (answer->docs, doc);
  return veil_json_doc_get_root (doc);
}

static void
set_proof (VeilProof *proof, const char *what)
{
  memset (proof->request_hash, 0xab, 32);
  proof->tee_id = g_strdup_printf ("0x%064d", 7);
  proof->tee_endpoint = g_strdup ("https://tee.example:443");
  proof->pcr_hash = g_strdup_printf ("0x%064d", 8);
  proof->timestamp = 1700000000;
  proof->signed_ = g_strsplit (what, ",", -1);
}

VeilChatAnswer *
fake_answer_new (const char *text, guint n_deltas, const char *extras)
{
  VeilChatAnswer *answer = veil_chat_answer_new ();
  const VeilJson *object = extras != NULL ? add_doc (answer, extras) : NULL;
  gsize length = strlen (text), offset = 0;

  answer->text = g_bytes_new (text, length);
  answer->finish_reason = add_doc (answer, "\"stop\"");
  if (n_deltas > 0)
    answer->deltas = g_array_new (FALSE, FALSE, sizeof (VeilChatDelta));
  for (guint i = 0; i < n_deltas; i++)
    {
      gsize end = length * (i + 1) / n_deltas;
      VeilChatDelta delta = { offset, end - offset };

      g_array_append_val (answer->deltas, delta);
      offset = end;
    }
  for (guint i = 0; i < veil_json_get_size (object); i++)
    {
      VeilChatExtra extra = { 0 };

      extra.value = veil_json_get_member_at (object, i, &extra.name, NULL);
      /* "message.x" belongs into the message */
      extra.in_message = g_str_has_prefix (extra.name, "message.");
      extra.name += extra.in_message ? strlen ("message.") : 0;
      g_array_append_val (answer->extras, extra);
    }
  set_proof (answer->proof, "content");
  return answer;
}

VeilChatAnswer *
fake_answer_new_tools (const char *tool_calls)
{
  VeilChatAnswer *answer = veil_chat_answer_new ();

  answer->tool_calls = add_doc (answer, tool_calls);
  answer->finish_reason = add_doc (answer, "\"tool_calls\"");
  set_proof (answer->proof, "tool_calls");
  return answer;
}

void
fixture_set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->backend = g_object_new (FAKE_TYPE_BACKEND, NULL);
  fixture->server = veil_server_new (VEIL_BACKEND (fixture->backend));
  veil_server_listen (fixture->server, "127.0.0.1", 0, &error);
  g_assert_no_error (error);
}

void
fixture_tear_down (Fixture *fixture, gconstpointer data)
{
  veil_server_stop (fixture->server);
  g_assert_cmpuint (veil_server_get_n_running (fixture->server), ==, 0);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (g_hash_table_size (fixture->server->connections), ==, 0);
  g_assert_finalize_object (fixture->server);
  g_assert_finalize_object (fixture->backend);
}

static gboolean
on_deadline (gpointer user_data)
{
  g_error ("nothing happened for %d s", DEADLINE_S);
  return G_SOURCE_REMOVE;
}

void
fixture_wait_for (const guint *value, guint expected)
{
  guint deadline = g_timeout_add_seconds (DEADLINE_S, on_deadline, NULL);

  while (*value != expected)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (deadline);
}

typedef struct
{
  Fixture *fixture;
  PeerFunc func;
  gpointer user_data;
  gint done;
} Run;

static gpointer
run_thread (gpointer user_data)
{
  Run *run = user_data;

  run->func (run->fixture, run->user_data);
  g_atomic_int_set (&run->done, 1);
  g_main_context_wakeup (NULL);
  return NULL;
}

void
fixture_run_peer (Fixture *fixture, PeerFunc func, gpointer user_data)
{
  Run run = { fixture, func, user_data, 0 };
  guint deadline = g_timeout_add_seconds (3 * DEADLINE_S, on_deadline, NULL);
  GThread *thread = g_thread_new ("peer", run_thread, &run);

  while (!g_atomic_int_get (&run.done))
    g_main_context_iteration (NULL, TRUE);
  g_thread_join (thread);
  g_source_remove (deadline);
}

void
peer_connect (Peer *peer, guint16 port)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons (port), .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  struct timeval patience = { DEADLINE_S, 0 };

  peer->fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  peer->input = g_string_new (NULL);
  setsockopt (peer->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt (peer->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  g_assert_cmpint (connect (peer->fd, (struct sockaddr *) &address, sizeof address), ==, 0);
}

void
peer_close (Peer *peer)
{
  close (peer->fd);
  g_string_free (peer->input, TRUE);
}

gboolean
peer_send (Peer *peer, const char *text, gsize length)
{
  while (length > 0)
    {
      gssize sent = send (peer->fd, text, length, MSG_NOSIGNAL);

      if (sent <= 0)
        return FALSE;
      text += sent;
      length -= sent;
    }
  return TRUE;
}

static gboolean
read_some (Peer *peer)
{
  char buffer[65536];
  gssize got = recv (peer->fd, buffer, sizeof buffer, 0);

  if (got > 0)
    g_string_append_len (peer->input, buffer, got);
  return got > 0;
}

void
peer_read_reply (Peer *peer, gboolean head_only, Reply *reply)
{
  const char *end, *line;
  gsize length = 0;

  *reply = (Reply){ .body = g_string_new (NULL) };
  while ((end = strstr (peer->input->str, "\r\n\r\n")) == NULL)
    if (!read_some (peer))
      return;
  reply->head = g_strndup (peer->input->str, end + 2 - peer->input->str);
  g_string_erase (peer->input, 0, end + 4 - peer->input->str);
  reply->status = g_ascii_strtoull (reply->head + strlen ("HTTP/1.1 "), NULL, 10);
  line = strstr (reply->head, "\r\nContent-Length: ");
  if (line != NULL && !head_only)
    length = g_ascii_strtoull (line + strlen ("\r\nContent-Length: "), NULL, 10);
  while (peer->input->len < length)
    if (!read_some (peer))
      return;
  g_string_append_len (reply->body, peer->input->str, length);
  g_string_erase (peer->input, 0, length);
}

gboolean
peer_sees_end (Peer *peer)
{
  return peer->input->len == 0 && !read_some (peer);
}

void
reply_clear (Reply *reply)
{
  g_clear_pointer (&reply->head, g_free);
  if (reply->body != NULL)
    g_string_free (reply->body, TRUE);
  reply->body = NULL;
}

char *
fixture_chat_head (Fixture *fixture, const char *lines)
{
  return g_strdup_printf ("POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Type: application/json\r\n%s\r\n",
                          veil_server_get_port (fixture->server), lines);
}

char *
fixture_chat_request (Fixture *fixture, const char *body)
{
  g_autofree char *lines = g_strdup_printf ("Content-Length: %zu\r\n", strlen (body));
  g_autofree char *head = fixture_chat_head (fixture, lines);

  return g_strconcat (head, body, NULL);
}

void
peer_send_all (Peer *peer, const char *text)
{
  g_assert_true (peer_send (peer, text, strlen (text)));
}

void
fixture_wait_for_no_connections (Fixture *fixture)
{
  while (g_hash_table_size (fixture->server->connections) > 0)
    g_main_context_iteration (NULL, TRUE);
}

typedef struct
{
  char *request;
  Reply *reply;
} Question;

static void
ask (Fixture *fixture, gpointer user_data)
{
  Question *question = user_data;
  Peer peer;

  peer_connect (&peer, veil_server_get_port (fixture->server));
  g_assert_true (peer_send (&peer, question->request, strlen (question->request)));
  peer_read_reply (&peer, g_str_has_prefix (question->request, "HEAD "), question->reply);
  peer_close (&peer);
}

void
fixture_ask (Fixture *fixture, const char *request, Reply *reply)
{
  g_autofree char *port = g_strdup_printf ("%u", veil_server_get_port (fixture->server));
  g_auto (GStrv) parts = g_strsplit (request, "PORT", -1);
  Question question = { g_strjoinv (port, parts), reply };

  fixture_run_peer (fixture, ask, &question);
  g_free (question.request);
}

void
fixture_ask_chat (Fixture *fixture, const char *headers, const char *body, Reply *reply)
{
  g_autofree char *request =
      g_strdup_printf ("POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nContent-Type: application/json\r\n"
                       "Content-Length: %zu\r\n%s\r\n%s",
                       strlen (body), headers, body);

  fixture_ask (fixture, request, reply);
}
