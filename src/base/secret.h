/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Memory that is wiped, and comparison in constant time. Both live here and nowhere else. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Overwrites @data so that the compiler cannot leave it out. */
void        veil_secret_wipe (void *data, gsize length);

/* Equality of two buffers of the same length, in time that depends on @length alone. */
gboolean    veil_secret_equal (const void *a, const void *b, gsize length);

/* The same for two strings; the time depends on the length of @given only. NULL equals nothing. */
gboolean    veil_secret_equal_str (const char *given, const char *expected);

/* A GBytes over @data (g_malloc'ed, taken over), wiped and freed with the last reference. */
GBytes     *veil_secret_bytes_new_take (void *data, gsize length);

/* Wipes and frees a string or a GByteArray (the whole allocation). NULL is fine. */
void        veil_secret_free (char *secret);
void        veil_secret_byte_array_unref (GByteArray *array);

/* Makes sure that @array can take @extra more bytes; if it has to move, the old memory is wiped. Growth is geometric. */
void        veil_secret_byte_array_reserve (GByteArray *array, gsize extra);
void        veil_secret_byte_array_append (GByteArray *array, const void *data, gsize length);

G_END_DECLS
