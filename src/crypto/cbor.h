/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A strict CBOR reader (RFC 8949) for bytes from outside: what COSE and AWS Nitro documents are made of, and nothing else.
 *
 * Accepted: whole numbers, byte and text strings, arrays, maps and null, all of definite length and with each number and length in its
 * shortest form. Refused: tags, floats, booleans and other simple values, strings and arrays of indefinite length, text that is not
 * UTF-8, map keys other than numbers and text, a key that comes twice, anything nested deeper than VEIL_CBOR_MAX_DEPTH, more than
 * VEIL_CBOR_MAX_ITEMS items, bytes after the value. Nothing is allocated from a count or length that the input claims. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define VEIL_CBOR_MAX_LENGTH (64 * 1024)
#define VEIL_CBOR_MAX_DEPTH 8
#define VEIL_CBOR_MAX_ITEMS 512

typedef enum
{
  VEIL_CBOR_UINT = 0,
  VEIL_CBOR_NEGATIVE = 1,
  VEIL_CBOR_BYTES = 2,
  VEIL_CBOR_TEXT = 3,
  VEIL_CBOR_ARRAY = 4,
  VEIL_CBOR_MAP = 5,
  VEIL_CBOR_NULL = 7,
} VeilCborType;

typedef enum
{
  VEIL_CBOR_STRICT = 0,
  /* The outermost value may be a map of indefinite length: the Nitro hypervisor writes its documents so. */
  VEIL_CBOR_INDEFINITE_ROOT = 1 << 0,
} VeilCborFlags;

/* A value; it belongs to its document. */
typedef struct
{
  VeilCborType  type;
  guint64       number; /* of VEIL_CBOR_UINT; VEIL_CBOR_NEGATIVE stands for -1 - number */
  const guint8 *data;   /* of a string: in the bytes that were read */
  gsize         size;   /* of a string: its bytes */
  guint         count;  /* of an array: its elements; of a map: its members */
  /*< private >*/
  guint         span; /* items that this one and everything in it take */
} VeilCborItem;

typedef struct _VeilCborDoc VeilCborDoc;

/**
 * veil_cbor_doc_new:
 * @data: kept by whoever calls, for as long as the document is used
 *
 * Returns: (transfer full): the document, or %NULL with %VEIL_ERROR_ATTEST_ENCODING, which says what was found at which byte.
 */
VeilCborDoc        *veil_cbor_doc_new (const guint8 *data, gsize length, VeilCborFlags flags, GError **error);
void                veil_cbor_doc_free (VeilCborDoc *self);
const VeilCborItem *veil_cbor_doc_get_root (const VeilCborDoc *self);

/* Each takes NULL for "absent", and answers NULL then, as for a value that is no array or map, or an index past the end. */
const VeilCborItem *veil_cbor_get_element (const VeilCborItem *array, guint index);
/* In the order of the input; @key gets the key. */
const VeilCborItem *veil_cbor_get_member_at (const VeilCborItem *map, guint index, const VeilCborItem **key);
const VeilCborItem *veil_cbor_get_member (const VeilCborItem *map, const char *key);

gboolean            veil_cbor_is (const VeilCborItem *item, VeilCborType type);     /* FALSE for NULL */
gboolean            veil_cbor_equals (const VeilCborItem *item, const char *text); /* a text string of just these bytes */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilCborDoc, veil_cbor_doc_free)

G_END_DECLS
