/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "fetch-body.h"

#include "secret.h"

#include <string.h>

#define SLICE (64 * 1024)
/* Until this much has really come, what was announced is not believed when memory is set aside. */
#define TRUSTED_LENGTH (1024 * 1024)
/* From here on all that may come is set aside at once, because to move more than this would hold the main loop. What is not written to takes
 * address space and no memory. */
#define LARGEST_MOVE (8 * 1024 * 1024)

void
veil_fetch_body_clear (VeilFetchBody *self)
{
  if (self->data != NULL)
    veil_secret_wipe (self->data, self->used);
  g_clear_pointer (&self->data, g_free);
  self->used = self->size = 0;
}

static void
grow (VeilFetchBody *self)
{
  gsize size = self->size * 2;

  if (self->expected >= 0 && (self->used >= TRUSTED_LENGTH || self->expected < TRUSTED_LENGTH))
    size = MAX (size, (gsize) self->expected + 1);
  else if (self->used >= LARGEST_MOVE)
    size = self->max + 1;
  size = MIN (MAX (size, SLICE), self->max + 1);

  guint8 *data = g_malloc (size);
  if (self->used > 0)
    {
      memcpy (data, self->data, self->used);
      veil_secret_wipe (self->data, self->used);
    }
  g_free (self->data);
  self->data = data;
  self->size = size;
}

guint8 *
veil_fetch_body_next (VeilFetchBody *self, gsize *room)
{
  if (self->used == self->size)
    grow (self);
  *room = MIN (SLICE, self->size - self->used);
  return self->data + self->used;
}

GBytes *
veil_fetch_body_steal (VeilFetchBody *self)
{
  gsize used = self->used;

  self->used = self->size = 0;
  return veil_secret_bytes_new_take (g_steal_pointer (&self->data), used);
}
