/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* CBOR: what is accepted has exactly one encoding. Written again, it is the input. */
#include "cbor.h"
#include "veil-error.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize length);

static void
put_head (GByteArray *out, guint major, guint64 number)
{
  guint8 head[9] = { major << 5 };
  guint size = number < 24 ? 0 : number <= G_MAXUINT8 ? 1 : number <= G_MAXUINT16 ? 2 : number <= G_MAXUINT32 ? 4 : 8;

  head[0] |= size == 0 ? number : size == 1 ? 24 : size == 2 ? 25 : size == 4 ? 26 : 27;
  for (guint i = 0; i < size; i++)
    head[size - i] = (guint8) (number >> (8 * i));
  g_byte_array_append (out, head, 1 + size);
}

static void
put (GByteArray *out, const VeilCborItem *item, gboolean indefinite, guint depth)
{
  const VeilCborItem *key, *value;

  g_assert_cmpuint (depth, <=, VEIL_CBOR_MAX_DEPTH);
  switch (item->type)
    {
    case VEIL_CBOR_NULL:
      g_byte_array_append (out, (const guint8 *) "\xf6", 1);
      break;
    case VEIL_CBOR_UINT:
    case VEIL_CBOR_NEGATIVE:
      put_head (out, item->type, item->number);
      break;
    case VEIL_CBOR_BYTES:
    case VEIL_CBOR_TEXT:
      g_assert_true (item->type == VEIL_CBOR_BYTES || g_utf8_validate_len ((const char *) item->data, item->size, NULL));
      put_head (out, item->type, item->size);
      g_byte_array_append (out, item->data, item->size);
      break;
    case VEIL_CBOR_ARRAY:
      put_head (out, item->type, item->count);
      for (guint i = 0; (value = veil_cbor_get_element (item, i)) != NULL; i++)
        put (out, value, FALSE, depth + 1);
      break;
    case VEIL_CBOR_MAP:
    default:
      g_assert_cmpint (item->type, ==, VEIL_CBOR_MAP);
      if (indefinite)
        g_byte_array_append (out, (const guint8 *) "\xbf", 1);
      else
        put_head (out, item->type, item->count);
      for (guint i = 0; (value = veil_cbor_get_member_at (item, i, &key)) != NULL; i++)
        {
          put (out, key, FALSE, depth + 1);
          put (out, value, FALSE, depth + 1);
          if (key->type == VEIL_CBOR_TEXT && memchr (key->data, 0, key->size) == NULL)
            {
              g_autofree char *name = g_strndup ((const char *) key->data, key->size);

              g_assert_true (veil_cbor_get_member (item, name) == value); /* there is no other of that name */
            }
        }
      if (indefinite)
        g_byte_array_append (out, (const guint8 *) "\xff", 1);
      break;
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize length)
{
  for (guint flags = VEIL_CBOR_STRICT; flags <= VEIL_CBOR_INDEFINITE_ROOT; flags++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (VeilCborDoc) doc = veil_cbor_doc_new (data, length, flags, &error);
      g_autoptr (GByteArray) again = g_byte_array_new ();

      g_assert_true ((doc == NULL) == (error != NULL));
      if (doc == NULL)
        g_assert_error (error, VEIL_ERROR, VEIL_ERROR_ATTEST_ENCODING);
      else
        {
          g_assert_true (data[0] != 0xbf || flags == VEIL_CBOR_INDEFINITE_ROOT);
          put (again, veil_cbor_doc_get_root (doc), data[0] == 0xbf, 0);
          g_assert_cmpmem (again->data, again->len, data, length);
        }
    }
  return 0;
}
