/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The endpoint, until a signal: in the foreground, or as the process in the background. */
#include "serve.h"

#include "log.h"
#include "paste.h"
#include "port-probe.h"
#include "sandbox-process.h"
#include "sd-notify.h"
#include "service.h"
#include "session-file.h"
#include "settings-file.h"
#include "snippets.h"
#include "veil-error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gi18n.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* From one start to the next in place: where the endpoint was, and what holds the home meanwhile. */
#define FORMER_PORT "VEIL_FORMER_PORT"
#define FORMER_LOCK "VEIL_FORMER_LOCK"

typedef struct
{
  GMainLoop *loop;
  VeilSettings *settings; /* not owned */
  const VeilServeOptions *options;
  int report;                  /* -1: nobody waits, or it was told already */
  char *program;               /* owned; the file that runs, for a restart */
  char *folder;                /* owned; where it was started */
  VeilLog *log;                /* not owned */
  VeilInstance *instance;      /* owned */
  VeilInstanceInfo *holder;    /* owned; who has the home instead */
  VeilService *service;        /* owned */
  VeilSession *session;        /* owned; for this run only; NULL: that of the store */
  VeilSandboxProcess *sandbox; /* owned; NULL outside the sandbox */
  GCancellable *hurry;         /* owned; set from the first signal on */
  gboolean restart;
  guint16 port;  /* of the endpoint, this time or the time before; 0: none yet */
  int lock;      /* on the home, from the time before; -1: none */
  GError *error; /* owned; why the loop ended, if not by a signal */
} Serve;

/* --- in which language --- */

/* To the person who starts it in theirs: questions, and why it cannot start. What programs read, the log and the answers of the API, is English: that is the
 * rule from listening on, and for what is kept until then. */
static void
speak_to_person (gboolean to_person)
{
  setlocale (LC_MESSAGES, to_person ? "" : "C");
}

/* --- telling how it went --- */

static void
report (Serve *serve, char kind, const char *text)
{
  g_autofree char *line = NULL;

  if (serve->report < 0)
    return;
  line = g_strdup_printf ("%c%s", kind, text);
  g_strdelimit (line, "\n", ' ');
  /* Whoever waited for it has gone (Ctrl-C): nobody wants this any more. */
  if (write (serve->report, line, strlen (line)) < 0)
    g_main_loop_quit (serve->loop);
  close (serve->report);
  serve->report = -1;
}

/* @welcome: to the sandbox, in the person's language */
static void
on_listening (Serve *serve, const char *welcome)
{
  VeilServer *server = veil_service_get_server (serve->service);
  g_autofree char *url = veil_settings_make_url (veil_server_get_host (server), veil_server_get_port (server));
  g_autofree char *status = g_strdup_printf ("READY=1\nSTATUS=listening on %s", url);

  if (serve->options->background)
    g_message ("Listening on %s", url);
  else
    g_print ("listening on %s\n", url);
  if (serve->sandbox != NULL && !serve->options->background)
    {
      g_autofree char *curl = veil_snippet_get_text (VEIL_SNIPPET_CURL, url, veil_settings_wants_key (serve->settings));

      g_printerr ("%s\n\n%s\n\n", welcome, curl);
    }
  veil_sd_notify (status);
  report (serve, VEIL_REPORT_LISTENING, url);
}

/* --- stopping --- */

static void
on_stopped (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Serve *serve = user_data;

  veil_service_stop_finish (serve->service, result);
  g_main_loop_quit (serve->loop);
}

/* The second time means that nothing is waited for. */
static void
begin_stop (Serve *serve)
{
  if (serve->hurry != NULL)
    {
      g_cancellable_cancel (serve->hurry);
      return;
    }
  serve->hurry = g_cancellable_new ();
  veil_sd_notify (serve->restart ? "STATUS=starting again" : "STOPPING=1");
  veil_service_stop_async (serve->service, serve->hurry, on_stopped, serve);
}

