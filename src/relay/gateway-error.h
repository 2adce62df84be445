/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Errors that the gateway reports from inside the seal (protocol.md section 4). */
#pragma once

#include "json.h"

G_BEGIN_DECLS

/* Sets %VEIL_ERROR_GATEWAY with @status, the cleaned and shortened message that @body's "error" or "detail" gives, and its "retryable".
 * Returns: %FALSE. */
gboolean veil_gateway_error_set (GError **error, guint status, const VeilJson *body);

G_END_DECLS
