/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The caller, and the relay of the bare proxy, in a process of their own so that their cost is not counted. Commands come on standard input, one a line;
 * each is answered by one line:
 *
 *   run URL COUNT CONCURRENCY single|stream|mixed PROMPT-BYTES WISH
 *     -> SUCCEEDED MEAN-US MIN-US MAX-US ANSWER-BYTES
 *
 * WISH is what the sandbox is asked for ("bytes:1000", "frames:200"). The last answer of each kind is what the bare proxy's relay says, so that both proxies
 * carry the same bytes. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define LOAD_ARGUMENT "load"

/* Prints the relay's port, then does what it is told until standard input ends. */
int load_main (void);

G_END_DECLS
