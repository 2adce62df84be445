/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The enclaves that the registry lists: how each is, which one to use, whose builds are pinned. */
#pragma once

#include "front.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define VEIL_TYPE_ENCLAVES_PAGE (veil_enclaves_page_get_type ())
G_DECLARE_FINAL_TYPE (VeilEnclavesPage, veil_enclaves_page, VEIL, ENCLAVES_PAGE, AdwBin)

void veil_enclaves_page_set_front (VeilEnclavesPage *self, VeilFront *front);

G_END_DECLS
