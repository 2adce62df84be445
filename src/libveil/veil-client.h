/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Sends chats through the relay and lets verified answers back. */
#pragma once

#include "veil-answer.h"
#include "veil-authorization.h"
#include "veil-bundle.h"
#include "veil-chooser.h"
#include "veil-macros.h"
#include "veil-registry-client.h"
#include "veil-request.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define VEIL_TYPE_CLIENT (veil_client_get_type ())

/**
 * VeilClient:
 *
 * Sends chats: reads the registry, chooses an enclave, seals, exchanges with the relay, opens, verifies.
 *
 * What comes out is a [class@Veil.Answer] that has passed every check, or an error; never anything in between. A stream is
 * received and
 * verified as a whole as well.
 *
 * An enclave that cannot be reached is set aside for a growing time and the request goes, once, to another one. What may have
 * run is not
 * sent twice, and what failed verification is reported and not repeated. The registry is read when the first request comes,
 * when it was read
 * long ago, and when a failure may mean that keys have changed; while it cannot be read, the enclaves that are known are used on.
 *
 * ```python
 * client = Veil.Client.new_for_bundle(Veil.Bundle.new(json))
 * client.send_async(request, None, lambda client, result: print(client.send_finish(result).get_text()))
 * ```
 *
 * To be used from the thread that made it, while the main context that was the thread's default at that time is running.
 * Callbacks and
 * signals come from there. Work that takes long is done in other threads. Nothing blocks.
 */
VEIL_EXPORT
G_DECLARE_FINAL_TYPE (VeilClient, veil_client, VEIL, CLIENT, GObject)

/**
 * veil_client_new:
 * @relay_url: the address of the relay: `https`, or `http` on a loopback address
 * @registry: the registry to believe
 * @error: return location for an error
 *
 * Makes a client whose requests are authorized by [signal@Veil.Client::authorize] alone. Contacts nobody yet.
 *
 * Returns: (transfer full): a client, or %NULL with %VEIL_ERROR_INVALID_ARGUMENT
 */
VEIL_EXPORT VeilClient *veil_client_new (const char *relay_url, VeilRegistryClient *registry, GError **error);

/**
 * veil_client_new_for_bundle:
 * @bundle: a login bundle
 * @error: return location for an error
 *
 * Makes a client for the relay and the registry that @bundle trusts. Its access token authorizes requests unless a handler of
 * [signal@Veil.Client::authorize] does. Contacts nobody yet.
 *
 * Returns: (transfer full): a client, or %NULL with %VEIL_ERROR_BUNDLE if @bundle names no registry
 */
VEIL_EXPORT VeilClient *veil_client_new_for_bundle (VeilBundle *bundle, GError **error);

/**
 * VeilClient::authorize:
 * @self: a client
 * @authorization: to be answered at once or later
 *
 * A request is about to be sent: which headers tell the relay who pays?
 *
 * A handler that returns %TRUE has taken the question on, and answers it by [method@Veil.Authorization.done] or
 * [method@Veil.Authorization.fail]. The signal comes a second time for a request whose authorization the relay has refused
 * (HTTP 401), with
 * [property@Veil.Authorization:refused] set; not a third time.
 *
 * Returns: %TRUE if the handler answers, now or later
 */

/**
 * VeilClient:relay-url: (getter get_relay_url)
 *
 * The address of the relay.
 */
/**
 * veil_client_get_relay_url:
 * @self: a client
 *
 * Returns: (transfer none): the address of the relay
 */
VEIL_EXPORT const char *veil_client_get_relay_url (VeilClient *self);

/**
 * VeilClient:registry: (getter get_registry)
 *
 * The registry that says which enclaves there are.
 */
/**
 * veil_client_get_registry:
 * @self: a client
 *
 * Returns: (transfer none): the registry that says which enclaves there are
 */
VEIL_EXPORT VeilRegistryClient *veil_client_get_registry (VeilClient *self);

/**
 * VeilClient:chooser: (getter get_chooser)
 *
 * What chooses among them: pins are set there.
 */
/**
 * veil_client_get_chooser:
 * @self: a client
 *
 * Returns: (transfer none): what chooses among them: pins are set there
 */
VEIL_EXPORT VeilChooser *veil_client_get_chooser (VeilClient *self);

/**
 * VeilClient:refresh-interval: (getter get_refresh_interval)
 *
 * After how many seconds the registry is read again; 0 is never.
 */
/**
 * veil_client_get_refresh_interval:
 * @self: a client
 *
 * Returns: after how many seconds the registry is read again; 0 is never
 */
VEIL_EXPORT guint veil_client_get_refresh_interval (VeilClient *self);

/**
 * VeilClient:answer-timeout: (getter get_answer_timeout)
 *
 * How many seconds a whole answer may take; 0 is five minutes, and ten for streams.
 */
/**
 * veil_client_get_answer_timeout:
 * @self: a client
 *
 * Returns: how many seconds a whole answer may take; 0 is five minutes, and ten for streams
 */
VEIL_EXPORT guint veil_client_get_answer_timeout (VeilClient *self);

/**
 * veil_client_set_refresh_interval:
 * @self: a client
 * @seconds: after how many seconds the registry is read again; 0 is never
 *
 * The default is 300. The registry is read when a request comes, not in between.
 */
VEIL_EXPORT void veil_client_set_refresh_interval (VeilClient *self, guint seconds);

/**
 * veil_client_set_answer_timeout:
 * @self: a client
 * @seconds: how many seconds a whole answer may take, at most 86400; 0 is five minutes, and ten for streams
 *
 * Counts for requests that are sent from now on.
 */
VEIL_EXPORT void veil_client_set_answer_timeout (VeilClient *self, guint seconds);

/**
 * veil_client_choose_async:
 * @self: a client
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when the registry was read, if need be, and an enclave chosen
 * @user_data: for @callback
 *
 * Finds out which enclave the next request would be sealed for.
 */
VEIL_EXPORT void veil_client_choose_async (VeilClient *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                                           gpointer user_data);

/**
 * veil_client_choose_finish:
 * @self: a client
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Returns: (transfer full): the enclave, or %NULL with the errors of [method@Veil.Chooser.choose]
 */
VEIL_EXPORT VeilEnclave *veil_client_choose_finish (VeilClient *self, GAsyncResult *result, GError **error);

/**
 * veil_client_send_async:
 * @self: a client
 * @request: what to ask
 * @cancellable: (nullable): to give up; closes the connection
 * @callback: (scope async): called when the answer is verified, or refused
 * @user_data: for @callback
 *
 * Sends a chat and verifies what comes back.
 */
VEIL_EXPORT void veil_client_send_async (VeilClient *self, VeilRequest *request, GCancellable *cancellable, GAsyncReadyCallback callback,
                                         gpointer user_data);

/**
 * veil_client_send_finish:
 * @self: a client
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Returns: (transfer full): the verified answer, or %NULL with an error of %VEIL_ERROR, or with %G_IO_ERROR_CANCELLED
 */
VEIL_EXPORT VeilAnswer *veil_client_send_finish (VeilClient *self, GAsyncResult *result, GError **error);

G_END_DECLS
