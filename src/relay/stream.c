/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "answer-proof.h"
#include "check.h"
#include "coverage.h"
#include "error-details.h"
#include "gateway-error.h"
#include "response.h"
#include "secret.h"
#include "sse.h"
#include "tool-deltas.h"
#include "translate.h"

#include <string.h>

/* Bounds of what one stream may make us hold. Images ride on the last frame, so a frame may be large. */
#define MAX_EVENT (32 * 1024 * 1024)
#define MAX_STREAM (128 * 1024 * 1024)
#define MAX_FRAMES 1000000

struct _VeilStreamReader
{
  VeilSse *sse;      /* owned, and likewise all that follow */
  GByteArray *event; /* data of an event of several lines, joined by LF */
  gboolean in_event;
  GByteArray *text;
  GArray *deltas;
  VeilToolDeltas *calls;
  VeilCoverage *coverage;
  VeilJsonDoc *signed_doc;
  VeilJsonDoc *finish_doc; /* holds finish_reason */
  const VeilJson *finish_reason;
  gboolean done; /* [DONE] was read */
  guint frames;
  gsize bytes;
  GError *failure; /* once refused, refused for good */
};

static gboolean read_data (gpointer user_data, const char *value, gsize length, GError **error);
static gboolean end_event (gpointer user_data, GError **error);

static const VeilSseHandler handler = { read_data, end_event };

static gboolean
refuse (GError **error, VeilError code, const char *message)
{
  g_set_error_literal (error, VEIL_ERROR, code, message);
  return FALSE;
}

VeilStreamReader *
veil_stream_reader_new (void)
{
  VeilStreamReader *self = g_new0 (VeilStreamReader, 1);

  self->sse = veil_sse_new (&handler, self, MAX_EVENT);
  self->event = g_byte_array_new ();
  self->text = g_byte_array_new ();
  self->deltas = g_array_new (FALSE, FALSE, sizeof (VeilChatDelta));
  self->calls = veil_tool_deltas_new ();
  self->coverage = veil_coverage_new (VEIL_COVERAGE_STREAM);
  return self;
}

void
veil_stream_reader_free (VeilStreamReader *self)
{
  veil_sse_free (self->sse);
  veil_secret_byte_array_unref (self->event);
  veil_secret_byte_array_unref (self->text);
  g_array_unref (self->deltas);
  veil_tool_deltas_free (self->calls);
  veil_coverage_free (self->coverage);
  g_clear_pointer (&self->signed_doc, veil_json_doc_unref);
  g_clear_pointer (&self->finish_doc, veil_json_doc_unref);
  g_clear_error (&self->failure);
  g_free (self);
}

static gboolean
read_content (VeilStreamReader *self, const VeilJson *content, GError **error)
{
  VeilChatDelta delta = { self->text->len, 0 };

  if (!veil_output_append_text (content, self->text, error))
    return FALSE;
  delta.length = self->text->len - delta.offset;
  if (delta.length > 0)
    g_array_append_val (self->deltas, delta);
  return TRUE;
}

/* The reason decides what is hashed, so a stream that gives two different ones could be read two ways. */
static gboolean
read_finish_reason (VeilStreamReader *self, VeilJsonDoc *doc, const VeilJson *choice, GError **error)
{
  const VeilJson *reason;
  gsize length;

  if (!veil_output_read_finish_reason (choice, &reason, error))
    return FALSE;
  if (reason == NULL)
    return TRUE;
  if (self->finish_reason != NULL)
    {
      const char *text = veil_json_get_string (reason, &length);
      gsize first_length;
      const char *first = veil_json_get_string (self->finish_reason, &first_length);

      return (length == first_length && memcmp (text, first, length) == 0) ||
             refuse (error, VEIL_ERROR_MALFORMED_ANSWER, _ ("The stream gives two different finish_reasons"));
    }
  self->finish_reason = reason;
  self->finish_doc = veil_json_doc_ref (doc);
  return TRUE;
}

static gboolean
read_frame (VeilStreamReader *self, VeilJsonDoc *doc, GError **error)
{
  const VeilJson *frame = veil_json_doc_get_root (doc);
  const VeilJson *failure = veil_json_get_member (frame, "error");
  const VeilJson *choice = veil_json_get_element (veil_json_get_member (frame, "choices"), 0);
  const VeilJson *delta = veil_json_get_member (choice, "delta");

  if (!veil_json_is (frame, VEIL_JSON_OBJECT))
    return refuse (error, VEIL_ERROR_MALFORMED_ANSWER, _ ("The stream holds a frame that is not a JSON object"));
  if (veil_json_get_type (failure) != VEIL_JSON_NULL)
    return veil_gateway_error_set (error, 502, frame);
  if (self->signed_doc != NULL || self->done)
    return refuse (error, VEIL_ERROR_NO_SIGNED_FRAME, _ ("The stream goes on after its end, which no signature covers"));
  if (++self->frames > MAX_FRAMES)
    return refuse (error, VEIL_ERROR_MALFORMED_ANSWER, _ ("The stream holds more frames than an answer may have"));
  if (!veil_coverage_add (self->coverage, doc, frame, error) || !read_finish_reason (self, doc, choice, error) ||
      !read_content (self, veil_json_get_member (delta, "content"), error) ||
      !veil_tool_deltas_add (self->calls, veil_json_get_member (delta, "tool_calls"), error))
    return FALSE;
  if (veil_json_get_type (veil_json_get_member (frame, "tee_signature")) != VEIL_JSON_NULL ||
      veil_json_get_type (veil_json_get_member (frame, "tee_output_hash")) != VEIL_JSON_NULL)
    self->signed_doc = veil_json_doc_ref (doc);
  return TRUE;
}

