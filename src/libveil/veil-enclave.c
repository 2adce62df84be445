/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "veil-enclave.h"

#include "readable.h"
#include "translate.h"
#include "veil-error.h"
#include "wrap.h"

#include <string.h>

struct _VeilEnclave
{
  GObject parent;

  VeilTee *tee;         /* owned */
  GBytes *hpke_key;     /* owned; NULL if it cannot be used */
  GBytes *sandbox_root; /* owned; what its attestation documents are signed under, NULL but for the sandbox */
  gboolean sandbox;
};

G_DEFINE_FINAL_TYPE (VeilEnclave, veil_enclave, G_TYPE_OBJECT)

gboolean
veil_enclave_is_made (VeilEnclave *self)
{
  return VEIL_IS_ENCLAVE (self) && self->tee != NULL;
}

static const VeilReadable readable[] = {
  { "id", VEIL_READABLE_STRING, G_CALLBACK (veil_enclave_get_id) },
  { "endpoint", VEIL_READABLE_STRING, G_CALLBACK (veil_enclave_get_endpoint) },
  { "pcr-hash", VEIL_READABLE_STRING, G_CALLBACK (veil_enclave_get_pcr_hash) },
  { "tee-type", VEIL_READABLE_UINT, G_CALLBACK (veil_enclave_get_tee_type) },
  { "enabled", VEIL_READABLE_BOOLEAN, G_CALLBACK (veil_enclave_get_enabled) },
  { "registered-at", VEIL_READABLE_INT64, G_CALLBACK (veil_enclave_get_registered_at) },
  { "last-heartbeat-at", VEIL_READABLE_INT64, G_CALLBACK (veil_enclave_get_last_heartbeat_at) },
  { "signing-key", VEIL_READABLE_BYTES, G_CALLBACK (veil_enclave_get_signing_key) },
  { "tls-certificate", VEIL_READABLE_BYTES, G_CALLBACK (veil_enclave_get_tls_certificate) },
  { "hpke-key", VEIL_READABLE_BYTES, G_CALLBACK (veil_enclave_get_hpke_key) },
  { "sandbox", VEIL_READABLE_BOOLEAN, G_CALLBACK (veil_enclave_get_sandbox) },
  { "unusable-reason", VEIL_READABLE_STRING, G_CALLBACK (veil_enclave_get_unusable_reason) },
  { NULL },
};

static void
veil_enclave_finalize (GObject *object)
{
  VeilEnclave *self = VEIL_ENCLAVE (object);

  g_clear_pointer (&self->tee, veil_tee_unref);
  g_clear_pointer (&self->hpke_key, g_bytes_unref);
  g_clear_pointer (&self->sandbox_root, g_bytes_unref);
  G_OBJECT_CLASS (veil_enclave_parent_class)->finalize (object);
}

static void
veil_enclave_class_init (VeilEnclaveClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_enclave_finalize;
  veil_readable_install (G_OBJECT_CLASS (klass), readable);
}

static void
veil_enclave_init (VeilEnclave *self)
{
}

/* For what GI knows as signed; later times than any clock shows are the same to everybody. */
static gint64
to_time (guint64 seconds)
{
  return seconds > G_MAXINT64 ? G_MAXINT64 : (gint64) seconds;
}

VeilEnclave *
veil_enclave_new_for_tee (VeilTee *tee, gboolean sandbox, GBytes *sandbox_root)
{
  VeilEnclave *self = g_object_new (VEIL_TYPE_ENCLAVE, NULL);

  self->tee = veil_tee_ref (tee);
  self->sandbox = sandbox;
  self->sandbox_root = sandbox_root != NULL ? g_bytes_ref (sandbox_root) : NULL;
  if (tee->unusable == NULL)
    self->hpke_key = g_bytes_new (tee->ohttp_key.public_key, sizeof tee->ohttp_key.public_key);
  return self;
}

VeilTee *
veil_enclave_get_tee (VeilEnclave *self)
{
  return self->tee;
}

GBytes *
veil_enclave_get_sandbox_root (VeilEnclave *self)
{
  return self->sandbox_root;
}

static gboolean
set_ohttp_config (VeilTee *tee, GBytes *config)
{
  VeilOhttpKey key = { 0 };
  const guint8 *data;
  gsize length;

  data = g_bytes_get_data (config, &length);
  if (!veil_ohttp_key_parse_config (&key, data, length, NULL))
    return FALSE;
  veil_tee_set_ohttp_key (tee, &key, key.public_key, sizeof key.public_key, data, length);
  return TRUE;
}

