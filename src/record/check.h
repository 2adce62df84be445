/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The single checks that an answer has to pass, in the order in which they are made (protocol.md sections 3 to 5). */
#pragma once

#include "veil-error.h"

G_BEGIN_DECLS

typedef enum
{
  VEIL_CHECK_SEAL,         /* the sealed answer opened, whole and in order */
  VEIL_CHECK_FORM,         /* it is an answer, with signed fields that can be read */
  VEIL_CHECK_TEE_ID,       /* it names the enclave that was chosen, whose id is the hash of the registry's key */
  VEIL_CHECK_REQUEST_HASH, /* signed for the request that was sent */
  VEIL_CHECK_OUTPUT_HASH,  /* signed for the output that came */
  VEIL_CHECK_SIGNATURE,
  VEIL_CHECK_FRESH,        /* signed just now */
  VEIL_CHECK_COVERAGE,     /* nothing unsigned where the signature has to cover it */
  VEIL_N_CHECKS,
} VeilCheck;

typedef enum
{
  VEIL_CHECK_NOT_REACHED, /* not made, or not yet, or whether it was cannot be said */
  VEIL_CHECK_PASSED,
  VEIL_CHECK_FAILED,
} VeilCheckState;

/* Which check @code speaks of. Returns: VEIL_N_CHECKS if it is not a verification code. */
VeilCheck   veil_check_from_code (VeilError code);
/* The same for the code's nick, as in the member `check` of an error that a caller gets. @nick may be NULL. */
VeilCheck   veil_check_from_code_nick (const char *nick);

/* Stable machine-readable name ("seal", "request_hash"), static. */
const char *veil_check_get_nick (VeilCheck check);
/* What a person reads beside a tick or a cross ("The signature is the enclave's"), translated, static. */
const char *veil_check_get_title (VeilCheck check);

G_END_DECLS
