/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "keccak.h"

#include <string.h>

#include "secret.h"

#define RATE 136 /* of a sponge with 256 bits of output */

static void
absorb (VeilKeccak256 *self, const guint8 *block)
{
  for (guint i = 0; i < RATE / 8; i++)
    {
      guint64 word;

      memcpy (&word, block + 8 * i, sizeof word);
      self->state.a[i] ^= GUINT64_FROM_LE (word);
    }
  sha3_permute (&self->state);
}

void
veil_keccak256_init (VeilKeccak256 *self)
{
  memset (self, 0, sizeof *self);
}

void
veil_keccak256_update (VeilKeccak256 *self, const void *data, gsize length)
{
  const guint8 *bytes = data;

  if (self->used > 0)
    {
      gsize taken = MIN (length, RATE - self->used);

      if (taken > 0)
        memcpy (self->block + self->used, bytes, taken);
      self->used += taken;
      if (self->used < RATE)
        return;
      absorb (self, self->block);
      self->used = 0;
      bytes += taken;
      length -= taken;
    }
  for (; length >= RATE; bytes += RATE, length -= RATE)
    absorb (self, bytes);
  if (length > 0)
    memcpy (self->block, bytes, length);
  self->used = length;
}

void
veil_keccak256_digest (VeilKeccak256 *self, guint8 out[static VEIL_KECCAK256_SIZE])
{
  memset (self->block + self->used, 0, RATE - self->used);
  self->block[self->used] = 0x01; /* SHA3-256 would have 0x06 */
  self->block[RATE - 1] |= 0x80;
  absorb (self, self->block);
  for (guint i = 0; i < VEIL_KECCAK256_SIZE / 8; i++)
    {
      guint64 word = GUINT64_TO_LE (self->state.a[i]);

      memcpy (out + 8 * i, &word, sizeof word);
    }
  veil_secret_wipe (self, sizeof *self);
}

void
veil_keccak256 (const void *data, gsize length, guint8 out[static VEIL_KECCAK256_SIZE])
{
  VeilKeccak256 self;

  veil_keccak256_init (&self);
  veil_keccak256_update (&self, data, length);
  veil_keccak256_digest (&self, out);
}
