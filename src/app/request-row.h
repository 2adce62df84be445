/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* One request in the list; used again and again for others as the list scrolls. */
#pragma once

#include "record.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define VEIL_TYPE_REQUEST_ROW (veil_request_row_get_type ())
G_DECLARE_FINAL_TYPE (VeilRequestRow, veil_request_row, VEIL, REQUEST_ROW, GtkBox)

GtkWidget  *veil_request_row_new (void);
/* %NULL: none for now. */
void        veil_request_row_set_record (VeilRequestRow *self, VeilRecord *record);

/* How a state looks: an icon's name and a style class, static; never alone, always with its words. */
const char *veil_request_row_get_icon (VeilRecordState state);
const char *veil_request_row_get_style (VeilRecordState state);

G_END_DECLS
