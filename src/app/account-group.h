/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Who is signed in, and whom that trusts. */
#pragma once

#include "front.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define VEIL_TYPE_ACCOUNT_GROUP (veil_account_group_get_type ())
G_DECLARE_FINAL_TYPE (VeilAccountGroup, veil_account_group, VEIL, ACCOUNT_GROUP, AdwPreferencesGroup)

void veil_account_group_set_front (VeilAccountGroup *self, VeilFront *front);

G_END_DECLS
