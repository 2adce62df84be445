/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What the tray's menu says, and which icon goes with it. */
#pragma once

#include "front.h"

G_BEGIN_DECLS

typedef enum
{
  VEIL_TRAY_OFF,
  VEIL_TRAY_VERIFIED,
  VEIL_TRAY_SANDBOX,
  VEIL_TRAY_ATTENTION,
} VeilTrayState;

/* @news: an answer was refused and nobody has looked since. */
VeilTrayState veil_tray_state_get (VeilFront *front, gboolean news);
/* Static: the icon's name. */
const char   *veil_tray_state_get_icon (VeilTrayState state);
/* Translated: what the icon says. */
const char   *veil_tray_state_describe (VeilTrayState state);

typedef struct _VeilTrayMenuModel VeilTrayMenuModel;

VeilTrayMenuModel *veil_tray_menu_model_new (void);
void               veil_tray_menu_model_free (VeilTrayMenuModel *self);
GMenuModel        *veil_tray_menu_model_get (VeilTrayMenuModel *self); /* (transfer none) */
/* Takes up how @front stands; what is as it was is left alone. */
void               veil_tray_menu_model_update (VeilTrayMenuModel *self, VeilFront *front);

G_END_DECLS
