/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The buttons for a person whose endpoint cannot serve: what helps against its problem. */
#pragma once

#include "front.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define VEIL_TYPE_WAY_OUT (veil_way_out_get_type ())
G_DECLARE_FINAL_TYPE (VeilWayOut, veil_way_out, VEIL, WAY_OUT, AdwBin)

void  veil_way_out_set_front (VeilWayOut *self, VeilFront *front);
/* New string: in one sentence, translated, why @front cannot serve; %NULL if it is not so. */
char *veil_way_out_explain (VeilFront *front);

G_END_DECLS
