/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What the sign-in page gives: who is signed in, and which relay and registry that trusts (protocol.md section 6). */
#pragma once

#include "veil-macros.h"

#include <glib-object.h>

G_BEGIN_DECLS

#define VEIL_TYPE_BUNDLE (veil_bundle_get_type ())

/**
 * VeilBundle:
 *
 * A login bundle: the JSON object that the sign-in page hands over, checked.
 *
 * It says which relay to talk to, which registry contract to believe, and with which access token. The library keeps no bundle
 * anywhere: storing it, and renewing its tokens, is the caller's part.
 *
 * Immutable; may be used from any thread. Tokens are wiped from memory when the bundle is freed.
 */
VEIL_EXPORT
G_DECLARE_FINAL_TYPE (VeilBundle, veil_bundle, VEIL, BUNDLE, GObject)

/**
 * veil_bundle_new:
 * @json: the bundle
 * @error: return location for an error
 *
 * Reads a login bundle. Every address in it must be `https`, or `http` on a loopback address.
 *
 * Returns: (transfer full): the bundle, or %NULL with %VEIL_ERROR_BUNDLE naming the field that is missing or wrong; tokens are
 *   never quoted
 */
VEIL_EXPORT VeilBundle *veil_bundle_new (const char *json, GError **error);

/**
 * VeilBundle:relay-url: (getter get_relay_url)
 *
 * The address of the relay, without a slash at its end.
 */
/**
 * veil_bundle_get_relay_url:
 * @self: a bundle
 *
 * Returns: (transfer none): the address of the relay, without a slash at its end
 */
VEIL_EXPORT const char *veil_bundle_get_relay_url (VeilBundle *self);

/**
 * VeilBundle:registry-url: (getter get_registry_url)
 *
 * The JSON-RPC address of the registry's chain, or %NULL.
 */
/**
 * veil_bundle_get_registry_url:
 * @self: a bundle
 *
 * Returns: (transfer none) (nullable): the JSON-RPC address of the registry's chain, or %NULL if the bundle names no registry
 */
VEIL_EXPORT const char *veil_bundle_get_registry_url (VeilBundle *self);

/**
 * VeilBundle:registry-address: (getter get_registry_address)
 *
 * The registry contract, `0x` and 40 digits, or %NULL.
 */
/**
 * veil_bundle_get_registry_address:
 * @self: a bundle
 *
 * Returns: (transfer none) (nullable): the registry contract, `0x` and 40 digits, or %NULL if the bundle names no registry
 */
VEIL_EXPORT const char *veil_bundle_get_registry_address (VeilBundle *self);

/**
 * VeilBundle:tee-type: (getter get_tee_type)
 *
 * Which type of enclave to ask the registry for; 0 serves chats.
 */
/**
 * veil_bundle_get_tee_type:
 * @self: a bundle
 *
 * Returns: which type of enclave to ask the registry for; 0 serves chats
 */
VEIL_EXPORT guint veil_bundle_get_tee_type (VeilBundle *self);

/**
 * VeilBundle:email: (getter get_email)
 *
 * Who is signed in, or %NULL.
 */
/**
 * veil_bundle_get_email:
 * @self: a bundle
 *
 * Returns: (transfer none) (nullable): the e-mail address of the person who is signed in, if the bundle tells
 */
VEIL_EXPORT const char *veil_bundle_get_email (VeilBundle *self);

/**
 * VeilBundle:expires-at: (getter get_expires_at)
 *
 * When the access token expires, in seconds since 1970; 0 if that is not known.
 */
/**
 * veil_bundle_get_expires_at:
 * @self: a bundle
 *
 * Returns: when the access token expires, in seconds since 1970; 0 if that is not known
 */
VEIL_EXPORT gint64 veil_bundle_get_expires_at (VeilBundle *self);

/**
 * VeilBundle:sandbox: (getter get_sandbox)
 *
 * Whether the bundle is one of the sandbox, which vouches for nothing.
 */
/**
 * veil_bundle_get_sandbox:
 * @self: a bundle
 *
 * Returns: %TRUE if the bundle is one of the sandbox, a simulated network that vouches for nothing
 */
VEIL_EXPORT gboolean veil_bundle_get_sandbox (VeilBundle *self);

/**
 * veil_bundle_get_access_token:
 * @self: a bundle
 *
 * The access token. It is a secret, and therefore no property: what lists properties does not list it.
 *
 * Returns: (transfer none): the token
 */
VEIL_EXPORT const char *veil_bundle_get_access_token (VeilBundle *self);

G_END_DECLS
