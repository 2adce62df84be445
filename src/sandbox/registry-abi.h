/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Writes what the TEERegistry contract returns (Solidity's ABI; protocol.md section 1). All return new arrays. */
#pragma once

#include "enclave.h"

G_BEGIN_DECLS

/* A tuple that is being written: fixed-size fields and offsets, then what the offsets point at. */
typedef struct
{
  GByteArray *head;
  GByteArray *tail;
  gsize       n_fields; /* 32 bytes of head for each */
} VeilSandboxTuple;

void        veil_sandbox_tuple_init (VeilSandboxTuple *tuple, gsize n_fields);
void        veil_sandbox_tuple_uint (VeilSandboxTuple *tuple, guint64 number);
void        veil_sandbox_tuple_bytes32 (VeilSandboxTuple *tuple, const guint8 bytes[static 32]);
void        veil_sandbox_tuple_dynamic (VeilSandboxTuple *tuple, GByteArray *encoded);                    /* taken over */
void        veil_sandbox_tuple_bytes (VeilSandboxTuple *tuple, const void *data, gsize length); /* bytes or string */
GByteArray *veil_sandbox_tuple_finish (VeilSandboxTuple *tuple);

/* TEEInfo. @zero_key: with an HPKE key that no client may use. */
GByteArray *veil_sandbox_abi_tee_info (const VeilSandboxRecord *record, gboolean enabled, guint64 heartbeat, gboolean zero_key);

G_END_DECLS
