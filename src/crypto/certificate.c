/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "certificate.h"

#include "translate.h"
#include "veil-error.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <string.h>

#define MAX_EXTENSIONS 32
#define OID_BASIC_CONSTRAINTS "2.5.29.19"
#define OID_KEY_USAGE "2.5.29.15"

struct _VeilCertificate
{
  gnutls_x509_crt_t crt; /* owned */
  gnutls_pubkey_t key;   /* owned */
  char *name;            /* owned */
  guint8 fingerprint[32];
  guint ca;         /* 1 if basicConstraints says so */
  gboolean limited; /* there are basicConstraints, and they are critical */
  gint path_length; /* -1 is any */
  guint usage;      /* bits of GNUTLS_KEY_*, 0 if there is no keyUsage */
};

static gboolean G_GNUC_PRINTF (3, 4) refuse (GError **error, VeilError code, const char *format, ...)
{
  g_autofree char *reason = NULL;
  va_list args;

  va_start (args, format);
  reason = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, VEIL_ERROR, code, _ ("The attestation document cannot be trusted: %s"), reason);
  return FALSE;
}

/* GnuTLS reads what it was given; that this is the one way to write it is seen when it is written again. */
static gboolean
import (VeilCertificate *self, const guint8 *der, gsize length)
{
  gnutls_datum_t input = { (guint8 *) der, length }; /* only read */
  gnutls_datum_t output = { NULL, 0 };
  gboolean same;

  if (length > G_MAXUINT || gnutls_x509_crt_import (self->crt, &input, GNUTLS_X509_FMT_DER) < 0 ||
      gnutls_x509_crt_export2 (self->crt, GNUTLS_X509_FMT_DER, &output) < 0)
    return FALSE;
  same = output.size == length && memcmp (output.data, der, length) == 0;
  gnutls_free (output.data);
  return same && gnutls_pubkey_import_x509 (self->key, self->crt, 0) >= 0 &&
         gnutls_hash_fast (GNUTLS_DIG_SHA256, der, length, self->fingerprint) >= 0;
}

static gboolean
check_kind (VeilCertificate *self, GError **error)
{
  gnutls_ecc_curve_t curve;

  if (gnutls_x509_crt_get_version (self->crt) != 3)
    /* TRANSLATORS: here and below, %s is "the enclave's certificate" or "certificate 2 of its chain" */
    return refuse (error, VEIL_ERROR_ATTEST_CERTIFICATE, _ ("%s is not of version 3"), self->name);
  if (gnutls_x509_crt_get_signature_algorithm (self->crt) != GNUTLS_SIGN_ECDSA_SHA384)
    return refuse (error, VEIL_ERROR_ATTEST_CERTIFICATE, _ ("%s is not signed with ECDSA and SHA-384"), self->name);
  if (gnutls_pubkey_get_pk_algorithm (self->key, NULL) != GNUTLS_PK_ECDSA ||
      gnutls_pubkey_export_ecc_raw2 (self->key, &curve, NULL, NULL, 0) < 0 || curve != GNUTLS_ECC_CURVE_SECP384R1)
    return refuse (error, VEIL_ERROR_ATTEST_CERTIFICATE, _ ("%s does not hold a P-384 key"), self->name);
  return TRUE;
}

