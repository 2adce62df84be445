/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The endpoint as the settings want it, while it runs too: address and key. */
#pragma once

#include "server.h"
#include "settings.h"

G_BEGIN_DECLS

/**
 * veil_endpoint_open:
 * @home: (nullable): ours, to be told from that of another Veil that has the port
 *
 * Makes @server listen where @settings say.
 *
 * Returns: %FALSE with %VEIL_ERROR_LISTEN naming who has the port, as far as that can be told, or %VEIL_ERROR_INVALID_ARGUMENT if there is to be a key
 *   and is none.
 */
gboolean veil_endpoint_open (VeilServer *server, const VeilSettings *settings, GError **error);

/* The settings have changed from @before to @now. What cannot be had leaves what was, and is logged. Returns: %TRUE if there is another address. */
gboolean veil_endpoint_follow (VeilServer *server, const VeilSettings *before, const VeilSettings *now);

G_END_DECLS