static gboolean
is_done (const char *data, gsize length)
{
  return length == strlen ("[DONE]") && memcmp (data, "[DONE]", length) == 0;
}

/* One data line is one frame, as gateways write it. If the first line of an event is no JSON by itself, the event's lines are joined as the standard says; no text can
 * be read as both. */
static gboolean
read_data (gpointer user_data, const char *value, gsize length, GError **error)
{
  VeilStreamReader *self = user_data;
  g_autoptr (VeilJsonDoc) doc = NULL;

  if (!self->in_event)
    {
      if (is_done (value, length))
        {
          self->done = TRUE;
          return TRUE;
        }
      doc = length > 0 ? veil_json_doc_new (value, length, NULL) : NULL;
      if (doc != NULL)
        return read_frame (self, doc, error);
    }
  if (length >= MAX_EVENT - self->event->len)
    return refuse (error, VEIL_ERROR_MALFORMED_ANSWER, _ ("The stream holds an event that is longer than any frame may be"));
  if (self->in_event)
    veil_secret_byte_array_append (self->event, "\n", 1);
  veil_secret_byte_array_append (self->event, value, length);
  self->in_event = TRUE;
  return TRUE;
}

static gboolean
is_blank (const GByteArray *event)
{
  for (guint i = 0; i < event->len; i++)
    if (event->data[i] != '\n')
      return FALSE;
  return TRUE;
}

static gboolean
end_event (gpointer user_data, GError **error)
{
  VeilStreamReader *self = user_data;
  g_autoptr (VeilJsonDoc) doc = NULL;

  if (!self->in_event)
    return TRUE;
  self->in_event = FALSE;
  if (!is_blank (self->event))
    {
      doc = veil_json_doc_new ((const char *) self->event->data, self->event->len, NULL);
      if (doc == NULL)
        return refuse (error, VEIL_ERROR_MALFORMED_ANSWER, _ ("The stream holds a frame that is not JSON"));
    }
  g_byte_array_set_size (self->event, 0);
  return doc == NULL || read_frame (self, doc, error);
}

static gboolean
fail_again (VeilStreamReader *self, GError **error)
{
  g_propagate_error (error, g_error_copy (self->failure));
  return FALSE;
}

gboolean
veil_stream_reader_push (VeilStreamReader *self, const guint8 *data, gsize length, GError **error)
{
  if (self->failure != NULL)
    return fail_again (self, error);
  if (length > MAX_STREAM - self->bytes)
    refuse (&self->failure, VEIL_ERROR_ANSWER_TOO_LARGE, _ ("The stream is longer than an answer may be"));
  else
    {
      self->bytes += length;
      veil_sse_push (self->sse, data, length, &self->failure);
    }
  return self->failure == NULL || fail_again (self, error);
}

static guint
list_outputs (VeilStreamReader *self, VeilOutput outputs[static 2])
{
  gsize length = self->text->len;
  guint count = 0;

  if (veil_json_equals (self->finish_reason, "tool_calls") && !veil_tool_deltas_is_empty (self->calls))
    {
      veil_output_set (&outputs[count++], veil_tool_deltas_build (self->calls, FALSE), TRUE);
      if (veil_tool_deltas_has_null_id (self->calls))
        veil_output_set (&outputs[count++], veil_tool_deltas_build (self->calls, TRUE), TRUE);
      return count;
    }
  veil_output_set (&outputs[count++], veil_secret_bytes_new_take (g_byte_array_free (self->text, FALSE), length), FALSE);
  self->text = g_byte_array_new ();
  return count;
}

static void
give_rest (VeilStreamReader *self, VeilChatAnswer *answer)
{
  if (answer->text != NULL)
    answer->deltas = g_array_ref (self->deltas);
  answer->finish_reason = self->finish_reason;
  if (self->finish_doc != NULL)
    g_ptr_array_add (answer->docs, g_steal_pointer (&self->finish_doc));
  self->finish_reason = NULL;
}

VeilChatAnswer *
veil_stream_reader_finish (VeilStreamReader *self, const VeilVerifierInput *input, GError **error)
{
  g_autoptr (VeilChatAnswer) answer = NULL;
  VeilOutput outputs[2] = { { NULL }, { NULL } };
  guint count;

  if (self->failure != NULL || !veil_sse_finish (self->sse, &self->failure))
    {
      fail_again (self, error);
      return NULL;
    }
  if (self->signed_doc == NULL)
    {
      refuse (error, VEIL_ERROR_NO_SIGNED_FRAME, _ ("The stream ended without its signed frame, so nothing of it can be verified"));
      return NULL;
    }
  count = list_outputs (self, outputs);
  answer = veil_chat_answer_verify (input, veil_json_doc_get_root (self->signed_doc), outputs, count, error);
  if (answer != NULL && veil_coverage_finish (self->coverage, answer->tool_calls != NULL, answer, error))
    give_rest (self, answer);
  else if (answer != NULL)
    {
      g_clear_pointer (&answer, veil_chat_answer_unref);
      if (error != NULL)
        veil_error_set_passed (*error, VEIL_CHECK_COVERAGE);
    }
  for (guint i = 0; i < count; i++)
    veil_output_clear (&outputs[i]);
  return g_steal_pointer (&answer);
}
