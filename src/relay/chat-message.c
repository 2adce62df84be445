/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "chat-message.h"

#include "error-details.h"
#include "translate.h"

#include <string.h>

typedef enum
{
  ROLE_UNKNOWN,
  ROLE_SYSTEM,
  ROLE_USER,
  ROLE_ASSISTANT,
  ROLE_TOOL,
  ROLE_FUNCTION,
} Role;

static const struct
{
  const char *name;
  Role role;
  const char *sent;
  const char *members[4]; /* read besides role and content */
} roles[] = {
  { "system", ROLE_SYSTEM, "system", { NULL } },
  { "developer", ROLE_SYSTEM, "system", { NULL } },
  { "user", ROLE_USER, "user", { NULL } },
  { "assistant", ROLE_ASSISTANT, "assistant", { "tool_calls", NULL } },
  { "tool", ROLE_TOOL, "tool", { "tool_call_id", NULL } },
  { "function", ROLE_FUNCTION, "function", { "name", NULL } },
};

gboolean
veil_chat_refuse (GError **error, const char *param, const char *format, ...)
{
  g_autoptr (GError) local = NULL;
  va_list args;

  va_start (args, format);
  local = g_error_new_valist (VEIL_ERROR, VEIL_ERROR_INVALID_REQUEST, format, args);
  va_end (args);
  if (param != NULL)
    veil_error_set_param (local, param);
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

static int
find_role (const VeilJson *message)
{
  const VeilJson *role = veil_json_get_member (message, "role");

  for (guint i = 0; i < G_N_ELEMENTS (roles); i++)
    if (veil_json_equals (role, roles[i].name))
      return (int) i;
  return -1;
}

/* The file name that is hashed for an attachment, or NULL: part.file.filename, else part.filename. */
static const VeilJson *
get_filename (const VeilJson *part)
{
  const VeilJson *name = veil_json_get_member (veil_json_get_member (part, "file"), "filename");

  if (!veil_json_is_truthy (name))
    name = veil_json_get_member (part, "filename");
  return veil_json_is_truthy (name) ? name : NULL;
}

static gboolean
check_user_part (const VeilJson *part, guint message, guint index, GError **error)
{
  g_autofree char *param = g_strdup_printf ("messages[%u].content[%u]", message, index);
  const VeilJson *text = veil_json_get_member (part, "text");
  const VeilJson *filename = get_filename (part);

  if (veil_json_is (part, VEIL_JSON_STRING))
    return TRUE;
  if (!veil_json_is (part, VEIL_JSON_OBJECT))
    return veil_chat_refuse (error, param, _ ("%s must be an object or a string"), param);
  if (veil_json_equals (veil_json_get_member (part, "type"), "text") && veil_json_is_truthy (text) &&
      !veil_json_is (text, VEIL_JSON_STRING))
    return veil_chat_refuse (error, param, _ ("The text of %s must be a string"), param);
  if (filename != NULL && !veil_json_is (filename, VEIL_JSON_STRING))
    return veil_chat_refuse (error, param, _ ("The filename of %s must be a string"), param);
  return TRUE;
}

static gboolean
check_user_content (const VeilJson *content, guint index, GError **error)
{
  g_autofree char *param = NULL;

  switch (veil_json_get_type (content))
    {
    case VEIL_JSON_STRING:
    case VEIL_JSON_NULL:
      return TRUE;
    case VEIL_JSON_ARRAY:
      for (guint i = 0; i < veil_json_get_size (content); i++)
        if (!check_user_part (veil_json_get_element (content, i), index, i, error))
          return FALSE;
      return TRUE;
    default:
      param = g_strdup_printf ("messages[%u].content", index);
      return veil_chat_refuse (error, param, _ ("%s must be a string or a list of parts"), param);
    }
}

static gboolean
check_tool_calls (const VeilJson *calls, guint index, GError **error)
{
  g_autofree char *param = g_strdup_printf ("messages[%u].tool_calls", index);

  if (!veil_json_is_truthy (calls))
    return TRUE;
  if (!veil_json_is (calls, VEIL_JSON_ARRAY))
    return veil_chat_refuse (error, param, _ ("%s must be a list"), param);
  for (guint i = 0; i < veil_json_get_size (calls); i++)
    {
      const VeilJson *call = veil_json_get_element (calls, i);
      const VeilJson *function = veil_json_get_member (call, "function");

      if (!veil_json_is (call, VEIL_JSON_OBJECT) || (function != NULL && !veil_json_is (function, VEIL_JSON_OBJECT)))
        return veil_chat_refuse (error, param, _ ("Entry %u of %s must be an object with an object \"function\""), i, param);
    }
  return TRUE;
}

static gboolean
check_content_type (const VeilJson *content, guint index, GError **error)
{
  g_autofree char *param = NULL;

  if (veil_json_get_type (content) == VEIL_JSON_NULL || veil_json_is (content, VEIL_JSON_STRING) ||
      veil_json_is (content, VEIL_JSON_ARRAY))
    return TRUE;
  param = g_strdup_printf ("messages[%u].content", index);
  return veil_chat_refuse (error, param, _ ("%s must be a string or a list of parts"), param);
}

gboolean
veil_chat_message_check (const VeilJson *message, guint index, gboolean strict_types, GError **error)
{
  const VeilJson *content = veil_json_get_member (message, "content");
  int role = find_role (message);

  if (role < 0)
    {
      g_autofree char *param = g_strdup_printf ("messages[%u].role", index);

      return veil_chat_refuse (error, param, _ ("%s must be one of system, developer, user, assistant, tool, function"), param);
    }
  if (strict_types && !check_content_type (content, index, error))
    return FALSE;
  if (roles[role].role == ROLE_USER)
    return check_user_content (content, index, error);
  if (roles[role].role == ROLE_ASSISTANT)
    return check_tool_calls (veil_json_get_member (message, "tool_calls"), index, error);
  return TRUE;
}

gboolean
veil_chat_message_drops (const VeilJson *message, const char *key)
{
  int role = find_role (message);

  if (strcmp (key, "role") == 0 || strcmp (key, "content") == 0)
    return FALSE;
  for (guint i = 0; role >= 0 && roles[role].members[i] != NULL; i++)
    if (strcmp (key, roles[role].members[i]) == 0)
      return FALSE;
  return TRUE;
}

/* A member's value as given, or @fallback where it is absent (null stays null). */
static void
write_member_or (VeilJsonWriter *writer, const VeilJson *object, const char *key, const char *fallback)
{
  const VeilJson *value = veil_json_get_member (object, key);

  veil_json_writer_key (writer, key);
  if (value != NULL)
    veil_json_writer_value (writer, value);
  else
    veil_json_writer_string (writer, fallback);
}

static void
write_canonical_part (VeilJsonWriter *writer, const VeilJson *part)
{
  const VeilJson *type = veil_json_get_member (part, "type");
  const VeilJson *text = veil_json_is (part, VEIL_JSON_STRING) ? part : veil_json_get_member (part, "text");
  const VeilJson *filename = get_filename (part);

  veil_json_writer_begin_object (writer);
  if (text == part || veil_json_equals (type, "text"))
    {
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
      if (filename != NULL)
        {
          veil_json_writer_key (writer, "filename");
          veil_json_writer_value (writer, filename);
        }
      veil_json_writer_key (writer, "type");
      veil_json_writer_value (writer, type);
    }
  veil_json_writer_end_object (writer);
}

static void
write_canonical_user_content (VeilJsonWriter *writer, const VeilJson *content)
{
  /* What the gateway's str() makes of a missing text. */
  if (veil_json_get_type (content) == VEIL_JSON_NULL)
    {
      veil_json_writer_string (writer, "None");
      return;
    }
  if (!veil_json_is (content, VEIL_JSON_ARRAY))
    {
      veil_json_writer_value (writer, content);
      return;
    }
  veil_json_writer_begin_array (writer);
  for (guint i = 0; i < veil_json_get_size (content); i++)
    write_canonical_part (writer, veil_json_get_element (content, i));
  veil_json_writer_end_array (writer);
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
      write_member_or (writer, function, "arguments", "");
      write_member_or (writer, function, "name", "");
      veil_json_writer_end_object (writer);
      write_member_or (writer, call, "id", "");
      write_member_or (writer, call, "type", "function");
      veil_json_writer_end_object (writer);
    }
  veil_json_writer_end_array (writer);
}

