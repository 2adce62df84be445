/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* RSA-PSS-SHA256 verification (RFC 8017 section 8.1.2), MGF1-SHA256, salt length exactly 32, and the strict reading of its public keys. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _VeilRsaKey VeilRsaKey; /* immutable, reference-counted (atomic) */

/**
 * veil_rsa_key_new_from_spki:
 * @der: SubjectPublicKeyInfo, DER
 *
 * Accepts only canonical DER of an rsaEncryption key of 2048 to 8192 bits with an odd exponent of at least 3 and nothing after it.
 *
 * Returns: (transfer full): the key, or %NULL with %VEIL_ERROR_SIGNING_KEY.
 */
VeilRsaKey *veil_rsa_key_new_from_spki (const guint8 *der, gsize length, GError **error);
VeilRsaKey *veil_rsa_key_ref (VeilRsaKey *self);
void        veil_rsa_key_unref (VeilRsaKey *self);
guint       veil_rsa_key_get_bits (VeilRsaKey *self);

/* @message is hashed with SHA-256 here. The signature's length must be the modulus's. */
gboolean    veil_rsa_key_verify_pss (VeilRsaKey *self, const guint8 *message, gsize message_length, const guint8 *signature,
                                     gsize signature_length);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilRsaKey, veil_rsa_key_unref)

G_END_DECLS
