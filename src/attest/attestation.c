/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "attestation.h"

#include "keccak.h"

VeilAttestation *
veil_attestation_new (void)
{
  return g_atomic_rc_box_new0 (VeilAttestation);
}

VeilAttestation *
veil_attestation_ref (VeilAttestation *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
attestation_clear (gpointer data)
{
  VeilAttestation *self = data;

  g_free (self->module_id);
  for (guint i = 0; i < VEIL_ATTESTATION_PCRS; i++)
    g_clear_pointer (&self->pcrs[i], g_bytes_unref);
  g_clear_pointer (&self->public_key, g_bytes_unref);
  g_clear_pointer (&self->user_data, g_bytes_unref);
  g_clear_pointer (&self->nonce, g_bytes_unref);
}

void
veil_attestation_unref (VeilAttestation *self)
{
  g_atomic_rc_box_release_full (self, attestation_clear);
}

gboolean
veil_attestation_is_debug (const VeilAttestation *self)
{
  static const guint8 zeros[VEIL_ATTESTATION_PCR_SIZE];
  g_autoptr (GBytes) none = g_bytes_new_static (zeros, sizeof zeros);

  return g_bytes_equal (self->pcrs[0], none) || g_bytes_equal (self->pcrs[1], none) || g_bytes_equal (self->pcrs[2], none);
}

void
veil_attestation_hash_pcrs (const guint8 pcrs[static 3 * VEIL_ATTESTATION_PCR_SIZE], guint8 out[static 32])
{
  veil_keccak256 (pcrs, 3 * VEIL_ATTESTATION_PCR_SIZE, out);
}
