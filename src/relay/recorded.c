/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "recorded.h"

#include "chat-request.h"
#include "coverage.h"
#include "output.h"
#include "secret.h"
#include "sse.h"
#include "tool-deltas.h"
#include "translate.h"
#include "veil-error.h"

#include <string.h>

#define MAX_LINE (32 * 1024 * 1024)

static gboolean
refuse (GError **error, VeilError code, const char *message)
{
  g_set_error_literal (error, VEIL_ERROR, code, message);
  return FALSE;
}

static gboolean
check_size (gsize length, GError **error)
{
  return length <= VEIL_RECORDED_MAX_SIZE ||
         refuse (error, VEIL_ERROR_TOO_LARGE, _ ("The file is larger than any request or answer that Veil handles"));
}

gboolean
veil_recorded_check_request (const VeilProof *proof, const char *data, gsize length, GError **error)
{
  g_autoptr (VeilChatRequest) request = NULL;

  if (!check_size (length, error))
    return FALSE;
  request = veil_chat_request_new (data, length, VEIL_CHAT_REQUEST_OPENAI, error);
  if (request == NULL)
    return FALSE;
  if (memcmp (request->request_hash, proof->request_hash, 32) == 0)
    return TRUE;
  /* Older gateways leave reasoning_effort out; then the proof says so. */
  if (!proof->effort_signed && memcmp (request->request_hash_plain, proof->request_hash, 32) == 0)
    return TRUE;
  return refuse (error, VEIL_ERROR_REQUEST_HASH, _ ("The enclave signed another request than the one in this file"));
}

typedef struct
{
  VeilOutput outputs[2]; /* owned: tool calls without an id leave two forms */
  guint n_outputs;
  VeilCoverage *coverage; /* owned */
} Answer;

static void
answer_clear (Answer *self)
{
  for (guint i = 0; i < self->n_outputs; i++)
    veil_output_clear (&self->outputs[i]);
  g_clear_pointer (&self->coverage, veil_coverage_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Answer, answer_clear)

/* What the endpoint itself says beside an answer counts for nothing here, and need not be named. */
static GStrv
list_names (const VeilProof *proof)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (guint i = 0; proof->unsigned_[i] != NULL; i++)
    if (!g_str_has_prefix (proof->unsigned_[i], "opengradient_"))
      g_strv_builder_add (builder, proof->unsigned_[i]);
  return g_strv_builder_end (builder);
}

static gboolean
check_answer (Answer *self, const VeilProof *proof, GStrv *names, GError **error)
{
  gboolean calls_signed = g_strv_contains ((const char *const *) proof->signed_, "tool_calls");
  g_autoptr (VeilChatAnswer) rest = veil_chat_answer_new ();
  gboolean same = FALSE;

  for (guint i = 0; i < self->n_outputs; i++)
    same = same || (self->outputs[i].is_calls == calls_signed && memcmp (self->outputs[i].hash, proof->output_hash, 32) == 0);
  if (!same)
    return refuse (error, VEIL_ERROR_OUTPUT_HASH, _ ("The enclave signed another answer than the one in this file"));
  if (!veil_coverage_finish (self->coverage, calls_signed, rest, error))
    return FALSE;
  *names = list_names (rest->proof);
  return TRUE;
}

static gboolean
read_single (Answer *self, const char *data, gsize length, GError **error)
{
  g_autoptr (VeilJsonDoc) doc = veil_json_doc_new (data, length, error);

  if (doc == NULL)
    return FALSE;
  self->coverage = veil_coverage_new (VEIL_COVERAGE_SINGLE);
  if (!veil_coverage_add (self->coverage, doc, veil_json_doc_get_root (doc), error) ||
      !veil_output_read_single (doc, veil_json_doc_get_root (doc), &self->outputs[0], error))
    return FALSE;
  self->n_outputs = 1;
  return TRUE;
}

typedef struct
{
  GByteArray *text;      /* owned; wiped */
  VeilToolDeltas *calls; /* owned */
  VeilCoverage *coverage;
  char *finish_reason; /* owned */
  gboolean done;
} Events;

