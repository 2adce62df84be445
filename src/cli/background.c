/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The side of the terminal: starts the process in the background and waits for what it reports. */
#include "serve.h"

#include "log.h"
#include "sandbox-process.h"
#include "token-store.h"
#include "veil-error.h"

#include <errno.h>
#include <glib-unix.h>
#include <glib/gi18n.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_REPORT 4096
#define REPORT_FD 3 /* in the process in the background */

/* A session of its own: no terminal, and none of its signals. */
static void
leave_terminal (gpointer user_data)
{
  setsid ();
}

static gboolean
spawn (const VeilServeOptions *options, int report, GPid *pid, int *input, GError **error)
{
  static const char *const more[] = { "--background", "--report=" G_STRINGIFY (REPORT_FD), NULL };
  g_autofree char **arguments = veil_serve_filter_command (options->command, more);
  g_autofree char **with_file = NULL;
  g_auto (GStrv) environment = g_environ_unsetenv (g_get_environ (), "NOTIFY_SOCKET");
  guint n = 0;

  while (arguments[n] != NULL)
    n++;
  with_file = g_new0 (char *, n + 2);
  with_file[0] = (char *) "/proc/self/exe";
  memcpy (with_file + 1, arguments, n * sizeof *arguments);
  return g_spawn_async_with_pipes_and_fds (NULL, (const char *const *) with_file, (const char *const *) environment,
                                           G_SPAWN_FILE_AND_ARGV_ZERO | G_SPAWN_DO_NOT_REAP_CHILD, leave_terminal, NULL, -1, -1, -1,
                                           &report, &(int){ REPORT_FD }, 1, pid, input, NULL, NULL, error);
}

/* That nobody reads it is seen from the report. */
static void
hand_over (int input, const VeilSession *session)
{
  g_autoptr (GBytes) bundle = session != NULL ? veil_session_to_bundle (session) : NULL;
  gsize left = 0;
  const char *data = bundle != NULL ? g_bytes_get_data (bundle, &left) : NULL;

  while (left > 0)
    {
      gssize n = write (input, data, left);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        break;
      data += n;
      left -= (gsize) n;
    }
  close (input);
}

static GString *
read_report (int report)
{
  GString *text = g_string_new (NULL);
  char piece[512];
  gssize n;

  while (text->len < MAX_REPORT && (n = read (report, piece, sizeof piece)) != 0)
    if (n > 0)
      g_string_append_len (text, piece, n);
    else if (errno != EINTR)
      break;
  close (report);
  return text;
}

static void
print_start (const VeilSettings *settings, const VeilServeOptions *options, const char *url)
{
  g_autofree char *log = veil_log_get_path (settings->home);
  g_autofree char *stop = veil_serve_command (settings, "stop");
  g_autofree char *env = veil_serve_command (settings, "env");

  g_print (_ ("Veil serves at %s\n"), url);
  if (options->sandbox)
    g_print (_ ("This is the sandbox: real cryptography, simulated enclaves, nothing attested.\n"));
  g_print (_ ("Log:      %s\n"
              "Stop it:  %s\n"
              "Use it:   eval \"$(%s)\"\n"),
           log, stop, env);
}

/* It ended without a word; if it could say why, that was on the terminal, or is in the log. */
static VeilExit
explain_silence (const VeilSettings *settings, GPid pid)
{
  g_autofree char *log = veil_log_get_path (settings->home);
  int status = 0;

  while (waitpid (pid, &status, 0) < 0 && errno == EINTR)
    continue;
  if (WIFEXITED (status) && (WEXITSTATUS (status) == VEIL_EXIT_FAILURE || WEXITSTATUS (status) == VEIL_EXIT_USAGE))
    return WEXITSTATUS (status);
  if ((WIFEXITED (status) && WEXITSTATUS (status) == VEIL_EXIT_OK) || (WIFSIGNALED (status) && WTERMSIG (status) == SIGTERM))
    {
      g_printerr (_ ("og-veil: Veil was stopped before it accepted requests; start it again with `og-veil`\n"));
      return VEIL_EXIT_FAILURE;
    }
  g_printerr (_ ("og-veil: Veil ended before it accepted requests; what it said last is in %s\n"), log);
  return VEIL_EXIT_FAILURE;
}

static VeilExit
take_report (const VeilSettings *settings, const VeilServeOptions *options, GPid pid, const char *report)
{
  g_autofree char *printable = veil_cli_printable (report);

  switch (printable[0])
    {
    case VEIL_REPORT_LISTENING:
      print_start (settings, options, printable + 1);
      return VEIL_EXIT_OK;
    case VEIL_REPORT_HELD:
      g_print ("%s\n", printable + 1);
      return VEIL_EXIT_OK;
    case VEIL_REPORT_FAILED:
      g_printerr ("og-veil: %s\n", printable + 1);
      return VEIL_EXIT_FAILURE;
    default:
      return explain_silence (settings, pid);
    }
}

static VeilExit
start (const VeilSettings *settings, const VeilServeOptions *options, const VeilSession *session)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) report = NULL;
  int fds[2], input;
  GPid pid;

  if (!g_unix_open_pipe (fds, FD_CLOEXEC, &error) || !spawn (options, fds[1], &pid, &input, &error))
    {
      g_prefix_error (&error, _ ("Veil cannot be started in the background: "));
      return veil_cli_fail (error);
    }
  close (fds[1]);
  hand_over (input, session);
  report = read_report (fds[0]);
  return take_report (settings, options, pid, report->str);
}

VeilExit
veil_serve_in_background (const VeilSettings *settings, const VeilServeOptions *options)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilInstanceInfo) holder = veil_instance_find (settings->home, &error);
  g_autoptr (VeilSession) kept = NULL;

  if (holder != NULL)
    {
      veil_serve_print_holder (settings, holder);
      return VEIL_EXIT_OK;
    }
  if (error != NULL || (options->sign_in && !veil_serve_sign_in (settings, options, &kept, &error)))
    return veil_cli_fail (error);
  return start (settings, options, kept);
}
