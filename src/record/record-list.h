/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The requests of this run, newest first, as a GListModel of VeilRecord. When it is full the oldest makes room. */
#pragma once

#include "record.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define VEIL_TYPE_RECORD_LIST (veil_record_list_get_type ())
G_DECLARE_FINAL_TYPE (VeilRecordList, veil_record_list, VEIL, RECORD_LIST, GObject)

#define VEIL_RECORD_LIST_DEFAULT 1000
#define VEIL_RECORD_LIST_MAX 10000

/* @capacity: 0 is the default; at most VEIL_RECORD_LIST_MAX. */
VeilRecordList *veil_record_list_new (guint capacity);
guint           veil_record_list_get_capacity (VeilRecordList *self);

/* At position 0, with an id of its own. In constant time, whatever the length. */
void            veil_record_list_add (VeilRecordList *self, VeilRecord *record);

/* Records of an earlier run, newest first: behind all others, as many as there is room for. */
void            veil_record_list_add_past (VeilRecordList *self, GPtrArray *records);

/* Returns: (transfer none) (nullable): NULL if it made room. Linear. */
VeilRecord     *veil_record_list_find (VeilRecordList *self, guint64 id);

/* Forgets those that do not wait for an answer any more. */
void            veil_record_list_clear (VeilRecordList *self);

G_END_DECLS
