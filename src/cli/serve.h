/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Serving: what `og-veil`, `og-veil serve` and the process in the background have in common. */
#pragma once

#include "cli.h"
#include "instance.h"

G_BEGIN_DECLS

typedef struct
{
  gboolean sandbox;
  gboolean sign_in;    /* through the browser first, unless somebody is */
  gboolean no_browser; /* print the address of the sign-in page instead */
  gboolean background; /* this is the process in the background */
  int      report;     /* where the starter waits for how it went, or -1 */
  char   **command;    /* not owned; the command line from its command on */
} VeilServeOptions;

/* Serves until a signal. Takes the lock of the home; if another instance has it, says who. */
VeilExit     veil_serve_run (VeilSettings *settings, const VeilServeOptions *options);

/* Starts `og-veil serve` with the same options in the background, waits until it accepts requests, and says where. Signs in first if @options say so. */
VeilExit     veil_serve_in_background (const VeilSettings *settings, const VeilServeOptions *options);

/* Signs in unless somebody is, as @options say. @kept: (out): (transfer full) (nullable): the session, if it could not be stored and is for this run only */
gboolean     veil_serve_sign_in (const VeilSettings *settings, const VeilServeOptions *options, VeilSession **kept, GError **error);

/* New array, its strings not owned: "og-veil", "serve", @more (NULL-terminated, or NULL), and what @command has after its first word, without what is for one
 * start only. */
char       **veil_serve_filter_command (char **command, const char *const *more);

/* "… runs already …" on standard output, with how to end it. */
void         veil_serve_print_holder (const VeilSettings *settings, const VeilInstanceInfo *holder);
/* New string: "og-veil VERSION serves at http://…/v1 (pid 4711)". */
char        *veil_serve_describe (const VeilInstanceInfo *info);
/* New string: `og-veil COMMAND`, with the home if that is none that the command would find by itself. */
char        *veil_serve_command (const VeilSettings *settings, const char *command);

/* For --report: what the starter reads. One line each. */
#define VEIL_REPORT_LISTENING 'L' /* and the address */
#define VEIL_REPORT_HELD 'H'      /* and who has the home */
#define VEIL_REPORT_FAILED 'F'    /* and why */

G_END_DECLS
