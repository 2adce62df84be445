/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What this process has cost so far, all threads together. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  gint64 cpu_us;       /* user and system */
  gint64 instructions; /* user; -1 where the machine does not count them */
} Cost;

/* Begins to count; threads and processes that exist already are not seen by the instruction counter, so call it first. Returns NULL, or why instructions are not
 * counted. */
const char *cost_begin (void);
Cost        cost_now (void);

G_END_DECLS
