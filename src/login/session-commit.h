/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Signing in and out as one step that no other process of the home can come between: trust, store, and the word to those who run. */
#pragma once

#include "token-store.h"

G_BEGIN_DECLS

/**
 * veil_session_commit_async:
 * @store: (nullable): %NULL if it holds @session already, which is to be trusted and no more
 * @session: (nullable): who is signed in from now on; %NULL signs out, and forgets a session file and what a crash left of one, whatever @store is
 * @consented: (nullable): to which differences the person said yes, as veil_trust_check() or the finish function gave them
 *
 * Waits until no other process is changing the session. Then @session is stored and its network trusted from now on, if that is the trusted one, or the first
 * one, or differs by just what was @consented to. What cannot be done as a whole is taken back.
 *
 * Errors: %VEIL_ERROR_STORE; %VEIL_ERROR_BUNDLE: consent is needed, and nothing was changed.
 */
void     veil_session_commit_async (const char *home, VeilTokenStore *store, VeilSession *session, const char *consented,
                                    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
/* @differences: (out) (optional) (nullable): new string: to what consent is needed; set with %VEIL_ERROR_BUNDLE alone. */
gboolean veil_session_commit_finish (GAsyncResult *result, char **differences, GError **error);

G_END_DECLS
