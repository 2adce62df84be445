/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Tells on standard error what a thread is busy with when it works for too long at a stretch. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Watches the calling thread from now on. */
void where_watch (gint64 limit_us);
/* The thread has taken a breath: the limit counts anew. */
void where_rest (void);

G_END_DECLS
