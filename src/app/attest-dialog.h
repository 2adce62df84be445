/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#pragma once

#include "front.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Says what asking an enclave itself gives away, asks it if the person wants that, and shows each check of what it says. */
void veil_attest_dialog_ask (GtkWidget *widget, VeilFront *front, VeilTee *tee);

G_END_DECLS
