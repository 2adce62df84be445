/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A body that arrives in slices: capped, in memory that is wiped. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  guint8  *data; /* owned, wiped */
  gsize    used;
  gsize    size;
  gsize    max;
  goffset  expected; /* as announced, or -1 */
} VeilFetchBody;

void    veil_fetch_body_clear (VeilFetchBody *self);

/* Where the next bytes go; @room gets how many may come. There is always room for one byte more than the cap, so that "too much" shows. */
guint8 *veil_fetch_body_next (VeilFetchBody *self, gsize *room);

/* Takes the bytes out. */
GBytes *veil_fetch_body_steal (VeilFetchBody *self);

G_END_DECLS
