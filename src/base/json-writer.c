/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "json-writer.h"

#include <string.h>

#include "json-output.h"

/* What the caller has begun. */
typedef struct
{
  GString *last_key; /* owned; NULL in an array */
  gboolean filled;
} Level;

struct _VeilJsonWriter
{
  VeilJsonOutput out;
  GArray *levels; /* of Level */
  gboolean after_key;
};

static void
level_clear (gpointer data)
{
  Level *level = data;

  if (level->last_key != NULL)
    g_string_free (level->last_key, TRUE);
}

VeilJsonWriter *
veil_json_writer_new_sink (VeilJsonSpelling spelling, VeilJsonSink sink, gpointer user_data)
{
  VeilJsonWriter *self = g_new0 (VeilJsonWriter, 1);

  veil_json_output_init (&self->out, spelling, sink, user_data);
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
  veil_json_output_clear (&self->out);
  g_array_unref (self->levels);
  g_free (self);
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
        veil_json_output_separator (&self->out);
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
  veil_json_output_char (&self->out, object ? '{' : '[');
  g_array_append_val (self->levels, level);
}

static void
end (VeilJsonWriter *self, gboolean object)
{
  Level *level = top_level (self);

  g_assert (level != NULL && (level->last_key != NULL) == object && !self->after_key);
  veil_json_output_char (&self->out, object ? '}' : ']');
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
      g_assert (self->out.spelling != VEIL_JSON_CANONICAL || strcmp (level->last_key->str, key) < 0);
      veil_json_output_separator (&self->out);
    }
  level->filled = TRUE;
  g_string_assign (level->last_key, key);
  veil_json_output_string (&self->out, key, strlen (key));
  veil_json_output_colon (&self->out);
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
  veil_json_output_string (&self->out, length > 0 ? text : "", length);
}

void
veil_json_writer_uint (VeilJsonWriter *self, guint64 number)
{
  before_value (self);
  self->out.length += (gsize) g_snprintf (veil_json_output_reserve (&self->out, VEIL_JSON_OUTPUT_ROOM), VEIL_JSON_OUTPUT_ROOM,
                                          "%" G_GUINT64_FORMAT, number);
}

void
veil_json_writer_double (VeilJsonWriter *self, double number)
{
  before_value (self);
  self->out.length += veil_json_format_double (number, veil_json_output_reserve (&self->out, VEIL_JSON_OUTPUT_ROOM));
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
  veil_json_output_tree (&self->out, value);
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
  veil_json_output_text (&self->out, text, length);
}

GBytes *
veil_json_writer_finish (VeilJsonWriter *self)
{
  GBytes *text;

  g_assert (self->levels->len == 0);
  text = veil_json_output_finish (&self->out);
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
