/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "hardware.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <string.h>

#include "hex.h"

#define ROOT_NAME "CN=sandbox.nitro-enclaves,OU=Sandbox,O=Veil"
#define ISSUER_NAME "CN=instance.sandbox.nitro-enclaves,OU=Sandbox,O=Veil"
#define ENCLAVE_NAME "CN=enclave.sandbox.nitro-enclaves,OU=Sandbox,O=Veil"
#define DAY (24 * 3600)
#define PCR_SIZE 48
#define N_PCRS 16

/* A key and its certificate. */
typedef struct
{
  gnutls_x509_privkey_t key;
  gnutls_x509_crt_t crt;
} Certified;

struct _VeilSandboxHardware
{
  Certified root;
  Certified issuer;
};

static void
must (int result, const char *what)
{
  if (result < 0)
    g_error ("the sandbox could not %s: %s", what, gnutls_strerror (result));
}

static void
certified_clear (Certified *self)
{
  gnutls_x509_crt_deinit (self->crt);
  gnutls_x509_privkey_deinit (self->key);
}

/* @path_length: how many CAs may follow; -1 for one that is none. */
static void
certified_init (Certified *self, const char *name, const Certified *issuer, int path_length, gint64 from, gint64 until)
{
  guint usage = path_length < 0 ? GNUTLS_KEY_DIGITAL_SIGNATURE : GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN;
  guint8 serial[16];

  must (gnutls_rnd (GNUTLS_RND_NONCE, serial, sizeof serial), "get random numbers");
  serial[0] = (serial[0] & 0x7f) | 0x40; /* positive, and of full length */
  must (gnutls_x509_privkey_init (&self->key), "make a key");
  must (gnutls_x509_privkey_generate (self->key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_SECP384R1), 0),
        "make a key");
  must (gnutls_x509_crt_init (&self->crt), "make a certificate");
  must (gnutls_x509_crt_set_version (self->crt, 3), "make a certificate");
  must (gnutls_x509_crt_set_serial (self->crt, serial, sizeof serial), "make a certificate");
  must (gnutls_x509_crt_set_dn (self->crt, name, NULL), "name a certificate");
  must (gnutls_x509_crt_set_key (self->crt, self->key), "make a certificate");
  must (gnutls_x509_crt_set_activation_time (self->crt, (time_t) from), "date a certificate");
  must (gnutls_x509_crt_set_expiration_time (self->crt, (time_t) until), "date a certificate");
  must (gnutls_x509_crt_set_basic_constraints (self->crt, path_length >= 0, path_length), "make a certificate");
  must (gnutls_x509_crt_set_key_usage (self->crt, usage), "make a certificate");
  if (issuer == NULL)
    issuer = self;
  must (gnutls_x509_crt_sign2 (self->crt, issuer->crt, issuer->key, GNUTLS_DIG_SHA384, 0), "sign a certificate");
}

VeilSandboxHardware *
veil_sandbox_hardware_new (void)
{
  VeilSandboxHardware *self = g_new0 (VeilSandboxHardware, 1);
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;

  certified_init (&self->root, ROOT_NAME, NULL, 1, now - DAY, now + 1000 * DAY);
  certified_init (&self->issuer, ISSUER_NAME, &self->root, 0, now - DAY, now + 1000 * DAY);
  return self;
}

void
veil_sandbox_hardware_free (VeilSandboxHardware *self)
{
  certified_clear (&self->root);
  certified_clear (&self->issuer);
  g_free (self);
}

char *
veil_sandbox_hardware_get_root (VeilSandboxHardware *self)
{
  guint8 digest[32];
  gsize size = sizeof digest;

  must (gnutls_x509_crt_get_fingerprint (self->root.crt, GNUTLS_DIG_SHA256, digest, &size), "hash a certificate");
  return veil_hex_encode_0x (digest, sizeof digest);
}

/* CBOR, as much of it as there is here. */

static void
put_head (GByteArray *out, guint major, guint64 number)
{
  guint8 head[9] = { (guint8) (major << 5) };
  guint size = number < 24 ? 0 : number < 1 << 8 ? 1 : number < 1 << 16 ? 2 : 8;

  head[0] |= size == 0 ? (guint8) number : size == 1 ? 24 : size == 2 ? 25 : 27;
  for (guint i = 0; i < size; i++)
    head[size - i] = (guint8) (number >> (8 * i));
  g_byte_array_append (out, head, 1 + size);
}

static void
put_bytes (GByteArray *out, const guint8 *data, gsize length)
{
  put_head (out, 2, length);
  g_byte_array_append (out, data, (guint) length);
}

static void
put_text (GByteArray *out, const char *text)
{
  put_head (out, 3, strlen (text));
  g_byte_array_append (out, (const guint8 *) text, (guint) strlen (text));
}

