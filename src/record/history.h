/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Records that outlast the program, for who switched that on: one line of JSON each in a file that only its owner can read, of limited size. What is in
 * them is what is in a record, and so never a word of a prompt or an answer. All reading and writing is done by a thread of its own. */
#pragma once

#include "record-list.h"

G_BEGIN_DECLS

typedef struct _VeilHistory VeilHistory;

#define VEIL_HISTORY_MAX_FILE (4u * 1024 * 1024) /* bytes; when it grows over that, the older half goes */
#define VEIL_HISTORY_MAX_LINE (256u * 1024)

/* Reads the file @path into @list, behind what is there already, and from now on appends each request of @list that ends. A line that is not whole, not of
 * the form, or says of an answer that it was verified when its signature says otherwise is left out. A disk that is full or broken is logged once. */
VeilHistory *veil_history_new (const char *path, VeilRecordList *list);
/* What is still to be written gets a second. */
void         veil_history_free (VeilHistory *self);

/* Removes the file for good. */
void         veil_history_erase (const char *path);

/* One line without its end, for a record that has ended. */
char        *veil_history_write_line (VeilRecord *record);
/* Returns: (transfer full): NULL with VEIL_ERROR_STORE, INVALID_JSON or what veil_receipt_verify() says. */
VeilRecord  *veil_history_read_line (const char *line, gsize length, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilHistory, veil_history_free)

G_END_DECLS
