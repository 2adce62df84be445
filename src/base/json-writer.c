/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "json-writer.h"

#include <string.h>

#include "json-private.h"
#include "json-scan.h"
#include "secret.h"

#define SINK_BUFFER 8192
#define PIECE 1024 /* of a string, at once: less than the buffer of a sink */
#define ROOM 32    /* for one escape or number */

/* What the caller has begun. */
typedef struct
{
  GString *last_key; /* owned; NULL in an array */
  gboolean filled;
} Level;

struct _VeilJsonWriter
{
  VeilJsonSpelling spelling;
  VeilJsonSink sink;
  gpointer sink_data;
  char *buffer; /* owned */
  gsize length;
  gsize size;
  GArray *levels; /* of Level */
  gboolean after_key;
};

static void
level_clear (gpointer data)
{
  Level *level = data;

  if (level->last_key != NULL)
    veil_secret_free (g_string_free (level->last_key, FALSE));
}

VeilJsonWriter *
veil_json_writer_new_sink (VeilJsonSpelling spelling, VeilJsonSink sink, gpointer user_data)
{
  VeilJsonWriter *self = g_new0 (VeilJsonWriter, 1);

  self->spelling = spelling;
  self->sink = sink;
  self->sink_data = user_data;
  self->size = SINK_BUFFER;
  self->buffer = g_malloc (self->size);
  self->levels = g_array_new (FALSE, FALSE, sizeof (Level));
  g_array_set_clear_func (self->levels, level_clear);
  return self;
}

VeilJsonWriter *
veil_json_writer_new (VeilJsonSpelling spelling)
{
  return veil_json_writer_new_sink (spelling, NULL, NULL);
}

void
veil_json_writer_free (VeilJsonWriter *self)
{
  if (self->buffer != NULL)
    veil_secret_wipe (self->buffer, self->size);
  g_free (self->buffer);
  g_array_unref (self->levels);
  g_free (self);
}

static void
flush (VeilJsonWriter *self)
{
  if (self->length > 0)
    self->sink ((const guint8 *) self->buffer, self->length, self->sink_data);
  self->length = 0;
}

static void
grow (VeilJsonWriter *self, gsize extra)
{
  gsize size = MAX (2 * self->size, self->length + extra);
  char *buffer = g_malloc (size);

  memcpy (buffer, self->buffer, self->length);
  veil_secret_wipe (self->buffer, self->length + VEIL_JSON_TEXT_SLACK);
  g_free (self->buffer);
  self->buffer = buffer;
  self->size = size;
}

/* Room for @extra bytes, and the slack; with a sink, @extra is always far less than the buffer. */
static inline char *
reserve (VeilJsonWriter *self, gsize extra)
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

static void
put (VeilJsonWriter *self, const char *text, gsize length)
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

static inline void
put_char (VeilJsonWriter *self, char c)
{
  *reserve (self, 1) = c;
  self->length++;
}

