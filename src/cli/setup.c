/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* og-veil setup: what a new home needs, asked for step by step or said by options. */
#include "cli.h"

#include "autostart.h"
#include "pin.h"
#include "settings-file.h"
#include "sign-in.h"
#include "terminal.h"
#include "veil-error.h"

#include <glib/gi18n.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct
{
  gboolean yes;
  gboolean no_login;
  gboolean no_start;
  gboolean autostart;
  gboolean no_autostart;
  char *port; /* owned, like the rest; NULL: not given */
  char *session_store;
  char *app_url;
  char **pins;
} Options;

static void
options_clear (Options *self)
{
  g_free (self->port);
  g_free (self->session_store);
  g_free (self->app_url);
  g_strfreev (self->pins);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

/* --- settings --- */

static GVariant *
replace (GVariant *old, gpointer value, GError **error)
{
  return g_variant_ref (value);
}

/* Checks and keeps one setting. The flag is called as the key is. */
static gboolean
keep (VeilSettings *settings, const char *key, const char *text, GError **error)
{
  const char *const values[] = { text, NULL };
  g_autoptr (GVariant) value = NULL;

  if (!veil_settings_set_flag (settings, key, values, error))
    return FALSE;
  value = g_variant_ref_sink (g_str_equal (key, "port") ? g_variant_new_uint16 (settings->port) : g_variant_new_string (text));
  if (!veil_settings_file_change (settings, key, replace, value, error))
    return FALSE;
  g_print ("%s: %s\n", key, text);
  return TRUE;
}

static gboolean
choose_port (VeilSettings *settings, const Options *options, GError **error)
{
  g_autofree char *question = g_strdup_printf (_ ("Port to listen on [%u]: "), settings->port);

  if (options->port != NULL)
    return keep (settings, "port", options->port, error);
  while (!options->yes)
    {
      g_autofree char *line = veil_terminal_ask_line (question);
      g_autoptr (GError) local_error = NULL;

      if (line == NULL || *line == '\0' || keep (settings, "port", line, &local_error))
        break;
      /* What another answer does not mend. */
      if (!g_error_matches (local_error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT))
        {
          g_propagate_error (error, g_steal_pointer (&local_error));
          return FALSE;
        }
      veil_cli_fail (local_error);
    }
  return TRUE;
}

static VeilExit
choose_pins (VeilSettings *settings, const Options *options)
{
  VeilExit status = VEIL_EXIT_OK;

  for (guint i = 0; options->pins != NULL && options->pins[i] != NULL && status == VEIL_EXIT_OK; i++)
    status = veil_pin_add (settings, options->pins[i], NULL);
  if (options->yes || options->pins != NULL)
    return status;
  if (g_strv_length (settings->pcr_pins) > 0)
    g_printerr (_ ("Builds that are pinned already: %u; `og-veil pin list` shows them.\n"), g_strv_length (settings->pcr_pins));
  else
    g_printerr (_ ("Without pins, any build that the registry approves may be used.\n"));
  for (;;)
    {
      g_autofree char *line = veil_terminal_ask_line (_ ("PCR hash of a build to pin (Enter: no more): "));

      if (line == NULL || *line == '\0')
        return VEIL_EXIT_OK;
      veil_pin_add (settings, line, NULL);
    }
}

static VeilExit
choose_settings (VeilSettings *settings, const Options *options)
{
  g_autoptr (GError) error = NULL;

  if (!choose_port (settings, options, &error) ||
      (options->session_store != NULL && !keep (settings, "session-store", options->session_store, &error)) ||
      (options->app_url != NULL && !keep (settings, "app-url", options->app_url, &error)))
    return veil_cli_fail (error);
  return choose_pins (settings, options);
}

/* --- what other commands do --- */

/* Runs og-veil with @command (NULL: without one) on this home; it talks to the person itself. */
static VeilExit
run_self (const VeilSettings *settings, const char *command)
{
  const char *const with[] = { "/proc/self/exe", "og-veil", command, "--home", settings->home, NULL };
  const char *const without[] = { "/proc/self/exe", "og-veil", "--home", settings->home, NULL };
  g_autoptr (GError) error = NULL;
  int status;

  if (!g_spawn_sync (NULL, (char **) (command != NULL ? with : without), NULL,
                     G_SPAWN_FILE_AND_ARGV_ZERO | G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL, NULL, NULL, &status, &error))
    return veil_cli_fail (error);
  return g_spawn_check_wait_status (status, NULL) ? VEIL_EXIT_OK : VEIL_EXIT_FAILURE;
}

static VeilSession *
load_session (const VeilSettings *settings)
{
  g_autoptr (VeilTokenStore) store = veil_token_store_new (settings->session_store, settings->home);

  return veil_sign_in_peek (store, NULL);
}

/* @signed_in: (out): whether somebody is afterwards */
static VeilExit
sign_in (const VeilSettings *settings, const Options *options, gboolean *signed_in)
{
  g_autoptr (VeilSession) session = load_session (settings);
  VeilExit status;

  *signed_in = session != NULL;
  if (session != NULL)
    {
      g_print (_ ("signed in as %s\n"), session->email != NULL ? session->email : session->relay_url);
      return VEIL_EXIT_OK;
    }
  if (options->no_login || (!options->yes && !veil_terminal_ask_or (_ ("Nobody is signed in. Sign in now? [Y/n] "), TRUE)))
    return VEIL_EXIT_OK;
  status = run_self (settings, "login");
  *signed_in = status == VEIL_EXIT_OK;
  return status;
}

/* --- starting --- */

/* The name if the shell would find this very program by it, else its file. */
static char *
find_program (void)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *found = g_find_program_in_path ("og-veil");
  g_autofree char *real = found != NULL ? realpath (found, NULL) : NULL;

  return g_strdup (self == NULL || g_strcmp0 (real, self) == 0 ? "og-veil" : self);
}

