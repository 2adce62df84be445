/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The tee_* fields of an answer: signed honestly, or not. */
#pragma once

#include "answer.h"
#include "enclave.h"
#include "faults.h"
#include "json-writer.h"

G_BEGIN_DECLS

typedef struct
{
  char *signature;    /* base64 */
  char *request_hash; /* hex */
  char *output_hash;
  char *timestamp; /* JSON text */
  char *tee_id;
} VeilSandboxProof;

/* Signs @answer. @other is another enclave, for the faults that need one. */
void veil_sandbox_proof_make (VeilSandboxProof *proof, const VeilSandboxEnclave *enclave, const VeilSandboxEnclave *other,
                              const VeilSandboxAnswer *answer, const guint8 request_hash[static 32],
                              VeilSandboxFault fault);
void veil_sandbox_proof_clear (VeilSandboxProof *proof);

/* The members, into an object that is being written. */
void veil_sandbox_proof_write (const VeilSandboxProof *proof, VeilJsonWriter *writer, VeilSandboxFault fault);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VeilSandboxProof, veil_sandbox_proof_clear)

G_END_DECLS
