/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Running in the background and starting at login, where a sandboxed program asks for it: org.freedesktop.portal.Background. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Whether this process has to ask: in a Flatpak, or where GTK_USE_PORTAL=1 says so. */
gboolean veil_background_portal_is_needed (void);

/**
 * veil_background_portal_request_async:
 * @reason: one sentence for the person, translated
 * @autostart: start at login; %FALSE takes that back
 * @command: what to start then, as in a desktop entry but in words, NULL-terminated
 *
 * The portal may ask the person, so this lasts as long as they think; @cancellable withdraws the question.
 */
void     veil_background_portal_request_async (const char *reason, gboolean autostart, const char *const *command,
                                               GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);

/* What was granted goes to @background and @autostart. FALSE with VEIL_ERROR_STORE if there is no portal, it went away, or the
 * person refused; G_IO_ERROR_CANCELLED. */
gboolean veil_background_portal_request_finish (GAsyncResult *result, gboolean *background, gboolean *autostart, GError **error);

G_END_DECLS
