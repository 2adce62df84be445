/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Files that somebody names on the command line. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* All of the file @path, "-" being standard input. NULL with VEIL_ERROR_STORE if it cannot be read or is a folder, VEIL_ERROR_TOO_LARGE if it holds more
 * than @max bytes. */
GBytes *veil_cli_read_file (const char *path, gsize max, GError **error);

/* Writes a file that only its owner can read; one that is there is replaced whole or not at all. VEIL_ERROR_STORE. */
gboolean veil_cli_write_file (const char *path, GBytes *content, GError **error);

G_END_DECLS
