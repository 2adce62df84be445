/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "ohttp.h"

#include <string.h>

#include "ohttp-private.h"
#include "secret.h"
#include "translate.h"
#include "veil-error.h"

#define REQUEST_LABEL "message/bhttp request"
#define RESPONSE_LABEL "message/bhttp response"
#define CHUNKED_LABEL "message/bhttp chunked response"

struct _VeilOhttpClient
{
  VeilHpkeSender *sender; /* owned; gone once the request is sealed */
  guint8 header[VEIL_OHTTP_HEADER_SIZE];
  guint8 enc[VEIL_HPKE_ENC_SIZE];
  guint8 response_secret[VEIL_OHTTP_SECRET_SIZE];
  guint8 chunked_secret[VEIL_OHTTP_SECRET_SIZE];
};

static guint16
read_u16 (const guint8 *bytes)
{
  return bytes[0] << 8 | bytes[1];
}

static void
write_u16 (guint8 *bytes, guint16 value)
{
  bytes[0] = value >> 8;
  bytes[1] = value & 0xff;
}

static gboolean
refuse_config (GError **error)
{
  g_set_error_literal (
      error, VEIL_ERROR, VEIL_ERROR_TEE_UNUSABLE,
      _ ("The enclave's OHTTP key configuration is malformed or offers no suite that Veil speaks; choose another enclave"));
  return FALSE;
}

gboolean
veil_ohttp_key_parse_config (VeilOhttpKey *key, const guint8 *config, gsize length, GError **error)
{
  const gsize fixed = 1 + 2 + VEIL_HPKE_PUBLIC_KEY_SIZE + 2;
  gboolean offered = FALSE;
  gsize suites;

  if (length < fixed || read_u16 (config + 1) != VEIL_HPKE_KEM_ID)
    return refuse_config (error);
  suites = read_u16 (config + fixed - 2);
  if (suites != length - fixed || suites % 4 != 0)
    return refuse_config (error);
  for (gsize at = fixed; at < length; at += 4)
    offered |= read_u16 (config + at) == VEIL_HPKE_KDF_ID && read_u16 (config + at + 2) == VEIL_HPKE_AEAD_ID;
  if (!offered)
    return refuse_config (error);

  key->key_id = config[0];
  key->kem_id = VEIL_HPKE_KEM_ID;
  key->kdf_id = VEIL_HPKE_KDF_ID;
  key->aead_id = VEIL_HPKE_AEAD_ID;
  memcpy (key->public_key, config + 3, VEIL_HPKE_PUBLIC_KEY_SIZE);
  return TRUE;
}

static void export(VeilHpkeSender *sender, const char *label, guint8 out[static VEIL_OHTTP_SECRET_SIZE])
{
  veil_hpke_sender_export (sender, (const guint8 *) label, strlen (label), out, VEIL_OHTTP_SECRET_SIZE);
}

static VeilOhttpClient *
client_new (const VeilOhttpKey *key, const guint8 *ephemeral, GError **error)
{
  g_autoptr (VeilOhttpClient) self = g_new0 (VeilOhttpClient, 1);
  guint8 info[sizeof REQUEST_LABEL + VEIL_OHTTP_HEADER_SIZE] = REQUEST_LABEL; /* the terminating 0 is part of it */

  if (key->kem_id != VEIL_HPKE_KEM_ID || key->kdf_id != VEIL_HPKE_KDF_ID || key->aead_id != VEIL_HPKE_AEAD_ID)
    {
      g_set_error (
          error, VEIL_ERROR, VEIL_ERROR_TEE_UNUSABLE,
          _ ("The enclave wants an encryption suite that Veil does not speak (kem 0x%04x, kdf 0x%04x, aead 0x%04x); choose "
             "another enclave"),
          key->kem_id, key->kdf_id, key->aead_id);
      return NULL;
    }
  self->header[0] = key->key_id;
  write_u16 (self->header + 1, key->kem_id);
  write_u16 (self->header + 3, key->kdf_id);
  write_u16 (self->header + 5, key->aead_id);
  memcpy (info + sizeof REQUEST_LABEL, self->header, sizeof self->header);

  self->sender = ephemeral != NULL ? veil_hpke_sender_new_with_ephemeral (key->public_key, ephemeral, info, sizeof info, error)
                                   : veil_hpke_sender_new (key->public_key, info, sizeof info, error);
  if (self->sender == NULL)
    return NULL;
  memcpy (self->enc, veil_hpke_sender_get_enc (self->sender), sizeof self->enc);
  export(self->sender, RESPONSE_LABEL, self->response_secret);
  export(self->sender, CHUNKED_LABEL, self->chunked_secret);
  return g_steal_pointer (&self);
}

VeilOhttpClient *
veil_ohttp_client_new (const VeilOhttpKey *key, GError **error)
{
  return client_new (key, NULL, error);
}

VeilOhttpClient *
veil_ohttp_client_new_with_ephemeral (const VeilOhttpKey *key, const guint8 ephemeral[static 32], GError **error)
{
  return client_new (key, ephemeral, error);
}

