/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Texts that are read from the right to the left. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Lays windows out as the language is read that Veil's texts are in; GTK goes by its own translations, which may be missing or be
 * in another one. Once, when GTK is initialized. */
void  veil_direction_set (void);

/* New string: @text (an address, a hash, a name), which is read from the left to the right, for a place beside or inside of texts
 * that may be read from the right to the left. Not for texts that are compared or copied. */
char *veil_direction_isolate (const char *text);

G_END_DECLS
