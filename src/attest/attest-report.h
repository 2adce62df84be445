/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* An enclave's own documents held against what the registry says of it: check by check, for a person to read. */
#pragma once

#include "attestation.h"
#include "check.h"
#include "json-writer.h"
#include "tee.h"

G_BEGIN_DECLS

/* In the order in which they are made. Up to the signature, each needs those before it; later ones need the signature. */
typedef enum
{
  VEIL_ATTEST_CHECK_CONNECTION,      /* the TLS connection shows the registered certificate; not made for http on loopback */
  VEIL_ATTEST_CHECK_FORM,            /* encoding, COSE, fields */
  VEIL_ATTEST_CHECK_CHAIN,           /* certificates, root, validity */
  VEIL_ATTEST_CHECK_SIGNATURE,       /* the document's own */
  VEIL_ATTEST_CHECK_FRESH,           /* made just now */
  VEIL_ATTEST_CHECK_NONCE,           /* for this question */
  VEIL_ATTEST_CHECK_DEBUG,           /* not in debug mode */
  VEIL_ATTEST_CHECK_PCR,             /* the registered build */
  VEIL_ATTEST_CHECK_PIN,             /* a pinned build; not made without pins */
  VEIL_ATTEST_CHECK_USER_DATA,       /* names the enclave's keys */
  VEIL_ATTEST_CHECK_SIGNING_KEY,     /* the registered one */
  VEIL_ATTEST_CHECK_TLS_CERTIFICATE, /* the registered one */
  VEIL_ATTEST_CHECK_OHTTP,           /* the OHTTP key is the registered one, and signed */
  VEIL_N_ATTEST_CHECKS,
} VeilAttestCheck;

/* Stable machine-readable name ("signing_key"), static. */
const char *veil_attest_check_get_nick (VeilAttestCheck check);
/* What a person reads beside a tick or a cross, translated, static. */
const char *veil_attest_check_get_title (VeilAttestCheck check);

/* What was asked, and of whom. Nothing of it is owned by the struct. */
typedef struct
{
  const VeilTee     *tee;
  const char *const *pcr_pins;     /* NULL or empty: none */
  const guint8      *sandbox_root; /* SHA-256 of the sandbox's root, which is then the only one that counts; NULL: AWS's */
  GBytes            *nonce;
  gint64             now;          /* seconds since 1970 */
  gboolean           tls;          /* FALSE: plain http, on loopback */
} VeilAttestQuestion;

/* Immutable once it is handed out; reference-counted (atomic). */
typedef struct
{
  VeilTee         *tee;         /* owned */
  gboolean         sandbox;     /* whatever holds was vouched for by the sandbox and is no attestation */
  gboolean         tls;
  gboolean         pinned;      /* there were pins to compare with */
  VeilAttestation *attestation; /* owned; what the document says if it is genuine, else NULL */
  VeilCheckState   states[VEIL_N_ATTEST_CHECKS];
  GError          *errors[VEIL_N_ATTEST_CHECKS]; /* owned; why, of those that failed */
} VeilAttestReport;

/* When only the OHTTP configuration could not be had, @config_error says why, and @config is NULL. */
VeilAttestReport *veil_attest_report_new (const VeilAttestQuestion *question, GBytes *document, GBytes *config, const GError *config_error);
/* When the connection showed another certificate: nothing was asked. */
VeilAttestReport *veil_attest_report_new_refused (const VeilAttestQuestion *question);
VeilAttestReport *veil_attest_report_ref (VeilAttestReport *self);
void              veil_attest_report_unref (VeilAttestReport *self);

/* FALSE for those that do not apply: the connection without TLS, pins without pins. */
gboolean          veil_attest_report_applies (const VeilAttestReport *self, VeilAttestCheck check);
/* All that apply have passed. */
gboolean          veil_attest_report_holds (const VeilAttestReport *self);

/* An object: tee_id, endpoint, sandbox, attested (never in the sandbox), checks, and what the document says. */
void              veil_attest_report_write_json (const VeilAttestReport *self, VeilJsonWriter *writer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilAttestReport, veil_attest_report_unref)

G_END_DECLS
