/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What a genuine attestation document says (protocol.md section 7). */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define VEIL_ATTESTATION_PCRS 32
#define VEIL_ATTESTATION_PCR_SIZE 48

/* Immutable once it is handed out; reference-counted (atomic). */
typedef struct
{
  char    *module_id;    /* owned; printable ASCII: the parent instance and the enclave */
  guint64  timestamp_ms; /* since 1970: when the hypervisor made it */
  GBytes  *pcrs[VEIL_ATTESTATION_PCRS]; /* owned; 48 bytes each, NULL if it does not say; 0 to 2 are always there */
  guint8   pcr_hash[32]; /* keccak256 of PCR0, PCR1, PCR2 */
  GBytes  *public_key;   /* owned; NULL if there is none, like the next two: what the enclave asked to be put there */
  GBytes  *user_data;    /* owned */
  GBytes  *nonce;        /* owned */
  gboolean has_hashes;   /* user_data is of the form that names the enclave's keys, as follows */
  guint8   tls_certificate_hash[32]; /* SHA-256 of its TLS certificate (DER) */
  guint8   signing_key_hash[32];     /* SHA-256 of its signing key (SubjectPublicKeyInfo, DER) */
} VeilAttestation;

VeilAttestation *veil_attestation_new (void);
VeilAttestation *veil_attestation_ref (VeilAttestation *self);
void             veil_attestation_unref (VeilAttestation *self);

/* Debug mode shows as PCRs of zeros: the host can look into such an enclave. */
gboolean         veil_attestation_is_debug (const VeilAttestation *self);

/* keccak256 of the three: the fingerprint of an enclave build (protocol.md section 1). */
void             veil_attestation_hash_pcrs (const guint8 pcrs[static 3 * VEIL_ATTESTATION_PCR_SIZE], guint8 out[static 32]);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilAttestation, veil_attestation_unref)

G_END_DECLS
