/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The key that programs must have to ask, or none. */
#pragma once

#include "front.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define VEIL_TYPE_KEY_GROUP (veil_key_group_get_type ())
G_DECLARE_FINAL_TYPE (VeilKeyGroup, veil_key_group, VEIL, KEY_GROUP, AdwPreferencesGroup)

void veil_key_group_set_front (VeilKeyGroup *self, VeilFront *front);

G_END_DECLS
