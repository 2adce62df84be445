/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What one session gives access to: its registry, the enclave chosen from it, its relay (product.md section 4). */
#pragma once

#include "registry.h"
#include "relay-client.h"
#include "selection.h"
#include "session.h"
#include "settings.h"

G_BEGIN_DECLS

#define VEIL_TYPE_NETWORK (veil_network_get_type ())
G_DECLARE_FINAL_TYPE (VeilNetwork, veil_network, VEIL, NETWORK, GObject)

/* Signal "changed": the registry is being read, was read, or could not be; an enclave was set aside or healed. Signal "choosing": an enclave is about to be chosen; the handler may still set the settings. However long ago the request came, and for a
 * second try as well, what counts is what is pinned now.
 *
 * @session must be fit to serve (veil_session_check_can_serve()). */
VeilNetwork     *veil_network_new (SoupSession *http, VeilSession *session, const VeilSettings *settings);
/* Selection, pins, refresh interval and time-outs of @settings, from the next choice on; requests that run are left alone. */
void             veil_network_set_settings (VeilNetwork *self, const VeilSettings *settings);
/* No more reading of the registry at intervals. Requests that run go on. */
void             veil_network_retire (VeilNetwork *self);

VeilSession     *veil_network_get_session (VeilNetwork *self); /* (transfer none) */
/* The same network with other tokens, for requests from now on. FALSE, and nothing changed, if @session trusts another. */
gboolean         veil_network_set_session (VeilNetwork *self, VeilSession *session);
VeilRelayClient *veil_network_get_relay (VeilNetwork *self);   /* (transfer none) */

/* Reads the registry unless that is under way. An outcome that is no use is logged, and the present choice stays. */
void             veil_network_refresh (VeilNetwork *self);

/**
 * veil_network_choose_async:
 * @avoid: (nullable): the TEE that was just tried
 *
 * Reads the registry first if that was never done, or if a failure has put what it said in doubt; however many wait, one reading is under way. After one
 * that was no use, those who ask within a second get its error without another; with enclaves known, nobody waits for it long.
 */
void             veil_network_choose_async (VeilNetwork *self, const char *avoid, GCancellable *cancellable, GAsyncReadyCallback callback,
                                            gpointer user_data);
VeilTee         *veil_network_choose_finish (VeilNetwork *self, GAsyncResult *result, GError **error);

/* Without reading anything. Returns: (transfer full): the TEE that a request would get; %NULL with the reason, or without an error if the
 *   registry was never asked. */
VeilTee         *veil_network_peek (VeilNetwork *self, GError **error);

/* For those who look. All (transfer none); the enclaves as the registry last listed them (element-type VeilTee), %NULL if it was never read; why the last
 * reading was no use, or %NULL; the enclave that the next request most likely gets, or %NULL. */
VeilRegistry    *veil_network_get_registry (VeilNetwork *self);
GPtrArray       *veil_network_get_tees (VeilNetwork *self);
const GError    *veil_network_get_failure (VeilNetwork *self);
VeilTee         *veil_network_get_current (VeilNetwork *self);
gboolean         veil_network_get_reading (VeilNetwork *self);
/* Microseconds for which this one is set aside, at most; 0 if it is not. */
gint64           veil_network_get_aside (VeilNetwork *self, const char *tee_id);

/* What became of a request: %NULL is a verified answer. Sets the TEE aside or heals it, and remembers doubts about the registry's entry. */
void             veil_network_report (VeilNetwork *self, VeilTee *tee, const GError *error);

G_END_DECLS
