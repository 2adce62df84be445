/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "cli.h"

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const VeilCommand commands[] = {
  { "serve", NULL, "Serve the OpenAI-compatible endpoint", veil_command_serve },
  { "login", NULL, "Sign in through the browser", veil_command_login },
  { "logout", NULL, "Forget the session", veil_command_logout },
  { "test", "[PROMPT…]", "Ask the running endpoint something, as an agent would", veil_command_test },
  { "models", NULL, "List the models", veil_command_models },
  { "tees", "[select ID]", "List the registry's TEEs, or select the one to use", veil_command_tees },
  { "pin", "add|remove|list", "Say which enclave builds may be used", veil_command_pin },
  { "env", NULL, "Print the two lines that point an OpenAI program at Veil", veil_command_env },
};

static void
print_usage (void)
{
  g_print ("Usage: og-veil COMMAND [OPTION…]\n\n"
           "Private and verified inference for any program that speaks the OpenAI API.\n\n"
           "Commands:\n");
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    g_print ("  %-8s %s\n", commands[i].name, commands[i].summary);
  g_print ("\n`og-veil COMMAND --help` tells more. To try everything without an account:\n\n"
           "  og-veil serve -f --sandbox\n\n"
           "Options:\n"
           "  -h, --help   Show this help\n"
           "  --version    Show the version\n");
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
  if (argc < 2)
    return veil_cli_fail_usage ("a command is missing; `og-veil --help` lists them");
  if (g_str_equal (argv[1], "-h") || g_str_equal (argv[1], "--help") || g_str_equal (argv[1], "help"))
    {
      print_usage ();
      return VEIL_EXIT_OK;
    }
  if (g_str_equal (argv[1], "--version"))
    {
      g_print ("og-veil %s\n", VEIL_VERSION);
      return VEIL_EXIT_OK;
    }
  for (guint i = 0; i < G_N_ELEMENTS (commands); i++)
    if (g_str_equal (argv[1], commands[i].name))
      return commands[i].run (argc - 1, argv + 1);
  return veil_cli_fail_usage ("\"%s\" is not a command; `og-veil --help` lists them", argv[1]);
}

int
main (int argc, char **argv)
{
  VeilExit status;

  open_standard_files ();
  setlocale (LC_ALL, "");
  /* A reader of our output that goes away must not end the endpoint. */
  signal (SIGPIPE, SIG_IGN);
  /* Standard output is for those who read it; GLib would put information and debugging there. */
  g_log_writer_default_set_use_stderr (TRUE);

  status = run_command (argc, argv);
  if (status == VEIL_EXIT_OK && ferror (stdout))
    {
      g_printerr ("og-veil: Standard output cannot be written\n");
      status = VEIL_EXIT_FAILURE;
    }
  return status;
}
