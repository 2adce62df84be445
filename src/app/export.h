/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#pragma once

#include "record.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Asks where, and writes the receipt of a verified request there; says in @widget's window what came of it. */
void veil_export_receipt (GtkWidget *widget, VeilRecord *record);

G_END_DECLS
