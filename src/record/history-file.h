/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The file of a history. Blocking; for the history's thread. */
#pragma once

#include "history.h"

G_BEGIN_DECLS

/* Returns: (transfer full): the last @max records, newest first; empty if there is no file. NULL with VEIL_ERROR_STORE. */
GPtrArray *veil_history_file_read (const char *path, guint max, GError **error);

/* Appends whole lines, or nothing; what a crash left behind of a line ends first. VEIL_ERROR_STORE. */
gboolean   veil_history_file_append (const char *path, const guint8 *lines, gsize length, GError **error);

G_END_DECLS
