/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Hexadecimal and base64 text, strictly read. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Writes 2 * @length lower-case digits and a NUL to @out. */
void      veil_hex_encode (const guint8 *data, gsize length, char *out);

/* New string, "0x" and lower-case digits. */
char     *veil_hex_encode_0x (const guint8 *data, gsize length);

/* Reads exactly 2 * @length digits of any case, with or without "0x"; FALSE for anything else. */
gboolean  veil_hex_decode (const char *text, guint8 *out, gsize length);

/* Any even number of digits, with or without "0x", at most @max bytes; NULL for anything else. */
GBytes   *veil_hex_decode_bytes (const char *text, gsize length, gsize max);

/* RFC 4648 section 4 with padding, no white space, zero trailing bits; NULL for anything else. Empty text gives empty bytes. */
GBytes   *veil_base64_decode (const char *text, gsize length);

G_END_DECLS
