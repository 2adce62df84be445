/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A request and an answer that somebody kept, measured against the hashes that the enclave signed (product.md section 6). Pure; safe in any
 * thread. */
#pragma once

#include "proof.h"

G_BEGIN_DECLS

#define VEIL_RECORDED_MAX_SIZE (128u * 1024 * 1024) /* bytes of a file that is worth reading: the most that a stream may have */

/**
 * veil_recorded_check_request:
 * @data: the body that the caller sent to the endpoint
 *
 * Returns: %TRUE if the canonical form of it is what was signed; %FALSE with %VEIL_ERROR_REQUEST_HASH, or the reason why no request can be built from it.
 */
gboolean veil_recorded_check_request (const VeilProof *proof, const char *data, gsize length, GError **error);

/**
 * veil_recorded_check_response:
 * @data: the answer as the endpoint gave it: a chat.completion object, or the events of a stream
 * @names: (out) (transfer full): names of what else is in it, which no signature covers
 *
 * Returns: %TRUE if its text or tool calls are what was signed and nothing stands beside them that has to be; %FALSE with %VEIL_ERROR_OUTPUT_HASH,
 *   %VEIL_ERROR_UNSIGNED_CONTENT or %VEIL_ERROR_MALFORMED_ANSWER.
 */
gboolean veil_recorded_check_response (const VeilProof *proof, const char *data, gsize length, GStrv *names, GError **error);

G_END_DECLS
