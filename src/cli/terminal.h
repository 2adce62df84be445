/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A question to the person. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Asks on standard error. TRUE for an answer that begins with "y". */
gboolean    veil_terminal_ask (const char *question);
/* The same, where Enter alone means @otherwise; so does the end of input. */
gboolean    veil_terminal_ask_or (const char *question, gboolean otherwise);
/* New string: one line without white space around it, empty for Enter alone; NULL at the end of input. */
char       *veil_terminal_ask_line (const char *question);

/* Reads one line from standard input, without showing it where that is a terminal; there @question is asked first, on standard error. New string, to be freed
 * with veil_secret_free(); NULL if there is none, or if it is longer than @max. */
char       *veil_terminal_ask_secret (const char *question, gsize max);

G_END_DECLS
