/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include <nettle/chacha-poly1305.h>
#include <string.h>

#include "hpke.h"
#include "secret.h"

void
veil_aead_nonce (const guint8 base[static 12], guint64 counter, guint8 out[static 12])
{
  guint64 big = GUINT64_TO_BE (counter);
  guint8 bytes[sizeof big];

  memcpy (bytes, &big, sizeof big);
  memcpy (out, base, VEIL_HPKE_NONCE_SIZE);
  for (guint i = 0; i < sizeof big; i++)
    out[VEIL_HPKE_NONCE_SIZE - sizeof big + i] ^= bytes[i];
}

static void
start (struct chacha_poly1305_ctx *context, const guint8 *key, const guint8 *nonce, const guint8 *aad, gsize aad_length)
{
  chacha_poly1305_set_key (context, key);
  chacha_poly1305_set_nonce (context, nonce);
  if (aad_length > 0)
    chacha_poly1305_update (context, aad_length, aad);
}

void
veil_aead_seal (const guint8 key[static 32], const guint8 nonce[static 12], const guint8 *aad, gsize aad_length,
                const guint8 *plaintext, gsize length, guint8 *out)
{
  struct chacha_poly1305_ctx context;

  start (&context, key, nonce, aad, aad_length);
  if (length > 0)
    chacha_poly1305_encrypt (&context, length, out, plaintext);
  chacha_poly1305_digest (&context, VEIL_HPKE_TAG_SIZE, out + length);
  veil_secret_wipe (&context, sizeof context);
}

gboolean
veil_aead_open (const guint8 key[static 32], const guint8 nonce[static 12], const guint8 *aad, gsize aad_length,
                const guint8 *ciphertext, gsize length, guint8 *out)
{
  struct chacha_poly1305_ctx context;
  guint8 given[VEIL_HPKE_TAG_SIZE];
  guint8 tag[VEIL_HPKE_TAG_SIZE];
  gboolean genuine;

  if (length < VEIL_HPKE_TAG_SIZE)
    return FALSE;
  length -= VEIL_HPKE_TAG_SIZE;
  memcpy (given, ciphertext + length, sizeof given);
  start (&context, key, nonce, aad, aad_length);
  if (length > 0)
    chacha_poly1305_decrypt (&context, length, out, ciphertext);
  chacha_poly1305_digest (&context, sizeof tag, tag);
  genuine = veil_secret_equal (tag, given, sizeof tag);
  if (!genuine && length > 0)
    veil_secret_wipe (out, length);
  veil_secret_wipe (&context, sizeof context);
  veil_secret_wipe (tag, sizeof tag); /* that of a forgery would be a valid one */
  return genuine;
}
