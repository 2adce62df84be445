/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "speak.h"

/* Argument fragments are about this long. */
#define FRAGMENT 7

/* Opens a frame up to the inside of its delta. */
static VeilJsonWriter *
frame_begin (void)
{
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);

  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "choices");
  veil_json_writer_begin_array (writer);
  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "delta");
  veil_json_writer_begin_object (writer);
  return writer;
}

/* Closes the delta and its choice. */
static void
frame_end_choice (VeilJsonWriter *writer, const VeilSandboxSpeech *speech, guint index, const char *finish_reason)
{
  veil_json_writer_end_object (writer);
  veil_json_writer_key (writer, "index");
  veil_json_writer_uint (writer, index);
  veil_sandbox_write_string (writer, "finish_reason", finish_reason);
  veil_json_writer_end_object (writer);
  veil_json_writer_end_array (writer);
  veil_sandbox_write_string (writer, "model", speech->answer->model);
}

static void
add_text (GPtrArray *events, VeilJsonWriter *writer)
{
  g_autoptr (GBytes) text = veil_json_writer_finish (writer);
  gsize length;
  const char *data = g_bytes_get_data (text, &length);

  g_ptr_array_add (events, g_strndup (data, length));
}

static void
frame_end (GPtrArray *events, VeilJsonWriter *writer, const VeilSandboxSpeech *speech, guint index)
{
  frame_end_choice (writer, speech, index, NULL);
  veil_json_writer_end_object (writer);
  add_text (events, writer);
}

static void
add_content (GPtrArray *events, const VeilSandboxSpeech *speech, const char *content, guint index)
{
  VeilJsonWriter *writer = frame_begin ();
  gboolean first = events->len == 0;

  if (first)
    veil_sandbox_write_string (writer, "role", "assistant");
  if (first && speech->fault == VEIL_SANDBOX_DUPLICATE_KEYS)
    veil_sandbox_write_string (writer, "content", "Something else that some readers would take.");
  veil_sandbox_write_string (writer, "content", content);
  frame_end (events, writer, speech, index);
}

static void
add_words (GPtrArray *events, const VeilSandboxSpeech *speech)
{
  const GPtrArray *words = speech->answer->words;

  for (guint i = 0; i < words->len; i++)
    {
      const char *word = g_ptr_array_index (words, i);
      if (speech->fault == VEIL_SANDBOX_DROPPED_FRAME && i == words->len / 2)
        continue;
      if (speech->fault == VEIL_SANDBOX_CHANGED_OUTPUT && i == words->len - 1)
        {
          g_autofree char *changed = g_strconcat (word, "!", NULL);
          add_content (events, speech, changed, 0);
          continue;
        }
      add_content (events, speech, word, 0);
    }
}

/* One fragment of a tool call; @name only in the first. */
static void
add_fragment (GPtrArray *events, const VeilSandboxSpeech *speech, guint index, const char *id, const char *name,
              const char *arguments)
{
  gboolean no_id = speech->fault == VEIL_SANDBOX_TOOL_ID_NULL || speech->fault == VEIL_SANDBOX_TOOL_ID_EMPTY;
  VeilJsonWriter *writer = frame_begin ();

  if (events->len == 0)
    {
      veil_sandbox_write_string (writer, "role", "assistant");
      veil_sandbox_write_string (writer, "content", NULL);
    }
  veil_json_writer_key (writer, "tool_calls");
  veil_json_writer_begin_array (writer);
  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "index");
  veil_json_writer_uint (writer, index);
  if (name != NULL || no_id)
    veil_sandbox_write_string (writer, "id", no_id ? NULL : id);
  if (name != NULL)
    veil_sandbox_write_string (writer, "type", "function");
  veil_json_writer_key (writer, "function");
  veil_json_writer_begin_object (writer);
  if (name != NULL)
    veil_sandbox_write_string (writer, "name", name);
  if (speech->fault == VEIL_SANDBOX_DUPLICATE_KEYS)
    veil_sandbox_write_string (writer, "arguments", "{\"something\":\"else\"}");
  veil_sandbox_write_string (writer, "arguments", arguments);
  veil_json_writer_end_object (writer);
  veil_json_writer_end_object (writer);
  veil_json_writer_end_array (writer);
  frame_end (events, writer, speech, 0);
}

static void
add_call (GPtrArray *events, const VeilSandboxSpeech *speech, guint index)
{
  const VeilSandboxCall *call = g_ptr_array_index (speech->answer->calls, index);
  g_autofree char *arguments = veil_sandbox_shown_arguments (speech, call);
  const char *rest = arguments;

  add_fragment (events, speech, index, call->id, call->name, "");
  while (*rest != '\0')
    {
      const char *end = rest;
      while (*end != '\0' && end - rest < FRAGMENT)
        end = g_utf8_next_char (end);
      g_autofree char *fragment = g_strndup (rest, (gsize) (end - rest));
      add_fragment (events, speech, index, call->id, NULL, fragment);
      rest = end;
    }
}

