/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Changes of settings from a widget: what goes wrong shows in its window, and then everything shows what is in force. */
#pragma once

#include "front.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* @value: (transfer floating) */
void veil_change_setting (GtkWidget *widget, VeilFront *front, const char *key, GVariant *value);
/* @label: (nullable) */
void veil_change_add_pin (GtkWidget *widget, VeilFront *front, const char *hash, const char *label);
void veil_change_remove_pin (GtkWidget *widget, VeilFront *front, const char *hash);

G_END_DECLS