static void
on_set (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

static gboolean
set_autostart (const VeilSettings *settings, gboolean enabled, GError **error)
{
  g_autofree char *program = find_program ();
  const char *const command[] = { program, "--home", settings->home, NULL };
  g_autoptr (GAsyncResult) result = NULL;

  veil_autostart_set_async (settings->home, enabled, command, NULL, on_set, (gpointer) &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return veil_autostart_set_finish (result, error);
}

static VeilExit
choose_autostart (const VeilSettings *settings, const Options *options)
{
  gboolean before = veil_autostart_is_enabled (settings->home);
  gboolean wanted = options->autostart ? TRUE : options->no_autostart ? FALSE : before;
  g_autoptr (GError) error = NULL;

  if (!options->yes && !options->autostart && !options->no_autostart)
    wanted = veil_terminal_ask_or (before ? _ ("Start when you log in? [Y/n] ") : _ ("Start when you log in? [y/N] "), before);
  /* An entry that is there may start another program or home. */
  if ((wanted || before) && !set_autostart (settings, wanted, &error))
    return veil_cli_fail (error);
  g_print ("%s\n", wanted ? _ ("Veil starts when you log in") : _ ("Veil does not start when you log in"));
  return VEIL_EXIT_OK;
}

static VeilExit
start (const VeilSettings *settings, const Options *options, gboolean signed_in)
{
  if (options->no_start)
    return VEIL_EXIT_OK;
  if (!signed_in)
    {
      g_print (_ ("Nobody is signed in, so nothing is started; `og-veil` signs in and starts\n"));
      return VEIL_EXIT_OK;
    }
  if (!options->yes && !veil_terminal_ask_or (_ ("Start in the background now? [Y/n] "), TRUE))
    return VEIL_EXIT_OK;
  return run_self (settings, NULL);
}

static VeilExit
set_up (VeilSettings *settings, const Options *options)
{
  gboolean signed_in = FALSE;
  VeilExit status;

  g_print (_ ("home: %s\n"), settings->home);
  status = choose_settings (settings, options);
  if (status == VEIL_EXIT_OK)
    status = sign_in (settings, options, &signed_in);
  if (status == VEIL_EXIT_OK)
    status = choose_autostart (settings, options);
  if (status == VEIL_EXIT_OK)
    status = start (settings, options, signed_in);
  return status;
}

VeilExit
veil_command_setup (int argc, char **argv)
{
  static const char *const flags[] = { "home", NULL };
  g_auto (Options) options = { FALSE };
  const GOptionEntry entries[] = {
    { "yes", 'y', 0, G_OPTION_ARG_NONE, &options.yes, N_ ("Ask nothing"), NULL },
    { "no-login", 0, 0, G_OPTION_ARG_NONE, &options.no_login, N_ ("Do not sign in"), NULL },
    { "no-start", 0, 0, G_OPTION_ARG_NONE, &options.no_start, N_ ("Do not start in the background"), NULL },
    { "autostart", 0, 0, G_OPTION_ARG_NONE, &options.autostart, N_ ("Start when you log in"), NULL },
    { "no-autostart", 0, 0, G_OPTION_ARG_NONE, &options.no_autostart, N_ ("Do not start when you log in"), NULL },
    { "port", 0, 0, G_OPTION_ARG_STRING, &options.port, N_ ("Port to listen on, from now on"), "PORT" },
    { "expected-pcr", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.pins, N_ ("Pin this build; may be given several times"), "HASH" },
    { "session-store", 0, 0, G_OPTION_ARG_STRING, &options.session_store, N_ ("Where to keep the session: \"keyring\" or \"file\""),
      "STORE" },
    { "app-url", 0, 0, G_OPTION_ARG_STRING, &options.app_url, N_ ("Where the sign-in page is"), "URL" },
    { NULL },
  };
  g_autoptr (VeilSettings) settings = veil_cli_parse ("setup", entries, flags, &argc, &argv);

  if (settings == NULL)
    return VEIL_EXIT_USAGE;
  if (argc > 1)
    return veil_cli_fail_usage (_ ("%s takes no argument \"%s\""), "setup", argv[1]);
  if (options.autostart && options.no_autostart)
    return veil_cli_fail_usage (_ ("--autostart and --no-autostart say opposite things; choose one"));
  if (!options.yes && !isatty (STDIN_FILENO))
    return veil_cli_fail_usage (_ ("setup asks its questions on a terminal, and there is none; with --yes it asks nothing"));
  return set_up (settings, &options);
}
