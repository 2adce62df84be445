/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The endpoint: on or off, where it is, how programs use it, and a question to see that it works. */
#pragma once

#include "front.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define VEIL_TYPE_CONNECT_PAGE (veil_connect_page_get_type ())
G_DECLARE_FINAL_TYPE (VeilConnectPage, veil_connect_page, VEIL, CONNECT_PAGE, AdwBin)

void veil_connect_page_set_front (VeilConnectPage *self, VeilFront *front);

G_END_DECLS
