/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "load.h"

#include <gio/gunixinputstream.h>
#include <libsoup/soup.h>
#include <stdio.h>
#include <unistd.h>

#define MAX_CONNECTIONS 256

typedef enum
{
  KIND_SINGLE,
  KIND_STREAM,
} Kind;

static const char *const kind_names[] = { "single", "stream" };

typedef struct
{
  GMainLoop *loop;
  SoupSession *session;
  SoupServer *relay;
  GBytes *answers[2]; /* by kind */

  /* The run at hand. */
  char *url;
  GBytes *bodies[2];
  gboolean mixed;
  Kind kind;
  guint to_start;
  guint running;
  guint done;
  guint good;
  gsize answer_bytes;
  gint64 total_us, min_us, max_us;
} Load;

typedef struct
{
  Load *load;
  Kind kind;
  gint64 started;
} Call;

static void start_call (Load *self);

static void
end_run (Load *self)
{
  printf ("%u %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GSIZE_FORMAT "\n", self->good,
          self->total_us / MAX (self->done, 1), self->min_us, self->max_us, self->answer_bytes);
  fflush (stdout);
  g_clear_pointer (&self->url, g_free);
  g_clear_pointer (&self->bodies[KIND_SINGLE], g_bytes_unref);
  g_clear_pointer (&self->bodies[KIND_STREAM], g_bytes_unref);
}

/* An answer counts if it is whole: of the endpoint, verified; of the bare proxy, what its relay said. */
static gboolean
check_answer (Load *self, Kind kind, SoupMessage *message, GBytes *body)
{
  SoupMessageHeaders *headers = soup_message_get_response_headers (message);

  if (body == NULL || soup_message_get_status (message) != 200)
    return FALSE;
  self->answer_bytes = g_bytes_get_size (body);
  if (g_strcmp0 (soup_message_headers_get_one (headers, "X-OpenGradient-Verified"), "true") != 0)
    return self->answers[kind] != NULL && g_bytes_equal (body, self->answers[kind]);
  g_clear_pointer (&self->answers[kind], g_bytes_unref);
  self->answers[kind] = g_bytes_ref (body);
  return TRUE;
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Call *call = user_data;
  Load *self = call->load;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) body = soup_session_send_and_read_finish (SOUP_SESSION (source), result, &error);
  SoupMessage *message = soup_session_get_async_result_message (SOUP_SESSION (source), result);
  gint64 took = g_get_monotonic_time () - call->started;

  if (check_answer (self, call->kind, message, body))
    self->good++;
  else
    g_printerr ("%s: %s\n", kind_names[call->kind], error != NULL ? error->message : (const char *) g_bytes_get_data (body, NULL));
  self->total_us += took;
  self->min_us = self->done == 0 ? took : MIN (self->min_us, took);
  self->max_us = MAX (self->max_us, took);
  self->done++;
  self->running--;
  if (self->to_start > 0)
    start_call (self);
  else if (self->running == 0)
    end_run (self);
}

static void
start_call (Load *self)
{
  Kind kind = self->mixed ? (Kind) (self->to_start % 2) : self->kind;
  g_autoptr (SoupMessage) message = soup_message_new ("POST", self->url);
  Call *call = g_new (Call, 1);

  *call = (Call){ self, kind, g_get_monotonic_time () };
  soup_message_add_flags (message, SOUP_MESSAGE_IDEMPOTENT); /* or libsoup opens a connection for each */
  soup_message_set_request_body_from_bytes (message, "application/json", self->bodies[kind]);
  self->to_start--;
  self->running++;
  soup_session_send_and_read_async (self->session, message, G_PRIORITY_DEFAULT, NULL, on_answer, call);
}

