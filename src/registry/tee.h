/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A registry entry: one enclave that may answer (protocol.md section 1). */
#pragma once

#include "ohttp.h"
#include "rsa-pss.h"

G_BEGIN_DECLS

/* Immutable once it is handed out; reference-counted (atomic). */
typedef struct
{
  char        *id;        /* owned; 0x + keccak256 of signing_key_der: derived, never believed */
  char        *endpoint;  /* owned; UTF-8 */
  GBytes      *signing_key_der; /* owned; SubjectPublicKeyInfo as registered */
  VeilRsaKey  *signing_key;     /* owned; NULL if it cannot be used */
  GBytes      *tls_certificate; /* owned */
  char        *pcr_hash;  /* owned; 0x + 64 digits */
  guint8       tee_type;
  gboolean     enabled;
  guint64      registered_at;     /* seconds since 1970; G_MAXUINT64 for more */
  guint64      last_heartbeat_at;
  VeilOhttpKey ohttp_key;  /* valid if usable */
  char        *unusable;   /* owned; why it cannot be used for inference, or NULL if it can */
} VeilTee;

VeilTee *veil_tee_new (void);
VeilTee *veil_tee_ref (VeilTee *self);
void     veil_tee_unref (VeilTee *self);

/* Same id and same keys: requests sealed for one open at the other. */
gboolean veil_tee_same_keys (const VeilTee *a, const VeilTee *b);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilTee, veil_tee_unref)

G_END_DECLS
