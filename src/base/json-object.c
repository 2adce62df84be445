/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "json-private.h"

/* Sorted by comparison rather than hashed: nobody can choose keys that make it slow. */
typedef struct
{
  guint64 prefix; /* the first eight bytes, most significant first: most keys are told apart without touching their text */
  guint32 index;
  guint32 length;
} Entry;

#define FEW 16

int
veil_json_compare_text (const char *a, gsize a_length, const char *b, gsize b_length)
{
  int order = memcmp (a, b, MIN (a_length, b_length));

  return order != 0 ? order : (a_length > b_length) - (a_length < b_length);
}

static const VeilJson *
key_of (const VeilJson *members, guint index)
{
  return &members[2 * (gsize) index];
}

static int
compare_entries (const VeilJson *members, const Entry *a, const Entry *b)
{
  if (a->prefix != b->prefix)
    return a->prefix < b->prefix ? -1 : 1;
  if (a->length <= 8 && b->length <= 8)
    return (a->length > b->length) - (a->length < b->length);
  return veil_json_compare_text (key_of (members, a->index)->u.text, a->length, key_of (members, b->index)->u.text, b->length);
}

static void
fill_entries (const VeilJson *members, guint count, Entry *entries)
{
  for (guint i = 0; i < count; i++)
    {
      const VeilJson *key = key_of (members, i);
      guint64 prefix = 0;

      memcpy (&prefix, key->u.text, MIN (key->size, sizeof prefix));
      entries[i] = (Entry){ GUINT64_FROM_BE (prefix), i, key->size };
    }
}

static void
insertion_sort (const VeilJson *members, Entry *entries, guint count)
{
  for (guint i = 1; i < count; i++)
    {
      Entry entry = entries[i];
      guint at = i;

      for (; at > 0 && compare_entries (members, &entries[at - 1], &entry) > 0; at--)
        entries[at] = entries[at - 1];
      entries[at] = entry;
    }
}

static void
merge (const VeilJson *members, const Entry *from, guint middle, guint end, Entry *to)
{
  guint left = 0, right = middle;

  for (guint i = 0; i < end; i++)
    {
      gboolean take_left = right == end || (left < middle && compare_entries (members, &from[left], &from[right]) <= 0);

      to[i] = from[take_left ? left++ : right++];
    }
}

/* Stable, from the bottom up. Returns the one of @entries and @spare that holds the result. */
static Entry *
merge_sort (const VeilJson *members, Entry *entries, Entry *spare, guint count)
{
  for (guint from = 0; from < count; from += FEW)
    insertion_sort (members, entries + from, MIN (FEW, count - from));
  for (guint width = FEW; width < count; width *= 2)
    {
      Entry *sorted = spare;

      for (guint from = 0; from < count; from += MIN (2 * width, count - from))
        merge (members, entries + from, MIN (width, count - from), MIN (2 * width, count - from), spare + from);
      spare = entries;
      entries = sorted;
    }
  return entries;
}

static gboolean
same_scalar (const VeilJson *a, const VeilJson *b)
{
  double x, y;

  if (a->type < VEIL_JSON_INTEGER)
    return TRUE;
  if (veil_json_compare_text (a->u.text, a->size, b->u.text, b->size) == 0)
    return TRUE;
  return a->type == VEIL_JSON_FLOAT && veil_json_get_double (a, &x) && veil_json_get_double (b, &y) &&
         memcmp (&x, &y, sizeof x) == 0;
}

/* Deep equality of what would be written. A value is compared once, when it is dropped for another one, and never again: all such
 * comparisons of a document together take no longer than reading it did. */
