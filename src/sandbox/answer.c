/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "answer.h"

#include <string.h>

#include "enclave.h"
#include "hex.h"
#include "json-writer.h"

#define MAX_ECHO 1000
#define MAX_FRAMES (1000 * 1000)
#define MAX_BYTES (128 * 1024 * 1024)
#define MAX_CALLS 64
#define MAX_DELAY_MS (15 * 60 * 1000)

static char *
random_name (const char *prefix)
{
  guint8 bytes[12];
  char digits[2 * sizeof bytes + 1];

  veil_sandbox_random (NULL, sizeof bytes, bytes);
  veil_hex_encode (bytes, sizeof bytes, digits);
  return g_strconcat (prefix, digits, NULL);
}

static void
call_free (gpointer data)
{
  VeilSandboxCall *call = data;

  g_free (call->id);
  g_free (call->name);
  g_free (call->arguments);
  g_free (call);
}

/* Appends what of a string can be shown: no NUL, no lone surrogates. */
static void
append_text (GString *out, const VeilJson *value)
{
  gsize length;
  const char *text = veil_json_get_string (value, &length);

  if (text == NULL)
    return;
  g_autofree char *valid = g_utf8_make_valid (text, (gssize) length);
  g_string_append (out, valid);
}

/* The text of the last user message; @attachments gets the number of its other parts. */
static GString *
read_user_text (const VeilJson *messages, guint *attachments)
{
  GString *text = g_string_new (NULL);
  const VeilJson *content = NULL;

  *attachments = 0;
  for (guint i = veil_json_get_size (messages); i > 0 && content == NULL; i--)
    if (veil_json_equals (veil_json_get_member (veil_json_get_element (messages, i - 1), "role"), "user"))
      content = veil_json_get_member (veil_json_get_element (messages, i - 1), "content");
  append_text (text, content);
  for (guint i = 0; veil_json_is (content, VEIL_JSON_ARRAY) && i < veil_json_get_size (content); i++)
    {
      const VeilJson *part = veil_json_get_element (content, i);
      if (veil_json_equals (veil_json_get_member (part, "type"), "text"))
        append_text (text, veil_json_get_member (part, "text"));
      else if (veil_json_is (part, VEIL_JSON_OBJECT))
        *attachments += 1;
      else
        append_text (text, part);
    }
  return text;
}

/* The number after @wish in @text; 0 if it is not there. */
static guint
read_wish (const char *text, const char *wish, guint max)
{
  const char *found = strstr (text, wish);
  guint64 number = found != NULL ? g_ascii_strtoull (found + strlen (wish), NULL, 10) : 0;

  return (guint) MIN (number, max);
}

/* A value that a JSON schema would let pass, roughly. */
static void
write_example (VeilJsonWriter *writer, const char *name, const VeilJson *schema)
{
  const VeilJson *type = veil_json_get_member (schema, "type");
  const VeilJson *choice = veil_json_get_element (veil_json_get_member (schema, "enum"), 0);

  if (choice != NULL)
    veil_json_writer_value (writer, choice);
  else if (veil_json_equals (type, "integer"))
    veil_json_writer_uint (writer, 3);
  else if (veil_json_equals (type, "number"))
    veil_json_writer_double (writer, 1.5);
  else if (veil_json_equals (type, "boolean"))
    veil_json_writer_boolean (writer, TRUE);
  else if (veil_json_equals (type, "array"))
    veil_json_writer_strv (writer, NULL);
  else if (veil_json_equals (type, "object"))
    {
      veil_json_writer_begin_object (writer);
      veil_json_writer_end_object (writer);
    }
  else
    veil_json_writer_string (writer, strstr (name, "city") != NULL || strstr (name, "location") != NULL ? "Zürich" : "sandbox");
}