static gboolean
read_extensions (VeilCertificate *self, GError **error)
{
  guint critical, i;
  int result;

  for (i = 0; i <= MAX_EXTENSIONS; i++)
    {
      char oid[128];
      gsize size = sizeof oid;

      result = gnutls_x509_crt_get_extension_info (self->crt, i, oid, &size, &critical);
      if (result == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        break;
      if (result < 0 || i == MAX_EXTENSIONS)
        return refuse (error, VEIL_ERROR_ATTEST_CERTIFICATE, _ ("%s has extensions that cannot be read"), self->name);
      if (critical != 0 && strcmp (oid, OID_BASIC_CONSTRAINTS) != 0 && strcmp (oid, OID_KEY_USAGE) != 0)
        return refuse (error, VEIL_ERROR_ATTEST_CERTIFICATE, _ ("%s has a critical extension that is not known here"), self->name);
    }
  result = gnutls_x509_crt_get_basic_constraints (self->crt, &critical, &self->ca, &self->path_length);
  if (result < 0 && result != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
    return refuse (error, VEIL_ERROR_ATTEST_CERTIFICATE, _ ("%s has basicConstraints that cannot be read"), self->name);
  self->limited = result >= 0 && critical != 0;
  if (result < 0)
    self->ca = 0;
  result = gnutls_x509_crt_get_key_usage (self->crt, &self->usage, &critical);
  if (result < 0 && result != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
    return refuse (error, VEIL_ERROR_ATTEST_CERTIFICATE, _ ("%s has a keyUsage that cannot be read"), self->name);
  if (result < 0)
    self->usage = 0;
  return TRUE;
}

VeilCertificate *
veil_certificate_new (const guint8 *der, gsize length, const char *name, GError **error)
{
  g_autoptr (VeilCertificate) self = g_new0 (VeilCertificate, 1);

  self->name = g_strdup (name);
  self->path_length = -1;
  if (gnutls_x509_crt_init (&self->crt) < 0 || gnutls_pubkey_init (&self->key) < 0)
    g_error ("out of memory");
  if (!import (self, der, length))
    {
      refuse (error, VEIL_ERROR_ATTEST_CERTIFICATE, _ ("%s is not an X.509 certificate in DER"), self->name);
      return NULL;
    }
  if (!check_kind (self, error) || !read_extensions (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
veil_certificate_free (VeilCertificate *self)
{
  if (self->crt != NULL)
    gnutls_x509_crt_deinit (self->crt);
  if (self->key != NULL)
    gnutls_pubkey_deinit (self->key);
  g_free (self->name);
  g_free (self);
}

/* @below: how many CA certificates stand between this one and the last. */
static gboolean
check_issuer_role (const VeilCertificate *self, guint below, GError **error)
{
  if (!self->limited || self->ca == 0)
    return refuse (error, VEIL_ERROR_ATTEST_CERTIFICATE, _ ("%s is no CA and yet issued another one"), self->name);
  if ((self->usage & GNUTLS_KEY_KEY_CERT_SIGN) == 0)
    return refuse (error, VEIL_ERROR_ATTEST_CERTIFICATE, _ ("%s may not sign certificates and yet did"), self->name);
  if (self->path_length >= 0 && below > (guint) self->path_length)
    return refuse (error, VEIL_ERROR_ATTEST_CERTIFICATE, _ ("%s allows a shorter chain than this"), self->name);
  return TRUE;
}

static gboolean
check_signer_role (const VeilCertificate *self, GError **error)
{
  if (self->ca != 0)
    return refuse (error, VEIL_ERROR_ATTEST_CERTIFICATE, _ ("%s is a CA and may not sign documents"), self->name);
  if ((self->usage & GNUTLS_KEY_DIGITAL_SIGNATURE) == 0)
    return refuse (error, VEIL_ERROR_ATTEST_CERTIFICATE, _ ("%s may not sign documents"), self->name);
  return TRUE;
}

/* Is @issuer's subject what @self calls its issuer? */
static gboolean
names_match (const VeilCertificate *self, const VeilCertificate *issuer)
{
  gnutls_datum_t claimed = { NULL, 0 }, own = { NULL, 0 };
  gboolean match = gnutls_x509_crt_get_raw_issuer_dn (self->crt, &claimed) >= 0 &&
                   gnutls_x509_crt_get_raw_dn (issuer->crt, &own) >= 0 && claimed.size > 0 && claimed.size == own.size &&
                   memcmp (claimed.data, own.data, own.size) == 0;

  gnutls_free (claimed.data);
  gnutls_free (own.data);
  return match;
}

static gboolean
check_names (const VeilCertificate *self, const VeilCertificate *issuer, GError **error)
{
  if (!names_match (self, issuer))
    return refuse (error, VEIL_ERROR_ATTEST_CHAIN, _ ("%s names another issuer than the one before it"), self->name);
  if (names_match (self, self))
    return refuse (error, VEIL_ERROR_ATTEST_CHAIN, _ ("%s is its own issuer"), self->name);
  return TRUE;
}

/* Validity is looked at elsewhere: GnuTLS knows only the present. */
static gboolean
check_signed (const VeilCertificate *self, const VeilCertificate *issuer, GError **error)
{
  guint flags = GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS | GNUTLS_VERIFY_DO_NOT_ALLOW_SAME;
  guint status = GNUTLS_CERT_INVALID;

  if (gnutls_x509_crt_verify (self->crt, &issuer->crt, 1, flags, &status) < 0 || status != 0)
    return refuse (error, VEIL_ERROR_ATTEST_CHAIN, _ ("%s is not signed by the one before it"), self->name);
  return TRUE;
}

static gboolean
check_validity (const VeilCertificate *self, gint64 at, GError **error)
{
  time_t from = gnutls_x509_crt_get_activation_time (self->crt);
  time_t until = gnutls_x509_crt_get_expiration_time (self->crt);

  if (from == (time_t) -1 || until == (time_t) -1)
    return refuse (error, VEIL_ERROR_ATTEST_CERTIFICATE, _ ("%s has a validity period that cannot be read"), self->name);
  if (at < (gint64) from)
    return refuse (error, VEIL_ERROR_ATTEST_VALIDITY, _ ("%s was not valid yet at that time; check this machine's clock"),
                   self->name);
  if (at > (gint64) until)
    return refuse (error, VEIL_ERROR_ATTEST_VALIDITY, _ ("%s had expired at that time; ask the enclave for a new document"),
                   self->name);
  return TRUE;
}

static gboolean
check_roles (const VeilCertificate *const *list, guint length, GError **error)
{
  for (guint i = 0; i + 1 < length; i++)
    if (!check_issuer_role (list[i], length - 2 - i, error))
      return FALSE;
  return check_signer_role (list[length - 1], error);
}

gboolean
veil_certificate_check_chain (GPtrArray *chain, const guint8 root[static 32], gint64 at, GError **error)
{
  const VeilCertificate *const *list = (const VeilCertificate *const *) (gpointer) chain->pdata;

  g_return_val_if_fail (chain->len >= 2, FALSE);
  if (memcmp (list[0]->fingerprint, root, 32) != 0)
    return refuse (error, VEIL_ERROR_ATTEST_ROOT, _ ("%s is not the trusted root"), list[0]->name);
  for (guint i = 1; i < chain->len; i++)
    if (!check_names (list[i], list[i - 1], error))
      return FALSE;
  if (!check_roles (list, chain->len, error))
    return FALSE;
  for (guint i = 1; i < chain->len; i++)
    if (!check_signed (list[i], list[i - 1], error))
      return FALSE;
  for (guint i = 0; i < chain->len; i++)
    if (!check_validity (list[i], at, error))
      return FALSE;
  return TRUE;
}

gboolean
veil_certificate_verify_es384 (const VeilCertificate *self, GBytes *message,
                               const guint8 signature[static VEIL_ES384_SIGNATURE_SIZE])
{
  guint8 numbers[2][1 + VEIL_ES384_SIGNATURE_SIZE / 2] = { { 0 } }; /* positive: a zero byte in front */
  gnutls_datum_t r = { numbers[0], sizeof numbers[0] };
  gnutls_datum_t s = { numbers[1], sizeof numbers[1] };
  gnutls_datum_t data = { (guint8 *) g_bytes_get_data (message, NULL), g_bytes_get_size (message) };
  gnutls_datum_t encoded = { NULL, 0 };
  gboolean valid;

  memcpy (numbers[0] + 1, signature, VEIL_ES384_SIGNATURE_SIZE / 2);
  memcpy (numbers[1] + 1, signature + VEIL_ES384_SIGNATURE_SIZE / 2, VEIL_ES384_SIGNATURE_SIZE / 2);
  if (gnutls_encode_rs_value (&encoded, &r, &s) < 0)
    return FALSE;
  valid = gnutls_pubkey_verify_data2 (self->key, GNUTLS_SIGN_ECDSA_SHA384, 0, &data, &encoded) >= 0;
  gnutls_free (encoded.data);
  return valid;
}
