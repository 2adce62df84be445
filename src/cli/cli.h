/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What the commands of og-veil share. One file per command, one table of them in commands.c. */
#pragma once

#include "json-writer.h"
#include "settings.h"

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum
{
  VEIL_EXIT_OK = 0,
  VEIL_EXIT_FAILURE = 1,
  VEIL_EXIT_USAGE = 2,
} VeilExit;

/* Texts are marked for translation and translated where they are printed. */
typedef struct
{
  const char *name;
  const char *arguments;   /* for the usage line, or NULL */
  const char *summary;     /* one line, begins with a capital, no full stop */
  const char *description; /* whole sentences, in lines of a terminal's width */
  const char *examples;    /* a command in each line */
  VeilExit  (*run) (int argc, char **argv); /* argv[0] is the command's name */
} VeilCommand;

/* All commands, ended by one without a name. */
const VeilCommand *veil_cli_get_commands (void);
/* "" is what runs without a command. NULL if there is none of that name. */
const VeilCommand *veil_cli_find_command (const char *name);

/* Without a command: "". */
VeilExit veil_command_plain (int argc, char **argv);
VeilExit veil_command_serve (int argc, char **argv);
VeilExit veil_command_stop (int argc, char **argv);
VeilExit veil_command_restart (int argc, char **argv);
VeilExit veil_command_status (int argc, char **argv);
VeilExit veil_command_login (int argc, char **argv);
VeilExit veil_command_logout (int argc, char **argv);
VeilExit veil_command_test (int argc, char **argv);
VeilExit veil_command_models (int argc, char **argv);
VeilExit veil_command_key (int argc, char **argv);
VeilExit veil_command_env (int argc, char **argv);
VeilExit veil_command_tees (int argc, char **argv);
VeilExit veil_command_pin (int argc, char **argv);
VeilExit veil_command_setup (int argc, char **argv);
VeilExit veil_command_update (int argc, char **argv);
VeilExit veil_command_verify (int argc, char **argv);

/**
 * veil_cli_parse:
 * @command: its name; usage, description and examples come from the table
 * @entries: (nullable): the command's own options, ended by a NULL entry
 * @setting_flags: names of the settings that the command takes as flags ("home", "port"), NULL-terminated
 * @argc, @argv: rewritten to what is left, the command's name first
 *
 * Reads flags over the environment over the settings file; says what is wrong on standard error. `--help` and `--version` end the
 * program with status 0, a settings file that cannot be used with %VEIL_EXIT_FAILURE. After `--json` all messages are in English.
 *
 * Returns: (transfer full): the settings, or %NULL: end with %VEIL_EXIT_USAGE.
 */
VeilSettings *veil_cli_parse (const char *command, const GOptionEntry *entries, const char *const *setting_flags, int *argc,
                              char ***argv);

/* "og-veil: MESSAGE" on standard error, one sentence. Returns VEIL_EXIT_FAILURE, or VEIL_EXIT_USAGE for a bad argument. The
 * message about wrong usage ends with where to read more, unless it names a command already. */
VeilExit      veil_cli_fail (const GError *error);
VeilExit      veil_cli_fail_usage (const char *format, ...) G_GNUC_PRINTF (1, 2);

/* One line on standard output; the writer is taken over. */
void          veil_cli_print_json (VeilJsonWriter *writer);

/* New string: @text for a terminal. Whatever would steer it (control characters but newline and tab) becomes U+FFFD, because
 * answers come from outside. */
char         *veil_cli_printable (const char *text);

G_END_DECLS
