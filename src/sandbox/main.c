/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* og-veil-sandbox: a complete simulated network on a loopback port. Prints one line, the login bundle, when it is ready;
 * ends with its standard input or on SIGTERM. */
#include <glib-unix.h>
#include <glib/gi18n.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "simulation.h"

typedef struct
{
  char *fault_name; /* owned */
  VeilSandboxFault fault;
  gint tees;
  gint port;
  gint latency_ms;
  gint frame_latency_ms;
  gint expires_in;
  gboolean list_faults;
  gboolean version;
  gboolean watch_stdin;
  gboolean no_watch_stdin;
} Options;

static gboolean
check_options (Options *options, GError **error)
{
  if (options->fault_name != NULL && !veil_sandbox_fault_from_name (options->fault_name, &options->fault))
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _ ("there is no fault \"%s\"; --list-faults names them"),
                 options->fault_name);
  else if (options->tees < 1 || options->tees > VEIL_SANDBOX_MAX_TEES)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _ ("--tees takes a number from 1 to %d"), VEIL_SANDBOX_MAX_TEES);
  else if (options->port < 0 || options->port > G_MAXUINT16)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _ ("--port takes a number from 0 to %d"), G_MAXUINT16);
  else if (options->latency_ms < 0 || options->frame_latency_ms < 0 || options->expires_in < 0)
    g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _ ("times cannot be negative"));
  else
    return TRUE;
  return FALSE;
}

static gboolean
read_options (Options *options, int *argc, char ***argv, GError **error)
{
  const GOptionEntry entries[] = {
    { "fault", 0, 0, G_OPTION_ARG_STRING, &options->fault_name, N_ ("Answer every request with this fault"), "NAME" },
    { "list-faults", 0, 0, G_OPTION_ARG_NONE, &options->list_faults, N_ ("Name all faults and exit"), NULL },
    { "tees", 0, 0, G_OPTION_ARG_INT, &options->tees, N_ ("Number of enclaves (default 3)"), "N" },
    { "port", 0, 0, G_OPTION_ARG_INT, &options->port, N_ ("Port on 127.0.0.1 (default: any that is free)"), "PORT" },
    { "latency", 0, 0, G_OPTION_ARG_INT, &options->latency_ms, N_ ("Time before each answer"), "MS" },
    { "frame-latency", 0, 0, G_OPTION_ARG_INT, &options->frame_latency_ms, N_ ("Time before each frame of a stream"), "MS" },
    { "expires-in", 0, 0, G_OPTION_ARG_INT, &options->expires_in, N_ ("Life of an access token as announced (default 3600)"), "S" },
    { "watch-stdin", 0, 0, G_OPTION_ARG_NONE, &options->watch_stdin, N_ ("End when standard input ends, even if it is no pipe"),
      NULL },
    { "no-watch-stdin", 0, 0, G_OPTION_ARG_NONE, &options->no_watch_stdin, N_ ("Do not look at standard input"), NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &options->version, N_ ("Print the version and exit"), NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autofree char *description = NULL;

  g_option_context_set_summary (
      context, _ ("A simulated network for Veil: relay, enclaves, registry and sign-in on 127.0.0.1, with the real\n"
                  "cryptography and keys of its own. Prints a login bundle when it is ready."));
  description = g_strconcat (_ ("A request for the model \"fault-NAME\" gets that fault, too. While it runs:"),
                             "\n  POST /sandbox/fault {\"fault\": NAME, \"times\": N, \"tee\": INDEX}\n"
                             "  POST /sandbox/tees {\"active\": [INDEX, ...]}, /sandbox/rotate, /sandbox/expire, /sandbox/account\n"
                             "  GET /sandbox/stats\n",
                             NULL);
  g_option_context_set_description (context, description);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  if (*argc > 1)
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _ ("\"%s\" is not an option; see --help"), (*argv)[1]);
      return FALSE;
    }
  return check_options (options, error);
}

static gboolean
on_signal (gpointer user_data)
{
  g_main_loop_quit (user_data);
  return G_SOURCE_CONTINUE;
}

/* What the parent writes does not matter; that it is gone does, however it went. */
static gboolean
on_stdin (int fd, GIOCondition condition, gpointer user_data)
{
  char buffer[512];
  ssize_t got = read (fd, buffer, sizeof buffer);

  if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)))
    return G_SOURCE_CONTINUE;
  g_main_loop_quit (user_data);
  return G_SOURCE_REMOVE;
}

static guint
watch_stdin (const Options *options, GMainLoop *loop)
{
  struct stat info;
  gboolean is_pipe = fstat (STDIN_FILENO, &info) == 0 && (S_ISFIFO (info.st_mode) || S_ISSOCK (info.st_mode));

  if (options->no_watch_stdin || !(is_pipe || options->watch_stdin))
    return 0;
  return g_unix_fd_add (STDIN_FILENO, G_IO_IN | G_IO_HUP | G_IO_ERR, on_stdin, loop);
}

static int
serve (const Options *options)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (VeilSandboxNetwork) network = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *bundle = NULL;

  network = veil_sandbox_network_new ((guint) options->port, (guint) options->tees, &error);
  if (network == NULL)
    {
      g_printerr (_ ("og-veil-sandbox: port %d of 127.0.0.1 cannot be had: %s\n"), options->port, error->message);
      return 1;
    }
  network->fault = options->fault;
  network->latency_ms = (guint) options->latency_ms;
  network->frame_latency_ms = (guint) options->frame_latency_ms;
  network->expires_in = (guint) options->expires_in;

  g_unix_signal_add (SIGTERM, on_signal, loop);
  g_unix_signal_add (SIGINT, on_signal, loop);
  watch_stdin (options, loop);
  bundle = veil_sandbox_auth_bundle (network);
  printf ("%s\n", bundle);
  if (fflush (stdout) != 0)
    return 1; /* nobody to serve */
  g_main_loop_run (loop);
  return 0;
}

int
main (int argc, char **argv)
{
  Options options = { .tees = 3, .expires_in = 3600 };
  g_autoptr (GError) error = NULL;
  int result = 0;

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, VEIL_LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  signal (SIGPIPE, SIG_IGN);
  g_log_writer_default_set_use_stderr (TRUE); /* the first line of standard output is the bundle */
  if (!read_options (&options, &argc, &argv, &error))
    {
      g_printerr ("og-veil-sandbox: %s\n", error->message);
      result = 2;
    }
  else if (options.version)
    g_print ("og-veil-sandbox %s\n", VEIL_VERSION);
  else if (options.list_faults)
    veil_sandbox_fault_print_all ();
  else
    result = serve (&options);
  g_free (options.fault_name);
  return result;
}