static gboolean
read_finish_reason (Events *self, const VeilJson *choice, GError **error)
{
  const VeilJson *reason;

  if (!veil_output_read_finish_reason (choice, &reason, error))
    return FALSE;
  if (reason == NULL || veil_json_equals (reason, self->finish_reason != NULL ? self->finish_reason : ""))
    return TRUE;
  if (self->finish_reason != NULL)
    return refuse (error, VEIL_ERROR_MALFORMED_ANSWER, _ ("The stream gives two different finish_reasons"));
  self->finish_reason = g_strdup (veil_json_get_string (reason, NULL));
  return TRUE;
}

static gboolean
read_event (gpointer user_data, const char *value, gsize length, GError **error)
{
  Events *self = user_data;
  g_autoptr (VeilJsonDoc) doc = NULL;
  const VeilJson *frame, *choice, *delta;

  if (self->done)
    return refuse (error, VEIL_ERROR_MALFORMED_ANSWER, _ ("The stream goes on after its end"));
  self->done = length == strlen ("[DONE]") && memcmp (value, "[DONE]", length) == 0;
  if (self->done)
    return TRUE;
  doc = veil_json_doc_new (value, length, error);
  if (doc == NULL)
    return FALSE;
  frame = veil_json_doc_get_root (doc);
  choice = veil_json_get_element (veil_json_get_member (frame, "choices"), 0);
  delta = veil_json_get_member (choice, "delta");
  return veil_coverage_add (self->coverage, doc, frame, error) && read_finish_reason (self, choice, error) &&
         veil_output_append_text (veil_json_get_member (delta, "content"), self->text, error) &&
         veil_tool_deltas_add (self->calls, veil_json_get_member (delta, "tool_calls"), error);
}

static gboolean
end_event (gpointer user_data, GError **error)
{
  return TRUE;
}

static void
take_outputs (Answer *self, Events *events)
{
  gsize length = events->text->len;

  if (g_strcmp0 (events->finish_reason, "tool_calls") == 0 && !veil_tool_deltas_is_empty (events->calls))
    {
      veil_output_set (&self->outputs[self->n_outputs++], veil_tool_deltas_build (events->calls, FALSE), TRUE);
      if (veil_tool_deltas_has_null_id (events->calls))
        veil_output_set (&self->outputs[self->n_outputs++], veil_tool_deltas_build (events->calls, TRUE), TRUE);
      return;
    }
  veil_output_set (&self->outputs[self->n_outputs++],
                   veil_secret_bytes_new_take (g_byte_array_free (g_steal_pointer (&events->text), FALSE), length), FALSE);
}

static gboolean
read_stream (Answer *self, const char *data, gsize length, GError **error)
{
  static const VeilSseHandler handler = { read_event, end_event };
  Events events = { .text = g_byte_array_new (), .calls = veil_tool_deltas_new () };
  g_autoptr (VeilSse) sse = veil_sse_new (&handler, &events, MAX_LINE);
  gboolean ok;

  self->coverage = events.coverage = veil_coverage_new (VEIL_COVERAGE_STREAM);
  ok = veil_sse_push (sse, (const guint8 *) data, length, error) && veil_sse_finish (sse, error);
  if (ok && !events.done)
    ok = refuse (error, VEIL_ERROR_MALFORMED_ANSWER,
                 _ ("The file is neither a JSON object nor a whole stream of events that ends with [DONE]"));
  if (ok)
    take_outputs (self, &events);
  g_clear_pointer (&events.text, veil_secret_byte_array_unref);
  veil_tool_deltas_free (events.calls);
  g_free (events.finish_reason);
  return ok;
}

gboolean
veil_recorded_check_response (const VeilProof *proof, const char *data, gsize length, GStrv *names, GError **error)
{
  g_auto (Answer) answer = { .n_outputs = 0 };
  gsize start = 0;

  if (!check_size (length, error))
    return FALSE;
  while (start < length && strchr (" \t\r\n", data[start]) != NULL && data[start] != '\0')
    start++;
  if (start < length && data[start] == '{' ? !read_single (&answer, data, length, error)
                                           : !read_stream (&answer, data, length, error))
    return FALSE;
  return check_answer (&answer, proof, names, error);
}
