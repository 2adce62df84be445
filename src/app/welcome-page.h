/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What those see who are not signed in: what Veil does, and the two ways to begin. */
#pragma once

#include "front.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define VEIL_TYPE_WELCOME_PAGE (veil_welcome_page_get_type ())
G_DECLARE_FINAL_TYPE (VeilWelcomePage, veil_welcome_page, VEIL, WELCOME_PAGE, AdwBin)

void veil_welcome_page_set_front (VeilWelcomePage *self, VeilFront *front);
/* Begins to sign in, unless that is under way. */
void veil_welcome_page_sign_in (VeilWelcomePage *self);

G_END_DECLS
