/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A secret that the person pastes, or that a program hands over on standard input. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * veil_cli_read_paste:
 * @prompt: what a terminal shows first
 * @max: no more bytes than this
 *
 * Reads standard input: all of it, or from a terminal one JSON object, over as many lines as it takes and without showing it. A terminal's own line
 * editing would end at the first line break, cut lines at 4095 bytes and leave the rest to the shell. Byte order mark and white space around
 * the text are taken off. Ctrl-C and Ctrl-D give up.
 *
 * Returns: the text, wiped when freed, or %NULL with %VEIL_ERROR_BUNDLE.
 */
GBytes *veil_cli_read_paste (const char *prompt, gsize max, GError **error);

G_END_DECLS
