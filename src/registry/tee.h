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
  char        *endpoint;  /* owned; UTF-8 without control characters; "" if what was registered is not that */
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

/* For the decoder, on a record that was not handed out yet: each takes a field as registered and notes the first reason why the record cannot
 * be used. Usable is what has an endpoint, a signing key of 2048 bits or more, a TLS certificate (the enclave's, not read here) and an HPKE
 * key of the one suite that is not of small order and agrees with its configuration blob if there is one. */
void     veil_tee_set_unusable (VeilTee *self, const char *reason);
void     veil_tee_set_endpoint (VeilTee *self, const guint8 *text, gsize length);
void     veil_tee_set_signing_key (VeilTee *self, const guint8 *der, gsize length); /* and the id */
void     veil_tee_set_tls_certificate (VeilTee *self, const guint8 *der, gsize length);
/* @suite: its ids; its public key does not count. @config may be empty. */
void     veil_tee_set_ohttp_key (VeilTee *self, const VeilOhttpKey *suite, const guint8 *public_key, gsize public_key_length,
                                 const guint8 *config, gsize config_length);

/* TRUE if nothing in @text (UTF-8) moves a cursor, hides or reorders text: what the registry says is shown to a person, in terminals too. */
gboolean veil_tee_is_plain_text (const char *text);

/* TRUE if every shared secret with this X25519 key is all zero. */
gboolean veil_tee_is_small_order (const guint8 public_key[static VEIL_HPKE_PUBLIC_KEY_SIZE]);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilTee, veil_tee_unref)

G_END_DECLS
