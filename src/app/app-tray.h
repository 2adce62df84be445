/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Veil in the tray: how things stand, and what one does without opening the window. */
#pragma once

#include "application.h"

G_BEGIN_DECLS

#define VEIL_TYPE_APP_TRAY (veil_app_tray_get_type ())
G_DECLARE_FINAL_TYPE (VeilAppTray, veil_app_tray, VEIL, APP_TRAY, GObject)

/* Adds its actions to @application ("open", "tee", "copy-environment", "sign-out"), which has a front already, and shows an icon wherever there is a tray. */
VeilAppTray *veil_app_tray_new (VeilApplication *application);
/* Takes it away; call it before the front ends. */
void         veil_app_tray_stop (VeilAppTray *self);

G_END_DECLS
