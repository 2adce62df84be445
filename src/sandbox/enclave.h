/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* One simulated enclave: its keys, made afresh, and what the registry says of it. Immutable once made; for any thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _VeilSandboxEnclave VeilSandboxEnclave;

/* What the registry publishes. */
typedef struct
{
  guint   index;
  char    tee_id[67]; /* 0x and 64 digits */
  char   *endpoint;
  guint8  owner[20];
  guint8  payment[20];
  GBytes *signing_key; /* SubjectPublicKeyInfo, DER */
  GBytes *tls_certificate;
  guint8  pcrs[3 * 48]; /* PCR0 to PCR2 */
  guint8  pcr_hash[32];
  guint8  key_id;
  guint8  hpke_public[32];
  GBytes *key_config; /* RFC 9458 section 3 */
  gint64  registered_at;
} VeilSandboxRecord;

/* Makes an RSA-2048 and an X25519 key: a few hundred milliseconds. @base: address of the server that has its door. */
VeilSandboxEnclave      *veil_sandbox_enclave_new (guint index, const char *base);
VeilSandboxEnclave      *veil_sandbox_enclave_ref (VeilSandboxEnclave *self);
void                     veil_sandbox_enclave_unref (VeilSandboxEnclave *self);

const VeilSandboxRecord *veil_sandbox_enclave_get_record (const VeilSandboxEnclave *self);
const guint8            *veil_sandbox_enclave_get_hpke_private (const VeilSandboxEnclave *self);

/* RSA-PSS-SHA256 of keccak256 (request hash, output hash, timestamp): protocol.md section 5. @length gets its length. */
guint8                  *veil_sandbox_enclave_sign (const VeilSandboxEnclave *self, const guint8 request_hash[static 32],
                                                    const guint8 output_hash[static 32], guint64 timestamp, gsize salt_length,
                                                    gsize *length);

/* The same of any hash. */
guint8                  *veil_sandbox_enclave_sign_hash (const VeilSandboxEnclave *self, const guint8 hash[static 32], gsize salt_length,
                                                         gsize *length);

/* Random bytes of the kernel. */
void                     veil_sandbox_random (gpointer context, gsize length, guint8 *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilSandboxEnclave, veil_sandbox_enclave_unref)

G_END_DECLS