VeilEnclave *
veil_enclave_new (const char *endpoint, const char *pcr_hash, GBytes *signing_key, GBytes *tls_certificate, GBytes *ohttp_config,
                  GError **error)
{
  g_autoptr (VeilTee) tee = NULL;
  g_autoptr (VeilRsaKey) key = NULL;
  g_autofree char *hash = NULL;
  const guint8 *data;
  gsize length;

  g_return_val_if_fail (endpoint != NULL && pcr_hash != NULL && signing_key != NULL, NULL);
  hash = veil_wrap_normalize_hex (pcr_hash, 32, _ ("The PCR hash"), error);
  if (hash == NULL)
    return NULL;
  data = g_bytes_get_data (signing_key, &length);
  key = veil_rsa_key_new_from_spki (data, length, error);
  if (key == NULL)
    return NULL;
  tee = veil_tee_new ();
  tee->pcr_hash = g_steal_pointer (&hash);
  tee->enabled = TRUE;
  veil_tee_set_signing_key (tee, data, length);
  veil_tee_set_endpoint (tee, (const guint8 *) endpoint, strlen (endpoint));
  data = tls_certificate != NULL ? g_bytes_get_data (tls_certificate, &length) : NULL;
  veil_tee_set_tls_certificate (tee, data, data != NULL ? length : 0);
  if (ohttp_config == NULL || !set_ohttp_config (tee, ohttp_config))
    veil_tee_set_unusable (tee, _ ("there is no HPKE key of the one suite that is supported"));
  return veil_enclave_new_for_tee (tee, FALSE, NULL);
}

gboolean
veil_enclave_same_keys (VeilEnclave *self, VeilEnclave *other)
{
  g_return_val_if_fail (veil_enclave_is_made (self) && veil_enclave_is_made (other), FALSE);
  return veil_tee_same_keys (self->tee, other->tee);
}

const char *
veil_enclave_get_id (VeilEnclave *self)
{
  g_return_val_if_fail (veil_enclave_is_made (self), NULL);
  return self->tee->id;
}

const char *
veil_enclave_get_endpoint (VeilEnclave *self)
{
  g_return_val_if_fail (veil_enclave_is_made (self), NULL);
  return self->tee->endpoint;
}

const char *
veil_enclave_get_pcr_hash (VeilEnclave *self)
{
  g_return_val_if_fail (veil_enclave_is_made (self), NULL);
  return self->tee->pcr_hash;
}

guint
veil_enclave_get_tee_type (VeilEnclave *self)
{
  g_return_val_if_fail (veil_enclave_is_made (self), 0);
  return self->tee->tee_type;
}

gboolean
veil_enclave_get_enabled (VeilEnclave *self)
{
  g_return_val_if_fail (veil_enclave_is_made (self), FALSE);
  return self->tee->enabled;
}

gint64
veil_enclave_get_registered_at (VeilEnclave *self)
{
  g_return_val_if_fail (veil_enclave_is_made (self), 0);
  return to_time (self->tee->registered_at);
}

gint64
veil_enclave_get_last_heartbeat_at (VeilEnclave *self)
{
  g_return_val_if_fail (veil_enclave_is_made (self), 0);
  return to_time (self->tee->last_heartbeat_at);
}

GBytes *
veil_enclave_get_signing_key (VeilEnclave *self)
{
  g_return_val_if_fail (veil_enclave_is_made (self), NULL);
  return self->tee->signing_key_der;
}

GBytes *
veil_enclave_get_tls_certificate (VeilEnclave *self)
{
  g_return_val_if_fail (veil_enclave_is_made (self), NULL);
  return self->tee->tls_certificate;
}

GBytes *
veil_enclave_get_hpke_key (VeilEnclave *self)
{
  g_return_val_if_fail (veil_enclave_is_made (self), NULL);
  return self->hpke_key;
}

gboolean
veil_enclave_get_sandbox (VeilEnclave *self)
{
  g_return_val_if_fail (veil_enclave_is_made (self), FALSE);
  return self->sandbox;
}

const char *
veil_enclave_get_unusable_reason (VeilEnclave *self)
{
  g_return_val_if_fail (veil_enclave_is_made (self), NULL);
  return self->tee->unusable;
}
