/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "json-output.h"

#include <string.h>

#include "json-scan.h"
#include "secret.h"

#define SINK_BUFFER 8192
#define PIECE 1024 /* of a string, at once: less than the buffer of a sink */

void
veil_json_output_init (VeilJsonOutput *self, VeilJsonSpelling spelling, VeilJsonSink sink, gpointer user_data)
{
  *self = (VeilJsonOutput){ .spelling = spelling, .sink = sink, .sink_data = user_data, .size = SINK_BUFFER };
  self->buffer = g_malloc (self->size);
}

/* Copying by words may have left a few bytes of a text behind the end. */
static gsize
touched (const VeilJsonOutput *self)
{
  return MIN (self->size, MAX (self->used, self->length) + VEIL_JSON_TEXT_SLACK);
}

void
veil_json_output_clear (VeilJsonOutput *self)
{
  if (self->buffer != NULL)
    veil_secret_wipe (self->buffer, touched (self));
  g_clear_pointer (&self->buffer, g_free);
}

static void
flush (VeilJsonOutput *self)
{
  if (self->length > 0)
    self->sink ((const guint8 *) self->buffer, self->length, self->sink_data);
  self->used = MAX (self->used, self->length);
  self->length = 0;
}

static void
grow (VeilJsonOutput *self, gsize extra)
{
  gsize size = MAX (2 * self->size, self->length + extra);
  char *buffer = g_malloc (size);

  memcpy (buffer, self->buffer, self->length);
  veil_secret_wipe (self->buffer, touched (self));
  g_free (self->buffer);
  self->buffer = buffer;
  self->size = size;
}

/* Room for @extra bytes, and the slack; with a sink, @extra is always far less than the buffer. */
static inline char *
reserve (VeilJsonOutput *self, gsize extra)
{
  extra += VEIL_JSON_TEXT_SLACK;
  if (G_UNLIKELY (self->size - self->length < extra))
    {
      if (self->sink != NULL)
        flush (self);
      else
        grow (self, extra);
    }
  return self->buffer + self->length;
}

char *
veil_json_output_reserve (VeilJsonOutput *self, gsize extra)
{
  return reserve (self, extra);
}

void
veil_json_output_text (VeilJsonOutput *self, const char *text, gsize length)
{
  if (self->sink != NULL && length > PIECE)
    {
      flush (self);
      self->sink ((const guint8 *) text, length, self->sink_data);
      return;
    }
  memcpy (reserve (self, length), text, length);
  self->length += length;
}

void
veil_json_output_char (VeilJsonOutput *self, char c)
{
  *reserve (self, 1) = c;
  self->length++;
}

static void
put_u_escape (VeilJsonOutput *self, guint32 unit)
{
  static const char digits[] = "0123456789abcdef";
  char *out = reserve (self, 6);

  out[0] = '\\';
  out[1] = 'u';
  out[2] = digits[unit >> 12];
  out[3] = digits[unit >> 8 & 15];
  out[4] = digits[unit >> 4 & 15];
  out[5] = digits[unit & 15];
  self->length += 6;
}

