/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Keeps one session alive: renews it a minute before it runs out or when the relay no longer takes it, one renewal at a time, and stores what it got
 * before anybody uses it. What could not be stored is used all the same, and stored as soon as the store can be used again. */
#pragma once

#include "renewal-clock.h"
#include "token-store.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

#define VEIL_TYPE_SESSION_KEEPER (veil_session_keeper_get_type ())
G_DECLARE_FINAL_TYPE (VeilSessionKeeper, veil_session_keeper, VEIL, SESSION_KEEPER, GObject)

/* @store and @home: (nullable): without, the session lives in memory alone. */
VeilSessionKeeper *veil_session_keeper_new (SoupSession *http, VeilTokenStore *store, const char *home);
void               veil_session_keeper_set_times (VeilSessionKeeper *self, const VeilKeeperTimes *times);
/* No more renewals, and none that is under way; call it before the last unref. */
void               veil_session_keeper_stop (VeilSessionKeeper *self);

/* Another session, which is in the store already, or NULL. A renewal of the former one that is under way is dropped, unless this is the same one, or
 * the one that was spent for what could not be stored yet. */
void               veil_session_keeper_set_session (VeilSessionKeeper *self, VeilSession *session);
VeilSession       *veil_session_keeper_get_session (VeilSessionKeeper *self); /* (transfer none) (nullable) */
/* (nullable): why the session can no longer be used, until another is set */
const GError      *veil_session_keeper_get_end (VeilSessionKeeper *self);

/* No more renewals; one that is under way goes on to its end, which "settled" tells, and what could not be stored is tried once more. */
void               veil_session_keeper_rest (VeilSessionKeeper *self);
gboolean           veil_session_keeper_is_settled (VeilSessionKeeper *self);

/**
 * veil_session_keeper_close_async:
 *
 * Begins no more renewals, and ends when none is under way any more, after @patience_ms, or when @cancellable says so. Without it, tokens that are on
 * their way are lost.
 */
void               veil_session_keeper_close_async (VeilSessionKeeper *self, guint patience_ms, GCancellable *cancellable,
                                                    GAsyncReadyCallback callback, gpointer user_data);
void               veil_session_keeper_close_finish (VeilSessionKeeper *self, GAsyncResult *result);

/* "changed": the tokens, or the end. "superseded": the session was dropped, because the store holds none any more, or one of another network, without
 * anybody having said so: it is to be read anew. */

/**
 * veil_session_keeper_get_async:
 * @refused: (nullable): an access token that the relay just answered with 401
 *
 * Gives a session to use now: the present one, unless it has run out or is the one with the @refused token; then a renewed one. However many ask, one
 * renewal is under way.
 *
 * Errors: %VEIL_ERROR_NOT_SIGNED_IN, %VEIL_ERROR_SESSION_REFUSED, %VEIL_ERROR_UNREACHABLE (as veil_token_refresh_async()), %G_IO_ERROR_CANCELLED.
 */
void               veil_session_keeper_get_async (VeilSessionKeeper *self, const char *refused, GCancellable *cancellable,
                                                  GAsyncReadyCallback callback, gpointer user_data);
VeilSession       *veil_session_keeper_get_finish (VeilSessionKeeper *self, GAsyncResult *result, GError **error);

G_END_DECLS
