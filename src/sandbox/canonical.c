/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "canonical.h"

#include <string.h>

#include "json-writer.h"
#include "keccak.h"
#include "veil-error.h"

/* Python's str() of a scalar. */
static gboolean
write_python_str (VeilJsonWriter *writer, const VeilJson *value)
{
  const char *text;
  gsize length;
  double number = 0.0;
  char digits[32];

  switch (veil_json_get_type (value))
    {
    case VEIL_JSON_STRING:
      text = veil_json_get_string (value, &length);
      veil_json_writer_string_len (writer, text, length);
      return TRUE;
    case VEIL_JSON_NULL:
      veil_json_writer_string (writer, "None");
      return TRUE;
    case VEIL_JSON_FALSE:
      veil_json_writer_string (writer, "False");
      return TRUE;
    case VEIL_JSON_TRUE:
      veil_json_writer_string (writer, "True");
      return TRUE;
    case VEIL_JSON_INTEGER:
      text = veil_json_get_number_text (value, &length);
      veil_json_writer_string_len (writer, text, length);
      return TRUE;
    case VEIL_JSON_FLOAT:
      veil_json_get_double (value, &number); /* the reader let it pass: it fits */
      veil_json_writer_string_len (writer, digits, veil_json_format_double (number, digits));
      return TRUE;
    case VEIL_JSON_ARRAY:
    case VEIL_JSON_OBJECT:
    default:
      veil_json_writer_null (writer);
      return FALSE;
    }
}

static gboolean
write_part (VeilJsonWriter *writer, const VeilJson *part)
{
  gboolean fine = TRUE;

  veil_json_writer_begin_object (writer);
  if (!veil_json_is (part, VEIL_JSON_OBJECT))
    {
      veil_json_writer_key (writer, "text");
      fine = write_python_str (writer, part);
      veil_json_writer_key (writer, "type");
      veil_json_writer_string (writer, "text");
    }
  else if (veil_json_equals (veil_json_get_member (part, "type"), "text"))
    {
      const VeilJson *text = veil_json_get_member (part, "text");
      veil_json_writer_key (writer, "text");
      if (veil_json_is_truthy (text))
        veil_json_writer_value (writer, text);
      else
        veil_json_writer_string (writer, "");
      veil_json_writer_key (writer, "type");
      veil_json_writer_string (writer, "text");
    }
  else
    {
      const VeilJson *name = veil_json_get_member (veil_json_get_member (part, "file"), "filename");
      if (!veil_json_is_truthy (name))
        name = veil_json_get_member (part, "filename");
      if (veil_json_is_truthy (name))
        {
          veil_json_writer_key (writer, "filename");
          veil_json_writer_value (writer, name);
        }
      veil_json_writer_key (writer, "type");
      veil_json_writer_value (writer, veil_json_get_member (part, "type"));
    }
  veil_json_writer_end_object (writer);
  return fine;
}

static gboolean
write_user_content (VeilJsonWriter *writer, const VeilJson *content)
{
  gboolean fine = TRUE;

  if (!veil_json_is (content, VEIL_JSON_ARRAY))
    return write_python_str (writer, content);
  veil_json_writer_begin_array (writer);
  for (guint i = 0; i < veil_json_get_size (content) && fine; i++)
    fine = write_part (writer, veil_json_get_element (content, i));
  veil_json_writer_end_array (writer);
  return fine;
}

static void
write_or (VeilJsonWriter *writer, const char *key, const VeilJson *value, const char *fallback)
{
  veil_json_writer_key (writer, key);
  if (value != NULL)
    veil_json_writer_value (writer, value);
  else
    veil_json_writer_string (writer, fallback);
}

static void
write_tool_calls (VeilJsonWriter *writer, const VeilJson *calls)
{
  veil_json_writer_key (writer, "tool_calls");
  veil_json_writer_begin_array (writer);
  for (guint i = 0; i < veil_json_get_size (calls); i++)
    {
      const VeilJson *call = veil_json_get_element (calls, i);
      const VeilJson *function = veil_json_get_member (call, "function");

      veil_json_writer_begin_object (writer);
      veil_json_writer_key (writer, "function");
      veil_json_writer_begin_object (writer);
      write_or (writer, "arguments", veil_json_get_member (function, "arguments"), "");
      write_or (writer, "name", veil_json_get_member (function, "name"), "");
      veil_json_writer_end_object (writer);
      write_or (writer, "id", veil_json_get_member (call, "id"), "");
      write_or (writer, "type", veil_json_get_member (call, "type"), "function");
      veil_json_writer_end_object (writer);
    }
  veil_json_writer_end_array (writer);
}

static gboolean
write_message (VeilJsonWriter *writer, const VeilJson *message)
{
  const VeilJson *role = veil_json_get_member (message, "role");
  const VeilJson *content = veil_json_get_member (message, "content");
  const VeilJson *calls = veil_json_get_member (message, "tool_calls");
  const char *role_name = veil_json_get_string (role, NULL);
  gboolean fine = TRUE;

  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "content");
  if (veil_json_equals (role, "user"))
    fine = write_user_content (writer, content);
  else if (veil_json_equals (role, "assistant") && !veil_json_is_truthy (content))
    veil_json_writer_string (writer, "");
  else
    veil_json_writer_value (writer, content);
  if (veil_json_equals (role, "function"))
    {
      veil_json_writer_key (writer, "name");
      veil_json_writer_value (writer, veil_json_get_member (message, "name"));
    }
  veil_json_writer_key (writer, "role");
  veil_json_writer_string (writer, veil_json_equals (role, "developer") ? "system" : role_name);
  if (veil_json_equals (role, "tool"))
    {
      veil_json_writer_key (writer, "tool_call_id");
      veil_json_writer_value (writer, veil_json_get_member (message, "tool_call_id"));
    }
  if (veil_json_equals (role, "assistant") && veil_json_is_truthy (calls))
    write_tool_calls (writer, calls);
  veil_json_writer_end_object (writer);
  return fine;
}

