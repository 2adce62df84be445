/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* One enclave: how it is, whether it is the chosen one, and, unfolded, what it is. */
#pragma once

#include "enclave-list.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define VEIL_TYPE_ENCLAVE_ROW (veil_enclave_row_get_type ())
G_DECLARE_FINAL_TYPE (VeilEnclaveRow, veil_enclave_row, VEIL, ENCLAVE_ROW, AdwExpanderRow)

/* @group: the first of the buttons of which one is active. */
GtkWidget *veil_enclave_row_new (VeilEnclaveItem *item, VeilFront *front, GtkCheckButton *group);
/* Shows ages as they are now. */
void       veil_enclave_row_look (VeilEnclaveRow *self);

G_END_DECLS
