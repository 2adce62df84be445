/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Writes JSON text, in one pass, in one of two spellings. The canonical one is what enclaves hash (protocol.md section 2). */
#pragma once

#include "json.h"

G_BEGIN_DECLS

typedef enum
{
  /* Byte for byte Python's json.dumps(x, sort_keys=True): ", " and ": ", keys of written values sorted by code point, \uXXXX outside
   * printable ASCII, floats as repr(). Members that the caller writes one by one must come in sorted order (checked by g_assert: it is
   * a mistake of the programmer). */
  VEIL_JSON_CANONICAL,
  /* Without white space, UTF-8 as it is (lone surrogates escaped), keys in source order, the same number spelling. */
  VEIL_JSON_COMPACT,
} VeilJsonSpelling;

typedef struct _VeilJsonWriter VeilJsonWriter;

/* Receives text when the writer's buffer is full and at the end, in order. */
typedef void (*VeilJsonSink) (const guint8 *data, gsize length, gpointer user_data);

/* Collects into memory that is wiped. */
VeilJsonWriter *veil_json_writer_new (VeilJsonSpelling spelling);
/* Passes the text on instead (to a hash, say); nothing larger than a few KiB is ever held. */
VeilJsonWriter *veil_json_writer_new_sink (VeilJsonSpelling spelling, VeilJsonSink sink, gpointer user_data);
void            veil_json_writer_free (VeilJsonWriter *self);

/* Ends the text; the writer is freed. Returns: (transfer full): the text, wiped when freed (empty with a sink). */
GBytes         *veil_json_writer_finish (VeilJsonWriter *self);

void            veil_json_writer_begin_object (VeilJsonWriter *self);
void            veil_json_writer_end_object (VeilJsonWriter *self);
void            veil_json_writer_begin_array (VeilJsonWriter *self);
void            veil_json_writer_end_array (VeilJsonWriter *self);
void            veil_json_writer_key (VeilJsonWriter *self, const char *key);
void            veil_json_writer_string (VeilJsonWriter *self, const char *text);                  /* UTF-8; NULL writes null */
void            veil_json_writer_string_len (VeilJsonWriter *self, const char *text, gsize length); /* WTF-8; a byte that is not becomes U+FFFD */
void            veil_json_writer_uint (VeilJsonWriter *self, guint64 number);
void            veil_json_writer_double (VeilJsonWriter *self, double number); /* finite; Python's repr: 0.0, 1e-05, 1e+16 */
void            veil_json_writer_boolean (VeilJsonWriter *self, gboolean value);
void            veil_json_writer_null (VeilJsonWriter *self);
void            veil_json_writer_value (VeilJsonWriter *self, const VeilJson *value); /* a whole subtree; absent writes null */
void            veil_json_writer_strv (VeilJsonWriter *self, const char *const *strings); /* array of strings; NULL is [] */
/* Text that is known to be one JSON value in an acceptable spelling, verbatim. */
void            veil_json_writer_raw (VeilJsonWriter *self, const char *text, gsize length);

/* Shorthand: a whole value in one spelling. */
GBytes         *veil_json_to_bytes (const VeilJson *value, VeilJsonSpelling spelling);

/* Python's repr() of a finite double, NUL-terminated; at most 25 bytes with the NUL. Returns the length. */
gsize           veil_json_format_double (double number, char out[static 32]);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilJsonWriter, veil_json_writer_free)

G_END_DECLS
