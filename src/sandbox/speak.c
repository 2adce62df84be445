/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "speak.h"

#include <string.h>

#define DEEP 100000

void
veil_sandbox_write_string (VeilJsonWriter *writer, const char *key, const char *text)
{
  veil_json_writer_key (writer, key);
  veil_json_writer_string (writer, text);
}

void
veil_sandbox_write_usage (VeilJsonWriter *writer, const VeilSandboxAnswer *answer)
{
  veil_json_writer_key (writer, "usage");
  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "prompt_tokens");
  veil_json_writer_uint (writer, answer->prompt_tokens);
  veil_json_writer_key (writer, "completion_tokens");
  veil_json_writer_uint (writer, answer->completion_tokens);
  veil_json_writer_key (writer, "total_tokens");
  veil_json_writer_uint (writer, answer->prompt_tokens + answer->completion_tokens);
  veil_json_writer_end_object (writer);
}

void
veil_sandbox_write_extras (VeilJsonWriter *writer)
{
  static const char citations[] = "[{\"url\":\"https://example.invalid/\",\"title\":\"An unsigned citation\"}]";
  static const char moderation[] = "{\"flagged\":false}";

  veil_json_writer_key (writer, "images");
  veil_json_writer_raw (writer, "[]", 2);
  veil_json_writer_key (writer, "citations");
  veil_json_writer_raw (writer, citations, strlen (citations));
  veil_json_writer_key (writer, "moderation");
  veil_json_writer_raw (writer, moderation, strlen (moderation));
}

char *
veil_sandbox_shown_arguments (const VeilSandboxSpeech *speech, const VeilSandboxCall *call)
{
  gboolean changed = speech->fault == VEIL_SANDBOX_CHANGED_OUTPUT || speech->fault == VEIL_SANDBOX_DROPPED_FRAME;

  return g_strdup (changed ? "{\"changed\":true}" : call->arguments);
}

char *
veil_sandbox_broken_json (VeilSandboxFault fault)
{
  if (fault == VEIL_SANDBOX_NOT_JSON)
    return g_strdup ("this is not JSON");
  if (fault == VEIL_SANDBOX_LIST_ANSWER)
    return g_strdup ("[1, 2, 3]");
  return fault == VEIL_SANDBOX_DEEP_JSON ? g_strnfill (DEEP, '[') : NULL;
}

guint
veil_sandbox_inner_status (VeilSandboxFault fault)
{
  if (fault == VEIL_SANDBOX_INNER_400)
    return 400;
  if (fault == VEIL_SANDBOX_INNER_429)
    return 429;
  if (fault == VEIL_SANDBOX_INNER_500)
    return 500;
  return fault == VEIL_SANDBOX_INNER_RETRYABLE ? 503 : 0;
}

void
veil_sandbox_write_error (VeilJsonWriter *writer, VeilSandboxFault fault)
{
  gboolean gateway = fault == VEIL_SANDBOX_INNER_RETRYABLE;

  veil_sandbox_write_string (writer, "error", gateway ? "The sandbox enclave is busy" : "The sandbox provider refused the request");
  veil_sandbox_write_string (writer, "exception_type", "SandboxError");
  veil_sandbox_write_string (writer, "source", gateway ? "gateway" : "provider");
  if (!gateway)
    {
      veil_json_writer_key (writer, "provider_status");
      veil_json_writer_uint (writer, veil_sandbox_inner_status (fault));
    }
  veil_json_writer_key (writer, "retryable");
  veil_json_writer_boolean (writer, gateway);
}

static void
write_call (VeilJsonWriter *writer, const char *id, const char *name, const char *arguments)
{
  veil_json_writer_begin_object (writer);
  veil_sandbox_write_string (writer, "id", id);
  veil_sandbox_write_string (writer, "type", "function");
  veil_json_writer_key (writer, "function");
  veil_json_writer_begin_object (writer);
  veil_sandbox_write_string (writer, "name", name);
  veil_sandbox_write_string (writer, "arguments", arguments);
  veil_json_writer_end_object (writer);
  veil_json_writer_end_object (writer);
}

