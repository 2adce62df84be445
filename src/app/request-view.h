/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* One request: what became of it, each check, what a refusal means, and the facts for whoever wants to check them again. */
#pragma once

#include "record.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define VEIL_TYPE_REQUEST_VIEW (veil_request_view_get_type ())
G_DECLARE_FINAL_TYPE (VeilRequestView, veil_request_view, VEIL, REQUEST_VIEW, AdwBin)

/* Property "narrow": there is a way back to be shown. Signal "back". %NULL: none is selected. */
void veil_request_view_set_record (VeilRequestView *self, VeilRecord *record);

G_END_DECLS
