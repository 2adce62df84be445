/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* One exchange of a refresh token for new tokens (protocol.md section 6, step 3). Stores nothing. */
#pragma once

#include "session.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

/**
 * veil_token_refresh_async:
 * @session: must hold a refresh token, which is spent
 * @now: seconds since 1970, from which the new token's life is counted
 *
 * Errors: %VEIL_ERROR_SESSION_REFUSED (400, 401, 403): a new login is needed; %VEIL_ERROR_UNREACHABLE: anything else, worth another try (if the answer was
 * lost, the token may be spent all the same, which the next try will tell). Messages hold nothing of what the server said.
 */
void         veil_token_refresh_async (SoupSession *http, VeilSession *session, gint64 now, GCancellable *cancellable,
                                       GAsyncReadyCallback callback, gpointer user_data);
VeilSession *veil_token_refresh_finish (SoupSession *http, GAsyncResult *result, GError **error);

G_END_DECLS
