/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Keccak-256 with the original padding (0x01) that Ethereum uses; not SHA3-256. */
#pragma once

#include <glib.h>
#include <nettle/sha3.h>

G_BEGIN_DECLS

#define VEIL_KECCAK256_SIZE 32

typedef struct
{
  /*< private >*/
  struct sha3_state state;
  guint8            block[136]; /* what is not absorbed yet */
  guint             used;
} VeilKeccak256;

void veil_keccak256_init (VeilKeccak256 *self);
void veil_keccak256_update (VeilKeccak256 *self, const void *data, gsize length);
/* Writes the hash; @self is wiped and must be initialised before it is used again. Copy the struct to fork a prefix. */
void veil_keccak256_digest (VeilKeccak256 *self, guint8 out[static VEIL_KECCAK256_SIZE]);

void veil_keccak256 (const void *data, gsize length, guint8 out[static VEIL_KECCAK256_SIZE]);

G_END_DECLS
