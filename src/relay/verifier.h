/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The signature check: protocol.md section 5, one error per check, in that order. */
#pragma once

#include "json.h"
#include "rsa-pss.h"

G_BEGIN_DECLS

/* How far a signed timestamp may be from this machine's clock, seconds. The enclave signs when the answer is done, so only transport (answers have an
 * overall deadline of ten minutes) and clock error lie between; a replay of an old answer fails on the request hash and on the seal already. */
#define VEIL_VERIFIER_MAX_SKEW 600

/* What an answer is checked against. Nothing is owned. */
typedef struct
{
  const char   *tee_id;            /* of the TEE that was chosen: 0x + 64 digits */
  const guint8 *signing_key_der;   /* as the registry has it */
  gsize         signing_key_length;
  VeilRsaKey   *signing_key;       /* parsed from the same DER, or NULL to parse here */
  const guint8 *request_hash;      /* 32 bytes */
  const guint8 *request_hash_plain; /* 32 bytes; a second form that is as good, or NULL */
  gint64        now;               /* seconds since 1970 */
} VeilVerifierInput;

/* What was found. */
typedef struct
{
  guint8   request_hash[32]; /* the form that was signed */
  guint8   output_hash[32];
  guint64  timestamp;
  GBytes  *signature;        /* owned */
  gboolean plain_request;    /* the second form was the signed one, and differs */
  guint    output;           /* index of the candidate that matched */
} VeilVerifierResult;

void     veil_verifier_result_clear (VeilVerifierResult *result);

/**
 * veil_verifier_check:
 * @signed_object: the object with the tee_* members
 * @outputs: keccak256 of each text that may have been signed (usually one; two when tool-call ids were all null)
 *
 * Returns: %TRUE and @result, or %FALSE with the code of the first check that is not met (MISSING_FIELD, TIMESTAMP, TEE_ID, REQUEST_HASH, OUTPUT_HASH,
 *   SIGNING_KEY, SIGNATURE, STALE).
 */
gboolean veil_verifier_check (const VeilVerifierInput *input, const VeilJson *signed_object, const guint8 (*outputs)[32], guint n_outputs,
                              VeilVerifierResult *result, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VeilVerifierResult, veil_verifier_result_clear)

G_END_DECLS
