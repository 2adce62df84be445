/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Worked examples from tests/vectors, read with json-glib: the files are ours, and the reader under test is not trusted with its own test. */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Parses tests/vectors/@name; aborts the test if it cannot. */
JsonObject *vectors_load (const char *name);

/* Calls @func once per entry of "cases"; aborts unless there was at least one. Returns the count. */
typedef void (*VectorsFunc) (const char *name, JsonObject *entry, gpointer user_data);
guint       vectors_foreach (JsonObject *file, VectorsFunc func, gpointer user_data);

const char *vectors_string (JsonObject *entry, const char *key);              /* NULL if absent or null */
gboolean    vectors_boolean (JsonObject *entry, const char *key);             /* FALSE if absent */
GBytes     *vectors_base64 (JsonObject *entry, const char *key);              /* new; NULL if absent */
GBytes     *vectors_hex (JsonObject *entry, const char *key);                 /* new; with or without 0x; NULL if absent */
GBytes     *vectors_hex_text (const char *text);

/* Fails the test with both in hex if they differ. */
void        vectors_assert_equal (const char *name, const char *what, const guint8 *got, gsize got_length, GBytes *expected);

G_END_DECLS
