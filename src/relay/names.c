/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "names.h"

#define MAX_NAMES 64
#define MAX_LENGTH 64

struct _VeilNames
{
  GPtrArray *list;  /* owned, of owned strings */
  GHashTable *seen; /* owned, of the list's strings */
};

VeilNames *
veil_names_new (void)
{
  VeilNames *self = g_new0 (VeilNames, 1);

  self->list = g_ptr_array_new_with_free_func (g_free);
  self->seen = g_hash_table_new (g_str_hash, g_str_equal);
  return self;
}

void
veil_names_free (VeilNames *self)
{
  g_hash_table_unref (self->seen);
  g_ptr_array_unref (self->list);
  g_free (self);
}

void
veil_names_add (VeilNames *self, const char *prefix, const char *name, gsize length)
{
  g_autofree char *clean = NULL;
  char *entry;

  if (self->list->len > MAX_NAMES)
    return;
  clean = g_utf8_make_valid (name, (gssize) MIN (length, MAX_LENGTH));
  entry = self->list->len == MAX_NAMES ? g_strdup ("…") : g_strdup_printf ("%s%s%s", prefix, clean, length > MAX_LENGTH ? "…" : "");
  if (g_hash_table_contains (self->seen, entry))
    {
      g_free (entry);
      return;
    }
  g_ptr_array_add (self->list, entry);
  g_hash_table_add (self->seen, entry);
}

GStrv
veil_names_to_strv (VeilNames *self)
{
  GStrv strv = g_new0 (char *, self->list->len + 1);

  for (guint i = 0; i < self->list->len; i++)
    strv[i] = g_strdup (g_ptr_array_index (self->list, i));
  return strv;
}
