/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Reads the registry of enclaves, a contract on an EVM chain (protocol.md section 1). */
#pragma once

#include "veil-bundle.h"
#include "veil-enclave.h"
#include "veil-macros.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define VEIL_TYPE_REGISTRY_CLIENT (veil_registry_client_get_type ())

/**
 * VeilRegistryClient:
 *
 * The registry of enclaves: a contract that says which enclaves are active, with which keys, and which build each of them runs.
 *
 * What it says is believed as far as the chain's JSON-RPC server is: over `https` it is that server that vouches for it.
 *
 * To be used from the thread that made it, while the main context that was the thread's default at that time is running.
 */
VEIL_EXPORT
G_DECLARE_FINAL_TYPE (VeilRegistryClient, veil_registry_client, VEIL, REGISTRY_CLIENT, GObject)

/**
 * veil_registry_client_new:
 * @url: the JSON-RPC address of the chain: `https`, or `http` on a loopback address
 * @address: the contract, 40 hexadecimal digits with or without `0x`
 * @tee_type: which type of enclave to ask for, at most 255; 0 serves chats
 * @error: return location for an error
 *
 * Contacts nobody yet.
 *
 * Returns: (transfer full): a client, or %NULL with %VEIL_ERROR_INVALID_ARGUMENT
 */
VEIL_EXPORT VeilRegistryClient *veil_registry_client_new (const char *url, const char *address, guint tee_type, GError **error);

/**
 * veil_registry_client_new_for_bundle:
 * @bundle: a login bundle
 * @error: return location for an error
 *
 * Contacts nobody yet.
 *
 * Returns: (transfer full): a client for the registry that @bundle trusts, or %NULL with %VEIL_ERROR_BUNDLE if it names none
 */
VEIL_EXPORT VeilRegistryClient *veil_registry_client_new_for_bundle (VeilBundle *bundle, GError **error);

/**
 * VeilRegistryClient:url: (getter get_url)
 *
 * The JSON-RPC address of the chain.
 */
/**
 * veil_registry_client_get_url:
 * @self: a registry client
 *
 * Returns: (transfer none): the JSON-RPC address of the chain
 */
VEIL_EXPORT const char *veil_registry_client_get_url (VeilRegistryClient *self);

/**
 * VeilRegistryClient:address: (getter get_address)
 *
 * The contract: `0x` and 40 digits.
 */
/**
 * veil_registry_client_get_address:
 * @self: a registry client
 *
 * Returns: (transfer none): the contract: `0x` and 40 digits
 */
VEIL_EXPORT const char *veil_registry_client_get_address (VeilRegistryClient *self);

/**
 * VeilRegistryClient:tee-type: (getter get_tee_type)
 *
 * Which type of enclave is asked for.
 */
/**
 * veil_registry_client_get_tee_type:
 * @self: a registry client
 *
 * Returns: which type of enclave is asked for
 */
VEIL_EXPORT guint veil_registry_client_get_tee_type (VeilRegistryClient *self);

/**
 * VeilRegistryClient:sandbox: (getter get_sandbox)
 *
 * Whether it is the registry of the sandbox, which vouches for nothing.
 */
/**
 * veil_registry_client_get_sandbox:
 * @self: a registry client
 *
 * Returns: whether it is the registry of the sandbox, which vouches for nothing
 */
VEIL_EXPORT gboolean veil_registry_client_get_sandbox (VeilRegistryClient *self);

/**
 * veil_registry_client_fetch_async:
 * @self: a registry client
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when the registry was read
 * @user_data: for @callback
 *
 * Reads which enclaves are active now.
 */
VEIL_EXPORT void veil_registry_client_fetch_async (VeilRegistryClient *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                                                   gpointer user_data);

/**
 * veil_registry_client_fetch_finish:
 * @self: a registry client
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Returns: (transfer container) (element-type VeilEnclave): the enclaves, those included that cannot be used, perhaps none; or
 *   %NULL with
 *   %VEIL_ERROR_REGISTRY if the registry could not be read or answered nonsense
 */
VEIL_EXPORT GPtrArray *veil_registry_client_fetch_finish (VeilRegistryClient *self, GAsyncResult *result, GError **error);

/**
 * veil_registry_client_fetch_version_async:
 * @self: a registry client
 * @enclave: one of the enclaves that were fetched
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when the registry was read
 * @user_data: for @callback
 *
 * Asks which version the registry knows the build of @enclave by. Registries need not know.
 */
VEIL_EXPORT void veil_registry_client_fetch_version_async (VeilRegistryClient *self, VeilEnclave *enclave, GCancellable *cancellable,
                                                           GAsyncReadyCallback callback, gpointer user_data);

/**
 * veil_registry_client_fetch_version_finish:
 * @self: a registry client
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Returns: (transfer full) (nullable): the version; %NULL without an error if the registry does not tell
 */
VEIL_EXPORT char *veil_registry_client_fetch_version_finish (VeilRegistryClient *self, GAsyncResult *result, GError **error);

G_END_DECLS
