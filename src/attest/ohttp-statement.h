/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What an enclave states about its own OHTTP key, signed with its signing key (protocol.md section 7). */
#pragma once

#include "tee.h"

G_BEGIN_DECLS

#define VEIL_OHTTP_STATEMENT_MAX_BYTES (16 * 1024)

/* keccak256 over the domain and all that the statement says: what is signed. */
void     veil_ohttp_statement_digest (const guint8 tee_id[static 32], const VeilOhttpKey *key, const guint8 *key_config, gsize key_config_length,
                                      guint8 out[static 32]);

/**
 * veil_ohttp_statement_check:
 * @text: the JSON of /v1/ohttp/config: tee_id, key_id, kem_id, kdf_id, aead_id, public_key (hex), key_config and signature (base64)
 *
 * Returns: %TRUE if it says what the registry says of @tee, in each field, and @tee's signing key signed just this; %FALSE with
 *   %VEIL_ERROR_ATTEST_OHTTP.
 */
gboolean veil_ohttp_statement_check (const VeilTee *tee, const char *text, gsize length, GError **error);

G_END_DECLS
