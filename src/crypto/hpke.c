/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "hpke-private.h"

#include <errno.h>
#include <nettle/curve25519.h>
#include <string.h>
#include <sys/random.h>

#include "secret.h"
#include "translate.h"
#include "veil-error.h"

#define HASH_SIZE 32
#define MODE_BASE 0x00

/* The names under which each step draws its values (RFC 9180 sections 4.1 and 5.1). */
typedef struct
{
  const guint8 *id;
  gsize length;
} Suite;

static const guint8 kem_suite_id[] = { 'K', 'E', 'M', VEIL_HPKE_KEM_ID >> 8, VEIL_HPKE_KEM_ID & 0xff };
static const guint8 hpke_suite_id[] = { 'H',
                                        'P',
                                        'K',
                                        'E',
                                        VEIL_HPKE_KEM_ID >> 8,
                                        VEIL_HPKE_KEM_ID & 0xff,
                                        VEIL_HPKE_KDF_ID >> 8,
                                        VEIL_HPKE_KDF_ID & 0xff,
                                        VEIL_HPKE_AEAD_ID >> 8,
                                        VEIL_HPKE_AEAD_ID & 0xff };
static const Suite kem_suite = { kem_suite_id, sizeof kem_suite_id };
static const Suite hpke_suite = { hpke_suite_id, sizeof hpke_suite_id };

static GByteArray *
labeled (const Suite *suite, const char *label, const guint8 *data, gsize length)
{
  GByteArray *bytes = g_byte_array_new ();

  veil_secret_byte_array_append (bytes, "HPKE-v1", strlen ("HPKE-v1"));
  veil_secret_byte_array_append (bytes, suite->id, suite->length);
  veil_secret_byte_array_append (bytes, label, strlen (label));
  if (length > 0)
    veil_secret_byte_array_append (bytes, data, length);
  return bytes;
}

static void
labeled_extract (const Suite *suite, const guint8 *salt, gsize salt_length, const char *label, const guint8 *ikm, gsize ikm_length,
                 guint8 out[static HASH_SIZE])
{
  GByteArray *input = labeled (suite, label, ikm, ikm_length);

  veil_hkdf_sha256_extract (salt, salt_length, input->data, input->len, out);
  veil_secret_byte_array_unref (input);
}

static void
labeled_expand (const Suite *suite, const guint8 prk[static HASH_SIZE], const char *label, const guint8 *info, gsize info_length,
                guint8 *out, gsize length)
{
  GByteArray *input = labeled (suite, label, info, info_length);
  const guint8 size[2] = { length >> 8, length & 0xff };

  g_byte_array_prepend (input, size, sizeof size);
  veil_hkdf_sha256_expand (prk, input->data, input->len, out, length);
  veil_secret_byte_array_unref (input);
}

/* Encap (section 4.1). FALSE if the Diffie-Hellman result is all zero. */
static gboolean
encapsulate (VeilHpkeSender *self, const guint8 *public_key, const guint8 *ephemeral)
{
  static const guint8 zero[CURVE25519_SIZE];
  guint8 context[VEIL_HPKE_ENC_SIZE + VEIL_HPKE_PUBLIC_KEY_SIZE];
  guint8 dh[CURVE25519_SIZE];
  guint8 prk[HASH_SIZE];
  gboolean usable;

  curve25519_mul_g (self->enc, ephemeral);
  curve25519_mul (dh, ephemeral, public_key);
  usable = !veil_secret_equal (dh, zero, sizeof dh);
  memcpy (context, self->enc, VEIL_HPKE_ENC_SIZE);
  memcpy (context + VEIL_HPKE_ENC_SIZE, public_key, VEIL_HPKE_PUBLIC_KEY_SIZE);
  labeled_extract (&kem_suite, NULL, 0, "eae_prk", dh, sizeof dh, prk);
  labeled_expand (&kem_suite, prk, "shared_secret", context, sizeof context, self->shared_secret, sizeof self->shared_secret);
  veil_secret_wipe (dh, sizeof dh);
  veil_secret_wipe (prk, sizeof prk);
  return usable;
}

