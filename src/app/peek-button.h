/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The button of a password row that shows and hides what is typed: libadwaita 1.2 gives it a picture and no name. */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

/* Gives it one, for screen readers. */
void veil_peek_button_name (AdwPasswordEntryRow *row);

G_END_DECLS
