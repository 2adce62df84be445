/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What a shell may offer next. The scripts in data/completions ask `og-veil --complete WORD…`, so that they know what this very
 * program takes. */
#pragma once

#include "cli.h"

G_BEGIN_DECLS

#define VEIL_CLI_COMPLETE "--complete"

/* One candidate a line on standard output, a tab and its description after it; ":files" and ":directories" ask the shell for
 * those. @words: what was typed after "og-veil", NULL-terminated, the last one unfinished or empty. Filtering by what is typed
 * already is the shell's part. */
VeilExit veil_complete_overview (char **words);

/* The same for a command: @words begin after its name; @entries are the options it takes, ended by a NULL entry. */
VeilExit veil_complete_command (const VeilCommand *command, const GOptionEntry *entries, char **words);

/* Values that stand for @name ("DIR", "ID") in help texts; each printed after @prefix. @home: nullable, the folder that the
 * words name. */
void     veil_complete_values (const char *name, const char *prefix, const char *home);

G_END_DECLS
