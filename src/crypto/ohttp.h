/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Oblivious HTTP encapsulation (RFC 9458), client side, as protocol.md section 3 uses it: the payload is the JSON itself. */
#pragma once

#include "hpke.h"

G_BEGIN_DECLS

#define VEIL_OHTTP_HEADER_SIZE 7
#define VEIL_OHTTP_RESPONSE_NONCE_SIZE 32
#define VEIL_OHTTP_OVERHEAD (VEIL_OHTTP_HEADER_SIZE + VEIL_HPKE_ENC_SIZE + VEIL_HPKE_TAG_SIZE)

/* A recipient's key configuration (RFC 9458 section 3). */
typedef struct
{
  guint8  key_id;
  guint16 kem_id;
  guint16 kdf_id;
  guint16 aead_id;
  guint8  public_key[VEIL_HPKE_PUBLIC_KEY_SIZE];
} VeilOhttpKey;

/* Parses the key configuration blob: key_id(1) kem(2) public key(32) length(2) then kdf(2) aead(2) pairs. Accepts exactly one whole
 * configuration that offers the one suite; VEIL_ERROR_TEE_UNUSABLE otherwise. */
gboolean veil_ohttp_key_parse_config (VeilOhttpKey *key, const guint8 *config, gsize length, GError **error);

/* One request: the sealed message and what opens its answer. Prepare it ahead of time, seal once, open once. */
typedef struct _VeilOhttpClient VeilOhttpClient;

/**
 * veil_ohttp_client_new:
 *
 * Does the costly part (ephemeral key, DH, key schedule, the two response secrets) before there is a request.
 *
 * Returns: (transfer full): a context, or %NULL with %VEIL_ERROR_TEE_UNUSABLE for a foreign suite or an unusable key.
 */
VeilOhttpClient *veil_ohttp_client_new (const VeilOhttpKey *key, GError **error);
/* With a given ephemeral private key: for test vectors only. */
VeilOhttpClient *veil_ohttp_client_new_with_ephemeral (const VeilOhttpKey *key, const guint8 ephemeral[static 32], GError **error);
/* For test vectors: a context that can only open responses. */
VeilOhttpClient *veil_ohttp_client_new_for_response (const guint8 enc[static 32], const guint8 response_secret[static 32],
                                                     const guint8 chunked_secret[static 32]);
void             veil_ohttp_client_free (VeilOhttpClient *self); /* wipes */

/* Encapsulated request: header, enc, ciphertext. @plaintext is followed by @padding spaces inside the seal. Once per context (g_return_val_if_fail). */
GBytes          *veil_ohttp_client_seal (VeilOhttpClient *self, const guint8 *plaintext, gsize length, gsize padding);

/* Opens a single response (nonce, ciphertext). Returns: (transfer full): the plaintext, wiped when freed; VEIL_ERROR_SEAL otherwise. */
GBytes          *veil_ohttp_client_open (VeilOhttpClient *self, const guint8 *sealed, gsize length, GError **error);

/* What the vectors list; 32 bytes each. */
const guint8    *veil_ohttp_client_get_enc (VeilOhttpClient *self);
const guint8    *veil_ohttp_client_get_response_secret (VeilOhttpClient *self);
const guint8    *veil_ohttp_client_get_chunked_secret (VeilOhttpClient *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilOhttpClient, veil_ohttp_client_free)

G_END_DECLS
