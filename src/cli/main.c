/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "cli.h"

#include "complete.h"
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void
print_usage (void)
{
  g_print (_ (
      "Usage: og-veil [COMMAND] [OPTION…]\n\n"
      "Private and verified inference for any program that speaks the OpenAI API. Without a command: signs in if nobody is, and\n"
      "serves in the background; takes --sandbox, --no-browser and the settings that `og-veil serve --help` lists.\n\n"
      "Commands:\n"));
  for (const VeilCommand *command = veil_cli_get_commands (); command->name != NULL; command++)
    g_print ("  %-8s %s\n", command->name, _ (command->summary));
  g_print (_ ("\nOptions:\n"
              "  -h, --help     Show this help; `og-veil COMMAND --help` tells more\n"
              "  -v, --verbose  Log more on standard error (after the command)\n"
              "  --version      Show the version\n\n"
              "To try everything without an account:\n\n"
              "  og-veil --sandbox\n\n"
              "Flags win over the environment, the environment over settings.ini in the home.\n\n"
              "Exit status: 0 done, 1 it could not be done, 2 called in a wrong way.\n"));
}

/* If the caller closed one of them, the next file or socket would get its number, and what is printed with it. */
static void
open_standard_files (void)
{
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl (fd, F_GETFD) < 0 && errno == EBADF && open ("/dev/null", O_RDWR) != fd)
      abort ();
}

static VeilExit
run_command (int argc, char **argv)
{
  const VeilCommand *command;

  if (argc < 2)
    return veil_command_plain (argc, argv);
  if (g_str_equal (argv[1], "-h") || g_str_equal (argv[1], "--help") || (g_str_equal (argv[1], "help") && argc == 2))
    {
      print_usage ();
      return VEIL_EXIT_OK;
    }
  if (g_str_equal (argv[1], "--version"))
    {
      g_print ("og-veil %s\n", VEIL_VERSION);
      return VEIL_EXIT_OK;
    }
  if (g_str_equal (argv[1], VEIL_CLI_COMPLETE))
    return veil_complete_overview (argv + 2);
  if (g_str_equal (argv[1], "help") && (command = veil_cli_find_command (argv[2])) != NULL)
    {
      char *help[] = { argv[2], (char *) "--help", NULL };

      return command->run (2, help);
    }
  if (argv[1][0] == '-')
    return veil_command_plain (argc, argv);
  if (argv[1][0] != '\0' && (command = veil_cli_find_command (argv[1])) != NULL)
    return command->run (argc - 1, argv + 1);
  return veil_cli_fail_usage (_ ("\"%s\" is not a command; `og-veil --help` lists them"),
                              argv[g_str_equal (argv[1], "help") ? 2 : 1]);
}

int
main (int argc, char **argv)
{
  VeilExit status;

  open_standard_files ();
  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, VEIL_LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  /* A reader of our output that goes away must not end the endpoint. */
  signal (SIGPIPE, SIG_IGN);
  /* Standard output is for those who read it; GLib would put information and debugging there. */
  g_log_writer_default_set_use_stderr (TRUE);

  status = run_command (argc, argv);
  if (status == VEIL_EXIT_OK && ferror (stdout))
    {
      g_printerr (_ ("og-veil: Standard output cannot be written\n"));
      status = VEIL_EXIT_FAILURE;
    }
  return status;
}
