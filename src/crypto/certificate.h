/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* X.509 certificates of one kind, those that AWS Nitro attestation is made of: version 3, P-384 keys, ECDSA with SHA-384. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define VEIL_ES384_SIGNATURE_SIZE 96

typedef struct _VeilCertificate VeilCertificate;

/**
 * veil_certificate_new:
 * @name: what it is called in messages ("certificate 2 of the chain")
 *
 * Refused, besides what is not DER of that kind: a critical extension other than basicConstraints and keyUsage.
 *
 * Returns: (transfer full): the certificate, or %NULL with %VEIL_ERROR_ATTEST_CERTIFICATE.
 */
VeilCertificate *veil_certificate_new (const guint8 *der, gsize length, const char *name, GError **error);
void             veil_certificate_free (VeilCertificate *self);

/**
 * veil_certificate_check_chain:
 * @chain: (element-type VeilCertificate): root first, the one that signs no certificates last; two or more
 * @root: SHA-256 of the root certificate that is trusted
 * @at: seconds since 1970 at which all must be valid
 *
 * Checks, in this order: that the first is the trusted root (%VEIL_ERROR_ATTEST_ROOT), that each names the one before as its issuer
 * (%VEIL_ERROR_ATTEST_CHAIN), what each may be used for (CA flag, path length, key usage: %VEIL_ERROR_ATTEST_CERTIFICATE), that each is signed by the
 * one before (%VEIL_ERROR_ATTEST_CHAIN), and the validity periods (%VEIL_ERROR_ATTEST_VALIDITY). Revocation lists are not fetched.
 */
gboolean         veil_certificate_check_chain (GPtrArray *chain, const guint8 root[static 32], gint64 at, GError **error);

/* ECDSA of SHA-384 over @message, as r and s of 48 bytes each. */
gboolean         veil_certificate_verify_es384 (const VeilCertificate *self, GBytes *message,
                                                const guint8 signature[static VEIL_ES384_SIGNATURE_SIZE]);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilCertificate, veil_certificate_free)

G_END_DECLS
