/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* COSE_Sign1 (RFC 9052 section 4.2) with ES384, as the Nitro hypervisor writes it: untagged, "alg" alone in the protected header, nothing in the
 * unprotected one, the payload inside. */
#pragma once

#include "certificate.h"

G_BEGIN_DECLS

typedef struct
{
  const guint8 *payload; /* in the bytes that were read */
  gsize         payload_length;
  const guint8 *signature; /* VEIL_ES384_SIGNATURE_SIZE bytes of them */
} VeilCoseSign1;

/* Fills in @self, which points into @data. VEIL_ERROR_ATTEST_ENCODING if that is not strict CBOR, VEIL_ERROR_ATTEST_COSE if it is something else. */
gboolean veil_cose_sign1_read (VeilCoseSign1 *self, const guint8 *data, gsize length, GError **error);

/* VEIL_ERROR_ATTEST_SIGNATURE unless @signer's key signed it. (ECDSA has two valid signatures for each that was made, s and n - s: the bytes of a
 * message are not its name.) */
gboolean veil_cose_sign1_verify (const VeilCoseSign1 *self, const VeilCertificate *signer, GError **error);

G_END_DECLS
