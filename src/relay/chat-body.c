/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "chat-body.h"

#include "names.h"
#include "translate.h"

#include <string.h>

static gboolean
is_null (const VeilJson *value)
{
  return veil_json_get_type (value) == VEIL_JSON_NULL;
}

static gboolean
is_boolean (const VeilJson *value)
{
  return veil_json_is (value, VEIL_JSON_TRUE) || veil_json_is (value, VEIL_JSON_FALSE);
}

static gboolean
read_model (VeilChatBody *self, GError **error)
{
  const VeilJson *model = veil_json_get_member (self->root, "model");
  const char *slash;

  self->model = veil_json_get_string (model, &self->model_length);
  if (self->model == NULL || self->model_length == 0)
    /* TRANSLATORS: here and below, words such as model, stop and tools are names in the OpenAI API and stay */
    return veil_chat_refuse (error, "model", _ ("model must be a non-empty string"));
  if (!veil_json_string_is_utf8 (model) || memchr (self->model, '\0', self->model_length) != NULL)
    return veil_chat_refuse (error, "model", _ ("model holds characters that no model name has"));
  slash = self->openai ? memchr (self->model, '/', self->model_length) : NULL;
  if (slash != NULL)
    {
      self->model_length -= (gsize) (slash + 1 - self->model);
      self->model = slash + 1;
    }
  if (self->model_length == 0)
    return veil_chat_refuse (error, "model", _ ("model has nothing after its provider/ part"));
  return TRUE;
}

static gboolean
read_messages (VeilChatBody *self, GError **error)
{
  guint size;

  self->messages = veil_json_get_member (self->root, "messages");
  size = veil_json_get_size (self->messages);
  if (!veil_json_is (self->messages, VEIL_JSON_ARRAY) || size == 0)
    return veil_chat_refuse (error, "messages", _ ("messages must be a non-empty list"));
  for (guint i = 0; i < size; i++)
    if (!veil_json_is (veil_json_get_element (self->messages, i), VEIL_JSON_OBJECT))
      {
        g_autofree char *param = g_strdup_printf ("messages[%u]", i);

        return veil_chat_refuse (error, param, _ ("%s must be an object"), param);
      }
  for (guint i = 0; i < size; i++)
    if (!veil_chat_message_check (veil_json_get_element (self->messages, i), i, self->openai, error))
      return FALSE;
  return TRUE;
}

static gboolean
read_temperature (VeilChatBody *self, GError **error)
{
  const VeilJson *temperature = veil_json_get_member (self->root, "temperature");

  self->temperature = 0.0;
  if (!is_null (temperature) && !veil_json_get_double (temperature, &self->temperature))
    return veil_chat_refuse (error, "temperature", _ ("temperature must be a number"));
  return TRUE;
}

static gboolean
read_max_tokens (VeilChatBody *self, GError **error)
{
  const char *key = "max_tokens";
  const VeilJson *limit = veil_json_get_member (self->root, key);

  if (is_null (limit) && self->openai)
    {
      key = "max_completion_tokens";
      limit = veil_json_get_member (self->root, key);
      self->completion_stood_in = !is_null (limit);
    }
  if (is_null (limit))
    return TRUE;
  if (self->openai && !veil_json_is (limit, VEIL_JSON_INTEGER))
    return veil_chat_refuse (error, key, _ ("%s must be an integer"), key);
  self->max_tokens = limit;
  return TRUE;
}

static gboolean
check_stop (const VeilJson *stop, GError **error)
{
  gboolean fits = is_null (stop) || veil_json_is (stop, VEIL_JSON_STRING) || veil_json_is (stop, VEIL_JSON_ARRAY);

  for (guint i = 0; fits && veil_json_is (stop, VEIL_JSON_ARRAY) && i < veil_json_get_size (stop); i++)
    fits = veil_json_is (veil_json_get_element (stop, i), VEIL_JSON_STRING);
  return fits || veil_chat_refuse (error, "stop", _ ("stop must be a string or a list of strings"));
}

