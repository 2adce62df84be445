/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A name and a value, which can be copied. */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define VEIL_TYPE_FACT_ROW (veil_fact_row_get_type ())
G_DECLARE_FINAL_TYPE (VeilFactRow, veil_fact_row, VEIL, FACT_ROW, AdwActionRow)

/* @copyable: with a button that copies the value. */
GtkWidget *veil_fact_row_new (const char *title, gboolean copyable);
/* Plain text, whatever is in it. %NULL hides the row. */
void       veil_fact_row_set_value (VeilFactRow *self, const char *value);

G_END_DECLS
