/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* RSA public keys from the registry. What is accepted is what nettle's own, laxer DER reader finds in the same bytes, and has exactly one
 * encoding: written again, it is the input. */
#include <nettle/asn1.h>
#include <nettle/bignum.h>
#include <nettle/rsa.h>
#include <string.h>

#include "rsa-pss.h"
#include "veil-error.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize length);

/* The number's INTEGER, before @end, written backwards. Returns where it starts. */
static guint8 *
put_head (guint8 *end, guint8 tag, gsize length)
{
  if (length >= 0x100)
    {
      *--end = length & 0xff;
      *--end = length >> 8;
      *--end = 0x82;
    }
  else
    {
      *--end = length;
      if (length >= 0x80)
        *--end = 0x81;
    }
  *--end = tag;
  return end;
}

static guint8 *
put_integer (guint8 *end, const mpz_t number)
{
  gsize size = nettle_mpz_sizeinbase_256_s (number);

  nettle_mpz_get_str_256 (size, end - size, number);
  return put_head (end - size, 0x02, size);
}

/* The one way to write a key. */
static void
check_encoding (const struct rsa_public_key *key, const guint8 *data, gsize length)
{
  static const guint8 algorithm[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00 };
  guint8 buffer[4096];
  guint8 *end = buffer + sizeof buffer;
  guint8 *at;

  at = put_integer (end, key->e);
  at = put_integer (at, key->n);
  at = put_head (at, 0x30, end - at);
  *--at = 0;
  at = put_head (at, 0x03, end - at);
  at -= sizeof algorithm;
  memcpy (at, algorithm, sizeof algorithm);
  at = put_head (at, 0x30, end - at);
  g_assert_cmpmem (at, (gsize) (end - at), data, length);
}

/* PKCS#1 key, found by the other reader. */
static void
read_again (struct rsa_public_key *key, const guint8 *data, gsize length)
{
  struct asn1_der_iterator outer, inner, numbers;

  g_assert_cmpint (asn1_der_iterator_first (&outer, length, data), ==, ASN1_ITERATOR_CONSTRUCTED);
  g_assert_cmpint (asn1_der_decode_constructed (&outer, &inner), ==, ASN1_ITERATOR_CONSTRUCTED);
  g_assert_cmpint (asn1_der_iterator_next (&inner), ==, ASN1_ITERATOR_PRIMITIVE);
  g_assert_cmpint (asn1_der_decode_bitstring_last (&inner), ==, ASN1_ITERATOR_CONSTRUCTED);
  g_assert_cmpint (asn1_der_decode_constructed (&inner, &numbers), ==, ASN1_ITERATOR_PRIMITIVE);
  g_assert_true (asn1_der_get_bignum (&numbers, key->n, 0));
  g_assert_cmpint (asn1_der_iterator_next (&numbers), ==, ASN1_ITERATOR_PRIMITIVE);
  g_assert_true (asn1_der_get_bignum (&numbers, key->e, 0));
}

static void
check_accepted (VeilRsaKey *key, const guint8 *data, gsize length)
{
  struct rsa_public_key again;
  guint8 signature[8192 / 8];
  gsize bits;

  rsa_public_key_init (&again);
  read_again (&again, data, length);
  check_encoding (&again, data, length);
  bits = mpz_sizeinbase (again.n, 2);
  g_assert_cmpuint (bits, ==, veil_rsa_key_get_bits (key));
  g_assert_cmpuint (bits, >=, 2048);
  g_assert_cmpuint (bits, <=, 8192);
  g_assert_true (mpz_odd_p (again.n) && mpz_odd_p (again.e));
  g_assert_cmpint (mpz_cmp_ui (again.e, 3), >=, 0);
  rsa_public_key_clear (&again);

  /* Nothing of the key's own bytes is a signature. */
  for (gsize i = 0; i < sizeof signature; i++)
    signature[i] = data[i % length];
  g_assert_false (veil_rsa_key_verify_pss (key, data, length, signature, (bits + 7) / 8));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilRsaKey) key = veil_rsa_key_new_from_spki (data, length, &error);

  g_assert_true ((key == NULL) == (error != NULL));
  if (key == NULL)
    g_assert_error (error, VEIL_ERROR, VEIL_ERROR_SIGNING_KEY);
  else
    check_accepted (key, data, length);
  return 0;
}