/* An object with what the schema requires. */
static char *
make_object (const VeilJson *schema)
{
  const VeilJson *required = veil_json_get_member (schema, "required");
  const VeilJson *properties = veil_json_get_member (schema, "properties");
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);
  g_autoptr (GBytes) text = NULL;
  gsize length;

  veil_json_writer_begin_object (writer);
  for (guint i = 0; veil_json_is (required, VEIL_JSON_ARRAY) && i < veil_json_get_size (required); i++)
    {
      const VeilJson *name = veil_json_get_element (required, i);
      if (!veil_json_is (name, VEIL_JSON_STRING) || !veil_json_string_is_utf8 (name))
        continue;
      veil_json_writer_key (writer, veil_json_get_string (name, NULL));
      write_example (writer, veil_json_get_string (name, NULL),
                     veil_json_get_member (properties, veil_json_get_string (name, NULL)));
    }
  veil_json_writer_end_object (writer);
  text = veil_json_writer_finish (writer);
  const char *data = g_bytes_get_data (text, &length);
  return g_strndup (data, length);
}

/* The tool to call, or NULL for none. */
static const VeilJson *
choose_tool (const VeilJson *wire, const char *user_text)
{
  const VeilJson *tools = veil_json_get_member (wire, "tools");
  const VeilJson *choice = veil_json_get_member (wire, "tool_choice");
  const VeilJson *messages = veil_json_get_member (wire, "messages");
  const VeilJson *last = veil_json_get_element (messages, veil_json_get_size (messages) - 1);
  const char *name = veil_json_get_string (veil_json_get_member (veil_json_get_member (choice, "function"), "name"), NULL);

  if (veil_json_get_size (tools) == 0 || veil_json_equals (choice, "none") ||
      veil_json_equals (veil_json_get_member (last, "role"), "tool"))
    return NULL;
  for (guint i = 0; name != NULL && i < veil_json_get_size (tools); i++)
    {
      const VeilJson *function = veil_json_get_member (veil_json_get_element (tools, i), "function");
      if (veil_json_equals (veil_json_get_member (function, "name"), name))
        return function;
    }
  if (veil_json_is_truthy (choice) || strstr (user_text, "weather") != NULL)
    return veil_json_get_member (veil_json_get_element (tools, 0), "function");
  return NULL;
}

static void
add_calls (VeilSandboxAnswer *answer, const VeilJson *function, const char *user_text)
{
  guint count = MAX (1, read_wish (user_text, "calls:", MAX_CALLS));

  for (guint i = 0; i < count; i++)
    {
      VeilSandboxCall *call = g_new0 (VeilSandboxCall, 1);
      g_autoptr (GString) name = g_string_new (NULL);
      append_text (name, veil_json_get_member (function, "name"));
      call->id = random_name ("call_");
      call->name = g_string_free (g_steal_pointer (&name), FALSE);
      call->arguments = make_object (veil_json_get_member (function, "parameters"));
      g_ptr_array_add (answer->calls, call);
    }
}

/* Cuts after each space. */
static void
add_words (GPtrArray *words, const char *text)
{
  while (*text != '\0')
    {
      gsize length = strcspn (text, " ");
      length += strspn (text + length, " ");
      g_ptr_array_add (words, g_strndup (text, length));
      text += length;
    }
}

static void
add_bytes (GPtrArray *words, gsize length)
{
  static const char filler[] = "The quick brown fox jumps over the lazy dog. ";
  const gsize step = 16 * 1024;

  while (length > 0)
    {
      gsize size = MIN (length, step);
      char *word = g_malloc (size + 1);
      for (gsize i = 0; i < size; i++)
        word[i] = filler[i % (sizeof filler - 1)];
      word[size] = '\0';
      g_ptr_array_add (words, word);
      length -= size;
    }
}