static void
write_if (VeilJsonWriter *writer, const VeilJson *wire, const char *key)
{
  const VeilJson *value = veil_json_get_member (wire, key);

  if (!veil_json_is_truthy (value))
    return;
  veil_json_writer_key (writer, key);
  veil_json_writer_value (writer, value);
}

static gboolean
write_request (VeilJsonWriter *writer, const VeilJson *wire, gboolean effort)
{
  const VeilJson *messages = veil_json_get_member (wire, "messages");
  const VeilJson *max_tokens = veil_json_get_member (wire, "max_tokens");
  double temperature = 0.0;
  gboolean fine = TRUE;

  veil_json_writer_begin_object (writer);
  if (veil_json_get_type (max_tokens) != VEIL_JSON_NULL)
    {
      veil_json_writer_key (writer, "max_tokens");
      veil_json_writer_value (writer, max_tokens);
    }
  veil_json_writer_key (writer, "messages");
  veil_json_writer_begin_array (writer);
  for (guint i = 0; i < veil_json_get_size (messages) && fine; i++)
    fine = write_message (writer, veil_json_get_element (messages, i));
  veil_json_writer_end_array (writer);
  veil_json_writer_key (writer, "model");
  veil_json_writer_value (writer, veil_json_get_member (wire, "model"));
  if (effort)
    write_if (writer, wire, "reasoning_effort");
  write_if (writer, wire, "response_format");
  write_if (writer, wire, "stop");
  veil_json_writer_key (writer, "temperature");
  veil_json_get_double (veil_json_get_member (wire, "temperature"), &temperature);
  veil_json_writer_double (writer, temperature);
  write_if (writer, wire, "tools");
  if (veil_json_is_truthy (veil_json_get_member (wire, "web_search")))
    {
      veil_json_writer_key (writer, "web_search");
      veil_json_writer_boolean (writer, TRUE);
    }
  veil_json_writer_end_object (writer);
  return fine;
}

static gboolean
check_messages (const VeilJson *messages, GError **error)
{
  static const char *const roles[] = { "system", "developer", "user", "assistant", "tool", "function", NULL };

  for (guint i = 0; i < veil_json_get_size (messages); i++)
    {
      const char *role = veil_json_get_string (veil_json_get_member (veil_json_get_element (messages, i), "role"), NULL);
      if (role == NULL || !g_strv_contains (roles, role))
        {
          g_set_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_REQUEST, "messages[%u] has no role that the gateway knows", i);
          return FALSE;
        }
    }
  return TRUE;
}

/* A gateway would let more pass; here it shows that a client sends only what it may. */
static gboolean
check_request (const VeilJson *wire, GError **error)
{
  static const char *const allowed[] = { "model",           "messages",   "temperature",      "max_tokens",  "stop",   "tools",
                                         "response_format", "web_search", "reasoning_effort", "tool_choice", "stream", NULL };
  const VeilJson *messages = veil_json_get_member (wire, "messages");
  const char *key;

  for (guint i = 0; veil_json_get_member_at (wire, i, &key, NULL) != NULL; i++)
    if (!g_strv_contains (allowed, key))
      {
        g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_INVALID_REQUEST,
                             "the sealed request has a field that no client may send");
        return FALSE;
      }
  if (!veil_json_is (veil_json_get_member (wire, "model"), VEIL_JSON_STRING) || !veil_json_is (messages, VEIL_JSON_ARRAY) ||
      veil_json_get_size (messages) == 0 || !veil_json_is (veil_json_get_member (wire, "temperature"), VEIL_JSON_FLOAT))
    {
      g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_INVALID_REQUEST,
                           "the sealed request needs a model, messages and a temperature with a fraction");
      return FALSE;
    }
  return check_messages (messages, error);
}

static gboolean
check_written (gboolean fine, GError **error)
{
  if (!fine)
    g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_INVALID_REQUEST, "a user message has content without a certain text form");
  return fine;
}

GBytes *
veil_sandbox_canonical_text (const VeilJson *wire, gboolean effort, GError **error)
{
  g_autoptr (GBytes) text = NULL;
  VeilJsonWriter *writer;
  gboolean fine;

  if (!check_request (wire, error))
    return NULL;
  writer = veil_json_writer_new (VEIL_JSON_CANONICAL);
  fine = write_request (writer, wire, effort);
  text = veil_json_writer_finish (writer);
  return check_written (fine, error) ? g_steal_pointer (&text) : NULL;
}

static void
hash_text (const guint8 *data, gsize length, gpointer user_data)
{
  VeilKeccak256 *hash = user_data;

  veil_keccak256_update (hash, data, length);
}

gboolean
veil_sandbox_canonical_hash (const VeilJson *wire, gboolean effort, guint8 out[static 32], GError **error)
{
  VeilKeccak256 hash;
  VeilJsonWriter *writer;
  gboolean fine;

  if (!check_request (wire, error))
    return FALSE;
  veil_keccak256_init (&hash);
  writer = veil_json_writer_new_sink (VEIL_JSON_CANONICAL, hash_text, &hash);
  fine = write_request (writer, wire, effort);
  g_bytes_unref (veil_json_writer_finish (writer));
  veil_keccak256_digest (&hash, out);
  return check_written (fine, error);
}