static void
add_signed (GPtrArray *events, const VeilSandboxSpeech *speech)
{
  VeilJsonWriter *writer = frame_begin ();

  frame_end_choice (writer, speech, 0, speech->answer->calls->len > 0 ? "tool_calls" : "stop");
  veil_sandbox_write_usage (writer, speech->answer);
  if (speech->fault == VEIL_SANDBOX_EXTRA_FIELDS)
    veil_sandbox_write_extras (writer);
  veil_sandbox_proof_write (speech->proof, writer, speech->fault);
  veil_json_writer_end_object (writer);
  add_text (events, writer);
}

/* What does not belong before the signed frame. */
static void
add_uncovered (GPtrArray *events, const VeilSandboxSpeech *speech)
{
  VeilJsonWriter *writer;

  if (speech->fault == VEIL_SANDBOX_UNSIGNED_TOOL_CALLS)
    add_fragment (events, speech, 0, "call_unsigned", "unsigned", "{}");
  if (speech->fault == VEIL_SANDBOX_SECOND_CHOICE)
    add_content (events, speech, "An unsigned second choice.", 1);
  if (speech->fault == VEIL_SANDBOX_UNSIGNED_FUNCTION_CALL)
    {
      writer = frame_begin ();
      veil_json_writer_key (writer, "function_call");
      veil_json_writer_begin_object (writer);
      veil_sandbox_write_string (writer, "name", "unsigned");
      veil_sandbox_write_string (writer, "arguments", "{}");
      veil_json_writer_end_object (writer);
      frame_end (events, writer, speech, 0);
    }
  if (speech->fault == VEIL_SANDBOX_EXTRA_FIELDS)
    {
      writer = frame_begin ();
      veil_sandbox_write_string (writer, "reasoning_content", "Unsigned reasoning.");
      frame_end (events, writer, speech, 0);
    }
  if (speech->fault == VEIL_SANDBOX_LONE_SURROGATE)
    {
      writer = frame_begin ();
      veil_json_writer_key (writer, "content");
      veil_json_writer_raw (writer, "\"\\ud800\"", 8);
      frame_end (events, writer, speech, 0);
    }
}

static void
add_error (GPtrArray *events, const VeilSandboxSpeech *speech)
{
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);

  veil_json_writer_begin_object (writer);
  if (speech->fault == VEIL_SANDBOX_ERROR_FRAME_OBJECT)
    {
      veil_json_writer_key (writer, "error");
      veil_json_writer_begin_object (writer);
      veil_sandbox_write_string (writer, "message", "The sandbox stopped here");
      veil_json_writer_end_object (writer);
    }
  else if (veil_sandbox_inner_status (speech->fault) > 0)
    veil_sandbox_write_error (writer, speech->fault);
  else
    veil_sandbox_write_string (writer, "error", "The sandbox stopped here");
  veil_json_writer_end_object (writer);
  add_text (events, writer);
}

static void
add_end (GPtrArray *events, const VeilSandboxSpeech *speech)
{
  if (speech->fault == VEIL_SANDBOX_ERROR_THEN_SIGNED)
    add_error (events, speech);
  if (speech->fault != VEIL_SANDBOX_NO_SIGNED_FRAME)
    add_signed (events, speech);
  if (speech->fault == VEIL_SANDBOX_AFTER_SIGNED)
    add_content (events, speech, "Unsigned words after the end.", 0);
  if (speech->fault != VEIL_SANDBOX_NO_DONE)
    g_ptr_array_add (events, g_strdup ("[DONE]"));
  if (speech->fault == VEIL_SANDBOX_AFTER_DONE)
    add_content (events, speech, "Unsigned words after the end.", 0);
}

GPtrArray *
veil_sandbox_speak_stream (const VeilSandboxSpeech *speech)
{
  GPtrArray *events = g_ptr_array_new_with_free_func (g_free);
  char *broken = veil_sandbox_broken_json (speech->fault);

  if (veil_sandbox_inner_status (speech->fault) > 0)
    {
      add_error (events, speech);
      return events;
    }
  add_words (events, speech);
  for (guint i = 0; i < speech->answer->calls->len; i++)
    add_call (events, speech, i);
  if (speech->fault == VEIL_SANDBOX_ERROR_FRAME || speech->fault == VEIL_SANDBOX_ERROR_FRAME_OBJECT)
    {
      add_error (events, speech);
      return events;
    }
  if (broken != NULL)
    g_ptr_array_add (events, broken);
  add_uncovered (events, speech);
  add_end (events, speech);
  return events;
}
