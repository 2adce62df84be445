/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The inside of a sender, for hpke.c and for the test that compares every value with RFC 9180's. */
#pragma once

#include "hpke.h"

G_BEGIN_DECLS

struct _VeilHpkeSender
{
  guint8  enc[VEIL_HPKE_ENC_SIZE];
  guint8  shared_secret[32]; /* wiped once the schedule is done, unless the ephemeral key was given */
  guint8  key[VEIL_HPKE_KEY_SIZE];
  guint8  base_nonce[VEIL_HPKE_NONCE_SIZE];
  guint8  exporter_secret[32];
  guint64 sequence;
};

G_END_DECLS
