/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* One of a group, in a row of its own. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define VEIL_TYPE_CHOICE_BUTTON (veil_choice_button_get_type ())
G_DECLARE_FINAL_TYPE (VeilChoiceButton, veil_choice_button, VEIL, CHOICE_BUTTON, GtkCheckButton)

G_END_DECLS