static gboolean
on_end_signal (gpointer user_data)
{
  Serve *serve = user_data;

  serve->restart = FALSE;
  begin_stop (serve);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_restart_signal (gpointer user_data)
{
  Serve *serve = user_data;

  if (serve->hurry != NULL)
    return G_SOURCE_CONTINUE;
  serve->restart = TRUE;
  /* It may have moved since it began; and it may not have begun yet. */
  if (veil_service_get_server (serve->service) != NULL)
    serve->port = veil_server_get_port (veil_service_get_server (serve->service));
  begin_stop (serve);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_reload_signal (gpointer user_data)
{
  Serve *serve = user_data;

  veil_sd_notify_reloading ();
  veil_log_reopen (serve->log);
  veil_service_reload (serve->service);
  veil_service_retry_address (serve->service);
  veil_sd_notify ("READY=1");
  return G_SOURCE_CONTINUE;
}

/* The same program with the same arguments and environment, under the same pid: whoever supervises it sees no end, and a new version is
 * taken up. */
static void
start_again (Serve *serve)
{
  g_autofree char **arguments = veil_serve_filter_command (serve->options->command, NULL);
  g_autofree char *port = g_strdup_printf ("%u", serve->port);
  g_autofree char *lock = g_strdup_printf ("%d", veil_instance_hand_over (serve->instance));
  g_auto (GStrv) environment = g_environ_setenv (g_get_environ (), FORMER_PORT, port, TRUE);

  environment = g_environ_setenv (environment, FORMER_LOCK, lock, TRUE);
  veil_sd_notify_reloading ();
  g_message ("Starting again");
  if (chdir (serve->folder) == 0)
    execve (serve->program, arguments, environment);
  g_set_error (&serve->error, VEIL_ERROR, VEIL_ERROR_INTERNAL, _ ("%s cannot be started again: %s; start it by hand"),
               serve->program, g_strerror (errno));
}

/* --- starting --- */

/* By now a session that is in a file has been read, so that the first who ask find somebody signed in. */
static gboolean
on_account_opened (gpointer user_data)
{
  Serve *serve = user_data;
  const char *welcome;

  /* It was to end meanwhile. */
  if (serve->hurry != NULL)
    return G_SOURCE_REMOVE;
  speak_to_person (TRUE);
  welcome = _ ("This is the sandbox: real cryptography, simulated enclaves, nothing attested. Try it:");
  if (!veil_service_listen (serve->service, &serve->error))
    {
      veil_port_name_holder (serve->error);
      g_main_loop_quit (serve->loop);
      return G_SOURCE_REMOVE;
    }
  speak_to_person (FALSE);
  veil_service_begin (serve->service);
  on_listening (serve, welcome);
  return G_SOURCE_REMOVE;
}

static void
on_key_loaded (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Serve *serve = user_data;

  /* It was to end meanwhile. */
  if (serve->hurry != NULL)
    return;
  if (!veil_service_load_key_finish (serve->service, result, &serve->error))
    {
      g_main_loop_quit (serve->loop);
      return;
    }
  speak_to_person (FALSE);
  if (serve->sandbox == NULL && serve->session == NULL)
    veil_service_open_account (serve->service);
  else if (serve->sandbox == NULL)
    veil_service_set_session (serve->service, serve->session);
  g_idle_add (on_account_opened, serve);
}

static void
start_endpoint (Serve *serve)
{
  veil_service_load_key_async (serve->service, on_key_loaded, serve);
}

static void
on_sandbox_ended (VeilSandboxProcess *sandbox, Serve *serve)
{
  g_set_error (&serve->error, VEIL_ERROR, VEIL_ERROR_SANDBOX, _ ("The sandbox helper ended; start og-veil again"));
  g_main_loop_quit (serve->loop);
}

static void
on_sandbox_started (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Serve *serve = user_data;

  serve->sandbox = veil_sandbox_process_start_finish (result, &serve->error);
  if (serve->sandbox == NULL)
    {
      g_main_loop_quit (serve->loop);
      return;
    }
  /* It was to end meanwhile. */
  if (serve->hurry != NULL)
    return;
  g_signal_connect (serve->sandbox, "ended", G_CALLBACK (on_sandbox_ended), serve);
  veil_service_set_session (serve->service, veil_sandbox_process_get_session (serve->sandbox));
  start_endpoint (serve);
}

/* What the starter hands over on standard input, for this run only: a session that could not be kept. */
static VeilSession *
read_session (Serve *serve)
{
  g_autoptr (GBytes) text = serve->report >= 0 ? veil_cli_read_paste ("", VEIL_SESSION_MAX_BYTES, NULL) : NULL;
  gsize length = 0;
  const char *data = text != NULL ? g_bytes_get_data (text, &length) : NULL;

  return length > 0 ? veil_session_new_from_bundle (data, length, g_get_real_time () / G_USEC_PER_SEC, NULL) : NULL;
}

/* Without a session the endpoint still runs and tells each caller how to sign in; a session file that others can read or change is not overlooked. */
static gboolean
find_account (Serve *serve)
{
  g_autofree char *path = veil_settings_get_session_path (serve->settings);
  g_autoptr (VeilSession) session = NULL;
  g_autoptr (GError) error = NULL;

  serve->session = read_session (serve);
  if (serve->session == NULL && serve->options->sign_in &&
      !veil_serve_sign_in (serve->settings, serve->options, &serve->session, &serve->error))
    return FALSE;
  if (serve->session != NULL)
    return TRUE;
  if (g_str_equal (serve->settings->session_store, "file") && (session = veil_session_file_load (path, &error)) == NULL &&
      !g_error_matches (error, VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN))
    {
      serve->error = g_steal_pointer (&error);
      return FALSE;
    }
  return TRUE;
}

/* FALSE with an error, or with the holder of the home. */
static gboolean
take_home (Serve *serve)
{
  g_autofree char *log = serve->options->background ? veil_log_get_path (serve->settings->home) : NULL;
  const VeilInstanceInfo info = {
    .program = (char *) "og-veil", .log = log, .sandbox = serve->options->sandbox, .restarts = serve->program != NULL
  };

  serve->instance = veil_instance_take_over (serve->settings->home, &info, serve->lock);
  if (serve->instance == NULL)
    serve->instance = veil_instance_acquire (serve->settings->home, &info, &serve->holder, &serve->error);
  if (serve->instance != NULL && serve->options->sandbox)
    veil_settings_file_erase_choice (serve->settings->home);
  return serve->instance != NULL;
}

/* The log is touched by who has the home alone. */
static gboolean
go_into_background (Serve *serve)
{
  int null = open ("/dev/null", O_RDWR | O_CLOEXEC);

  if (null < 0 || dup2 (null, STDIN_FILENO) < 0)
    {
      g_set_error (&serve->error, VEIL_ERROR, VEIL_ERROR_INTERNAL, "/dev/null: %s", g_strerror (errno));
      return FALSE;
    }
  close (null);
  if (!veil_log_to_file (serve->log, veil_instance_get_info (serve->instance)->log, VEIL_LOG_MAX_BYTES, &serve->error))
    return FALSE;
  /* So that no file system is kept from being unmounted. */
  return chdir ("/") == 0;
}

/* Not for those that are started from here. */
static guint64
take_former (const char *name, guint64 max, guint64 otherwise)
{
  const char *text = g_getenv (name);
  guint64 value;

  if (text == NULL || !g_ascii_string_to_unsigned (text, 10, 0, max, &value, NULL))
    value = otherwise;
  g_unsetenv (name);
  return value;
}

/* `og-veil restart` may be heard when nobody listens: between two starts in place, or before the first has begun. It is kept for later then, and must not end
 * the program, as the signal does with who does not know it. */
static void
hold_restarts (gboolean hold)
{
  sigset_t signals;

  sigemptyset (&signals);
  sigaddset (&signals, SIGUSR1);
  pthread_sigmask (hold ? SIG_BLOCK : SIG_UNBLOCK, &signals, NULL);
}

static void
run_loop (Serve *serve)
{
  static const struct
  {
    int number;
    GSourceFunc func;
  } signals[] = {
    { SIGINT, on_end_signal }, { SIGTERM, on_end_signal }, { SIGUSR1, on_restart_signal }, { SIGHUP, on_reload_signal }
  };
  guint sources[G_N_ELEMENTS (signals)];
  gboolean ready;

  speak_to_person (FALSE);
  serve->service = veil_service_new (serve->settings);
  veil_service_set_instance (serve->service, serve->instance);
  veil_service_prefer_port (serve->service, serve->port);
  speak_to_person (TRUE);
  ready = serve->options->sandbox || find_account (serve); /* until then, signals end the program where it stands */
  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    sources[i] = g_unix_signal_add (signals[i].number, signals[i].func, serve);
  hold_restarts (FALSE);
  if (ready && serve->options->background)
    ready = go_into_background (serve);
  if (ready && serve->options->sandbox)
    veil_sandbox_process_start_async (NULL, on_sandbox_started, serve);
  else if (ready)
    start_endpoint (serve);
  if (serve->error == NULL)
    g_main_loop_run (serve->loop);
  veil_service_stop (serve->service);
  veil_service_set_instance (serve->service, NULL);
  if (serve->sandbox != NULL)
    veil_sandbox_process_stop (serve->sandbox);
  /* Before it starts again, one more restart is that very one: other threads may hear of it still. */
  hold_restarts (TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    if (!serve->restart || signals[i].number != SIGUSR1)
      g_source_remove (sources[i]);
}

static VeilExit
end (Serve *serve)
{
  VeilExit status = VEIL_EXIT_OK;

  if (serve->error != NULL && serve->report >= 0)
    {
      status = VEIL_EXIT_FAILURE;
      report (serve, VEIL_REPORT_FAILED, serve->error->message);
    }
  else if (serve->error != NULL && serve->options->background)
    {
      status = VEIL_EXIT_FAILURE;
      g_warning ("%s", serve->error->message);
    }
  else if (serve->error != NULL)
    status = veil_cli_fail (serve->error);
  else if (serve->holder != NULL && serve->report >= 0)
    {
      g_autofree char *who = veil_serve_describe (serve->holder);

      report (serve, VEIL_REPORT_HELD, who);
    }
  else if (serve->holder != NULL)
    veil_serve_print_holder (serve->settings, serve->holder);
  return status;
}

VeilExit
veil_serve_run (VeilSettings *settings, const VeilServeOptions *options)
{
  Serve serve = { .loop = g_main_loop_new (NULL, FALSE),
                  .settings = settings,
                  .options = options,
                  .report = options->report,
                  .port = (guint16) take_former (FORMER_PORT, G_MAXUINT16, 0),
                  .lock = (int) take_former (FORMER_LOCK, G_MAXINT, (guint64) -1),
                  .log = veil_log_install ("og-veil"),
                  .program = g_file_read_link ("/proc/self/exe", NULL),
                  .folder = g_get_current_dir () };
  VeilExit status;

  hold_restarts (TRUE);
  if (take_home (&serve))
    run_loop (&serve);
  if (serve.restart && serve.error == NULL)
    start_again (&serve);
  veil_instance_release (serve.instance);
  status = end (&serve);

  g_clear_error (&serve.error);
  g_clear_object (&serve.service);
  g_clear_pointer (&serve.session, veil_session_unref);
  g_clear_object (&serve.sandbox);
  g_clear_object (&serve.hurry);
  g_clear_pointer (&serve.holder, veil_instance_info_free);
  g_free (serve.program);
  g_free (serve.folder);
  g_main_loop_unref (serve.loop);
  return status;
}
