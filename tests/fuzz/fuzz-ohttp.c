/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Single responses and key configurations: what was not sealed for us never opens, what was sealed opens to what was meant, and no change of a
 * single bit goes unnoticed. */
#include <string.h>

#include "ohttp-private.h"
#include "veil-error.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize length);

static const guint8 enc[32] = { 0xe0, 1, 2 };
static const guint8 secret[32] = { 0x5e, 3, 4 };
static const guint8 other_secret[32] = { 0x5f, 3, 4 };

static void
assert_refused (VeilOhttpClient *client, const guint8 *sealed, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) opened = veil_ohttp_client_open (client, sealed, length, &error);

  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_SEAL);
  g_assert_null (opened);
}

/* The enclave's side. */
static guint8 *
seal (const guint8 *plaintext, gsize length, gsize *sealed_length)
{
  guint8 *sealed = g_malloc0 (32 + length + 16);
  VeilOhttpResponseKeys keys;

  memcpy (sealed, plaintext, MIN (length, 32)); /* the response nonce, any will do */
  veil_ohttp_derive_response_keys (enc, secret, sealed, &keys);
  veil_aead_seal (keys.key, keys.nonce, NULL, 0, plaintext, length, sealed + 32);
  *sealed_length = 32 + length + 16;
  return sealed;
}

static void
check_sealed (VeilOhttpClient *client, VeilOhttpClient *stranger, const guint8 *data, gsize length)
{
  gsize sealed_length, at;
  g_autofree guint8 *sealed = seal (data, length, &sealed_length);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) opened = veil_ohttp_client_open (client, sealed, sealed_length, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (opened, NULL), g_bytes_get_size (opened), data, length);
  assert_refused (stranger, sealed, sealed_length);
  assert_refused (client, sealed, sealed_length - 1);
  at = length > 1 ? (data[0] << 8 | data[1]) % sealed_length : 0;
  sealed[at] ^= 1 << (length > 2 ? data[2] % 8 : 0);
  assert_refused (client, sealed, sealed_length);
}

static void
check_config (const guint8 *data, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilOhttpClient) client = NULL;
  g_autoptr (GBytes) message = NULL;
  const guint8 *bytes;
  VeilOhttpKey key;

  if (!veil_ohttp_key_parse_config (&key, data, length, &error))
    {
      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_TEE_UNUSABLE);
      return;
    }
  g_assert_cmpuint ((length - 37) % 4, ==, 0);
  g_assert_cmpmem (key.public_key, 32, data + 3, 32);
  client = veil_ohttp_client_new (&key, &error);
  if (client == NULL)
    {
      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_TEE_UNUSABLE); /* a point of low order */
      return;
    }
  message = veil_ohttp_client_seal (client, data, length, length % 7);
  g_assert_cmpuint (g_bytes_get_size (message), ==, length + length % 7 + VEIL_OHTTP_OVERHEAD);
  bytes = g_bytes_get_data (message, NULL);
  g_assert_cmpmem (bytes, 7, ((const guint8[]){ data[0], 0, 0x20, 0, 1, 0, 3 }), 7);
  g_assert_cmpmem (bytes + 7, 32, veil_ohttp_client_get_enc (client), 32);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize length)
{
  g_autoptr (VeilOhttpClient) client = veil_ohttp_client_new_for_response (enc, secret, secret);
  g_autoptr (VeilOhttpClient) stranger = veil_ohttp_client_new_for_response (enc, other_secret, other_secret);

  assert_refused (client, data, length);
  check_sealed (client, stranger, data, length);
  check_config (data, length);
  return 0;
}
