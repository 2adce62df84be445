/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "rsa-pss.h"

#include <nettle/rsa.h>
#include <nettle/sha2.h>
#include <string.h>

#include "translate.h"
#include "veil-error.h"

#define MIN_BITS 2048
#define MAX_BITS 8192
#define MAX_EXPONENT_SIZE 8 /* bytes: what OpenSSL takes for large keys; a long one makes every check slow */
#define SALT_SIZE 32

#define TAG_INTEGER 0x02
#define TAG_BIT_STRING 0x03
#define TAG_SEQUENCE 0x30

struct _VeilRsaKey
{
  gatomicrefcount references;
  struct rsa_public_key key;
};

typedef struct
{
  const guint8 *data;
  gsize length;
} Cursor;

/* AlgorithmIdentifier of rsaEncryption with NULL parameters: there is only one way to write it. */
static const guint8 rsa_encryption[] = { TAG_SEQUENCE, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                         0xf7,         0x0d, 0x01, 0x01, 0x01, 0x05, 0x00 };

static gboolean
skip (Cursor *cursor, gsize length)
{
  if (cursor->length < length)
    return FALSE;
  cursor->data += length;
  cursor->length -= length;
  return TRUE;
}

/* Reads one element of @tag whose length is in its shortest form and at most two bytes long. */
static gboolean
read_element (Cursor *cursor, guint8 tag, Cursor *content)
{
  const guint8 *head = cursor->data;
  gsize length;

  if (cursor->length < 2 || head[0] != tag)
    return FALSE;
  length = head[1];
  if (length >= 0x80)
    {
      gsize size = length - 0x80;

      if (size < 1 || size > 2 || cursor->length < 2 + size)
        return FALSE;
      length = size == 1 ? head[2] : (gsize) head[2] << 8 | head[3];
      if (length < (size == 1 ? 0x80 : 0x100) || !skip (cursor, size))
        return FALSE;
    }
  if (!skip (cursor, 2))
    return FALSE;
  content->data = cursor->data;
  content->length = length;
  return skip (cursor, length);
}

/* A positive INTEGER in its shortest form; @content is its magnitude without the sign byte. */
static gboolean
read_positive (Cursor *cursor, Cursor *content)
{
  if (!read_element (cursor, TAG_INTEGER, content) || content->length == 0 || content->data[0] >= 0x80)
    return FALSE;
  if (content->data[0] != 0)
    return TRUE;
  return content->length >= 2 && content->data[1] >= 0x80 && skip (content, 1);
}

static gboolean
read_spki (Cursor der, Cursor *modulus, Cursor *exponent)
{
  Cursor info, bits, key;

  if (!read_element (&der, TAG_SEQUENCE, &info) || der.length != 0)
    return FALSE;
  if (info.length < sizeof rsa_encryption || memcmp (info.data, rsa_encryption, sizeof rsa_encryption) != 0)
    return FALSE;
  skip (&info, sizeof rsa_encryption);
  if (!read_element (&info, TAG_BIT_STRING, &bits) || info.length != 0)
    return FALSE;
  if (bits.length == 0 || bits.data[0] != 0) /* unused bits */
    return FALSE;
  skip (&bits, 1);
  if (!read_element (&bits, TAG_SEQUENCE, &key) || bits.length != 0)
    return FALSE;
  return read_positive (&key, modulus) && read_positive (&key, exponent) && key.length == 0;
}

static void
import (mpz_t number, const guint8 *data, gsize length)
{
  mpz_import (number, length, 1, 1, 1, 0, data);
}

VeilRsaKey *
veil_rsa_key_new_from_spki (const guint8 *der, gsize length, GError **error)
{
  g_autoptr (VeilRsaKey) self = NULL;
  Cursor modulus, exponent;
  gsize bits;

  if (!read_spki ((Cursor){ der, length }, &modulus, &exponent))
    {
      g_set_error_literal (
          error, VEIL_ERROR, VEIL_ERROR_SIGNING_KEY,
          _ ("The enclave's signing key in the registry is not an RSA public key in canonical DER; choose another enclave"));
      return NULL;
    }
  bits = 8 * modulus.length;
  for (guint8 top = modulus.data[0]; top < 0x80; top <<= 1)
    bits--;
  if (bits < MIN_BITS || bits > MAX_BITS)
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_SIGNING_KEY,
                   _ ("The enclave's signing key in the registry has %zu bits, not %d to %d; choose another enclave"), bits,
                   MIN_BITS, MAX_BITS);
      return NULL;
    }
  self = g_new0 (VeilRsaKey, 1);
  g_atomic_ref_count_init (&self->references);
  rsa_public_key_init (&self->key);
  import (self->key.n, modulus.data, modulus.length);
  if (exponent.length <= MAX_EXPONENT_SIZE)
    import (self->key.e, exponent.data, exponent.length);
  if (mpz_even_p (self->key.n) || mpz_even_p (self->key.e) || mpz_cmp_ui (self->key.e, 3) < 0 ||
      !rsa_public_key_prepare (&self->key))
    {
      g_set_error_literal (
          error, VEIL_ERROR, VEIL_ERROR_SIGNING_KEY,
          _ ("The enclave's signing key in the registry has a modulus or exponent that is not safe; choose another enclave"));
      return NULL;
    }
  return g_steal_pointer (&self);
}

VeilRsaKey *
veil_rsa_key_ref (VeilRsaKey *self)
{
  g_atomic_ref_count_inc (&self->references);
  return self;
}

void
veil_rsa_key_unref (VeilRsaKey *self)
{
  if (!g_atomic_ref_count_dec (&self->references))
    return;
  rsa_public_key_clear (&self->key);
  g_free (self);
}

guint
veil_rsa_key_get_bits (VeilRsaKey *self)
{
  return mpz_sizeinbase (self->key.n, 2);
}

gboolean
veil_rsa_key_verify_pss (VeilRsaKey *self, const guint8 *message, gsize message_length, const guint8 *signature,
                         gsize signature_length)
{
  struct sha256_ctx context;
  guint8 digest[SHA256_DIGEST_SIZE];
  gboolean valid;
  mpz_t number;

  if (signature_length != self->key.size)
    return FALSE;
  sha256_init (&context);
  sha256_update (&context, message_length, message);
  sha256_digest (&context, sizeof digest, digest);
  mpz_init (number);
  import (number, signature, signature_length);
  valid = rsa_pss_sha256_verify_digest (&self->key, SALT_SIZE, digest, number) == 1;
  mpz_clear (number);
  return valid;
}
