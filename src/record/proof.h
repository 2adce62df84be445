/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What was verified, and how: the facts behind one verified answer. */
#pragma once

#include "json-writer.h"

#include <glib-object.h>

G_BEGIN_DECLS

/* Where the time of a request went, in microseconds. */
typedef struct
{
  gint64 parse;  /* reading the caller's JSON, building wire and canonical text, hashing */
  gint64 seal;
  gint64 relay;  /* from the first byte sent to the last byte received */
  gint64 open;
  gint64 verify; /* reading the answer, hashing, signature */
  gint64 reply;  /* writing the caller's answer */
} VeilTiming;

/* Immutable once it is handed out; reference-counted (atomic). */
typedef struct
{
  char    *tee_id;       /* owned; 0x + 64 digits, derived from the registry's key */
  char    *tee_endpoint; /* owned; as the registry gives it */
  char    *pcr_hash;     /* owned; 0x + 64 digits */
  guint8   request_hash[32];
  guint8   output_hash[32];
  guint64  timestamp;    /* seconds since 1970, as signed */
  GBytes  *signature;    /* owned */
  GBytes  *signing_key;  /* owned; SPKI DER */
  GStrv    signed_;      /* owned; "content" or "tool_calls" */
  GStrv    unsigned_;    /* owned; names of what is present but outside the signature */
  GStrv    dropped;      /* owned; request fields that were not sent */
  gboolean effort_signed; /* reasoning_effort was given and is part of the signed request */
  gboolean effort_given;
  gboolean sandbox;      /* vouched for by the sandbox, not by an attested enclave */
} VeilProof;

#define VEIL_TYPE_PROOF (veil_proof_get_type ())
GType      veil_proof_get_type (void);

VeilProof *veil_proof_new (void);
VeilProof *veil_proof_ref (VeilProof *self);
void       veil_proof_unref (VeilProof *self);

/* What the enclave signs (and RSA-PSS hashes again): keccak256(request_hash || output_hash || uint256 timestamp). protocol.md section 5, check 4. */
void       veil_proof_digest (const guint8 request_hash[static 32], const guint8 output_hash[static 32], guint64 timestamp,
                              guint8 digest[static 32]);

/* Returns: (transfer full) (nullable): host, or host:port, of the endpoint; %NULL if it is no URL. */
char      *veil_proof_get_tee_host (const VeilProof *self);

/* Writes the "opengradient_verification" object of product.md section 3 (its value; the key is the caller's). A proof says
 * "verified": true always: it exists for verified answers only. */
void       veil_proof_write_json (const VeilProof *self, VeilJsonWriter *writer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilProof, veil_proof_unref)

G_END_DECLS
