/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What the processes of one home tell each other about the session: that it was changed, who is changing it, and that a renewal is under way.
 * Small files in the home, none of which ever holds a token. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A word that changes whenever somebody signs in or out; "" before the first time. New string. */
char    *veil_home_get_generation (const char *home);
/* Tells those who watch. VEIL_ERROR_STORE. */
gboolean veil_home_bump_generation (const char *home, GError **error);

/* Calls @changed from the main loop after the generation changed. Free with veil_home_watch_free(). The home is made if it is not there. */
typedef struct _VeilHomeWatch VeilHomeWatch;
typedef void (*VeilHomeChanged) (gpointer user_data);

VeilHomeWatch *veil_home_watch_new (const char *home, VeilHomeChanged changed, gpointer user_data);
void           veil_home_watch_free (VeilHomeWatch *self);

/**
 * veil_home_lock_async:
 *
 * Waits, at most ten seconds, until no other process is changing the session.
 *
 * Returns (from finish): a descriptor to be given to veil_home_unlock(), or -1 with %VEIL_ERROR_STORE.
 */
void     veil_home_lock_async (const char *home, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
int      veil_home_lock_finish (GAsyncResult *result, GError **error);
void     veil_home_unlock (int lock);

/* A refresh token is about to be spent, and its successor is not stored yet. If that is left behind, a program ended in between. */
gboolean veil_home_is_renewing (const char *home);
void     veil_home_set_renewing (const char *home, gboolean renewing);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilHomeWatch, veil_home_watch_free)

G_END_DECLS