static GBytes *
build_body (Kind kind, gsize prompt_bytes, const char *wish)
{
  GString *body = g_string_new ("{\"model\":\"gpt-4.1\",\"messages\":[{\"role\":\"user\",\"content\":\"");

  g_string_append_printf (body, "%s ", wish);
  for (gsize at = 0; at < prompt_bytes; at++)
    g_string_append_c (body, "Say it in other words, please. "[at % 31]);
  g_string_append (body, kind == KIND_STREAM ? "\"}],\"stream\":true}" : "\"}]}");
  return g_string_free_to_bytes (body);
}

static void
start_run (Load *self, char **words)
{
  guint count = MAX (1, (guint) g_ascii_strtoull (words[2], NULL, 10));
  guint concurrency = MIN (count, (guint) g_ascii_strtoull (words[3], NULL, 10));
  gsize prompt_bytes = g_ascii_strtoull (words[5], NULL, 10);

  self->url = g_strdup (words[1]);
  self->mixed = g_str_equal (words[4], "mixed");
  self->kind = g_str_equal (words[4], kind_names[KIND_STREAM]) ? KIND_STREAM : KIND_SINGLE;
  self->bodies[KIND_SINGLE] = build_body (KIND_SINGLE, prompt_bytes, words[6]);
  self->bodies[KIND_STREAM] = build_body (KIND_STREAM, prompt_bytes, words[6]);
  self->to_start = count;
  self->done = self->good = 0;
  self->total_us = self->min_us = self->max_us = 0;
  for (guint i = 0; i < concurrency; i++)
    start_call (self);
}

static void
on_command (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Load *self = user_data;
  g_autofree char *line = g_data_input_stream_read_line_finish (G_DATA_INPUT_STREAM (source), result, NULL, NULL);
  g_auto (GStrv) words = line != NULL ? g_strsplit (line, " ", -1) : NULL;

  if (words == NULL || g_strv_length (words) != 7)
    {
      g_main_loop_quit (self->loop);
      return;
    }
  start_run (self, words);
  g_data_input_stream_read_line_async (G_DATA_INPUT_STREAM (source), G_PRIORITY_DEFAULT, NULL, on_command, self);
}

static void
on_relayed (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user_data)
{
  Load *self = user_data;
  Kind kind = g_str_equal (path, "/stream") ? KIND_STREAM : KIND_SINGLE;

  soup_server_message_set_status (message, self->answers[kind] != NULL ? 200 : 503, NULL);
  soup_message_headers_replace (soup_server_message_get_response_headers (message), "Content-Type", "application/octet-stream");
  if (self->answers[kind] != NULL)
    soup_message_body_append_bytes (soup_server_message_get_response_body (message), self->answers[kind]);
}

static guint
start_relay (Load *self)
{
  g_autoptr (GError) error = NULL;
  g_autoslist (GUri) uris = NULL;

  self->relay = soup_server_new (NULL, NULL);
  soup_server_add_handler (self->relay, NULL, on_relayed, self, NULL);
  if (!soup_server_listen_local (self->relay, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, &error))
    g_error ("%s", error->message);
  uris = soup_server_get_uris (self->relay);
  return g_uri_get_port (uris->data);
}

int
load_main (void)
{
  Load self = { g_main_loop_new (NULL, FALSE) };
  g_autoptr (GInputStream) input = g_unix_input_stream_new (STDIN_FILENO, FALSE);
  g_autoptr (GDataInputStream) commands = g_data_input_stream_new (input);

  self.session =
      soup_session_new_with_options ("max-conns", MAX_CONNECTIONS, "max-conns-per-host", MAX_CONNECTIONS, "timeout", 600, NULL);
  printf ("%u\n", start_relay (&self));
  fflush (stdout);
  g_data_input_stream_read_line_async (commands, G_PRIORITY_DEFAULT, NULL, on_command, &self);
  g_main_loop_run (self.loop);
  g_object_unref (self.relay);
  g_object_unref (self.session);
  g_main_loop_unref (self.loop);
  g_clear_pointer (&self.answers[KIND_SINGLE], g_bytes_unref);
  g_clear_pointer (&self.answers[KIND_STREAM], g_bytes_unref);
  return 0;
}