/* KeySchedule (section 5.1) in base mode, where psk and psk_id are empty. */
static void
schedule (VeilHpkeSender *self, const guint8 *info, gsize info_length)
{
  guint8 context[1 + 2 * HASH_SIZE] = { MODE_BASE };
  guint8 secret[HASH_SIZE];

  labeled_extract (&hpke_suite, NULL, 0, "psk_id_hash", NULL, 0, context + 1);
  labeled_extract (&hpke_suite, NULL, 0, "info_hash", info, info_length, context + 1 + HASH_SIZE);
  labeled_extract (&hpke_suite, self->shared_secret, sizeof self->shared_secret, "secret", NULL, 0, secret);
  labeled_expand (&hpke_suite, secret, "key", context, sizeof context, self->key, sizeof self->key);
  labeled_expand (&hpke_suite, secret, "base_nonce", context, sizeof context, self->base_nonce, sizeof self->base_nonce);
  labeled_expand (&hpke_suite, secret, "exp", context, sizeof context, self->exporter_secret, sizeof self->exporter_secret);
  veil_secret_wipe (secret, sizeof secret);
}

VeilHpkeSender *
veil_hpke_sender_new_with_ephemeral (const guint8 public_key[static VEIL_HPKE_PUBLIC_KEY_SIZE],
                                     const guint8 ephemeral[static VEIL_HPKE_PRIVATE_KEY_SIZE], const guint8 *info,
                                     gsize info_length, GError **error)
{
  g_autoptr (VeilHpkeSender) self = g_new0 (VeilHpkeSender, 1);

  if (!encapsulate (self, public_key, ephemeral))
    {
      g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_TEE_UNUSABLE,
                           _ ("The enclave's encryption key is one with which nothing can be sealed; choose another enclave"));
      return NULL;
    }
  schedule (self, info, info_length);
  return g_steal_pointer (&self);
}

static void
random_bytes (guint8 *out, gsize length)
{
  while (length > 0)
    {
      gssize got = getrandom (out, length, 0);

      if (got < 0 && errno != EINTR)
        g_error ("The system gives no random numbers (%s); nothing can be sealed without them", g_strerror (errno));
      if (got > 0)
        {
          out += got;
          length -= got;
        }
    }
}

VeilHpkeSender *
veil_hpke_sender_new (const guint8 public_key[static VEIL_HPKE_PUBLIC_KEY_SIZE], const guint8 *info, gsize info_length,
                      GError **error)
{
  guint8 ephemeral[VEIL_HPKE_PRIVATE_KEY_SIZE];
  VeilHpkeSender *self;

  random_bytes (ephemeral, sizeof ephemeral);
  self = veil_hpke_sender_new_with_ephemeral (public_key, ephemeral, info, info_length, error);
  veil_secret_wipe (ephemeral, sizeof ephemeral);
  if (self != NULL)
    veil_secret_wipe (self->shared_secret, sizeof self->shared_secret);
  return self;
}

void
veil_hpke_sender_free (VeilHpkeSender *self)
{
  if (self == NULL)
    return;
  veil_secret_wipe (self, sizeof *self);
  g_free (self);
}

const guint8 *
veil_hpke_sender_get_enc (VeilHpkeSender *self)
{
  return self->enc;
}

void
veil_hpke_sender_seal (VeilHpkeSender *self, const guint8 *aad, gsize aad_length, const guint8 *plaintext, gsize length,
                       guint8 *out)
{
  guint8 nonce[VEIL_HPKE_NONCE_SIZE];

  veil_aead_nonce (self->base_nonce, self->sequence, nonce);
  self->sequence++;
  veil_aead_seal (self->key, nonce, aad, aad_length, plaintext, length, out);
}

void
veil_hpke_sender_export (VeilHpkeSender *self, const guint8 *context, gsize context_length, guint8 *out, gsize length)
{
  g_return_if_fail (length <= 255 * HASH_SIZE);

  labeled_expand (&hpke_suite, self->exporter_secret, "sec", context, context_length, out, length);
}
