/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A strict JSON reader (RFC 8259) for bytes from outside: size and depth capped, no recursion on the input, exact numbers.
 *
 * The tree is immutable and belongs to its document; every VeilJson pointer is valid until the document is freed.
 * Refused: NaN, Infinity, comments, trailing commas, a byte-order mark, invalid UTF-8, control characters in strings, leading
 * zeros, numbers whose double overflows, text after the value. Duplicate keys: the last one wins, as in Python; see
 * veil_json_doc_has_duplicate_keys(). Lone surrogate escapes are kept (as WTF-8: see veil_json_string_is_utf8()). */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _VeilJson VeilJson;       /* a value of a document */
typedef struct _VeilJsonDoc VeilJsonDoc; /* reference-counted owner of all of them (atomic count) */

typedef enum
{
  VEIL_JSON_NULL,
  VEIL_JSON_FALSE,
  VEIL_JSON_TRUE,
  VEIL_JSON_INTEGER, /* any size, kept digit for digit */
  VEIL_JSON_FLOAT,   /* had a fraction or an exponent */
  VEIL_JSON_STRING,
  VEIL_JSON_ARRAY,
  VEIL_JSON_OBJECT,
} VeilJsonType;

#define VEIL_JSON_MAX_DEPTH 512 /* nesting; the vectors hold documents of a few hundred levels */

/**
 * veil_json_doc_new:
 * @text: UTF-8 bytes, need not be NUL-terminated; not kept; may be %NULL if @length is 0 (as an empty GBytes has it)
 *
 * Reads one JSON text. Memory is at most a small multiple of @length and is wiped when freed (prompts live in it).
 *
 * Returns: (transfer full): the document, or %NULL with %VEIL_ERROR_INVALID_JSON; the message names what was
 *   found and the byte offset, never the content; or with %VEIL_ERROR_TOO_LARGE if it is over 512 MiB or there is not enough memory.
 */
VeilJsonDoc    *veil_json_doc_new (const char *text, gsize length, GError **error);
VeilJsonDoc    *veil_json_doc_ref (VeilJsonDoc *doc);
void            veil_json_doc_unref (VeilJsonDoc *doc);
const VeilJson *veil_json_doc_get_root (VeilJsonDoc *doc);

/* TRUE if any object of the document had a key twice whose values differ ("reads two ways"; equal repeats do not count). */
gboolean        veil_json_doc_has_duplicate_keys (VeilJsonDoc *doc);
/* TRUE if any object had a key twice, whatever the values. */
gboolean        veil_json_doc_has_repeated_keys (VeilJsonDoc *doc);

/* Bytes of memory that what was read takes: the time to write or to free it grows with them. */
gsize           veil_json_doc_get_weight (VeilJsonDoc *doc);

/* Every accessor takes NULL for "absent" and then answers like for null: VEIL_JSON_NULL, NULL, 0, FALSE. */
VeilJsonType    veil_json_get_type (const VeilJson *value);
gboolean        veil_json_is (const VeilJson *value, VeilJsonType type); /* FALSE for NULL, VEIL_JSON_NULL included */

/* Python's truthiness: FALSE for absent, null, false, 0, 0.0, "", [] and {}. */
gboolean        veil_json_is_truthy (const VeilJson *value);

/* Strings: the bytes (UTF-8, may hold NUL; also NUL-terminated), or NULL if not a string. @length may be NULL. */
const char     *veil_json_get_string (const VeilJson *value, gsize *length);
/* FALSE if the string holds a lone surrogate (which has no UTF-8 form), TRUE otherwise. */
gboolean        veil_json_string_is_utf8 (const VeilJson *value);
/* TRUE if value is a string equal to @text. */
gboolean        veil_json_equals (const VeilJson *value, const char *text);

/* Numbers. get_number_text: the digits as Python would print them for an integer ("-0" is "0"), or the source text of a float. */
const char     *veil_json_get_number_text (const VeilJson *value, gsize *length);
gboolean        veil_json_get_uint64 (const VeilJson *value, guint64 *out); /* FALSE unless an integer in range */
gboolean        veil_json_get_double (const VeilJson *value, double *out);  /* integer or float; correctly rounded; FALSE on overflow */

/* Arrays, and objects in source order (after duplicates were dropped). */
guint           veil_json_get_size (const VeilJson *value);
const VeilJson *veil_json_get_element (const VeilJson *array, guint index); /* O(1) */
const VeilJson *veil_json_get_member (const VeilJson *object, const char *key); /* NULL if absent or not an object */
/* The @index-th member; @key gets its NUL-terminated key (which may hold NULs: @key_length counts). NULL past the end. O(1). */
const VeilJson *veil_json_get_member_at (const VeilJson *object, guint index, const char **key, gsize *key_length);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilJsonDoc, veil_json_doc_unref)

G_END_DECLS