static void
add_echo (VeilSandboxAnswer *answer, const VeilJson *wire, const char *user_text, guint attachments)
{
  const VeilJson *messages = veil_json_get_member (wire, "messages");
  const VeilJson *last = veil_json_get_element (messages, veil_json_get_size (messages) - 1);
  gboolean is_tool = veil_json_equals (veil_json_get_member (last, "role"), "tool");
  g_autoptr (GString) text = g_string_new (is_tool ? "Sandbox reply after a tool: " : "Sandbox reply to: ");
  g_autoptr (GString) source = g_string_new (is_tool ? NULL : user_text);

  if (is_tool)
    append_text (source, veil_json_get_member (last, "content"));
  if (g_utf8_strlen (source->str, -1) > MAX_ECHO)
    {
      g_string_truncate (source, (gsize) (g_utf8_offset_to_pointer (source->str, MAX_ECHO) - source->str));
      g_string_append (source, " …");
    }
  g_string_append (text, source->len > 0 ? source->str : "(nothing)");
  if (attachments > 0)
    g_string_append_printf (text, " (with %u attachment%s)", attachments, attachments == 1 ? "" : "s");
  add_words (answer->words, text->str);
}

/* JSON content, as response_format asks for it. */
static void
add_json (VeilSandboxAnswer *answer, const VeilJson *format)
{
  const VeilJson *schema = veil_json_get_member (veil_json_get_member (format, "json_schema"), "schema");
  g_autofree char *text = schema != NULL ? make_object (schema) : g_strdup ("{\"answer\": \"sandbox\", \"ok\": true}");

  add_words (answer->words, text);
}

static void
add_text (VeilSandboxAnswer *answer, const VeilJson *wire, const char *user_text, guint attachments)
{
  const VeilJson *format = veil_json_get_member (wire, "response_format");
  const VeilJson *type = veil_json_get_member (format, "type");
  guint frames = read_wish (user_text, "frames:", MAX_FRAMES);
  guint bytes = read_wish (user_text, "bytes:", MAX_BYTES);

  if (frames > 0)
    for (guint i = 0; i < frames; i++)
      g_ptr_array_add (answer->words, g_strdup_printf ("%u ", i));
  else if (bytes > 0)
    add_bytes (answer->words, bytes);
  else if (veil_json_equals (type, "json_object") || veil_json_equals (type, "json_schema"))
    add_json (answer, format);
  else
    add_echo (answer, wire, user_text, attachments);
}

VeilSandboxAnswer *
veil_sandbox_answer_new (const VeilJson *wire, gsize wire_length)
{
  VeilSandboxAnswer *answer = g_new0 (VeilSandboxAnswer, 1);
  g_autoptr (GString) model = g_string_new (NULL);
  g_autoptr (GString) user_text = NULL;
  const VeilJson *function;
  guint attachments;

  append_text (model, veil_json_get_member (wire, "model"));
  user_text = read_user_text (veil_json_get_member (wire, "messages"), &attachments);
  answer->id = random_name ("chatcmpl-");
  answer->created = g_get_real_time () / G_USEC_PER_SEC;
  answer->model = g_string_free (g_steal_pointer (&model), FALSE);
  answer->words = g_ptr_array_new_with_free_func (g_free);
  answer->calls = g_ptr_array_new_with_free_func (call_free);
  answer->delay_ms = read_wish (user_text->str, "slow:", MAX_DELAY_MS);
  function = choose_tool (wire, user_text->str);
  if (function != NULL)
    add_calls (answer, function, user_text->str);
  else
    add_text (answer, wire, user_text->str, attachments);
  answer->prompt_tokens = 1 + wire_length / 4;
  answer->completion_tokens = MAX (1, answer->words->len) + 12 * answer->calls->len;
  return answer;
}

void
veil_sandbox_answer_free (VeilSandboxAnswer *answer)
{
  g_free (answer->id);
  g_free (answer->model);
  g_ptr_array_unref (answer->words);
  g_ptr_array_unref (answer->calls);
  g_free (answer);
}

char *
veil_sandbox_answer_get_text (const VeilSandboxAnswer *answer)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < answer->words->len; i++)
    g_string_append (text, g_ptr_array_index (answer->words, i));
  return g_string_free (text, FALSE);
}
