/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "tool-deltas.h"

#include "json-writer.h"
#include "secret.h"
#include "translate.h"
#include "veil-error.h"

#define MAX_CALLS 1024

typedef struct
{
  guint64 index;
  GByteArray *id; /* these four owned */
  GByteArray *type;
  GByteArray *name;
  GByteArray *arguments;
  gboolean id_was_null;
  gboolean id_was_text;
} Call;

struct _VeilToolDeltas
{
  GArray *calls;      /* owned, of Call; in order of appearance until built */
  GHashTable *places; /* owned: index -> place in calls */
};

static gboolean
malformed (GError **error, const char *message)
{
  g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_MALFORMED_ANSWER, message);
  return FALSE;
}

static void
clear_call (gpointer data)
{
  Call *call = data;

  veil_secret_byte_array_unref (call->id);
  veil_secret_byte_array_unref (call->type);
  veil_secret_byte_array_unref (call->name);
  veil_secret_byte_array_unref (call->arguments);
}

VeilToolDeltas *
veil_tool_deltas_new (void)
{
  VeilToolDeltas *self = g_new0 (VeilToolDeltas, 1);

  self->calls = g_array_new (FALSE, TRUE, sizeof (Call));
  g_array_set_clear_func (self->calls, clear_call);
  self->places = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  return self;
}

void
veil_tool_deltas_free (VeilToolDeltas *self)
{
  g_array_unref (self->calls);
  g_hash_table_unref (self->places);
  g_free (self);
}

static Call *
find_call (VeilToolDeltas *self, guint64 index, GError **error)
{
  Call added = { index };
  gpointer place;

  if (g_hash_table_lookup_extended (self->places, &index, NULL, &place))
    return &g_array_index (self->calls, Call, GPOINTER_TO_UINT (place));
  if (self->calls->len >= MAX_CALLS)
    {
      malformed (error, _ ("The stream holds more tool calls than an answer may have"));
      return NULL;
    }
  added.id = g_byte_array_new ();
  added.type = g_byte_array_new ();
  added.name = g_byte_array_new ();
  added.arguments = g_byte_array_new ();
  veil_secret_byte_array_append (added.type, "function", 8);
  g_hash_table_insert (self->places, g_memdup2 (&index, sizeof index), GUINT_TO_POINTER (self->calls->len));
  g_array_append_val (self->calls, added);
  return &g_array_index (self->calls, Call, self->calls->len - 1);
}

/* A value takes the place of the one before unless it is empty. */
static gboolean
set_text (GByteArray *target, const VeilJson *value, gboolean append, GError **error)
{
  const char *text;
  gsize length;

  if (!veil_json_is_truthy (value))
    return TRUE;
  text = veil_json_get_string (value, &length);
  if (text == NULL)
    return malformed (error, _ ("The stream holds a tool call with a field that is not text"));
  if (!append)
    g_byte_array_set_size (target, 0);
  veil_secret_byte_array_append (target, text, length);
  return TRUE;
}

static gboolean
add_fragment (VeilToolDeltas *self, const VeilJson *fragment, GError **error)
{
  const VeilJson *index = veil_json_get_member (fragment, "index");
  const VeilJson *id = veil_json_get_member (fragment, "id");
  const VeilJson *function = veil_json_get_member (fragment, "function");
  guint64 number = 0;
  Call *call;

  if (!veil_json_is (fragment, VEIL_JSON_OBJECT))
    return malformed (error, _ ("The stream holds a tool call that is not an object"));
  if (index != NULL && !veil_json_get_uint64 (index, &number))
    return malformed (error, _ ("The stream holds a tool call whose index is not a whole number"));
  if (veil_json_get_type (function) != VEIL_JSON_NULL && !veil_json_is (function, VEIL_JSON_OBJECT))
    return malformed (error, _ ("The stream holds a tool call whose function is not an object"));
  call = find_call (self, number, error);
  if (call == NULL)
    return FALSE;
  call->id_was_null = call->id_was_null || veil_json_is (id, VEIL_JSON_NULL);
  call->id_was_text = call->id_was_text || veil_json_is (id, VEIL_JSON_STRING);
  return set_text (call->id, id, FALSE, error) && set_text (call->type, veil_json_get_member (fragment, "type"), FALSE, error) &&
         set_text (call->name, veil_json_get_member (function, "name"), FALSE, error) &&
         set_text (call->arguments, veil_json_get_member (function, "arguments"), TRUE, error);
}

gboolean
veil_tool_deltas_add (VeilToolDeltas *self, const VeilJson *fragments, GError **error)
{
  if (!veil_json_is_truthy (fragments))
    return TRUE;
  if (!veil_json_is (fragments, VEIL_JSON_ARRAY))
    return malformed (error, _ ("The stream holds tool calls that are not a list"));
  for (guint i = 0; i < veil_json_get_size (fragments); i++)
    if (!add_fragment (self, veil_json_get_element (fragments, i), error))
      return FALSE;
  return TRUE;
}

gboolean
veil_tool_deltas_is_empty (VeilToolDeltas *self)
{
  return self->calls->len == 0;
}

static gboolean
has_null_id (const Call *call)
{
  return call->id_was_null && !call->id_was_text;
}

gboolean
veil_tool_deltas_has_null_id (VeilToolDeltas *self)
{
  for (guint i = 0; i < self->calls->len; i++)
    if (has_null_id (&g_array_index (self->calls, Call, i)))
      return TRUE;
  return FALSE;
}

static int
compare_index (gconstpointer a, gconstpointer b)
{
  const Call *left = *(const Call *const *) a;
  const Call *right = *(const Call *const *) b;

  return left->index < right->index ? -1 : left->index > right->index;
}

static void
write_text (VeilJsonWriter *writer, const char *key, const GByteArray *text)
{
  veil_json_writer_key (writer, key);
  veil_json_writer_string_len (writer, text->len > 0 ? (const char *) text->data : "", text->len);
}

static void
write_call (VeilJsonWriter *writer, const Call *call, gboolean null_ids)
{
  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "function");
  veil_json_writer_begin_object (writer);
  write_text (writer, "arguments", call->arguments);
  write_text (writer, "name", call->name);
  veil_json_writer_end_object (writer);
  if (null_ids && has_null_id (call))
    {
      veil_json_writer_key (writer, "id");
      veil_json_writer_null (writer);
    }
  else
    write_text (writer, "id", call->id);
  write_text (writer, "type", call->type);
  veil_json_writer_end_object (writer);
}

GBytes *
veil_tool_deltas_build (VeilToolDeltas *self, gboolean null_ids)
{
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_CANONICAL);
  g_autoptr (GPtrArray) sorted = g_ptr_array_new ();

  for (guint i = 0; i < self->calls->len; i++)
    g_ptr_array_add (sorted, &g_array_index (self->calls, Call, i));
  g_ptr_array_sort (sorted, compare_index);
  veil_json_writer_begin_array (writer);
  for (guint i = 0; i < sorted->len; i++)
    write_call (writer, g_ptr_array_index (sorted, i), null_ids);
  veil_json_writer_end_array (writer);
  return veil_json_writer_finish (writer);
}