static void
put_u_escape (VeilJsonWriter *self, guint32 unit)
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
put_ascii_escape (VeilJsonWriter *self, guint8 byte)
{
  static const char short_escapes[128] = {
    ['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't',
  };
  char *out;

  if (byte == 0x7f && self->spelling == VEIL_JSON_COMPACT)
    put_char (self, (char) byte);
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
put_beyond_ascii (VeilJsonWriter *self, const guint8 *from, const guint8 *end)
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

static void
put_string (VeilJsonWriter *self, const char *text, gsize length)
{
  const guint8 *at = (const guint8 *) text;
  const guint8 *end = at + length;

  put_char (self, '"');
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
  put_char (self, '"');
}

static void
put_node_string (VeilJsonWriter *self, const VeilJson *string)
{
  if (!string->plain)
    {
      put_string (self, string->u.text, string->size);
      return;
    }
  put_char (self, '"');
  put (self, string->u.text, string->size);
  put_char (self, '"');
}

/* Anything but a container that holds something. */
static void
put_scalar (VeilJsonWriter *self, const VeilJson *value)
{
  static const char *const fixed[] = {
    [VEIL_JSON_NULL] = "null", [VEIL_JSON_FALSE] = "false", [VEIL_JSON_TRUE] = "true",
    [VEIL_JSON_ARRAY] = "[]",  [VEIL_JSON_OBJECT] = "{}",
  };
  VeilJsonType type = veil_json_get_type (value);

  if (type == VEIL_JSON_STRING)
    put_node_string (self, value);
  else if (type == VEIL_JSON_INTEGER)
    put (self, value->u.text, value->size);
  else if (type == VEIL_JSON_FLOAT)
    self->length += veil_json_format_number_text (value->u.text, value->size, reserve (self, ROOM));
  else
    put (self, fixed[type], strlen (fixed[type]));
}

static void
put_separator (VeilJsonWriter *self)
{
  if (self->spelling == VEIL_JSON_CANONICAL)
    put (self, ", ", 2);
  else
    put_char (self, ',');
}

static void
put_colon (VeilJsonWriter *self)
{
  if (self->spelling == VEIL_JSON_CANONICAL)
    put (self, ": ", 2);
  else
    put_char (self, ':');
}

/* Writes what comes before the @index-th child of @container, up to its value, which is returned. */
static const VeilJson *
put_up_to_child (VeilJsonWriter *self, const VeilJson *container, guint index)
{
  const VeilJson *key;

  if (index > 0)
    put_separator (self);
  if (container->type == VEIL_JSON_ARRAY)
    return &container->u.children[index];

  if (self->spelling == VEIL_JSON_CANONICAL)
    index = container->u.children[2 * (gsize) index].order;
  key = &container->u.children[2 * (gsize) index];
  put_node_string (self, key);
  put_colon (self);
  return key + 1;
}

static void
put_tree (VeilJsonWriter *self, const VeilJson *value)
{
  struct
  {
    const VeilJson *container;
    guint next;
  } stack[VEIL_JSON_MAX_DEPTH];
  guint depth = 0;

  for (;;)
    {
      if (veil_json_get_size (value) > 0)
        {
          put_char (self, value->type == VEIL_JSON_ARRAY ? '[' : '{');
          stack[depth].container = value;
          stack[depth++].next = 0;
        }
      else
        put_scalar (self, value);
      while (depth > 0 && stack[depth - 1].next == stack[depth - 1].container->size)
        put_char (self, stack[--depth].container->type == VEIL_JSON_ARRAY ? ']' : '}');
      if (depth == 0)
        return;
      value = put_up_to_child (self, stack[depth - 1].container, stack[depth - 1].next);
      stack[depth - 1].next++;
    }
}

static Level *
top_level (VeilJsonWriter *self)
{
  return self->levels->len > 0 ? &g_array_index (self->levels, Level, self->levels->len - 1) : NULL;
}

static void
before_value (VeilJsonWriter *self)
{
  Level *level = top_level (self);

  if (level != NULL && level->last_key == NULL)
    {
      if (level->filled)
        put_separator (self);
      level->filled = TRUE;
    }
  else
    g_assert (level == NULL || self->after_key);
  self->after_key = FALSE;
}

static void
begin (VeilJsonWriter *self, gboolean object)
{
  Level level = { object ? g_string_new (NULL) : NULL, FALSE };

  before_value (self);
  put_char (self, object ? '{' : '[');
  g_array_append_val (self->levels, level);
}

static void
end (VeilJsonWriter *self, gboolean object)
{
  Level *level = top_level (self);

  g_assert (level != NULL && (level->last_key != NULL) == object && !self->after_key);
  put_char (self, object ? '}' : ']');
  g_array_set_size (self->levels, self->levels->len - 1);
}

void
veil_json_writer_begin_object (VeilJsonWriter *self)
{
  begin (self, TRUE);
}

void
veil_json_writer_end_object (VeilJsonWriter *self)
{
  end (self, TRUE);
}

void
veil_json_writer_begin_array (VeilJsonWriter *self)
{
  begin (self, FALSE);
}

void
veil_json_writer_end_array (VeilJsonWriter *self)
{
  end (self, FALSE);
}

void
veil_json_writer_key (VeilJsonWriter *self, const char *key)
{
  Level *level = top_level (self);

  g_assert (level != NULL && level->last_key != NULL && !self->after_key);
  if (level->filled)
    {
      g_assert (self->spelling != VEIL_JSON_CANONICAL || strcmp (level->last_key->str, key) < 0);
      put_separator (self);
    }
  level->filled = TRUE;
  g_string_assign (level->last_key, key);
  put_string (self, key, strlen (key));
  put_colon (self);
  self->after_key = TRUE;
}

void
veil_json_writer_string (VeilJsonWriter *self, const char *text)
{
  if (text != NULL)
    veil_json_writer_string_len (self, text, strlen (text));
  else
    veil_json_writer_null (self);
}

void
veil_json_writer_string_len (VeilJsonWriter *self, const char *text, gsize length)
{
  before_value (self);
  put_string (self, text, length);
}

void
veil_json_writer_uint (VeilJsonWriter *self, guint64 number)
{
  before_value (self);
  self->length += (gsize) g_snprintf (reserve (self, ROOM), ROOM, "%" G_GUINT64_FORMAT, number);
}

void
veil_json_writer_double (VeilJsonWriter *self, double number)
{
  before_value (self);
  self->length += veil_json_format_double (number, reserve (self, ROOM));
}

void
veil_json_writer_boolean (VeilJsonWriter *self, gboolean value)
{
  veil_json_writer_raw (self, value ? "true" : "false", value ? 4 : 5);
}

void
veil_json_writer_null (VeilJsonWriter *self)
{
  veil_json_writer_raw (self, "null", 4);
}

void
veil_json_writer_value (VeilJsonWriter *self, const VeilJson *value)
{
  before_value (self);
  put_tree (self, value);
}

void
veil_json_writer_strv (VeilJsonWriter *self, const char *const *strings)
{
  veil_json_writer_begin_array (self);
  for (guint i = 0; strings != NULL && strings[i] != NULL; i++)
    veil_json_writer_string (self, strings[i]);
  veil_json_writer_end_array (self);
}

void
veil_json_writer_raw (VeilJsonWriter *self, const char *text, gsize length)
{
  before_value (self);
  put (self, text, length);
}

GBytes *
veil_json_writer_finish (VeilJsonWriter *self)
{
  GBytes *text;

  g_assert (self->levels->len == 0);
  if (self->sink != NULL)
    flush (self);
  /* Copying by words may have left a few bytes of a text behind the end. */
  veil_secret_wipe (self->buffer + self->length, MIN (self->size - self->length, VEIL_JSON_TEXT_SLACK));
  if (self->sink != NULL)
    text = g_bytes_new_static ("", 0);
  else
    text = veil_secret_bytes_new_take (g_steal_pointer (&self->buffer), self->length);
  veil_json_writer_free (self);
  return text;
}

GBytes *
veil_json_to_bytes (const VeilJson *value, VeilJsonSpelling spelling)
{
  VeilJsonWriter *writer = veil_json_writer_new (spelling);

  veil_json_writer_value (writer, value);
  return veil_json_writer_finish (writer);
}
