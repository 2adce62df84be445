/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <math.h>
#include <string.h>

#include "json-private.h"
#include "secret.h"

VeilJsonDoc *
veil_json_doc_ref (VeilJsonDoc *doc)
{
  g_atomic_ref_count_inc (&doc->refs);
  return doc;
}

void
veil_json_doc_unref (VeilJsonDoc *doc)
{
  if (!g_atomic_ref_count_dec (&doc->refs))
    return;
  if (doc->nodes != NULL)
    {
      veil_secret_wipe (doc->nodes, doc->stacked * sizeof *doc->nodes);
      veil_secret_wipe (doc->nodes + doc->finished, (doc->capacity - doc->finished) * sizeof *doc->nodes);
    }
  if (doc->text != NULL)
    veil_secret_wipe (doc->text, doc->text_used + VEIL_JSON_TEXT_SLACK);
  g_free (doc->nodes);
  g_free (doc->text);
  g_free (doc);
}

const VeilJson *
veil_json_doc_get_root (VeilJsonDoc *doc)
{
  return doc->nodes;
}

gboolean
veil_json_doc_has_duplicate_keys (VeilJsonDoc *doc)
{
  return doc->duplicates;
}

gboolean
veil_json_doc_has_repeated_keys (VeilJsonDoc *doc)
{
  return doc->repeats;
}

gsize
veil_json_doc_get_weight (VeilJsonDoc *doc)
{
  return doc->text_used + (doc->stacked + doc->capacity - doc->finished) * sizeof *doc->nodes;
}

VeilJsonType
veil_json_get_type (const VeilJson *value)
{
  return value != NULL ? value->type : VEIL_JSON_NULL;
}

gboolean
veil_json_is (const VeilJson *value, VeilJsonType type)
{
  return value != NULL && value->type == type;
}

static gboolean
is_zero (const VeilJson *number)
{
  double value;

  if (number->type == VEIL_JSON_INTEGER)
    return number->size == 1 && number->u.text[0] == '0';
  return veil_json_get_double (number, &value) && fpclassify (value) == FP_ZERO;
}

gboolean
veil_json_is_truthy (const VeilJson *value)
{
  switch (veil_json_get_type (value))
    {
    case VEIL_JSON_NULL:
    case VEIL_JSON_FALSE:
      return FALSE;
    case VEIL_JSON_TRUE:
      return TRUE;
    case VEIL_JSON_INTEGER:
    case VEIL_JSON_FLOAT:
      return !is_zero (value);
    case VEIL_JSON_STRING:
    case VEIL_JSON_ARRAY:
    case VEIL_JSON_OBJECT:
      return value->size > 0;
    default:
      g_assert_not_reached ();
    }
}

static const char *
get_text (const VeilJson *value, gboolean has_text, gsize *length)
{
  if (length != NULL)
    *length = has_text ? value->size : 0;
  return has_text ? value->u.text : NULL;
}

const char *
veil_json_get_string (const VeilJson *value, gsize *length)
{
  return get_text (value, veil_json_is (value, VEIL_JSON_STRING), length);
}

gboolean
veil_json_string_is_utf8 (const VeilJson *value)
{
  return !veil_json_is (value, VEIL_JSON_STRING) || !value->surrogate;
}

gboolean
veil_json_equals (const VeilJson *value, const char *text)
{
  gsize length = strlen (text);

  return veil_json_is (value, VEIL_JSON_STRING) && value->size == length && memcmp (value->u.text, text, length) == 0;
}

static gboolean
is_number (const VeilJson *value)
{
  return veil_json_is (value, VEIL_JSON_INTEGER) || veil_json_is (value, VEIL_JSON_FLOAT);
}

const char *
veil_json_get_number_text (const VeilJson *value, gsize *length)
{
  return get_text (value, is_number (value), length);
}

gboolean
veil_json_get_uint64 (const VeilJson *value, guint64 *out)
{
  guint64 number = 0;

  if (!veil_json_is (value, VEIL_JSON_INTEGER))
    return FALSE;
  for (guint i = 0; i < value->size; i++)
    {
      /* A minus sign is no digit either. */
      if (!g_ascii_isdigit (value->u.text[i]) || !g_uint64_checked_mul (&number, number, 10) ||
          !g_uint64_checked_add (&number, number, (guint64) (value->u.text[i] - '0')))
        return FALSE;
    }
  *out = number;
  return TRUE;
}

gboolean
veil_json_get_double (const VeilJson *value, double *out)
{
  double number;

  if (!is_number (value))
    return FALSE;
  number = g_ascii_strtod (value->u.text, NULL);
  if (!isfinite (number))
    return FALSE;
  *out = number;
  return TRUE;
}

guint
veil_json_get_size (const VeilJson *value)
{
  return veil_json_is (value, VEIL_JSON_ARRAY) || veil_json_is (value, VEIL_JSON_OBJECT) ? value->size : 0;
}

const VeilJson *
veil_json_get_element (const VeilJson *array, guint index)
{
  if (!veil_json_is (array, VEIL_JSON_ARRAY) || index >= array->size)
    return NULL;
  return &array->u.children[index];
}

const VeilJson *
veil_json_get_member (const VeilJson *object, const char *key)
{
  gsize length = strlen (key);
  guint low = 0, high;

  if (!veil_json_is (object, VEIL_JSON_OBJECT))
    return NULL;
  high = object->size;
  while (low < high)
    {
      guint middle = low + (high - low) / 2;
      const VeilJson *candidate = &object->u.children[2 * (gsize) object->u.children[2 * (gsize) middle].order];
      int order = veil_json_compare_text (key, length, candidate->u.text, candidate->size);

      if (order == 0)
        return candidate + 1;
      if (order < 0)
        high = middle;
      else
        low = middle + 1;
    }
  return NULL;
}

const VeilJson *
veil_json_get_member_at (const VeilJson *object, guint index, const char **key, gsize *key_length)
{
  const VeilJson *member;

  if (!veil_json_is (object, VEIL_JSON_OBJECT) || index >= object->size)
    return NULL;
  member = &object->u.children[2 * (gsize) index];
  if (key != NULL)
    *key = member->u.text;
  if (key_length != NULL)
    *key_length = member->size;
  return member + 1;
}
