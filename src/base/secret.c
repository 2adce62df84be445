/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "secret.h"

#include <malloc.h>
#include <string.h>

void
veil_secret_wipe (void *data, gsize length)
{
  if (length > 0)
    explicit_bzero (data, length);
}

gboolean
veil_secret_equal (const void *a, const void *b, gsize length)
{
  const volatile guint8 *left = a;
  const volatile guint8 *right = b;
  volatile guint8 difference = 0;

  for (gsize i = 0; i < length; i++)
    difference |= left[i] ^ right[i];
  return difference == 0;
}

gboolean
veil_secret_equal_str (const char *given, const char *expected)
{
  volatile guint8 difference = 0;
  gsize length;

  if (given == NULL || expected == NULL)
    return FALSE;

  /* The terminating NUL takes part, and @expected is not walked past its own: no strlen() of it, whose time would tell. */
  length = strlen (given);
  for (gsize i = 0; i <= length; i++)
    {
      difference |= (guint8) given[i] ^ (guint8) *expected;
      expected += *expected != '\0';
    }
  return difference == 0;
}

typedef struct
{
  gpointer data; /* owned */
  gsize length;
} Wiped;

static void
wiped_free (gpointer data)
{
  Wiped *wiped = data;

  veil_secret_wipe (wiped->data, wiped->length);
  g_free (wiped->data);
  g_free (wiped);
}

GBytes *
veil_secret_bytes_new_take (void *data, gsize length)
{
  Wiped *wiped = g_new (Wiped, 1);

  *wiped = (Wiped){ data, length };
  return g_bytes_new_with_free_func (data, length, wiped_free, wiped);
}

void
veil_secret_free (char *secret)
{
  if (secret == NULL)
    return;
  veil_secret_wipe (secret, malloc_usable_size (secret));
  g_free (secret);
}

void
veil_secret_byte_array_unref (GByteArray *array)
{
  if (array == NULL)
    return;
  /* What was longer before it was cut lies past array->len. */
  if (array->data != NULL)
    veil_secret_wipe (array->data, malloc_usable_size (array->data));
  g_byte_array_unref (array);
}

/* GByteArray does not tell its capacity. It is a power of two, and no more than the allocator gave. */
static gsize
byte_array_capacity (const GByteArray *array)
{
  gsize usable = array->data != NULL ? malloc_usable_size (array->data) : 0;

  return usable == 0 ? 0 : (gsize) 1 << (g_bit_storage (usable) - 1);
}

void
veil_secret_byte_array_reserve (GByteArray *array, gsize extra)
{
  gsize length = array->len;
  guint8 *old;

  if (extra > G_MAXUINT / 2 || length > G_MAXUINT / 2 - extra)
    g_error ("a buffer of %" G_GSIZE_FORMAT " bytes cannot take %" G_GSIZE_FORMAT " more", length, extra);
  if (length + extra <= byte_array_capacity (array))
    return;

  old = g_byte_array_steal (array, NULL);
  g_byte_array_set_size (array, length + extra);
  g_byte_array_set_size (array, length);
  if (old == NULL)
    return;
  memcpy (array->data, old, length);
  veil_secret_wipe (old, malloc_usable_size (old));
  g_free (old);
}

void
veil_secret_byte_array_append (GByteArray *array, const void *data, gsize length)
{
  veil_secret_byte_array_reserve (array, length);
  g_byte_array_append (array, data, length);
}
