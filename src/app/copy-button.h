/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* @button copies @text from now on; with %NULL there is nothing to copy. */
void veil_copy_button_set_text (GtkButton *button, const char *text);

G_END_DECLS
