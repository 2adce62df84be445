/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "cbor.h"

#include "translate.h"
#include "veil-error.h"

#include <string.h>

#define BREAK 0xff
#define INDEFINITE 31
#define SIMPLE_NULL 22

/* All values in the order of the input: what a container holds comes right after it. */
struct _VeilCborDoc
{
  GArray *items; /* owned; of VeilCborItem */
};

typedef struct
{
  const guint8 *start;
  const guint8 *at;
  const guint8 *end;
  GArray *items; /* of the document */
} Reader;

static gboolean
refuse (const Reader *self, const char *reason, GError **error)
{
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_ATTEST_ENCODING,
               _ ("The attestation document is not the CBOR that it must be (%s, at byte %zu); do not trust it"), reason,
               (gsize) (self->at - self->start));
  return FALSE;
}

/* Major type, and the number that comes with it in its shortest form. */
static gboolean
read_head (Reader *self, VeilCborType *type, guint64 *number, gboolean *indefinite, GError **error)
{
  guint info, size;

  if (self->at == self->end)
    return refuse (self, _ ("it ends too early"), error);
  *type = *self->at >> 5;
  info = *self->at & 0x1f;
  *indefinite = info == INDEFINITE;
  *number = info < 24 ? info : 0;
  if (info < 24 || *indefinite)
    {
      self->at++;
      return TRUE;
    }
  if (info > 27)
    return refuse (self, _ ("a reserved length"), error);
  size = 1u << (info - 24);
  if ((gsize) (self->end - self->at) < 1 + size)
    return refuse (self, _ ("it ends too early"), error);
  for (guint i = 1; i <= size; i++)
    *number = *number << 8 | self->at[i];
  /* One byte must be needed for 24 and more, two for 2^8 and more, four for 2^16 and more, eight for 2^32 and more. */
  if (*number < (size == 1 ? 24 : G_GUINT64_CONSTANT (1) << (4 * size)))
    return refuse (self, _ ("a number or length that is not in its shortest form"), error);
  self->at += 1 + size;
  return TRUE;
}

static gboolean
keys_equal (const VeilCborItem *a, const VeilCborItem *b)
{
  return a->type == b->type && a->number == b->number && a->size == b->size &&
         (a->size == 0 || memcmp (a->data, b->data, a->size) == 0);
}

static gboolean
check_key (const Reader *self, guint map, guint key, GError **error)
{
  const VeilCborItem *items = &g_array_index (self->items, VeilCborItem, 0);

  if (items[key].type != VEIL_CBOR_UINT && items[key].type != VEIL_CBOR_NEGATIVE && items[key].type != VEIL_CBOR_TEXT)
    return refuse (self, _ ("a map key that is neither a number nor text"), error);
  for (guint other = map + 1; other < key; other += 1 + items[other + 1].span)
    if (keys_equal (&items[other], &items[key]))
      return refuse (self, _ ("a map key that comes twice"), error);
  return TRUE;
}

static gboolean read_item (Reader *self, guint depth, VeilCborFlags flags, GError **error);

static gboolean
read_string (Reader *self, VeilCborItem *item, guint64 length, GError **error)
{
  if (length > (gsize) (self->end - self->at))
    return refuse (self, _ ("a string that is longer than what is left"), error);
  if (item->type == VEIL_CBOR_TEXT && !g_utf8_validate_len ((const char *) self->at, length, NULL))
    return refuse (self, _ ("text that is not UTF-8"), error);
  item->data = self->at;
  item->size = length;
  self->at += length;
  return TRUE;
}

static gboolean
read_children (Reader *self, guint index, guint64 count, gboolean indefinite, guint depth, GError **error)
{
  VeilCborType type = g_array_index (self->items, VeilCborItem, index).type;
  guint64 done = 0;

  if (depth == VEIL_CBOR_MAX_DEPTH)
    return refuse (self, _ ("nested too deeply"), error);
  /* Each takes a byte at the least. */
  if (count > (gsize) (self->end - self->at))
    return refuse (self, _ ("more elements than bytes are left"), error);
  for (; indefinite ? self->at < self->end && *self->at != BREAK : done < count; done++)
    {
      guint key = self->items->len;

      if (type == VEIL_CBOR_MAP && (!read_item (self, depth + 1, VEIL_CBOR_STRICT, error) || !check_key (self, index, key, error)))
        return FALSE;
      if (!read_item (self, depth + 1, VEIL_CBOR_STRICT, error))
        return FALSE;
    }
  if (indefinite && self->at == self->end)
    return refuse (self, _ ("it ends too early"), error);
  self->at += indefinite ? 1 : 0;
  g_array_index (self->items, VeilCborItem, index).count = done;
  g_array_index (self->items, VeilCborItem, index).span = self->items->len - index;
  return TRUE;
}

