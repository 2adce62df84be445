/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The writer's lower half: a wiped buffer, strings with their escapes, and whole trees. It knows nothing of what the caller has begun. */
#pragma once

#include "json-private.h"
#include "json-writer.h"

G_BEGIN_DECLS

typedef struct
{
  VeilJsonSpelling spelling;
  VeilJsonSink     sink; /* may be NULL */
  gpointer         sink_data;
  char            *buffer; /* owned */
  gsize            length;
  gsize            used; /* the most that length has ever been, as far as a sink took it away */
  gsize            size;
} VeilJsonOutput;

#define VEIL_JSON_OUTPUT_ROOM 32 /* for a number */

void    veil_json_output_init (VeilJsonOutput *self, VeilJsonSpelling spelling, VeilJsonSink sink, gpointer user_data);
void    veil_json_output_clear (VeilJsonOutput *self);

/* Returns: (transfer full): all the text; empty with a sink, which has received it. */
GBytes *veil_json_output_finish (VeilJsonOutput *self);

/* Room for @extra bytes at the end (with a sink, at most VEIL_JSON_OUTPUT_ROOM); the caller adds what it used to @length. */
char   *veil_json_output_reserve (VeilJsonOutput *self, gsize extra);

void    veil_json_output_text (VeilJsonOutput *self, const char *text, gsize length);
void    veil_json_output_char (VeilJsonOutput *self, char c);
void    veil_json_output_separator (VeilJsonOutput *self);
void    veil_json_output_colon (VeilJsonOutput *self);
void    veil_json_output_string (VeilJsonOutput *self, const char *text, gsize length);
void    veil_json_output_tree (VeilJsonOutput *self, const VeilJson *value);

G_END_DECLS
