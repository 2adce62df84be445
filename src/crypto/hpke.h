/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* HPKE sender (RFC 9180), base mode, the one suite of the protocol: DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001,
 * ChaCha20-Poly1305 0x0003. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define VEIL_HPKE_KEM_ID 0x0020
#define VEIL_HPKE_KDF_ID 0x0001
#define VEIL_HPKE_AEAD_ID 0x0003
#define VEIL_HPKE_PUBLIC_KEY_SIZE 32
#define VEIL_HPKE_PRIVATE_KEY_SIZE 32
#define VEIL_HPKE_ENC_SIZE 32
#define VEIL_HPKE_KEY_SIZE 32
#define VEIL_HPKE_NONCE_SIZE 12
#define VEIL_HPKE_TAG_SIZE 16

typedef struct _VeilHpkeSender VeilHpkeSender;

/**
 * veil_hpke_sender_new:
 * @public_key: the recipient's X25519 key
 *
 * SetupBaseS (RFC 9180 section 5.1.1) with a fresh ephemeral key.
 *
 * Returns: (transfer full): a context, or %NULL with %VEIL_ERROR_TEE_UNUSABLE when the shared secret is all zero (section 7.1.4).
 */
VeilHpkeSender *veil_hpke_sender_new (const guint8 public_key[static VEIL_HPKE_PUBLIC_KEY_SIZE], const guint8 *info, gsize info_length,
                                      GError **error);
/* The same with a given ephemeral private key: for test vectors only. */
VeilHpkeSender *veil_hpke_sender_new_with_ephemeral (const guint8 public_key[static VEIL_HPKE_PUBLIC_KEY_SIZE],
                                                     const guint8 ephemeral[static VEIL_HPKE_PRIVATE_KEY_SIZE], const guint8 *info,
                                                     gsize info_length, GError **error);
/* Wipes and frees. */
void            veil_hpke_sender_free (VeilHpkeSender *self);

const guint8   *veil_hpke_sender_get_enc (VeilHpkeSender *self); /* VEIL_HPKE_ENC_SIZE bytes */

/* ContextS.Seal (section 5.2): writes @length + VEIL_HPKE_TAG_SIZE bytes to @out, which may be @plaintext. Increments the sequence number. */
void            veil_hpke_sender_seal (VeilHpkeSender *self, const guint8 *aad, gsize aad_length, const guint8 *plaintext, gsize length,
                                       guint8 *out);
/* Context.Export (section 5.3). @length at most 255 * 32. */
void            veil_hpke_sender_export (VeilHpkeSender *self, const guint8 *context, gsize context_length, guint8 *out, gsize length);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilHpkeSender, veil_hpke_sender_free)

/* Shared with the response side and the sandbox: the primitives, RFC 5869 and RFC 8439. */
void     veil_hkdf_sha256_extract (const guint8 *salt, gsize salt_length, const guint8 *ikm, gsize ikm_length, guint8 out[static 32]);
void     veil_hkdf_sha256_expand (const guint8 prk[static 32], const guint8 *info, gsize info_length, guint8 *out, gsize length);
/* The nonce of message number @counter: @base XOR @counter in big endian. */
void     veil_aead_nonce (const guint8 base[static 12], guint64 counter, guint8 out[static 12]);
/* Writes @length + 16 bytes. @out may be @plaintext, but must not overlap it otherwise. */
void     veil_aead_seal (const guint8 key[static 32], const guint8 nonce[static 12], const guint8 *aad, gsize aad_length,
                         const guint8 *plaintext, gsize length, guint8 *out);
/* Writes @length - 16 bytes; FALSE (and a wiped output) if the tag is wrong or @length < 16. In place likewise: a ciphertext that does not
 * open is gone then. */
gboolean veil_aead_open (const guint8 key[static 32], const guint8 nonce[static 12], const guint8 *aad, gsize aad_length,
                         const guint8 *ciphertext, gsize length, guint8 *out);

G_END_DECLS