static void
write_calls (VeilJsonWriter *writer, const VeilSandboxSpeech *speech)
{
  veil_json_writer_key (writer, "tool_calls");
  veil_json_writer_begin_array (writer);
  for (guint i = 0; i < speech->answer->calls->len; i++)
    {
      const VeilSandboxCall *call = g_ptr_array_index (speech->answer->calls, i);
      g_autofree char *arguments = veil_sandbox_shown_arguments (speech, call);
      const char *id = speech->fault == VEIL_SANDBOX_TOOL_ID_NULL    ? NULL
                       : speech->fault == VEIL_SANDBOX_TOOL_ID_EMPTY ? ""
                                                                     : call->id;
      write_call (writer, id, call->name, arguments);
    }
  if (speech->fault == VEIL_SANDBOX_UNSIGNED_TOOL_CALLS)
    write_call (writer, "call_unsigned", "unsigned", "{}");
  veil_json_writer_end_array (writer);
}

static void
write_content (VeilJsonWriter *writer, const VeilSandboxSpeech *speech)
{
  g_autofree char *text = veil_sandbox_answer_get_text (speech->answer);
  gboolean changed = speech->fault == VEIL_SANDBOX_CHANGED_OUTPUT || speech->fault == VEIL_SANDBOX_DROPPED_FRAME;
  g_autofree char *shown = g_strconcat (text, changed ? "!" : "", NULL);

  if (speech->fault == VEIL_SANDBOX_DUPLICATE_KEYS)
    veil_sandbox_write_string (writer, "content", "Something else that some readers would take.");
  veil_json_writer_key (writer, "content");
  if (speech->answer->calls->len > 0 && speech->answer->words->len == 0)
    veil_json_writer_null (writer);
  else if (speech->fault == VEIL_SANDBOX_LONE_SURROGATE)
    veil_json_writer_raw (writer, "\"\\ud800\"", 8);
  else if (speech->fault == VEIL_SANDBOX_CONTENT_LIST)
    {
      veil_json_writer_begin_array (writer);
      veil_json_writer_begin_object (writer);
      veil_sandbox_write_string (writer, "type", "text");
      veil_sandbox_write_string (writer, "text", shown);
      veil_json_writer_end_object (writer);
      veil_json_writer_end_array (writer);
    }
  else
    veil_json_writer_string (writer, shown);
}

static void
write_choice (VeilJsonWriter *writer, const VeilSandboxSpeech *speech)
{
  gboolean tools = speech->answer->calls->len > 0;

  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "index");
  veil_json_writer_uint (writer, 0);
  veil_json_writer_key (writer, "message");
  veil_json_writer_begin_object (writer);
  veil_sandbox_write_string (writer, "role", "assistant");
  write_content (writer, speech);
  if (tools || speech->fault == VEIL_SANDBOX_UNSIGNED_TOOL_CALLS)
    write_calls (writer, speech);
  if (speech->fault == VEIL_SANDBOX_UNSIGNED_FUNCTION_CALL)
    {
      veil_json_writer_key (writer, "function_call");
      veil_json_writer_begin_object (writer);
      veil_sandbox_write_string (writer, "name", "unsigned");
      veil_sandbox_write_string (writer, "arguments", "{}");
      veil_json_writer_end_object (writer);
    }
  if (speech->fault == VEIL_SANDBOX_EXTRA_FIELDS)
    {
      veil_sandbox_write_string (writer, "reasoning_content", "Unsigned reasoning.");
      veil_sandbox_write_string (writer, "refusal", NULL);
    }
  veil_json_writer_end_object (writer);
  veil_sandbox_write_string (writer, "finish_reason", tools ? "tool_calls" : "stop");
  veil_json_writer_end_object (writer);
}

