/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The enclave's end of the seal: HPKE recipient (RFC 9180, base mode) and the sealing of answers, single and chunked
 * (protocol.md section 3). */
#pragma once

#include "enclave.h"

G_BEGIN_DECLS

/* A request that was opened, and what seals its answer. */
typedef struct
{
  guint8  enc[32];
  guint8  response_secret[32];
  guint8  chunked_secret[32];
  guint8 *plaintext; /* owned */
  gsize   length;
} VeilSandboxOpened;

/* FALSE for anything that was not sealed to this enclave. */
gboolean veil_sandbox_open (const VeilSandboxEnclave *enclave, const guint8 *message, gsize length, VeilSandboxOpened *opened);
void     veil_sandbox_opened_clear (VeilSandboxOpened *opened);

/* Nonce and ciphertext. @aad is NULL in an honest answer. */
GByteArray *veil_sandbox_seal (const VeilSandboxOpened *opened, const char *plaintext, gsize length, const char *aad);

/* Chunk by chunk. */
typedef struct
{
  guint8   response_nonce[32]; /* goes first */
  guint8   key[32];
  guint8   nonce[12];
  guint64  counter;
  gboolean long_lengths; /* lengths that take more bytes than they need: illegal */
} VeilSandboxChunkSealer;

void veil_sandbox_chunk_sealer_init (VeilSandboxChunkSealer *self, const VeilSandboxOpened *opened);
/* Length and sealed chunk. */
GBytes *veil_sandbox_chunk_sealer_next (VeilSandboxChunkSealer *self, const char *plaintext, gsize length);
/* The marker and the final chunk, sealed with @aad ("final" in an honest answer). */
GBytes *veil_sandbox_chunk_sealer_final (VeilSandboxChunkSealer *self, const char *plaintext, gsize length, const char *aad);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VeilSandboxOpened, veil_sandbox_opened_clear)

G_END_DECLS
