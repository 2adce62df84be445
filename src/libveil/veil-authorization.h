/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* How a caller tells the relay who pays. */
#pragma once

#include "veil-macros.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define VEIL_TYPE_AUTHORIZATION (veil_authorization_get_type ())

/**
 * VeilAuthorization:
 *
 * The question which headers a request is to carry, put to the caller by [signal@Veil.Client::authorize].
 *
 * It is answered with [method@Veil.Authorization.set_bearer_token] or [method@Veil.Authorization.set_header], and then
 * [method@Veil.Authorization.done]; at once, or later when a token was fetched or renewed. [method@Veil.Authorization.fail]
 * gives up, and
 * so does letting go of the object.
 *
 * To be used from the thread of the client.
 */
VEIL_EXPORT
G_DECLARE_FINAL_TYPE (VeilAuthorization, veil_authorization, VEIL, AUTHORIZATION, GObject)

/**
 * VeilAuthorization:refused: (getter get_refused)
 *
 * Whether the relay has refused what the last authorization of this request gave, so that the same again will not do.
 */
/**
 * veil_authorization_get_refused:
 * @self: an authorization
 *
 * Returns: whether the relay has refused what the last authorization of this request gave, so that the same again will
 * not do
 */
VEIL_EXPORT gboolean veil_authorization_get_refused (VeilAuthorization *self);

/**
 * veil_authorization_set_header:
 * @self: an authorization
 * @name: the name of a header
 * @value: its value: visible ASCII
 * @error: return location for an error
 *
 * Sets a header, in place of an earlier one of that name. Headers that belong to the exchange itself, or that tell the relay
 * more about this
 * machine, are refused. Values are never quoted in errors and are wiped from memory after use.
 *
 * Returns: %TRUE, or %FALSE with %VEIL_ERROR_INVALID_ARGUMENT
 */
VEIL_EXPORT gboolean veil_authorization_set_header (VeilAuthorization *self, const char *name, const char *value, GError **error);

/**
 * veil_authorization_set_bearer_token:
 * @self: an authorization
 * @token: an access token
 * @error: return location for an error
 *
 * Sets the header `Authorization: Bearer …`.
 *
 * Returns: %TRUE, or %FALSE with %VEIL_ERROR_INVALID_ARGUMENT
 */
VEIL_EXPORT gboolean veil_authorization_set_bearer_token (VeilAuthorization *self, const char *token, GError **error);

/**
 * veil_authorization_done:
 * @self: an authorization
 *
 * Lets the request go on with the headers that were set. Only the first call of this or of [method@Veil.Authorization.fail] counts.
 */
VEIL_EXPORT void veil_authorization_done (VeilAuthorization *self);

/**
 * veil_authorization_fail:
 * @self: an authorization
 * @message: one sentence that says what happened and what to do
 *
 * Ends the request with %VEIL_ERROR_NOT_SIGNED_IN and @message.
 */
VEIL_EXPORT void veil_authorization_fail (VeilAuthorization *self, const char *message);

G_END_DECLS
