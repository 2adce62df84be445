/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* One renewal of a session, from the spending of its refresh token to the store, which it changes only if that still holds the session it began with. */
#pragma once

#include "token-store.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef enum
{
  VEIL_RENEWAL_STORED,     /* new tokens, which are in the store (or there is no store) */
  VEIL_RENEWAL_UNSTORED,   /* new tokens, which could not be stored; a warning was logged */
  VEIL_RENEWAL_ELSEWHERE,  /* what another process put into the store, of the same network */
  VEIL_RENEWAL_SUPERSEDED, /* no session: the store holds none any more, or one of another network */
} VeilRenewalOutcome;

/**
 * veil_session_renewal_async:
 * @store: (nullable): without, nothing is stored
 * @home: (nullable): of @store; not without it
 * @session: must hold a refresh token, which is spent
 * @stored: (nullable): what @store is known to hold, if it is not @session, because that could not be stored
 * @now: seconds since 1970, from which the new token's life is counted
 * @cancellable: gives up the exchange of the tokens; once that is done, the new ones are stored all the same
 *
 * Leaves the mark of veil_home_set_renewing() behind if what may be left of the session is in no store.
 *
 * Errors: as veil_token_refresh_async(), %G_IO_ERROR_CANCELLED.
 */
void     veil_session_renewal_async (SoupSession *http, VeilTokenStore *store, const char *home, VeilSession *session,
                                     VeilSession *stored, gint64 now, GCancellable *cancellable, GAsyncReadyCallback callback,
                                     gpointer user_data);
/**
 * veil_session_renewal_store_async:
 * @session: renewed before, with %VEIL_RENEWAL_UNSTORED
 * @stored: what @store held then
 *
 * Tries again to store it; nothing is logged if that fails, and a store that says that it is empty is one that cannot be used for now.
 */
void     veil_session_renewal_store_async (VeilTokenStore *store, const char *home, VeilSession *session, VeilSession *stored,
                                           GAsyncReadyCallback callback, gpointer user_data);
/* Of both. @session: (out) (transfer full) (nullable): to be used from now on. */
gboolean veil_session_renewal_finish (GAsyncResult *result, VeilRenewalOutcome *outcome, VeilSession **session, GError **error);

G_END_DECLS
