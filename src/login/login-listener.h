/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Where the sign-in page hands over the login bundle (protocol.md section 6; product.md section 5, rule 2): on 127.0.0.1, at a path that nobody can
 * guess, from the app's own Origin, one bundle, within five minutes. What is refused leaves the listener as it was. */
#pragma once

#include "session.h"

G_BEGIN_DECLS

#define VEIL_LOGIN_PATIENCE_MS (5 * 60 * 1000)
#define VEIL_LOGIN_DEFAULT_APP_URL "https://chat.opengradient.ai"

#define VEIL_TYPE_LOGIN_LISTENER (veil_login_listener_get_type ())
G_DECLARE_FINAL_TYPE (VeilLoginListener, veil_login_listener, VEIL, LOGIN_LISTENER, GObject)

/* Listens on a free port; the five minutes begin. VEIL_ERROR_INVALID_ARGUMENT if @app_url is not https or loopback, VEIL_ERROR_LISTEN. */
VeilLoginListener *veil_login_listener_new (const char *app_url, GError **error);

/* What to open in the browser, and where the page is to post. The path of the latter is a secret until the bundle has come. */
const char        *veil_login_listener_get_sign_in_url (VeilLoginListener *self);
const char        *veil_login_listener_get_redirect_uri (VeilLoginListener *self);

/* Counts from now. */
void               veil_login_listener_set_patience (VeilLoginListener *self, guint milliseconds);

/**
 * veil_login_listener_wait_async:
 *
 * Ends with the first bundle that is accepted, after which nothing listens any more; once for each listener.
 *
 * Errors: %VEIL_ERROR_NOT_SIGNED_IN when the time is over, %G_IO_ERROR_CANCELLED.
 */
void               veil_login_listener_wait_async (VeilLoginListener *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                                                   gpointer user_data);
VeilSession       *veil_login_listener_wait_finish (VeilLoginListener *self, GAsyncResult *result, GError **error);

/* Speaks HTTP on @stream as if it had been accepted. For tests. */
void               veil_login_listener_adopt (VeilLoginListener *self, GSocketConnection *stream);

G_END_DECLS