static gboolean
same_value (const VeilJson *a, const VeilJson *b)
{
  struct
  {
    const VeilJson *a, *b;
    guint next;
  } stack[VEIL_JSON_MAX_DEPTH], *top = NULL;
  guint depth = 0;

  for (;;)
    {
      if (a->type != b->type)
        return FALSE;
      if (a->type < VEIL_JSON_ARRAY ? !same_scalar (a, b) : a->size != b->size)
        return FALSE;
      if (a->type >= VEIL_JSON_ARRAY)
        {
          top = &stack[depth++];
          top->a = a;
          top->b = b;
          top->next = 0;
        }
      while (depth > 0 && stack[depth - 1].next == stack[depth - 1].a->size)
        depth--;
      if (depth == 0)
        return TRUE;
      top = &stack[depth - 1];
      a = &top->a->u.children[top->next];
      b = &top->b->u.children[top->next];
      if (top->a->type == VEIL_JSON_OBJECT)
        {
          a = key_of (top->a->u.children, key_of (top->a->u.children, top->next)->order);
          b = key_of (top->b->u.children, key_of (top->b->u.children, top->next)->order);
          if (!same_scalar (a++, b++))
            return FALSE;
        }
      top->next++;
    }
}

/* Leaves one entry for each key. Keys that go are marked by their type. */
static guint
drop_repeated (VeilJson *members, Entry *entries, guint count, gboolean *differ)
{
  guint kept = 0;

  for (guint from = 0, to; from < count; from = to)
    {
      VeilJson *first = &members[2 * (gsize) entries[from].index];
      VeilJson *last;

      for (to = from + 1; to < count && compare_entries (members, &entries[from], &entries[to]) == 0; to++)
        members[2 * (gsize) entries[to].index].type = VEIL_JSON_NULL;
      last = &members[2 * (gsize) entries[to - 1].index];
      for (guint i = from; i + 1 < to && !*differ; i++)
        *differ = !same_value (&members[2 * (gsize) entries[i].index + 1], last + 1);
      first[1] = last[1];
      entries[kept++] = entries[from];
    }
  return kept;
}

/* Closes the gaps, and lets @entries speak of the new places. */
static void
close_gaps (VeilJson *members, guint count, Entry *entries, guint kept)
{
  guint place = 0;

  for (guint i = 0; i < count; i++)
    {
      VeilJson *key = &members[2 * (gsize) i];

      key->order = place;
      if (key->type == VEIL_JSON_STRING)
        place++;
    }
  for (guint i = 0; i < kept; i++)
    entries[i].index = key_of (members, entries[i].index)->order;
  place = 0;
  for (guint i = 0; i < count; i++)
    if (key_of (members, i)->type == VEIL_JSON_STRING)
      {
        memmove (&members[2 * (gsize) place], key_of (members, i), 2 * sizeof *members);
        place++;
      }
}

static gboolean
already_sorted (VeilJson *members, guint count)
{
  for (guint i = 0; i < count; i++)
    {
      VeilJson *key = &members[2 * (gsize) i];

      if (i > 0 && veil_json_compare_text (key[-2].u.text, key[-2].size, key->u.text, key->size) >= 0)
        return FALSE;
      key->order = i;
    }
  return TRUE;
}

gboolean
veil_json_order_members (VeilJson *members, guint count, guint *count_out, gboolean *differ)
{
  g_autofree Entry *many = NULL;
  Entry few[FEW];
  Entry *entries = few;
  guint kept;

  *count_out = count;
  if (already_sorted (members, count))
    return TRUE;

  if (count > FEW)
    {
      many = entries = g_try_new (Entry, 2 * (gsize) count);
      if (many == NULL)
        return FALSE;
    }
  fill_entries (members, count, entries);
  if (count > FEW)
    entries = merge_sort (members, entries, many + count, count);
  else
    insertion_sort (members, entries, count);

  kept = drop_repeated (members, entries, count, differ);
  if (kept < count)
    close_gaps (members, count, entries, kept);
  for (guint i = 0; i < kept; i++)
    members[2 * (gsize) i].order = entries[i].index;
  *count_out = kept;
  return TRUE;
}
