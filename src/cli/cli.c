/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "cli.h"

#include "complete.h"
#include "config.h"
#include "setting-flags.h"
#include "settings-file.h"
#include "veil-error.h"

#include <glib/gi18n.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

static gboolean
print_version (const char *name, const char *value, gpointer data, GError **error)
{
  g_print ("og-veil %s\n", VEIL_VERSION);
  exit (VEIL_EXIT_OK);
}

/* The program's own messages only: libraries may print what passes through them. */
static gboolean
be_verbose (const char *name, const char *value, gpointer data, GError **error)
{
  const char *domains = g_getenv ("G_MESSAGES_DEBUG");
  g_autofree char *more = g_strconcat (G_LOG_DOMAIN " ", domains, NULL);

  g_setenv ("G_MESSAGES_DEBUG", more, TRUE);
  return TRUE;
}

static const GOptionEntry common_entries[] = {
  { "verbose", 'v', G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK, be_verbose, N_ ("Log more on standard error"), NULL },
  { "version", 0, G_OPTION_FLAG_NO_ARG, G_OPTION_ARG_CALLBACK, print_version, N_ ("Show the version"), NULL },
};

/* The command's own options, the settings it takes, and the common ones; a NULL entry ends them. */
static GArray *
build_entries (const GOptionEntry *own, VeilSettingFlags *flags)
{
  GArray *entries = g_array_new (TRUE, TRUE, sizeof (GOptionEntry));

  for (; own != NULL && own->long_name != NULL; own++)
    g_array_append_val (entries, *own);
  veil_setting_flags_append_to (flags, entries);
  g_array_append_vals (entries, common_entries, G_N_ELEMENTS (common_entries));
  return entries;
}

/* What `--help` shows around the options. */
static GOptionContext *
new_context (const VeilCommand *command)
{
  GOptionContext *context = g_option_context_new (command->arguments);
  /* Translators: what a command does in one line, to which the full stop is added here; then its description. */
  g_autofree char *summary = g_strdup_printf (_ ("%s.\n%s"), _ (command->summary), _ (command->description));
  g_auto (GStrv) examples = g_strsplit (command->examples, "\n", -1);
  g_autofree char *indented = g_strjoinv ("\n  ", examples);
  g_autofree char *epilogue =
      g_strdup_printf (_ ("Examples:\n  %s\n\nExit status:\n  0 done, 1 it could not be done, 2 called in a wrong way"), indented);

  g_option_context_set_summary (context, summary);
  g_option_context_set_description (context, epilogue);
  return context;
}

/* GLib leaves it where a dash follows. */
static void
drop_end_of_options (int *argc, char **argv)
{
  if (*argc < 2 || !g_str_equal (argv[1], "--"))
    return;
  for (int i = 1; i < *argc; i++)
    argv[i] = argv[i + 1];
  (*argc)--;
}

/* What programs read is the same in every language. */
static gboolean
is_for_programs (const GOptionEntry *entries)
{
  for (; entries != NULL && entries->long_name != NULL; entries++)
    if (g_str_equal (entries->long_name, "json"))
      return *(gboolean *) entries->arg_data;
  return FALSE;
}

VeilSettings *
veil_cli_parse (const char *command, const GOptionEntry *entries, const char *const *setting_flags, int *argc, char ***argv)
{
  g_autoptr (VeilSettingFlags) flags = veil_setting_flags_new (setting_flags);
  g_autoptr (GArray) all = build_entries (entries, flags);
  const VeilCommand *described = veil_cli_find_command (command);
  g_autoptr (GOptionContext) context = new_context (described);
  g_autoptr (VeilSettings) settings = NULL;
  g_autoptr (VeilSettings) resolved = NULL;
  g_autofree char *program = NULL;
  g_autoptr (GError) error = NULL;
  gboolean ok;

  if (*argc > 1 && g_str_equal ((*argv)[1], VEIL_CLI_COMPLETE))
    exit (veil_complete_command (described, (const GOptionEntry *) (gpointer) all->data, *argv + 2));
  program = g_strdup_printf (*command != '\0' ? "og-veil %s" : "og-veil", command);
  g_set_prgname (program);
  g_option_context_add_main_entries (context, (const GOptionEntry *) (gpointer) all->data, GETTEXT_PACKAGE);
  ok = g_option_context_parse (context, argc, argv, &error);
  if (is_for_programs (entries))
    setlocale (LC_MESSAGES, "C");
  if (!ok)
    veil_cli_fail_usage ("%s", error->message);
  else if ((settings = veil_settings_new (&error)) == NULL || !veil_setting_flags_apply (flags, settings, &error))
    {
      veil_cli_fail (error);
      g_clear_pointer (&settings, veil_settings_free);
    }
  else
    drop_end_of_options (argc, *argv);
  if (settings != NULL && (resolved = veil_settings_file_resolve (settings, &error)) == NULL)
    exit (veil_cli_fail (error));
  return g_steal_pointer (&resolved);
}

VeilExit
veil_cli_fail (const GError *error)
{
  g_autofree char *message = veil_cli_printable (error->message);

  g_printerr ("og-veil: %s\n", message);
  return g_error_matches (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT) ? VEIL_EXIT_USAGE : VEIL_EXIT_FAILURE;
}

VeilExit
veil_cli_fail_usage (const char *format, ...)
{
  const char *program = g_get_prgname ();
  g_autofree char *message = NULL;
  g_autofree char *printable = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  printable = veil_cli_printable (message);
  if (strchr (message, '`') != NULL)
    g_printerr ("og-veil: %s\n", printable);
  else
    g_printerr (_ ("og-veil: %s; `%s --help` tells more\n"), printable, program != NULL ? program : "og-veil");
  return VEIL_EXIT_USAGE;
}

void
veil_cli_print_json (VeilJsonWriter *writer)
{
  g_autoptr (GBytes) text = veil_json_writer_finish (writer);
  gsize length;
  const char *data = g_bytes_get_data (text, &length);

  g_print ("%.*s\n", (int) length, data);
}

char *
veil_cli_printable (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *printable = g_string_new (NULL);

  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      g_string_append_unichar (printable, c != '\n' && c != '\t' && g_unichar_iscntrl (c) ? 0xfffd : c);
    }
  return g_string_free (printable, FALSE);
}
