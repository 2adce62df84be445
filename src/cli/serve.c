/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* og-veil serve -f: the endpoint in the foreground, until a signal. */
#include "cli.h"

#include "sandbox-process.h"
#include "service.h"
#include "session-file.h"
#include "sign-in.h"
#include "veil-error.h"

#include <glib-unix.h>

typedef struct
{
  GMainLoop *loop;
  VeilSettings *settings;      /* owned */
  VeilService *service;        /* owned */
  VeilSandboxProcess *sandbox; /* owned; NULL outside the sandbox */
  GError *error;               /* owned; why the loop ended, if not by a signal */
  GCancellable *hurry;         /* owned; set from the first signal on */
} Serve;

static void
on_stopped (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Serve *serve = user_data;

  veil_service_stop_finish (serve->service, result);
  g_main_loop_quit (serve->loop);
}

/* The second one means that nothing is waited for. */
static gboolean
on_signal (gpointer user_data)
{
  Serve *serve = user_data;

  if (serve->hurry != NULL)
    g_cancellable_cancel (serve->hurry);
  else
    {
      serve->hurry = g_cancellable_new ();
      veil_service_stop_async (serve->service, serve->hurry, on_stopped, serve);
    }
  return G_SOURCE_CONTINUE;
}

static void
on_sandbox_ended (VeilSandboxProcess *sandbox, Serve *serve)
{
  g_set_error (&serve->error, VEIL_ERROR, VEIL_ERROR_SANDBOX, "The sandbox helper ended; start og-veil again");
  g_main_loop_quit (serve->loop);
}

static void
start_endpoint (Serve *serve)
{
  VeilServer *server;
  g_autofree char *url = NULL;

  if (!veil_service_start (serve->service, &serve->error))
    {
      g_main_loop_quit (serve->loop);
      return;
    }
  server = veil_service_get_server (serve->service);
  url = veil_settings_get_url (serve->settings, veil_server_get_port (server));
  g_print ("listening on %s\n", url);
  if (serve->sandbox != NULL)
    g_printerr ("This is the sandbox: real cryptography, simulated enclaves, nothing attested. Try it:\n\n"
                "  curl %s/chat/completions -H 'Content-Type: application/json' \\\n"
                "    -d '{\"model\":\"gpt-4.1\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello!\"}]}'\n\n",
                url);
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
  g_signal_connect (serve->sandbox, "ended", G_CALLBACK (on_sandbox_ended), serve);
  veil_service_set_session (serve->service, veil_sandbox_process_get_session (serve->sandbox));
  start_endpoint (serve);
}

/* Signs in for this run if nobody is; a session that cannot be kept serves all the same. One that is kept already is not written again: another process
 * may have renewed it meanwhile. */
static gboolean
sign_in_first (Serve *serve)
{
  g_autoptr (VeilTokenStore) store = veil_token_store_new (serve->settings->session_store, serve->settings->home);
  g_autoptr (VeilSession) session = veil_sign_in_load (store, NULL);
  gboolean loaded = session != NULL;
  g_autoptr (GError) error = NULL;

  if (!loaded)
    session = veil_sign_in_with_browser (serve->settings, TRUE, &serve->error);
  if (session == NULL)
    return FALSE;
  if (veil_sign_in_commit (serve->settings, loaded ? NULL : store, session, FALSE, &error))
    {
      veil_service_open_account (serve->service);
      return TRUE;
    }
  if (loaded || g_error_matches (error, VEIL_ERROR, VEIL_ERROR_BUNDLE))
    {
      serve->error = g_steal_pointer (&error);
      return FALSE;
    }
  g_printerr ("og-veil: You are signed in for this run only, because the session could not be kept. %s\n", error->message);
  veil_service_set_session (serve->service, session);
  return TRUE;
}

/* Without a session the endpoint still runs and tells each caller how to sign in; a session file that others can read or change is not overlooked. */
static gboolean
open_account (Serve *serve, gboolean sign_in)
{
  g_autofree char *path = veil_settings_get_session_path (serve->settings);
  g_autoptr (VeilSession) session = NULL;
  g_autoptr (GError) error = NULL;

  if (sign_in)
    return sign_in_first (serve);
  if (g_str_equal (serve->settings->session_store, "file") && (session = veil_session_file_load (path, &error)) == NULL &&
      !g_error_matches (error, VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN))
    {
      serve->error = g_steal_pointer (&error);
      return FALSE;
    }
  veil_service_open_account (serve->service);
  return TRUE;
}

static void
run (Serve *serve, gboolean sandbox, gboolean sign_in)
{
  guint sigint, sigterm;
  gboolean opened;

  serve->loop = g_main_loop_new (NULL, FALSE);
  serve->service = veil_service_new (serve->settings);
  opened = !sandbox && open_account (serve, sign_in); /* until then, signals end the program where it stands */
  sigint = g_unix_signal_add (SIGINT, on_signal, serve);
  sigterm = g_unix_signal_add (SIGTERM, on_signal, serve);
  if (sandbox)
    veil_sandbox_process_start_async (NULL, on_sandbox_started, serve);
  else if (opened)
    start_endpoint (serve);
  if (serve->error == NULL)
    g_main_loop_run (serve->loop);
  veil_service_stop (serve->service);
  if (serve->sandbox != NULL)
    veil_sandbox_process_stop (serve->sandbox);
  g_source_remove (sigint);
  g_source_remove (sigterm);
}

VeilExit
veil_command_serve (int argc, char **argv)
{
  static const char *const flags[] = { "home",           "host",          "port",    "tee-id", "expected-pcr", "refresh-interval",
                                       "answer-timeout", "session-store", "app-url", NULL };
  gboolean foreground = FALSE, sandbox = FALSE, sign_in = FALSE;
  const GOptionEntry entries[] = {
    { "foreground", 'f', 0, G_OPTION_ARG_NONE, &foreground, "Stay in the foreground", NULL },
    { "login", 0, 0, G_OPTION_ARG_NONE, &sign_in, "Sign in through the browser first, unless somebody is", NULL },
    { "sandbox", 0, 0, G_OPTION_ARG_NONE, &sandbox, "Serve from a simulated network on this machine", NULL },
    { NULL },
  };
  Serve serve = { NULL };
  VeilExit status = VEIL_EXIT_OK;

  serve.settings = veil_cli_parse ("serve", entries, flags, &argc, &argv);
  if (serve.settings == NULL)
    return VEIL_EXIT_USAGE;
  if (argc > 1)
    status = veil_cli_fail_usage ("serve takes no argument \"%s\"", argv[1]);
  else if (!foreground)
    status = veil_cli_fail_usage ("serving in the background is not supported yet; use `og-veil serve -f`");
  else if (sandbox && sign_in)
    status = veil_cli_fail_usage ("the sandbox needs no account; leave --login out");
  else
    run (&serve, sandbox, sign_in);
  if (serve.error != NULL)
    status = veil_cli_fail (serve.error);

  g_clear_error (&serve.error);
  g_clear_object (&serve.service);
  g_clear_object (&serve.sandbox);
  g_clear_object (&serve.hurry);
  g_clear_pointer (&serve.settings, veil_settings_free);
  g_clear_pointer (&serve.loop, g_main_loop_unref);
  return status;
}
