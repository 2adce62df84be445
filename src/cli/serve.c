/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* og-veil without a command, and og-veil serve. */
#include "serve.h"

#include "settings-file.h"
#include "sign-in.h"
#include "veil-error.h"

#include <fcntl.h>
#include <glib/gi18n.h>

static const char *const setting_flags[] = {
  "home", "host", "port", "tee-id", "expected-pcr", "refresh-interval", "answer-timeout", "session-store", "app-url", NULL
};

/* --- who runs --- */

char *
veil_serve_describe (const VeilInstanceInfo *info)
{
  g_autofree char *url = veil_instance_info_get_url (info);

  if (url != NULL)
    return g_strdup_printf (_ ("%s %s serves at %s (pid %d)"), info->program, info->version, url, (int) info->pid);
  return g_strdup_printf (_ ("%s %s runs and does not serve yet (pid %d)"), info->program, info->version, (int) info->pid);
}

/* The home as the environment and the defaults say it. */
static gboolean
is_found_by_itself (const VeilSettings *settings)
{
  g_autoptr (VeilSettings) plain = veil_settings_new (NULL);

  return plain != NULL && g_str_equal (plain->home, settings->home);
}

char *
veil_serve_command (const VeilSettings *settings, const char *command)
{
  g_autofree char *home = NULL;

  if (is_found_by_itself (settings))
    return g_strdup_printf ("og-veil %s", command);
  home = g_shell_quote (settings->home);
  return g_strdup_printf ("og-veil %s --home %s", command, home);
}

void
veil_serve_print_holder (const VeilSettings *settings, const VeilInstanceInfo *holder)
{
  g_autofree char *who = veil_serve_describe (holder);
  g_autofree char *stop = veil_serve_command (settings, "stop");

  g_print (_ ("%s already; `%s` ends it\n"), who, stop);
}

char **
veil_serve_filter_command (char **command, const char *const *more)
{
  g_autoptr (GPtrArray) arguments = g_ptr_array_new ();

  g_ptr_array_add (arguments, (char *) "og-veil");
  g_ptr_array_add (arguments, (char *) "serve");
  for (; more != NULL && *more != NULL; more++)
    g_ptr_array_add (arguments, (char *) *more);
  for (command++; *command != NULL; command++)
    if (!g_str_has_prefix (*command, "--report=") && !g_str_equal (*command, "--login") && !g_str_equal (*command, "--no-browser"))
      g_ptr_array_add (arguments, *command);
  g_ptr_array_add (arguments, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&arguments), FALSE);
}

/* --- signing in --- */

/* One that is kept already is not written again: another process may have renewed it meanwhile. */
gboolean
veil_serve_sign_in (const VeilSettings *settings, const VeilServeOptions *options, VeilSession **kept, GError **error)
{
  g_autoptr (VeilTokenStore) store = veil_token_store_new (settings->session_store, settings->home);
  g_autoptr (GError) local_error = NULL;
  g_autoptr (VeilSession) session = veil_sign_in_load (store, &local_error);
  gboolean loaded = session != NULL;
  gboolean nobody = g_error_matches (local_error, VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN);

  /* Nothing is put in the place of a session that could be read if others had kept their hands off it. */
  if (!loaded && !nobody && g_str_equal (settings->session_store, "file"))
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }
  g_clear_error (&local_error);
  if (nobody)
    session = veil_sign_in_with_python (FALSE, NULL);
  if (session == NULL)
    session = veil_sign_in_with_browser (settings, !options->no_browser, error);
  if (session == NULL)
    return FALSE;
  if (veil_sign_in_commit (settings, loaded ? NULL : store, session, FALSE, &local_error))
    return TRUE;
  if (loaded || g_error_matches (local_error, VEIL_ERROR, VEIL_ERROR_BUNDLE))
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }
  g_printerr (_ ("og-veil: You are signed in for this run only, because the session could not be kept. %s\n"),
              local_error->message);
  *kept = g_steal_pointer (&session);
  return TRUE;
}

/* --- the commands --- */

static VeilExit
serve (VeilSettings *settings, const VeilServeOptions *options, gboolean foreground)
{
  if (options->sandbox && options->sign_in)
    return veil_cli_fail_usage (_ ("the sandbox needs no account; leave --login out"));
  if (options->background && options->report >= 0)
    fcntl (options->report, F_SETFD, FD_CLOEXEC);
  return foreground || options->background ? veil_serve_run (settings, options) : veil_serve_in_background (settings, options);
}

/* @name: "" for no command */
static VeilExit
run (const char *name, int argc, char **argv)
{
  gboolean plain = *name == '\0', foreground = FALSE;
  g_auto (GStrv) command = g_new0 (char *, argc + 1);
  VeilServeOptions options = { .report = -1, .command = command };
  const GOptionEntry entries[] = {
    { "sandbox", 0, 0, G_OPTION_ARG_NONE, &options.sandbox, N_ ("Serve from a simulated network on this machine"), NULL },
    { "no-browser", 0, 0, G_OPTION_ARG_NONE, &options.no_browser,
      N_ ("To sign in, print the address of the page instead of opening it"), NULL },
    /* Of `serve` alone. */
    { "foreground", 'f', 0, G_OPTION_ARG_NONE, &foreground, N_ ("Stay in the foreground"), NULL },
    { "login", 0, 0, G_OPTION_ARG_NONE, &options.sign_in, N_ ("Sign in through the browser first, unless somebody is"), NULL },
    /* From here on for ourselves. */
    { "background", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &options.background, "Be the process in the background", NULL },
    { "report", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_INT, &options.report, "Tell there how it went", "FD" },
    { NULL },
  };
  const GOptionEntry plain_entries[] = { entries[0], entries[1], { NULL } };
  g_autoptr (VeilSettings) settings = NULL;

  for (int i = 0; i < argc; i++)
    command[i] = g_strdup (argv[i]);
  settings = veil_cli_parse (name, plain ? plain_entries : entries, setting_flags, &argc, &argv);
  if (settings == NULL)
    return VEIL_EXIT_USAGE;
  if (options.sandbox)
    veil_settings_begin_sandbox (settings);
  if (argc > 1 && plain)
    return veil_cli_fail_usage (_ ("\"%s\" is not a command; `og-veil --help` lists them"), argv[1]);
  if (argc > 1)
    return veil_cli_fail_usage (_ ("%s takes no argument \"%s\""), "serve", argv[1]);
  if (plain)
    options.sign_in = !options.sandbox;
  return serve (settings, &options, foreground);
}

VeilExit
veil_command_plain (int argc, char **argv)
{
  return run ("", argc, argv);
}

VeilExit
veil_command_serve (int argc, char **argv)
{
  return run ("serve", argc, argv);
}
