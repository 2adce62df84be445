/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Opens a page in the person's browser: through the portal in a Flatpak, with xdg-open elsewhere. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Says on standard error if that does not work; the page's address was printed before. */
void veil_browser_open (const char *url);

G_END_DECLS