static gboolean
read_item (Reader *self, guint depth, VeilCborFlags flags, GError **error)
{
  VeilCborItem item = { .span = 1 };
  guint index = self->items->len;
  gboolean indefinite;
  guint64 number;

  if (index == VEIL_CBOR_MAX_ITEMS)
    return refuse (self, _ ("too many values"), error);
  if (!read_head (self, &item.type, &number, &indefinite, error))
    return FALSE;
  if (indefinite && !(item.type == VEIL_CBOR_MAP && (flags & VEIL_CBOR_INDEFINITE_ROOT) != 0))
    return refuse (self, _ ("an indefinite length"), error);
  switch (item.type)
    {
    case VEIL_CBOR_UINT:
    case VEIL_CBOR_NEGATIVE:
      item.number = number;
      break;
    case VEIL_CBOR_BYTES:
    case VEIL_CBOR_TEXT:
      if (!read_string (self, &item, number, error))
        return FALSE;
      break;
    case VEIL_CBOR_ARRAY:
    case VEIL_CBOR_MAP:
      g_array_append_val (self->items, item);
      return read_children (self, index, number, indefinite, depth, error);
    case VEIL_CBOR_NULL:
      if (number != SIMPLE_NULL)
        return refuse (self, _ ("a simple value or float that does not belong there"), error);
      break;
    default:
      return refuse (self, "a tag", error);
    }
  g_array_append_val (self->items, item);
  return TRUE;
}

VeilCborDoc *
veil_cbor_doc_new (const guint8 *data, gsize length, VeilCborFlags flags, GError **error)
{
  g_autoptr (VeilCborDoc) self = g_new0 (VeilCborDoc, 1);
  Reader reader = { NULL };

  if (length == 0)
    data = (const guint8 *) ""; /* an empty GBytes has none */
  reader.start = reader.at = data;
  reader.end = data + length;
  self->items = g_array_new (FALSE, FALSE, sizeof (VeilCborItem));
  reader.items = self->items;
  if (length > VEIL_CBOR_MAX_LENGTH)
    refuse (&reader, _ ("it is too large"), error);
  else if (!read_item (&reader, 0, flags, error))
    return NULL;
  else if (reader.at != reader.end)
    refuse (&reader, _ ("something follows it"), error);
  else
    return g_steal_pointer (&self);
  return NULL;
}

void
veil_cbor_doc_free (VeilCborDoc *self)
{
  g_array_unref (self->items);
  g_free (self);
}

const VeilCborItem *
veil_cbor_doc_get_root (const VeilCborDoc *self)
{
  return &g_array_index (self->items, VeilCborItem, 0);
}

gboolean
veil_cbor_is (const VeilCborItem *item, VeilCborType type)
{
  return item != NULL && item->type == type;
}

gboolean
veil_cbor_equals (const VeilCborItem *item, const char *text)
{
  return veil_cbor_is (item, VEIL_CBOR_TEXT) && item->size == strlen (text) && memcmp (item->data, text, item->size) == 0;
}

const VeilCborItem *
veil_cbor_get_element (const VeilCborItem *array, guint index)
{
  const VeilCborItem *item;

  if (!veil_cbor_is (array, VEIL_CBOR_ARRAY) || index >= array->count)
    return NULL;
  for (item = array + 1; index > 0; index--)
    item += item->span;
  return item;
}

const VeilCborItem *
veil_cbor_get_member_at (const VeilCborItem *map, guint index, const VeilCborItem **key)
{
  const VeilCborItem *item;

  if (!veil_cbor_is (map, VEIL_CBOR_MAP) || index >= map->count)
    return NULL;
  /* Keys are single items. */
  for (item = map + 1; index > 0; index--)
    item += 1 + item[1].span;
  *key = item;
  return item + 1;
}

const VeilCborItem *
veil_cbor_get_member (const VeilCborItem *map, const char *key)
{
  const VeilCborItem *found, *value;

  for (guint i = 0; (value = veil_cbor_get_member_at (map, i, &found)) != NULL; i++)
    if (veil_cbor_equals (found, key))
      return value;
  return NULL;
}
