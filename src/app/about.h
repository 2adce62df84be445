/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

void veil_about_show (GtkWindow *parent);

G_END_DECLS
