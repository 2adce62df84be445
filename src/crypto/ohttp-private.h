/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What single and chunked responses share, and what the vectors list of it. */
#pragma once

#include "ohttp.h"

G_BEGIN_DECLS

#define VEIL_OHTTP_SECRET_SIZE 32

typedef struct
{
  guint8 key[VEIL_HPKE_KEY_SIZE];
  guint8 nonce[VEIL_HPKE_NONCE_SIZE];
} VeilOhttpResponseKeys;

/* RFC 9458 section 4.4: what a response under @secret with @response_nonce is sealed with. Wipe @keys after use. */
void veil_ohttp_derive_response_keys (const guint8 enc[static VEIL_HPKE_ENC_SIZE], const guint8 secret[static VEIL_OHTTP_SECRET_SIZE],
                                      const guint8           response_nonce[static VEIL_OHTTP_RESPONSE_NONCE_SIZE],
                                      VeilOhttpResponseKeys *keys);

G_END_DECLS
