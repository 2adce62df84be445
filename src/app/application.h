/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The program as the desktop knows it: one for each home, its actions, and the endpoint that outlives the window. */
#pragma once

#include "front.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define VEIL_APPLICATION_ID "ai.opengradient.Veil"

#define VEIL_TYPE_APPLICATION (veil_application_get_type ())
G_DECLARE_FINAL_TYPE (VeilApplication, veil_application, VEIL, APPLICATION, AdwApplication)

/* @settings as resolved. Serves from the start; @background: the first activation shows no window. */
VeilApplication *veil_application_new (const VeilSettings *settings, gboolean sandbox, gboolean background);
VeilFront *veil_application_get_front (VeilApplication *self); /* (transfer none) */
/* Once it has run: somebody started it in the seconds that it took to quit, and who sent it a signal did not. */
gboolean veil_application_is_wanted_again (VeilApplication *self);
/* The window, in front of others, made if there is none; nothing while Veil ends. */
void veil_application_show_window (VeilApplication *self);

G_END_DECLS
