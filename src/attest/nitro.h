/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* AWS Nitro attestation documents: reading and verifying them (protocol.md section 7). No I/O and no clock of its own. */
#pragma once

#include "attestation.h"

G_BEGIN_DECLS

/* A document is about 5 KB; what its fields may hold at most is well below this. */
#define VEIL_NITRO_MAX_DOCUMENT (32 * 1024)

/* Instead of a time: each certificate must have been valid when the document says that it was made. */
#define VEIL_NITRO_AT_ITS_TIME G_MININT64

/* SHA-256 of the certificate "AWS Nitro Enclaves root G1". */
extern const guint8 veil_nitro_aws_root[32];

/* The document that @text says in base64, with or without a line end after it. VEIL_ERROR_ATTEST_ENCODING. */
GBytes          *veil_nitro_decode (const char *text, gsize length, GError **error);

/**
 * veil_nitro_verify:
 * @root: SHA-256 of the one root certificate that is trusted; veil_nitro_aws_root but for the sandbox
 * @at: seconds since 1970 at which all certificates must be valid, or %VEIL_NITRO_AT_ITS_TIME
 *
 * Checks, in this order and each with an error of its own: the encoding, the COSE frame, each field, each certificate, the root, the chain, the
 * validity periods, the document's signature. Whose enclave it is, and if it runs in debug mode, is for the caller to compare.
 *
 * Returns: (transfer full): what the document says, or %NULL with one of %VEIL_ERROR_ATTEST_ENCODING to %VEIL_ERROR_ATTEST_SIGNATURE.
 */
VeilAttestation *veil_nitro_verify (GBytes *document, const guint8 root[static 32], gint64 at, GError **error);

G_END_DECLS
