/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The enclave builds that may be used: those that are pinned, and a place to pin another. */
#pragma once

#include "front.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define VEIL_TYPE_PINS_GROUP (veil_pins_group_get_type ())
G_DECLARE_FINAL_TYPE (VeilPinsGroup, veil_pins_group, VEIL, PINS_GROUP, AdwPreferencesGroup)

void veil_pins_group_set_front (VeilPinsGroup *self, VeilFront *front);

G_END_DECLS
