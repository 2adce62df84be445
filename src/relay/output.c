/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "output.h"

#include "json-writer.h"
#include "keccak.h"
#include "secret.h"
#include "translate.h"
#include "veil-error.h"

#define MAX_FINISH_REASON 64

static gboolean
refuse (GError **error, VeilError code, const char *message)
{
  g_set_error_literal (error, VEIL_ERROR, code, message);
  return FALSE;
}

void
veil_output_clear (VeilOutput *self)
{
  g_clear_pointer (&self->bytes, g_bytes_unref);
}

void
veil_output_set (VeilOutput *self, GBytes *bytes, gboolean is_calls)
{
  gsize length;
  const guint8 *data = g_bytes_get_data (bytes, &length);

  self->bytes = bytes;
  self->is_calls = is_calls;
  veil_keccak256 (data, length, self->hash);
}

static const char *
get_utf8 (const VeilJson *value, gsize *length, GError **error)
{
  const char *text = veil_json_get_string (value, length);

  if (text == NULL)
    refuse (error, VEIL_ERROR_OUTPUT_HASH,
            _ ("The answer's content is neither text nor a list of parts, so it cannot be what was hashed"));
  else if (!veil_json_string_is_utf8 (value))
    {
      refuse (error, VEIL_ERROR_OUTPUT_HASH,
              _ ("The answer's text holds half of a surrogate pair, so it cannot be what was hashed"));
      text = NULL;
    }
  return text;
}

gboolean
veil_output_append_text (const VeilJson *content, GByteArray *text, GError **error)
{
  const char *data;
  gsize length;

  if (veil_json_get_type (content) == VEIL_JSON_NULL)
    return TRUE;
  if (!veil_json_is (content, VEIL_JSON_ARRAY))
    {
      data = get_utf8 (content, &length, error);
      if (data != NULL)
        veil_secret_byte_array_append (text, data, length);
      return data != NULL;
    }
  for (guint i = 0; i < veil_json_get_size (content); i++)
    {
      const VeilJson *part = veil_json_get_element (content, i);

      if (veil_json_is (part, VEIL_JSON_OBJECT))
        {
          part = veil_json_get_member (part, "text");
          if (part == NULL)
            continue;
        }
      data = get_utf8 (part, &length, error);
      if (data == NULL)
        return FALSE;
      veil_secret_byte_array_append (text, data, length);
    }
  return TRUE;
}

/* No signature covers the reason and it is passed on, so it may be a word and nothing that could be taken for an answer. */
static gboolean
is_word (const VeilJson *value)
{
  gsize length;
  const char *text = veil_json_get_string (value, &length);

  if (text == NULL || length > MAX_FINISH_REASON)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (text[i]) && text[i] != '_' && text[i] != '-' && text[i] != '.')
      return FALSE;
  return TRUE;
}

gboolean
veil_output_read_finish_reason (const VeilJson *choice, const VeilJson **finish_reason, GError **error)
{
  const VeilJson *value = veil_json_get_member (choice, "finish_reason");

  *finish_reason = NULL;
  if (veil_json_get_type (value) == VEIL_JSON_NULL)
    return TRUE;
  if (!is_word (value))
    return refuse (error, VEIL_ERROR_MALFORMED_ANSWER, _ ("The answer's finish_reason is neither a word nor null"));
  *finish_reason = value;
  return TRUE;
}

static GBytes *
read_text (VeilJsonDoc *doc, const VeilJson *content, GError **error)
{
  GByteArray *joined;
  const char *text;
  gsize length;

  if (veil_json_is (content, VEIL_JSON_STRING))
    {
      text = get_utf8 (content, &length, error);
      return text != NULL ? g_bytes_new_with_free_func (text, length, (GDestroyNotify) veil_json_doc_unref, veil_json_doc_ref (doc))
                          : NULL;
    }
  joined = g_byte_array_new ();
  if (!veil_output_append_text (content, joined, error))
    {
      veil_secret_byte_array_unref (joined);
      return NULL;
    }
  length = joined->len;
  return veil_secret_bytes_new_take (g_byte_array_free (joined, FALSE), length);
}

gboolean
veil_output_read_single (VeilJsonDoc *doc, const VeilJson *response, VeilOutput *self, GError **error)
{
  const VeilJson *choice = veil_json_get_element (veil_json_get_member (response, "choices"), 0);
  const VeilJson *message = veil_json_get_member (choice, "message");
  const VeilJson *calls = veil_json_get_member (message, "tool_calls");
  const VeilJson *finish_reason;
  GBytes *text;

  if (!veil_output_read_finish_reason (choice, &finish_reason, error))
    return FALSE;
  if (veil_json_equals (finish_reason, "tool_calls") && veil_json_is (calls, VEIL_JSON_ARRAY))
    {
      veil_output_set (self, veil_json_to_bytes (calls, VEIL_JSON_CANONICAL), TRUE);
      return TRUE;
    }
  text = read_text (doc, veil_json_get_member (message, "content"), error);
  if (text == NULL)
    return FALSE;
  veil_output_set (self, text, FALSE);
  return TRUE;
}
