/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "fetch-body.h"

#include <string.h>

#define MIB (1024 * 1024)

typedef struct
{
  gsize max;
  goffset expected;
  gsize length;
  gsize largest_move; /* that may be */
} Case;

static guint8
byte_at (gsize position)
{
  return (guint8) (position / 4099 ^ position);
}

/* Fills @body, in whatever pieces it asks for, and returns how much was moved at once at most. */
static gsize
fill (VeilFetchBody *body, gsize length)
{
  const guint8 *before = NULL;
  gsize largest = 0;

  while (body->used < length)
    {
      gsize room;
      guint8 *next = veil_fetch_body_next (body, &room);

      if (before != NULL && body->data != before)
        largest = MAX (largest, body->used);
      before = body->data;
      g_assert_true (next == body->data + body->used);
      g_assert_cmpuint (room, >, 0);
      g_assert_cmpuint (body->used + room, <=, body->max + 1);
      room = MIN (room, length - body->used);
      for (gsize i = 0; i < room; i++)
        next[i] = byte_at (body->used + i);
      body->used += room;
    }
  return largest;
}

/* Every byte stays, and no move of what came before holds the main loop for long, whatever was announced. */
static void
test_growth (void)
{
  static const Case cases[] = {
    { 64 * MIB, -1, 64 * MIB + 1, 8 * MIB }, { 64 * MIB, 64 * MIB, 64 * MIB, MIB }, { 64 * MIB, 10, 10, 0 },
    { 64 * MIB, -1, 9 * MIB, 8 * MIB },      { 4 * MIB, -1, 4 * MIB + 1, 4 * MIB }, { 100, -1, 101, 0 },
    { 64 * MIB, 2 * MIB, 2 * MIB, MIB },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      VeilFetchBody body = { .max = cases[i].max, .expected = cases[i].expected };
      g_autoptr (GBytes) bytes = NULL;
      const guint8 *data;
      gsize length;

      g_assert_cmpuint (fill (&body, cases[i].length), <=, cases[i].largest_move);
      bytes = veil_fetch_body_steal (&body);
      data = g_bytes_get_data (bytes, &length);
      g_assert_cmpuint (length, ==, cases[i].length);
      for (gsize j = 0; j < length; j++)
        if (data[j] != byte_at (j))
          g_error ("case %zu: byte %zu was lost", i, j);
      veil_fetch_body_clear (&body);
    }
}

/* An announcement is not believed before something came. */
static void
test_announced (void)
{
  VeilFetchBody body = { .max = 64 * MIB, .expected = 64 * MIB };
  gsize room;

  veil_fetch_body_next (&body, &room);
  g_assert_cmpuint (body.size, <, MIB);
  veil_fetch_body_clear (&body);
  g_assert_null (body.data);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fetch-body/growth", test_growth);
  g_test_add_func ("/fetch-body/announced", test_announced);
  return g_test_run ();
}