static void
write_content (VeilJsonWriter *writer, Role role, const VeilJson *content, VeilChatForm form)
{
  veil_json_writer_key (writer, "content");
  if (role == ROLE_USER && form == VEIL_CHAT_FORM_CANONICAL)
    write_canonical_user_content (writer, content);
  else if (role == ROLE_ASSISTANT && !veil_json_is_truthy (content))
    veil_json_writer_string (writer, "");
  else
    veil_json_writer_value (writer, content);
}

void
veil_chat_message_write (const VeilJson *message, VeilChatForm form, VeilJsonWriter *writer)
{
  int index = find_role (message);
  const VeilJson *calls = veil_json_get_member (message, "tool_calls");
  Role role;

  g_return_if_fail (index >= 0);
  role = roles[index].role;
  veil_json_writer_begin_object (writer);
  write_content (writer, role, veil_json_get_member (message, "content"), form);
  if (role == ROLE_FUNCTION)
    write_member_or (writer, message, "name", NULL);
  veil_json_writer_key (writer, "role");
  veil_json_writer_string (writer, roles[index].sent);
  if (role == ROLE_TOOL)
    write_member_or (writer, message, "tool_call_id", NULL);
  if (role == ROLE_ASSISTANT && veil_json_is_truthy (calls))
    write_tool_calls (writer, calls);
  veil_json_writer_end_object (writer);
}