static gboolean
read_stream (VeilChatBody *self, GError **error)
{
  const VeilJson *stream = veil_json_get_member (self->root, "stream");
  const VeilJson *options = veil_json_get_member (self->root, "stream_options");
  const VeilJson *include_usage = veil_json_get_member (options, "include_usage");

  if (!is_null (stream) && !is_boolean (stream))
    return veil_chat_refuse (error, "stream", _ ("stream must be true or false"));
  if (!is_null (options) && !veil_json_is (options, VEIL_JSON_OBJECT))
    return veil_chat_refuse (error, "stream_options", _ ("stream_options must be an object"));
  if (!is_null (include_usage) && !is_boolean (include_usage))
    return veil_chat_refuse (error, "stream_options.include_usage", _ ("stream_options.include_usage must be true or false"));
  self->stream = veil_json_is (stream, VEIL_JSON_TRUE);
  self->include_usage = veil_json_is (include_usage, VEIL_JSON_TRUE);
  return TRUE;
}

/* What the exact reading lets through and OpenAI's API does not. */
static gboolean
check_openai_types (const VeilChatBody *self, GError **error)
{
  const VeilJson *n = veil_json_get_member (self->root, "n");
  const VeilJson *tools = veil_json_get_member (self->root, "tools");
  const VeilJson *choice = veil_json_get_member (self->root, "tool_choice");
  const VeilJson *format = veil_json_get_member (self->root, "response_format");
  const VeilJson *effort = veil_json_get_member (self->root, "reasoning_effort");
  guint64 count;

  if (!is_null (n) && (!veil_json_get_uint64 (n, &count) || count != 1))
    return veil_chat_refuse (error, "n",
                             _ ("n must be 1: only one choice of an answer is signed; send the request again for another"));
  if (!is_null (tools) && !veil_json_is (tools, VEIL_JSON_ARRAY))
    return veil_chat_refuse (error, "tools", _ ("tools must be a list"));
  if (!is_null (choice) && !veil_json_is (choice, VEIL_JSON_STRING) && !veil_json_is (choice, VEIL_JSON_OBJECT))
    return veil_chat_refuse (error, "tool_choice", _ ("tool_choice must be a string or an object"));
  if (!is_null (format) && !veil_json_is (format, VEIL_JSON_OBJECT))
    return veil_chat_refuse (error, "response_format", _ ("response_format must be an object"));
  if (!is_null (effort) && !veil_json_is (effort, VEIL_JSON_STRING))
    return veil_chat_refuse (error, "reasoning_effort", _ ("reasoning_effort must be a string"));
  return check_stop (veil_json_get_member (self->root, "stop"), error);
}

static const VeilJson *
get_truthy (const VeilChatBody *self, const char *key)
{
  const VeilJson *value = veil_json_get_member (self->root, key);

  return veil_json_is_truthy (value) ? value : NULL;
}

static gboolean
read_options (VeilChatBody *self, GError **error)
{
  self->effort = get_truthy (self, "reasoning_effort");
  if (!veil_json_is (self->effort, VEIL_JSON_STRING))
    self->effort = NULL;
  self->response_format = get_truthy (self, "response_format");
  self->stop = get_truthy (self, "stop");
  self->tools = get_truthy (self, "tools");
  self->web_search = get_truthy (self, "web_search") != NULL;
  self->tool_choice = veil_json_get_member (self->root, "tool_choice");
  if (is_null (self->tool_choice))
    self->tool_choice = NULL;
  if (self->tools != NULL && !veil_json_is (self->tools, VEIL_JSON_ARRAY))
    return veil_chat_refuse (error, "tools", _ ("tools must be a list"));
  return TRUE;
}

