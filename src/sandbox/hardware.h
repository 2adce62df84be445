/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What stands in for AWS Nitro: a root of this run alone, and attestation documents signed under it (protocol.md section 7). */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _VeilSandboxHardware VeilSandboxHardware;

/* Makes the root and an issuer, with keys of their own. */
VeilSandboxHardware *veil_sandbox_hardware_new (void);
void                 veil_sandbox_hardware_free (VeilSandboxHardware *self);

/* New string: "0x" and SHA-256 of the root's certificate, by which clients of this sandbox know it. */
char                *veil_sandbox_hardware_get_root (VeilSandboxHardware *self);

/* What a document is to say. Bytes of no length are left out. */
typedef struct
{
  const char   *module_id;
  gint64        made; /* seconds since 1970; its certificate is valid around that */
  const guint8 *pcrs; /* PCR0 to PCR2, 48 bytes each */
  const guint8 *user_data;
  gsize         user_data_length;
  const guint8 *nonce;
  gsize         nonce_length;
  gboolean      expired;     /* under a certificate that had run out then */
  gboolean      bad_signature;
} VeilSandboxClaims;

/* A document in base64; its certificate is made for it. Any thread. */
char                *veil_sandbox_hardware_attest (VeilSandboxHardware *self, const VeilSandboxClaims *claims);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilSandboxHardware, veil_sandbox_hardware_free)

G_END_DECLS
