/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* One sealed exchange with the relay, from a request to a verified answer (protocol.md section 4). */
#pragma once

#include "chat-answer.h"
#include "chat-request.h"
#include "relay-headers.h"
#include "tee.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

#define VEIL_TYPE_RELAY_CLIENT (veil_relay_client_get_type ())
G_DECLARE_FINAL_TYPE (VeilRelayClient, veil_relay_client, VEIL, RELAY_CLIENT, GObject)

/* An encapsulated request that is larger is not accepted by relays. Padding never makes one so. */
#define VEIL_RELAY_MAX_REQUEST (20u * 1024 * 1024)

/* Bounds of one exchange; zero fields take the default. */
typedef struct
{
  guint single_deadline_ms; /* 5 minutes */
  guint stream_deadline_ms; /* 10 minutes */
  gsize max_answer_bytes;   /* 64 MiB */
} VeilRelayLimits;

VeilRelayClient *veil_relay_client_new (SoupSession *session, const char *relay_url, const VeilRelayLimits *limits);

/* For requests that are sent from now on. */
void             veil_relay_client_set_limits (VeilRelayClient *self, const VeilRelayLimits *limits);

/* Answers come from the sandbox: proofs say so. */
void             veil_relay_client_set_sandbox (VeilRelayClient *self, gboolean sandbox);

/* Gets the next HPKE context for @tee ready while the loop is idle; call it when a TEE is chosen. Contexts for other keys are thrown away. */
void             veil_relay_client_prepare (VeilRelayClient *self, VeilTee *tee);

/**
 * veil_relay_client_send_async:
 * @access_token: sent as the bearer token, wiped from our memory afterwards
 *
 * Seals @request for @tee with fresh keys, posts it once, opens and verifies what comes back. Cancelling closes the connection.
 *
 * Errors: those of veil_fetch_async(), %VEIL_ERROR_SESSION_REFUSED (401, 403), %VEIL_ERROR_RELAY_REFUSED and %VEIL_ERROR_GATEWAY with
 * status, Retry-After and retryable, and every verification code.
 */
void             veil_relay_client_send_async (VeilRelayClient *self, VeilTee *tee, VeilChatRequest *request, const char *access_token,
                                               GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
/* The same, with whatever tells the relay who pays. */
void             veil_relay_client_send_with_headers_async (VeilRelayClient *self, VeilTee *tee, VeilChatRequest *request,
                                                            VeilRelayHeaders *headers, GCancellable *cancellable,
                                                            GAsyncReadyCallback callback, gpointer user_data);
VeilChatAnswer  *veil_relay_client_send_finish (VeilRelayClient *self, GAsyncResult *result, GError **error);

/* Plaintext length after padding (product.md section 5, rule 7): the smallest step that holds @length, at most @limit unless @length is more.
 * Steps are 256 bytes up to 4 KiB and then an eighth to a sixteenth of the length (8 sizes for each doubling), so the overhead is at most an eighth from
 * 2 KiB on. */
gsize            veil_relay_padded_size (gsize length, gsize limit);

G_END_DECLS