static void
put_ascii_escape (VeilJsonOutput *self, guint8 byte)
{
  static const char short_escapes[128] = {
    ['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't',
  };
  char *out;

  if (byte == 0x7f && self->spelling == VEIL_JSON_COMPACT)
    veil_json_output_char (self, (char) byte);
  else if (short_escapes[byte] == '\0')
    put_u_escape (self, byte);
  else
    {
      out = reserve (self, 2);
      out[0] = '\\';
      out[1] = short_escapes[byte];
      self->length += 2;
    }
}

static guint32
decode (const guint8 *from, guint length)
{
  guint32 code = from[0] & (0xffu >> (length + 1));

  for (guint i = 1; i < length; i++)
    code = code << 6 | (from[i] & 0x3f);
  return code;
}

/* One character outside ASCII. Returns its length in bytes. */
static guint
put_beyond_ascii (VeilJsonOutput *self, const guint8 *from, const guint8 *end)
{
  guint length = veil_json_sequence_length (from, end, TRUE);
  guint32 code = length > 0 ? decode (from, length) : 0xfffd;

  if (self->spelling == VEIL_JSON_COMPACT && length > 0 && (code < 0xd800 || code > 0xdfff))
    {
      memcpy (reserve (self, length), from, length);
      self->length += length;
    }
  else if (code >= 0x10000)
    {
      put_u_escape (self, 0xd800 + ((code - 0x10000) >> 10));
      put_u_escape (self, 0xdc00 + ((code - 0x10000) & 0x3ff));
    }
  else
    put_u_escape (self, code);
  return MAX (length, 1);
}

void
veil_json_output_string (VeilJsonOutput *self, const char *text, gsize length)
{
  const guint8 *at = (const guint8 *) text;
  const guint8 *end = at + length;

  veil_json_output_char (self, '"');
  while (at < end)
    {
      gsize piece = MIN ((gsize) (end - at), PIECE);
      gsize plain = veil_json_copy_plain (reserve (self, piece), at, piece);

      self->length += plain;
      at += plain;
      if (plain < piece && *at < 0x80)
        put_ascii_escape (self, *at++);
      while (at < end && *at >= 0x80)
        at += put_beyond_ascii (self, at, end);
    }
  veil_json_output_char (self, '"');
}

static void
put_node_string (VeilJsonOutput *self, const VeilJson *string)
{
  if (!string->plain)
    {
      veil_json_output_string (self, string->u.text, string->size);
      return;
    }
  veil_json_output_char (self, '"');
  veil_json_output_text (self, string->u.text, string->size);
  veil_json_output_char (self, '"');
}

/* Anything but a container that holds something. */
static void
put_scalar (VeilJsonOutput *self, const VeilJson *value)
{
  static const char *const fixed[] = {
    [VEIL_JSON_NULL] = "null", [VEIL_JSON_FALSE] = "false", [VEIL_JSON_TRUE] = "true",
    [VEIL_JSON_ARRAY] = "[]",  [VEIL_JSON_OBJECT] = "{}",
  };
  VeilJsonType type = veil_json_get_type (value);

  if (type == VEIL_JSON_STRING)
    put_node_string (self, value);
  else if (type == VEIL_JSON_INTEGER)
    veil_json_output_text (self, value->u.text, value->size);
  else if (type == VEIL_JSON_FLOAT)
    self->length += veil_json_format_number_text (value->u.text, value->size, reserve (self, VEIL_JSON_OUTPUT_ROOM));
  else
    veil_json_output_text (self, fixed[type], strlen (fixed[type]));
}

void
veil_json_output_separator (VeilJsonOutput *self)
{
  if (self->spelling == VEIL_JSON_CANONICAL)
    veil_json_output_text (self, ", ", 2);
  else
    veil_json_output_char (self, ',');
}

void
veil_json_output_colon (VeilJsonOutput *self)
{
  if (self->spelling == VEIL_JSON_CANONICAL)
    veil_json_output_text (self, ": ", 2);
  else
    veil_json_output_char (self, ':');
}

/* Writes what comes before the @index-th child of @container, up to its value, which is returned. */
static const VeilJson *
put_up_to_child (VeilJsonOutput *self, const VeilJson *container, guint index)
{
  const VeilJson *key;

  if (index > 0)
    veil_json_output_separator (self);
  if (container->type == VEIL_JSON_ARRAY)
    return &container->u.children[index];

  if (self->spelling == VEIL_JSON_CANONICAL)
    index = container->u.children[2 * (gsize) index].order;
  key = &container->u.children[2 * (gsize) index];
  put_node_string (self, key);
  veil_json_output_colon (self);
  return key + 1;
}

/* The first or last text of what @value holds, going down along one edge; NULL if a literal or an empty container is there. */
static const VeilJson *
edge_text (const VeilJson *value, gboolean last)
{
  while (veil_json_get_size (value) > 0)
    {
      gsize index = last ? value->size - 1 : 0;

      /* In an object the first text is a key. */
      value = value->type == VEIL_JSON_OBJECT ? &value->u.children[2 * index + last] : &value->u.children[index];
    }
  return value->type >= VEIL_JSON_INTEGER && value->type <= VEIL_JSON_STRING ? value : NULL;
}

/* The texts of a document lie in source order, so that the way from first to last is about the length of what will be written. Growing
 * step by step instead costs more than writing. */
static void
prepare (VeilJsonOutput *self, const VeilJson *value)
{
  const VeilJson *first = edge_text (value, FALSE);
  const VeilJson *last = edge_text (value, TRUE);
  gsize length;

  if (self->sink != NULL || first == NULL || last == NULL || last->u.text < first->u.text)
    return;
  length = (gsize) (last->u.text - first->u.text) + last->size;
  reserve (self, length + length / 16);
}

void
veil_json_output_tree (VeilJsonOutput *self, const VeilJson *value)
{
  struct
  {
    const VeilJson *container;
    guint next;
  } stack[VEIL_JSON_MAX_DEPTH];
  guint depth = 0;

  if (veil_json_get_size (value) > 0)
    prepare (self, value);
  for (;;)
    {
      if (veil_json_get_size (value) > 0)
        {
          veil_json_output_char (self, value->type == VEIL_JSON_ARRAY ? '[' : '{');
          stack[depth].container = value;
          stack[depth++].next = 0;
        }
      else
        put_scalar (self, value);
      while (depth > 0 && stack[depth - 1].next == stack[depth - 1].container->size)
        veil_json_output_char (self, stack[--depth].container->type == VEIL_JSON_ARRAY ? ']' : '}');
      if (depth == 0)
        return;
      value = put_up_to_child (self, stack[depth - 1].container, stack[depth - 1].next);
      stack[depth - 1].next++;
    }
}

GBytes *
veil_json_output_finish (VeilJsonOutput *self)
{
  if (self->sink != NULL)
    {
      flush (self);
      veil_json_output_clear (self);
      return g_bytes_new_static ("", 0);
    }
  veil_secret_wipe (self->buffer + self->length, touched (self) - self->length);
  return veil_secret_bytes_new_take (g_steal_pointer (&self->buffer), self->length);
}