VeilOhttpClient *
veil_ohttp_client_new_for_response (const guint8 enc[static 32], const guint8 response_secret[static 32],
                                    const guint8 chunked_secret[static 32])
{
  VeilOhttpClient *self = g_new0 (VeilOhttpClient, 1);

  memcpy (self->enc, enc, sizeof self->enc);
  memcpy (self->response_secret, response_secret, sizeof self->response_secret);
  memcpy (self->chunked_secret, chunked_secret, sizeof self->chunked_secret);
  return self;
}

void
veil_ohttp_client_free (VeilOhttpClient *self)
{
  if (self == NULL)
    return;
  veil_hpke_sender_free (self->sender);
  veil_secret_wipe (self, sizeof *self);
  g_free (self);
}

GBytes *
veil_ohttp_client_seal (VeilOhttpClient *self, const guint8 *plaintext, gsize length, gsize padding)
{
  const gsize prefix = VEIL_OHTTP_HEADER_SIZE + VEIL_HPKE_ENC_SIZE;
  g_autofree guint8 *message = NULL;
  gsize size;

  g_return_val_if_fail (self->sender != NULL, NULL); /* a second message under the same response secrets */
  g_return_val_if_fail (g_size_checked_add (&size, length, padding) && size <= G_MAXSIZE - VEIL_OHTTP_OVERHEAD, NULL);

  message = g_malloc (size + VEIL_OHTTP_OVERHEAD);
  memcpy (message, self->header, VEIL_OHTTP_HEADER_SIZE);
  memcpy (message + VEIL_OHTTP_HEADER_SIZE, self->enc, VEIL_HPKE_ENC_SIZE);
  if (length > 0)
    memcpy (message + prefix, plaintext, length);
  memset (message + prefix + length, ' ', padding);
  veil_hpke_sender_seal (self->sender, NULL, 0, message + prefix, size, message + prefix);
  g_clear_pointer (&self->sender, veil_hpke_sender_free);
  return g_bytes_new_take (g_steal_pointer (&message), size + VEIL_OHTTP_OVERHEAD);
}

void
veil_ohttp_derive_response_keys (const guint8 enc[static VEIL_HPKE_ENC_SIZE], const guint8 secret[static VEIL_OHTTP_SECRET_SIZE],
                                 const guint8 response_nonce[static VEIL_OHTTP_RESPONSE_NONCE_SIZE], VeilOhttpResponseKeys *keys)
{
  guint8 salt[VEIL_HPKE_ENC_SIZE + VEIL_OHTTP_RESPONSE_NONCE_SIZE];
  guint8 prk[32];

  memcpy (salt, enc, VEIL_HPKE_ENC_SIZE);
  memcpy (salt + VEIL_HPKE_ENC_SIZE, response_nonce, VEIL_OHTTP_RESPONSE_NONCE_SIZE);
  veil_hkdf_sha256_extract (salt, sizeof salt, secret, VEIL_OHTTP_SECRET_SIZE, prk);
  veil_hkdf_sha256_expand (prk, (const guint8 *) "key", strlen ("key"), keys->key, sizeof keys->key);
  veil_hkdf_sha256_expand (prk, (const guint8 *) "nonce", strlen ("nonce"), keys->nonce, sizeof keys->nonce);
  veil_secret_wipe (prk, sizeof prk);
}

GBytes *
veil_ohttp_client_open (VeilOhttpClient *self, const guint8 *sealed, gsize length, GError **error)
{
  const gsize overhead = VEIL_OHTTP_RESPONSE_NONCE_SIZE + VEIL_HPKE_TAG_SIZE;
  VeilOhttpResponseKeys keys;
  g_autofree guint8 *plaintext = NULL;
  gboolean genuine;

  if (length < overhead)
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_SEAL,
                   _ ("The sealed answer is only %zu bytes long, which is too short to be one; try again"), length);
      return NULL;
    }
  plaintext = g_malloc (MAX (length - overhead, 1));
  veil_ohttp_derive_response_keys (self->enc, self->response_secret, sealed, &keys);
  genuine = veil_aead_open (keys.key, keys.nonce, NULL, 0, sealed + VEIL_OHTTP_RESPONSE_NONCE_SIZE,
                            length - VEIL_OHTTP_RESPONSE_NONCE_SIZE, plaintext);
  veil_secret_wipe (&keys, sizeof keys);
  if (!genuine)
    {
      g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_SEAL,
                           _ ("The seal of the answer does not open: it was altered, cut or meant for somebody else; try again"));
      return NULL;
    }
  return veil_secret_bytes_new_take (g_steal_pointer (&plaintext), length - overhead);
}

const guint8 *
veil_ohttp_client_get_enc (VeilOhttpClient *self)
{
  return self->enc;
}

const guint8 *
veil_ohttp_client_get_response_secret (VeilOhttpClient *self)
{
  return self->response_secret;
}

const guint8 *
veil_ohttp_client_get_chunked_secret (VeilOhttpClient *self)
{
  return self->chunked_secret;
}
