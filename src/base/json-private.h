/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What reader, accessors and writer share. A document is two blocks of memory: its texts (strings unescaped, numbers as they stood, each
 * followed by NUL), and its nodes, where the children of a container lie side by side: elements, or key, value, key, value. */
#pragma once

#include "json.h"

G_BEGIN_DECLS

struct _VeilJson
{
  guint32 type : 3;
  guint32 plain : 1;     /* string: printable ASCII without quote and backslash */
  guint32 surrogate : 1; /* string: holds a lone surrogate */
  guint32 order : 27;    /* in the i-th key of an object: which member comes i-th in the order of code points */
  guint32 size;          /* bytes of text, elements or members */
  union
  {
    const char     *text;
    const VeilJson *children;
    gsize           parent; /* while being read: stack index of the container around this one */
  } u;
};

/* What the bit fields can count: a member takes five bytes. */
#define VEIL_JSON_MAX_LENGTH ((gsize) 1 << 29)

struct _VeilJsonDoc
{
  gatomicrefcount refs;
  gboolean        duplicates; /* that differ */
  gboolean        repeats;
  VeilJson       *nodes; /* owned; the root comes first, all others from @finished to the end */
  gsize           capacity;
  gsize           stacked; /* how many at the front were ever in use */
  gsize           finished;
  char           *text; /* owned */
  gsize           text_used;
};

/* Bytes past the end of the texts that copying by words may have touched. */
#define VEIL_JSON_TEXT_SLACK 8

/**
 * veil_json_read_string:
 * @at: the opening quote; moved behind the closing one, or to what is wrong
 * @text: where to put the bytes and a NUL, no more than are read; moved behind them, or behind those that were put
 *
 * Fills in @string.
 *
 * Returns: %NULL, or what is wrong.
 */
const char *veil_json_read_string (const guint8 **at, const guint8 *end, char **text, VeilJson *string);

/* Compares keys by code point (the byte order of WTF-8 is that of code points). */
int         veil_json_compare_text (const char *a, gsize a_length, const char *b, gsize b_length);

/**
 * veil_json_order_members:
 * @members: @count keys and values in source order
 * @differ: set to %TRUE if a repeated key had values that differ, else left alone
 *
 * Drops repeated keys like Python (the place of the first, the value of the last) and notes the sorted order in the keys.
 * Time is that of a merge sort whatever the keys are.
 *
 * Returns: %TRUE with the number of members that remain in @count_out; %FALSE if there is not enough memory.
 */
gboolean    veil_json_order_members (VeilJson *members, guint count, guint *count_out, gboolean *differ);

/* Python's repr() of the float that the JSON number @text stands for, NUL-terminated. Returns the length. */
gsize       veil_json_format_number_text (const char *text, gsize length, char out[static 32]);

G_END_DECLS
