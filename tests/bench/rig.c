/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "rig.h"

#include "load.h"
#include "sandbox-process.h"
#include "service.h"

#include <stdio.h>

struct _Rig
{
  VeilSandboxProcess *sandbox; /* owned */
  VeilService *service;        /* owned */
  char *url;                   /* owned */
  guint relay_port;

  GSubprocess *callers;      /* owned */
  GOutputStream *commands;   /* of callers */
  GDataInputStream *replies; /* owned */
  char *reply;               /* owned; the one that came last */
};

static void
on_sandbox (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Rig *self = user_data;
  g_autoptr (GError) error = NULL;

  self->sandbox = veil_sandbox_process_start_finish (result, &error);
  if (self->sandbox == NULL)
    g_error ("%s", error->message);
}

static void
on_reply (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Rig *self = user_data;

  self->reply = g_data_input_stream_read_line_finish (G_DATA_INPUT_STREAM (source), result, NULL, NULL);
  if (self->reply == NULL)
    g_error ("the callers ended");
}

/* Lets everything run until the callers have said something. */
static char *
await_reply (Rig *self)
{
  g_data_input_stream_read_line_async (self->replies, G_PRIORITY_DEFAULT, NULL, on_reply, self);
  while (self->reply == NULL)
    g_main_context_iteration (NULL, TRUE);
  return g_steal_pointer (&self->reply);
}

static void
start_callers (Rig *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *program = g_file_read_link ("/proc/self/exe", &error);
  g_autofree char *port = NULL;

  if (program != NULL)
    self->callers =
        g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error, program, LOAD_ARGUMENT, NULL);
  if (self->callers == NULL)
    g_error ("%s", error->message);
  self->commands = g_subprocess_get_stdin_pipe (self->callers);
  self->replies = g_data_input_stream_new (g_subprocess_get_stdout_pipe (self->callers));
  port = await_reply (self);
  self->relay_port = g_ascii_strtoull (port, NULL, 10);
}

static void
start_service (Rig *self)
{
  const char *const any_port[] = { "0", NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilSettings) settings = veil_settings_new (&error);
  g_autofree char *url = NULL;

  if (settings == NULL || !veil_settings_set_flag (settings, "port", any_port, &error))
    g_error ("%s", error->message);
  self->service = veil_service_new (settings);
  veil_service_set_session (self->service, veil_sandbox_process_get_session (self->sandbox));
  if (!veil_service_start (self->service, &error))
    g_error ("%s", error->message);
  url = veil_settings_get_url (settings, veil_server_get_port (veil_service_get_server (self->service)));
  self->url = g_strconcat (url, "/chat/completions", NULL);
}

Rig *
rig_new (void)
{
  Rig *self = g_new0 (Rig, 1);

  veil_sandbox_process_start_async (NULL, on_sandbox, self);
  while (self->sandbox == NULL)
    g_main_context_iteration (NULL, TRUE);
  start_callers (self);
  start_service (self);
  return self;
}

void
rig_free (Rig *self)
{
  veil_service_stop (self->service);
  veil_sandbox_process_stop (self->sandbox);
  g_output_stream_close (self->commands, NULL, NULL);
  g_subprocess_wait (self->callers, NULL, NULL);
  g_object_unref (self->service);
  g_object_unref (self->sandbox);
  g_object_unref (self->replies);
  g_object_unref (self->callers);
  g_free (self->url);
  g_free (self);
}

const char *
rig_get_url (Rig *self)
{
  return self->url;
}

guint
rig_get_relay_port (Rig *self)
{
  return self->relay_port;
}

RigRun
rig_run (Rig *self, const char *url, guint count, guint concurrency, const char *kind, gsize prompt_bytes, const char *wish)
{
  g_autofree char *command =
      g_strdup_printf ("run %s %u %u %s %" G_GSIZE_FORMAT " %s\n", url, count, concurrency, kind, prompt_bytes, wish);
  g_autoptr (GError) error = NULL;
  g_autofree char *reply = NULL;
  RigRun run;

  if (!g_output_stream_write_all (self->commands, command, strlen (command), NULL, NULL, &error))
    g_error ("%s", error->message);
  reply = await_reply (self);
  if (sscanf (reply, "%u %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GSIZE_FORMAT, &run.good, &run.mean_us,
              &run.min_us, &run.max_us, &run.answer_bytes) != 5)
    g_error ("the callers say: %s", reply);
  if (run.good != count)
    g_error ("%u of %u answers to %s are as they should be", run.good, count, url);
  return run;
}
