/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Names and what they stand for, in two columns: the first is as wide as the widest name in the person's language. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _VeilTable VeilTable;

/* @indent: what each row begins with. */
VeilTable *veil_table_new (const char *indent);
void       veil_table_add (VeilTable *self, const char *name, const char *value);
/* A line between rows that is none itself, printed as it is. */
void       veil_table_add_line (VeilTable *self, const char *line);
/* On standard output. Takes the table over. */
void       veil_table_print (VeilTable *self);

G_END_DECLS