gboolean
veil_chat_body_read (VeilChatBody *self, const char *text, gsize length, gboolean openai, GError **error)
{
  memset (self, 0, sizeof *self);
  self->openai = openai;
  self->doc = veil_json_doc_new (text, length, error);
  if (self->doc == NULL)
    return FALSE;
  self->root = veil_json_doc_get_root (self->doc);
  if (!veil_json_is (self->root, VEIL_JSON_OBJECT))
    return veil_chat_refuse (error, NULL, _ ("The request body must be a JSON object"));
  return read_model (self, error) && read_messages (self, error) && read_temperature (self, error) &&
         read_max_tokens (self, error) && read_options (self, error) &&
         (!openai || (read_stream (self, error) && check_openai_types (self, error)));
}

void
veil_chat_body_clear (VeilChatBody *self)
{
  g_clear_pointer (&self->doc, veil_json_doc_unref);
}

static void
write_if (VeilJsonWriter *writer, const char *key, const VeilJson *value)
{
  if (value == NULL)
    return;
  veil_json_writer_key (writer, key);
  veil_json_writer_value (writer, value);
}

void
veil_chat_body_write (const VeilChatBody *self, VeilChatForm form, gboolean with_effort, VeilJsonWriter *writer)
{
  veil_json_writer_begin_object (writer);
  write_if (writer, "max_tokens", self->max_tokens);
  veil_json_writer_key (writer, "messages");
  veil_json_writer_begin_array (writer);
  for (guint i = 0; i < veil_json_get_size (self->messages); i++)
    veil_chat_message_write (veil_json_get_element (self->messages, i), form, writer);
  veil_json_writer_end_array (writer);
  veil_json_writer_key (writer, "model");
  veil_json_writer_string_len (writer, self->model, self->model_length);
  if (with_effort)
    write_if (writer, "reasoning_effort", self->effort);
  write_if (writer, "response_format", self->response_format);
  write_if (writer, "stop", self->stop);
  if (form == VEIL_CHAT_FORM_WIRE && self->stream)
    {
      veil_json_writer_key (writer, "stream");
      veil_json_writer_boolean (writer, TRUE);
    }
  veil_json_writer_key (writer, "temperature");
  veil_json_writer_double (writer, self->temperature);
  if (form == VEIL_CHAT_FORM_WIRE)
    write_if (writer, "tool_choice", self->tool_choice);
  write_if (writer, "tools", self->tools);
  if (self->web_search)
    {
      veil_json_writer_key (writer, "web_search");
      veil_json_writer_boolean (writer, TRUE);
    }
  veil_json_writer_end_object (writer);
}

static gboolean
is_read (const VeilChatBody *self, const char *key)
{
  static const char *const keys[] = { "model",           "messages",   "temperature", "max_tokens", "stop",           "tools",
                                      "response_format", "web_search", "tool_choice", "stream",     "stream_options", NULL };

  if (strcmp (key, "reasoning_effort") == 0)
    return self->effort != NULL;
  if (strcmp (key, "max_completion_tokens") == 0)
    return self->completion_stood_in;
  return g_strv_contains (keys, key);
}

GStrv
veil_chat_body_list_dropped (const VeilChatBody *self)
{
  g_autoptr (VeilNames) names = veil_names_new ();
  const VeilJson *value;
  const char *key;
  gsize length;

  for (guint i = 0; (value = veil_json_get_member_at (self->root, i, &key, &length)) != NULL; i++)
    if (!is_null (value) && (strlen (key) != length || !is_read (self, key)))
      veil_names_add (names, "", key, length);
  for (guint i = 0; i < veil_json_get_size (self->messages); i++)
    {
      const VeilJson *message = veil_json_get_element (self->messages, i);

      for (guint j = 0; (value = veil_json_get_member_at (message, j, &key, &length)) != NULL; j++)
        if (!is_null (value) && veil_chat_message_drops (message, key))
          veil_names_add (names, "messages[].", key, length);
    }
  return veil_names_to_strv (names);
}
