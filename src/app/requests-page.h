/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The requests of this run, newest first, and beside the list (or above it, in a narrow window) the one that is selected. */
#pragma once

#include "front.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define VEIL_TYPE_REQUESTS_PAGE (veil_requests_page_get_type ())
G_DECLARE_FINAL_TYPE (VeilRequestsPage, veil_requests_page, VEIL, REQUESTS_PAGE, AdwBin)

void veil_requests_page_set_front (VeilRequestsPage *self, VeilFront *front);
/* For those who measure it: these instead of the service's. */
void veil_requests_page_set_records (VeilRequestsPage *self, VeilRecordList *records);
/* Selects the request of this veil_record_get_time(), if it is still known. */
void veil_requests_page_show_request (VeilRequestsPage *self, gint64 time);

G_END_DECLS
