/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Where log lines go: to the journal with their fields if standard error is the journal's, to a file of bounded size, or to standard error. What is logged at all
 * is a matter of level and G_MESSAGES_DEBUG, as for every program on GLib. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define VEIL_LOG_MAX_BYTES (1024 * 1024)

typedef struct _VeilLog VeilLog;

/* @identifier: what the journal is to call the program. From now on, for the rest of the process: never freed. Before anything is logged. */
VeilLog    *veil_log_install (const char *identifier);

/**
 * veil_log_to_file:
 * @path: made with mode 0600; a link is not followed
 * @max_bytes: once it has grown beyond that, it becomes PATH.1 (in place of a former one) and another is begun
 *
 * Lines go to the file from now on, and standard output and standard error with them, so that what libraries and helpers say is kept too.
 *
 * Returns: %FALSE with %VEIL_ERROR_STORE, and nothing changed.
 */
gboolean    veil_log_to_file (VeilLog *self, const char *path, gsize max_bytes, GError **error);
/* The file under the path may be another one now (moved away by hand). */
void        veil_log_reopen (VeilLog *self);

/* New string: the log file of @home. */
char       *veil_log_get_path (const char *home);

G_END_DECLS
