/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Plain error answers of the relay (protocol.md section 4). Nobody vouches for them: they are read with care and quoted in part. */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* The end of messages about a session that is not accepted: for the command line. Static. */
const char *veil_relay_error_get_login_advice (void);

/**
 * veil_relay_error_new:
 * @status: any status but 2xx
 * @secrets: (nullable): what the message must not repeat, whatever the relay says
 *
 * Returns: %VEIL_ERROR_BROKEN_ANSWER for 3xx, %VEIL_ERROR_SESSION_REFUSED for 401 and 403, %VEIL_ERROR_RELAY_REFUSED for all others; with
 *   status, Retry-After and retryable.
 */
GError     *veil_relay_error_new (guint status, SoupMessageHeaders *headers, GBytes *body, const char *const *secrets);

G_END_DECLS