static void
write_second_choice (VeilJsonWriter *writer)
{
  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "index");
  veil_json_writer_uint (writer, 1);
  veil_json_writer_key (writer, "message");
  veil_json_writer_begin_object (writer);
  veil_sandbox_write_string (writer, "role", "assistant");
  veil_sandbox_write_string (writer, "content", "An unsigned second choice.");
  veil_json_writer_end_object (writer);
  veil_sandbox_write_string (writer, "finish_reason", "stop");
  veil_json_writer_end_object (writer);
}

static void
write_body (VeilJsonWriter *writer, const VeilSandboxSpeech *speech)
{
  veil_json_writer_begin_object (writer);
  veil_sandbox_write_string (writer, "id", speech->answer->id);
  veil_sandbox_write_string (writer, "object", "chat.completion");
  veil_json_writer_key (writer, "created");
  veil_json_writer_uint (writer, (guint64) speech->answer->created);
  veil_sandbox_write_string (writer, "model", speech->answer->model);
  veil_json_writer_key (writer, "choices");
  veil_json_writer_begin_array (writer);
  write_choice (writer, speech);
  if (speech->fault == VEIL_SANDBOX_SECOND_CHOICE)
    write_second_choice (writer);
  veil_json_writer_end_array (writer);
  veil_sandbox_write_usage (writer, speech->answer);
  if (speech->fault == VEIL_SANDBOX_EXTRA_FIELDS)
    veil_sandbox_write_extras (writer);
  if (speech->fault == VEIL_SANDBOX_ERROR_THEN_SIGNED)
    veil_sandbox_write_string (writer, "error", "The sandbox says that something went wrong");
  veil_sandbox_proof_write (speech->proof, writer, speech->fault);
  veil_json_writer_end_object (writer);
}

static void
write_error_body (VeilJsonWriter *writer, VeilSandboxFault fault)
{
  veil_json_writer_begin_object (writer);
  if (fault == VEIL_SANDBOX_ERROR_FRAME_OBJECT)
    {
      veil_json_writer_key (writer, "error");
      veil_json_writer_begin_object (writer);
      veil_sandbox_write_string (writer, "message", "The sandbox stopped here");
      veil_json_writer_end_object (writer);
    }
  else if (fault == VEIL_SANDBOX_ERROR_FRAME)
    veil_sandbox_write_string (writer, "error", "The sandbox stopped here");
  else
    veil_sandbox_write_error (writer, fault);
  veil_json_writer_end_object (writer);
}

GString *
veil_sandbox_speak_single (const VeilSandboxSpeech *speech)
{
  VeilSandboxFault fault = speech->fault;
  g_autofree char *broken = veil_sandbox_broken_json (fault);
  guint status = veil_sandbox_inner_status (fault);
  gboolean error_only = status > 0 || fault == VEIL_SANDBOX_ERROR_FRAME || fault == VEIL_SANDBOX_ERROR_FRAME_OBJECT;
  gboolean envelope = speech->envelope || status > 0;
  VeilJsonWriter *writer;
  g_autoptr (GBytes) text = NULL;
  GString *out;

  if (broken != NULL)
    return g_string_new (broken);
  writer = veil_json_writer_new (VEIL_JSON_COMPACT);
  if (envelope)
    {
      veil_json_writer_begin_object (writer);
      veil_json_writer_key (writer, "status");
      veil_json_writer_uint (writer, status > 0 ? status : 200);
      veil_json_writer_key (writer, "body");
    }
  if (error_only)
    write_error_body (writer, fault);
  else
    write_body (writer, speech);
  if (envelope)
    veil_json_writer_end_object (writer);
  text = veil_json_writer_finish (writer);
  out = g_string_new_len (g_bytes_get_data (text, NULL), (gssize) g_bytes_get_size (text));
  if (fault == VEIL_SANDBOX_AFTER_SIGNED || fault == VEIL_SANDBOX_AFTER_DONE)
    g_string_append (out, "{\"choices\":[]}");
  return out;
}
