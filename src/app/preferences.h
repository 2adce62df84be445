/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The settings, which act at once and are those of the command line; and the account. */
#pragma once

#include "front.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define VEIL_TYPE_PREFERENCES (veil_preferences_get_type ())
G_DECLARE_FINAL_TYPE (VeilPreferences, veil_preferences, VEIL, PREFERENCES, AdwPreferencesWindow)

GtkWidget *veil_preferences_new (GtkWindow *parent, VeilFront *front);

G_END_DECLS
