/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The network that the person trusts: that of the first sign-in, until they consent to another (product.md section 5, rule 2). A file in the home that
 * outlives signing out. */
#pragma once

#include "session.h"

G_BEGIN_DECLS

typedef enum
{
  VEIL_TRUST_SAME,
  VEIL_TRUST_FIRST,   /* nobody has signed in yet, or not since all of this counts: nothing speaks against it, and it is to be set */
  VEIL_TRUST_CHANGED, /* needs consent */
  VEIL_TRUST_BROKEN,  /* what was trusted cannot be read, or may have been written by others; needs consent likewise */
} VeilTrust;

/* @differences: (out) (optional) (nullable): new string with a line for each of relay, registry, contract, TEE type, sign-in server and attestation (who vouches for
 * enclaves: AWS, or the root of a sandbox) that is another one: "relay: OLD -> NEW"; before them one that says what is wrong with the file, and what to do, if it is broken. */
VeilTrust veil_trust_check (const char *home, const VeilSession *session, char **differences);

/* From now on @session's network is the trusted one. VEIL_ERROR_STORE. */
gboolean  veil_trust_set (const char *home, const VeilSession *session, GError **error);

G_END_DECLS