static void
put_certificate (GByteArray *out, gnutls_x509_crt_t crt)
{
  gnutls_datum_t der = { NULL, 0 };

  must (gnutls_x509_crt_export2 (crt, GNUTLS_X509_FMT_DER, &der), "write a certificate");
  put_bytes (out, der.data, der.size);
  gnutls_free (der.data);
}

static void
put_pcrs (GByteArray *out, const guint8 *pcrs)
{
  static const guint8 zeros[PCR_SIZE];

  put_head (out, 5, N_PCRS);
  for (guint i = 0; i < N_PCRS; i++)
    {
      put_head (out, 0, i);
      put_bytes (out, i < 3 ? pcrs + i * PCR_SIZE : zeros, PCR_SIZE);
    }
}

/* The outermost map is of indefinite length, as Nitro writes it. */
static GByteArray *
make_payload (VeilSandboxHardware *self, const Certified *enclave, const VeilSandboxClaims *claims)
{
  static const guint8 begin = 0xbf, end = 0xff;
  GByteArray *out = g_byte_array_append (g_byte_array_new (), &begin, 1);

  put_text (out, "module_id");
  put_text (out, claims->module_id);
  put_text (out, "digest");
  put_text (out, "SHA384");
  put_text (out, "timestamp");
  put_head (out, 0, (guint64) claims->made * 1000);
  put_text (out, "pcrs");
  put_pcrs (out, claims->pcrs);
  put_text (out, "certificate");
  put_certificate (out, enclave->crt);
  put_text (out, "cabundle");
  put_head (out, 4, 2);
  put_certificate (out, self->root.crt);
  put_certificate (out, self->issuer.crt);
  if (claims->user_data_length > 0)
    {
      put_text (out, "user_data");
      put_bytes (out, claims->user_data, claims->user_data_length);
    }
  if (claims->nonce_length > 0)
    {
      put_text (out, "nonce");
      put_bytes (out, claims->nonce, claims->nonce_length);
    }
  return g_byte_array_append (out, &end, 1);
}

/* The last 48 bytes of a number that may have a zero byte in front, or fewer bytes. */
static void
copy_number (guint8 out[static 48], const gnutls_datum_t *number)
{
  gsize size = MIN (number->size, 48);

  memset (out, 0, 48);
  memcpy (out + 48 - size, number->data + number->size - size, size);
}

static void
sign (const Certified *enclave, const GByteArray *message, guint8 signature[static 96])
{
  gnutls_datum_t data = { message->data, message->len };
  gnutls_datum_t der = { NULL, 0 }, r = { NULL, 0 }, s = { NULL, 0 };
  gnutls_privkey_t key;

  must (gnutls_privkey_init (&key), "sign a document");
  must (gnutls_privkey_import_x509 (key, enclave->key, 0), "sign a document");
  must (gnutls_privkey_sign_data2 (key, GNUTLS_SIGN_ECDSA_SHA384, 0, &data, &der), "sign a document");
  must (gnutls_decode_rs_value (&der, &r, &s), "sign a document");
  copy_number (signature, &r);
  copy_number (signature + 48, &s);
  gnutls_free (der.data);
  gnutls_free (r.data);
  gnutls_free (s.data);
  gnutls_privkey_deinit (key);
}

char *
veil_sandbox_hardware_attest (VeilSandboxHardware *self, const VeilSandboxClaims *claims)
{
  static const guint8 header[] = { 0xa1, 0x01, 0x38, 0x22 }; /* ES384 */
  g_autoptr (GByteArray) payload = NULL;
  g_autoptr (GByteArray) message = g_byte_array_new ();
  g_autoptr (GByteArray) document = g_byte_array_new ();
  gint64 shift = claims->expired ? DAY / 2 : 0;
  guint8 signature[96];
  Certified enclave;

  certified_init (&enclave, ENCLAVE_NAME, &self->issuer, -1, claims->made - 60 - shift, claims->made + 3 * 3600 - shift);
  payload = make_payload (self, &enclave, claims);
  put_head (message, 4, 4);
  put_text (message, "Signature1");
  put_bytes (message, header, sizeof header);
  put_bytes (message, header, 0);
  put_bytes (message, payload->data, payload->len);
  sign (&enclave, message, signature);
  certified_clear (&enclave);
  if (claims->bad_signature)
    signature[95] ^= 1;

  put_head (document, 4, 4);
  put_bytes (document, header, sizeof header);
  put_head (document, 5, 0);
  put_bytes (document, payload->data, payload->len);
  put_bytes (document, signature, sizeof signature);
  return g_base64_encode (document->data, document->len);
}
