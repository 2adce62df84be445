/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* veil: the window, with the endpoint in the same process and main loop. */
#include "application.h"
#include "config.h"
#include "setting-flags.h"
#include "settings-file.h"
#include "veil-error.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

typedef struct
{
  gboolean sandbox;
  gboolean background;
  gboolean service;
  gboolean version;
} Options;

static int
fail (const GError *error)
{
  gboolean usage = error->domain == G_OPTION_ERROR || g_error_matches (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT);

  g_printerr ("veil: %s\n", error->message);
  return usage ? 2 : 1;
}

/* Flags over environment over the settings file. */
static VeilSettings *
read_options (Options *options, int *argc, char ***argv, GError **error)
{
  static const char *const names[] = { "home",           "host",          "port",    "tee-id", "expected-pcr", "refresh-interval",
                                       "answer-timeout", "session-store", "app-url", NULL };
  const GOptionEntry entries[] = {
    { "sandbox", 0, 0, G_OPTION_ARG_NONE, &options->sandbox, N_ ("Begin with a simulated network on this machine"), NULL },
    { "background", 0, 0, G_OPTION_ARG_NONE, &options->background, N_ ("Serve, and show no window yet"), NULL },
    /* How the desktop starts services; it then asks for a window if it wants one. */
    { "gapplication-service", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &options->service, NULL, NULL },
    { "version", 0, 0, G_OPTION_ARG_NONE, &options->version, N_ ("Show the version"), NULL },
  };
  g_autoptr (VeilSettingFlags) flags = veil_setting_flags_new (names);
  g_autoptr (GArray) all = g_array_new (TRUE, TRUE, sizeof (GOptionEntry));
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (VeilSettings) settings = NULL;

  g_option_context_set_summary (context, _ ("Private and verified inference for any program that speaks the OpenAI API."));
  g_array_append_vals (all, entries, G_N_ELEMENTS (entries));
  veil_setting_flags_append_to (flags, all);
  g_option_context_add_main_entries (context, (const GOptionEntry *) (gpointer) all->data, GETTEXT_PACKAGE);
  if (!g_option_context_parse (context, argc, argv, error))
    return NULL;
  if (*argc > 1)
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, _ ("“%s” is not an option; `veil --help` lists them"),
                   (*argv)[1]);
      return NULL;
    }
  settings = veil_settings_new (error);
  if (settings == NULL || !veil_setting_flags_apply (flags, settings, error))
    return NULL;
  return veil_settings_file_resolve (settings, error);
}

static int
run (const VeilSettings *settings, const Options *options, char **argv, gboolean *again)
{
  g_autoptr (VeilApplication) app = veil_application_new (settings, options->sandbox, options->background);
  g_autoptr (GError) error = NULL;
  int status;

  if (options->service)
    g_application_set_flags (G_APPLICATION (app), g_application_get_flags (G_APPLICATION (app)) | G_APPLICATION_IS_SERVICE);
  if (!g_application_register (G_APPLICATION (app), NULL, &error))
    return fail (error);
  if (g_application_get_is_remote (G_APPLICATION (app)) && options->background)
    return 0;
  status = g_application_run (G_APPLICATION (app), 1, argv);
  *again = veil_application_is_wanted_again (app);
  return status;
}

/* Anew, with a window: as whoever started it meant it. Returns only if that fails. */
static int
start_again (const char *const *argv)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) arguments = NULL;

  for (guint i = 0; argv[i] != NULL; i++)
    if (!g_str_equal (argv[i], "--background") && !g_str_equal (argv[i], "--gapplication-service"))
      g_strv_builder_add (builder, argv[i]);
  arguments = g_strv_builder_end (builder);
  execvp (arguments[0], arguments);
  g_printerr ("veil: %s: %s\n", arguments[0], g_strerror (errno));
  return 1;
}

int
main (int argc, char **argv)
{
  Options options = { FALSE };
  g_auto (GStrv) arguments = g_strdupv (argv);
  gboolean again = FALSE;
  int status;
  g_autoptr (VeilSettings) settings = NULL;
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, VEIL_LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  signal (SIGPIPE, SIG_IGN);
  g_log_writer_default_set_use_stderr (TRUE);
  g_set_prgname (VEIL_APPLICATION_ID);

  settings = read_options (&options, &argc, &argv, &error);
  if (options.version)
    {
      g_print ("veil %s\n", VEIL_VERSION);
      return 0;
    }
  if (settings == NULL)
    return fail (error);
  if (!gtk_init_check ())
    {
      g_printerr (_ ("veil: There is no display to show a window on; `og-veil serve -f` serves without one\n"));
      return 1;
    }
  status = run (settings, &options, argv, &again);
  return again ? start_again ((const char *const *) arguments) : status;
}
