/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "sandbox-process.h"

#include "config.h"
#include "veil-error.h"

#include <glib/gi18n.h>
#include <signal.h>
#include <unistd.h>

#define START_TIMEOUT_S 30

struct _VeilSandboxProcess
{
  GObject parent_instance;

  GSubprocess *process;    /* owned */
  GOutputStream *lifeline; /* of process: its standard input; the helper ends when this closes, however we go */
  VeilSession *session;    /* owned; NULL until it is ready */
  GCancellable *ending;    /* owned; cancelled when we no longer wait for the end */
};

G_DEFINE_FINAL_TYPE (VeilSandboxProcess, veil_sandbox_process, G_TYPE_OBJECT)

enum
{
  ENDED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static char *
find_program (void)
{
  const char *given = g_getenv ("VEIL_SANDBOX_PROGRAM");

  return g_strdup (given != NULL ? given : VEIL_LIBEXECDIR "/og-veil-sandbox");
}

static void
on_ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilSandboxProcess) self = user_data;
  g_autoptr (GError) error = NULL;

  g_subprocess_wait_finish (G_SUBPROCESS (source), result, &error);
  if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    g_signal_emit (self, signals[ENDED], 0);
}

static gboolean
give_up (gpointer user_data)
{
  GTask *task = user_data;
  VeilSandboxProcess *self = g_task_get_task_data (task);

  /* The pending read then sees the end of the helper's output. */
  g_subprocess_force_exit (self->process);
  return G_SOURCE_REMOVE;
}

static void
stop_waiting (GTask *task)
{
  GSource *timeout = g_object_get_data (G_OBJECT (task), "timeout");

  if (timeout != NULL)
    g_source_destroy (timeout);
}

static void
on_bundle (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VeilSandboxProcess *self = g_task_get_task_data (task);
  GError *error = NULL;
  gsize length;
  g_autofree char *line = g_data_input_stream_read_line_finish (G_DATA_INPUT_STREAM (source), result, &length, &error);

  stop_waiting (task);
  if (line == NULL)
    {
      if (error == NULL)
        error = g_error_new (VEIL_ERROR, VEIL_ERROR_SANDBOX,
                             _ ("The sandbox helper ended before it was ready; what it said is on standard error above"));
      g_subprocess_force_exit (self->process);
      g_task_return_error (task, error);
      return;
    }
  self->session = veil_session_new_from_bundle (line, length, g_get_real_time () / G_USEC_PER_SEC, &error);
  if (self->session == NULL)
    {
      g_subprocess_force_exit (self->process);
      g_prefix_error (&error, _ ("The sandbox helper's login bundle cannot be used: "));
      g_task_return_error (task, error);
      return;
    }
  g_subprocess_wait_async (self->process, self->ending, on_ended, g_object_ref (self));
  g_task_return_pointer (task, g_object_ref (self), g_object_unref);
}

/* Ctrl-C is meant for us: the helper ends when we close its lifeline, and not before. */
static void
leave_process_group (gpointer user_data)
{
  setpgid (0, 0);
}

static GSubprocess *
spawn (GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  g_autofree char *program = find_program ();

  g_subprocess_launcher_set_child_setup (launcher, leave_process_group, NULL, NULL);
  return g_subprocess_launcher_spawn (launcher, error, program, NULL);
}

void
veil_sandbox_process_start_async (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  g_autoptr (VeilSandboxProcess) self = g_object_new (VEIL_TYPE_SANDBOX_PROCESS, NULL);
  g_autoptr (GDataInputStream) output = NULL;
  GSource *timeout;
  GError *error = NULL;

  g_task_set_source_tag (task, veil_sandbox_process_start_async);
  self->process = spawn (&error);
  if (self->process == NULL)
    {
      g_task_return_new_error (task, VEIL_ERROR, VEIL_ERROR_SANDBOX, _ ("The sandbox helper could not be started: %s"),
                               error->message);
      g_error_free (error);
      return;
    }
  self->lifeline = g_subprocess_get_stdin_pipe (self->process);
  output = g_data_input_stream_new (g_subprocess_get_stdout_pipe (self->process));
  g_task_set_task_data (task, g_object_ref (self), g_object_unref);

  timeout = g_timeout_source_new_seconds (START_TIMEOUT_S);
  g_source_set_callback (timeout, give_up, task, NULL);
  g_source_attach (timeout, g_task_get_context (task));
  g_object_set_data_full (G_OBJECT (task), "timeout", timeout, (GDestroyNotify) g_source_unref);

  g_data_input_stream_read_line_async (output, G_PRIORITY_DEFAULT, cancellable, on_bundle, g_steal_pointer (&task));
}

VeilSandboxProcess *
veil_sandbox_process_start_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

VeilSession *
veil_sandbox_process_get_session (VeilSandboxProcess *self)
{
  g_return_val_if_fail (VEIL_IS_SANDBOX_PROCESS (self), NULL);
  return self->session;
}

void
veil_sandbox_process_stop (VeilSandboxProcess *self)
{
  g_return_if_fail (VEIL_IS_SANDBOX_PROCESS (self));
  if (self->process == NULL || g_cancellable_is_cancelled (self->ending))
    return;
  g_cancellable_cancel (self->ending);
  g_output_stream_close (self->lifeline, NULL, NULL);
  g_subprocess_send_signal (self->process, SIGTERM);
}

static void
veil_sandbox_process_finalize (GObject *object)
{
  VeilSandboxProcess *self = VEIL_SANDBOX_PROCESS (object);

  veil_sandbox_process_stop (self);
  g_clear_object (&self->process);
  g_clear_object (&self->ending);
  g_clear_pointer (&self->session, veil_session_unref);
  G_OBJECT_CLASS (veil_sandbox_process_parent_class)->finalize (object);
}

static void
veil_sandbox_process_class_init (VeilSandboxProcessClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_sandbox_process_finalize;
  signals[ENDED] = g_signal_new ("ended", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
veil_sandbox_process_init (VeilSandboxProcess *self)
{
  self->ending = g_cancellable_new ();
}
