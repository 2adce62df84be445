/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "table.h"

#define GAP 2

typedef struct
{
  char *name;  /* owned; NULL: a line of its own */
  char *value; /* owned */
} Row;

struct _VeilTable
{
  const char *indent;
  GPtrArray *rows; /* owned, of Row */
};

static void
row_free (Row *row)
{
  g_free (row->name);
  g_free (row->value);
  g_free (row);
}

VeilTable *
veil_table_new (const char *indent)
{
  VeilTable *self = g_new0 (VeilTable, 1);

  self->indent = indent;
  self->rows = g_ptr_array_new_with_free_func ((GDestroyNotify) row_free);
  return self;
}

void
veil_table_add (VeilTable *self, const char *name, const char *value)
{
  Row *row = g_new0 (Row, 1);

  row->name = g_strdup (name);
  row->value = g_strdup (value);
  g_ptr_array_add (self->rows, row);
}

void
veil_table_add_line (VeilTable *self, const char *line)
{
  veil_table_add (self, NULL, line);
}

/* Cells of the terminal: a Chinese letter has two, an accent of its own none. */
static guint
measure (const char *text)
{
  guint cells = 0;

  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      cells += g_unichar_iszerowidth (c) ? 0 : g_unichar_iswide (c) ? 2 : 1;
    }
  return cells;
}

static guint
measure_widest (const VeilTable *self)
{
  guint widest = 0;

  for (guint i = 0; i < self->rows->len; i++)
    {
      const Row *row = self->rows->pdata[i];

      if (row->name != NULL)
        widest = MAX (widest, measure (row->name));
    }
  return widest;
}

void
veil_table_print (VeilTable *self)
{
  guint widest = measure_widest (self);

  for (guint i = 0; i < self->rows->len; i++)
    {
      const Row *row = self->rows->pdata[i];

      if (row->name == NULL)
        g_print ("%s\n", row->value);
      else
        g_print ("%s%s%*s%s\n", self->indent, row->name, (int) (widest - measure (row->name) + GAP), "", row->value);
    }
  g_ptr_array_unref (self->rows);
  g_free (self);
}
