/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Asks an enclave itself for its attestation document and its signed OHTTP configuration (protocol.md section 7).
 *
 * This shows the enclave, and whoever stands in front of it, this machine's address, which no prompt ever does: only a person may start it, after having
 * been told, and it goes over connections of its own that carry nothing else. */
#pragma once

#include "attest-report.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * veil_attest_fetch_async:
 * @tee: whom to ask: its registered endpoint, over TLS with its registered certificate and no other, or http on loopback
 * @pcr_pins: (nullable): builds that are pinned
 * @sandbox_root: (nullable): SHA-256 (32 bytes) of the root that the running sandbox announced, which alone counts then; %NULL but for sessions of the
 *   sandbox
 *
 * Sends a fresh random nonce and no cookie, follows no redirect, and takes no more than 64 KiB and 20 s for each of the two answers.
 */
void              veil_attest_fetch_async (VeilTee *tee, const char *const *pcr_pins, GBytes *sandbox_root, GCancellable *cancellable,
                                           GAsyncReadyCallback callback, gpointer user_data);

/* Returns: (transfer full): what was found, good or bad; %NULL if the enclave could not be asked: %VEIL_ERROR_INVALID_ARGUMENT (its address),
 *   %VEIL_ERROR_BROKEN_ANSWER (not status 200), or an error of veil_fetch_finish(). */
VeilAttestReport *veil_attest_fetch_finish (GAsyncResult *result, GError **error);

G_END_DECLS
