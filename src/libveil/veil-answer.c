/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "veil-answer.h"

#include "readable.h"
#include "reply.h"
#include "secret.h"
#include "wrap.h"

#include <string.h>

struct _VeilAnswer
{
  GObject parent;

  VeilChatAnswer *answer;         /* owned */
  VeilVerification *verification; /* owned */
  char *text;                     /* owned, secret; may be NULL */
  char *tool_calls;               /* owned, secret; may be NULL */
  char *finish_reason;            /* owned; may be NULL */
  char *model;                    /* owned */
  gint64 asked_at;                /* microseconds since 1970 */
  gboolean stream;
};

G_DEFINE_FINAL_TYPE (VeilAnswer, veil_answer, G_TYPE_OBJECT)

gboolean
veil_answer_is_made (VeilAnswer *self)
{
  return VEIL_IS_ANSWER (self) && self->answer != NULL;
}

static const VeilReadable readable[] = {
  { "text", VEIL_READABLE_STRING, G_CALLBACK (veil_answer_get_text) },
  { "content", VEIL_READABLE_BYTES, G_CALLBACK (veil_answer_get_content) },
  { "tool-calls", VEIL_READABLE_STRING, G_CALLBACK (veil_answer_get_tool_calls) },
  { "finish-reason", VEIL_READABLE_STRING, G_CALLBACK (veil_answer_get_finish_reason) },
  { "model", VEIL_READABLE_STRING, G_CALLBACK (veil_answer_get_model) },
  { "verification", VEIL_READABLE_OBJECT, G_CALLBACK (veil_answer_get_verification), veil_verification_get_type },
  { NULL },
};

static void
veil_answer_finalize (GObject *object)
{
  VeilAnswer *self = VEIL_ANSWER (object);

  g_clear_pointer (&self->answer, veil_chat_answer_unref);
  g_clear_object (&self->verification);
  veil_secret_free (self->text);
  veil_secret_free (self->tool_calls);
  g_free (self->finish_reason);
  g_free (self->model);
  G_OBJECT_CLASS (veil_answer_parent_class)->finalize (object);
}

static void
veil_answer_class_init (VeilAnswerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_answer_finalize;
  veil_readable_install (G_OBJECT_CLASS (klass), readable);
}

static void
veil_answer_init (VeilAnswer *self)
{
}

/* NULL for what has no form as a C string. */
static char *
to_text (const char *data, gsize length)
{
  return memchr (data, '\0', length) == NULL ? g_strndup (data, length) : NULL;
}

VeilAnswer *
veil_answer_new_for_chat_answer (VeilChatAnswer *answer, VeilRequest *request, gint64 asked_at)
{
  VeilAnswer *self = g_object_new (VEIL_TYPE_ANSWER, NULL);
  const char *data;
  gsize length;

  self->answer = veil_chat_answer_ref (answer);
  self->verification = veil_verification_new_for_proof (answer->proof);
  self->model = g_strdup (veil_request_get_model (request));
  self->asked_at = asked_at;
  self->stream = veil_request_get_stream (request);
  if (answer->text != NULL)
    {
      data = g_bytes_get_data (answer->text, &length);
      self->text = to_text (length > 0 ? data : "", length);
    }
  if (answer->tool_calls != NULL)
    self->tool_calls = veil_wrap_bytes_to_string (veil_json_to_bytes (answer->tool_calls, VEIL_JSON_COMPACT));
  data = veil_json_get_string (answer->finish_reason, &length);
  if (data != NULL && veil_json_string_is_utf8 (answer->finish_reason))
    self->finish_reason = to_text (data, length);
  return self;
}

gint64
veil_answer_get_asked_at (VeilAnswer *self)
{
  return self->asked_at;
}

gboolean
veil_answer_is_stream (VeilAnswer *self)
{
  return self->stream;
}

const VeilTiming *
veil_answer_get_timing (VeilAnswer *self)
{
  return &self->answer->timing;
}

char *
veil_answer_to_json (VeilAnswer *self)
{
  g_return_val_if_fail (veil_answer_is_made (self), NULL);
  return veil_wrap_bytes_to_string (veil_reply_single (self->answer, &(VeilReplyOptions){ .model = self->model }));
}

char *
veil_answer_to_events (VeilAnswer *self)
{
  const VeilReplyOptions options = { .model = self->model, .include_proof = TRUE };

  g_return_val_if_fail (veil_answer_is_made (self), NULL);
  return veil_wrap_bytes_to_string (veil_reply_stream (self->answer, &options));
}

const char *
veil_answer_get_text (VeilAnswer *self)
{
  g_return_val_if_fail (veil_answer_is_made (self), NULL);
  return self->text;
}

GBytes *
veil_answer_get_content (VeilAnswer *self)
{
  g_return_val_if_fail (veil_answer_is_made (self), NULL);
  return self->answer->text;
}

const char *
veil_answer_get_tool_calls (VeilAnswer *self)
{
  g_return_val_if_fail (veil_answer_is_made (self), NULL);
  return self->tool_calls;
}

const char *
veil_answer_get_finish_reason (VeilAnswer *self)
{
  g_return_val_if_fail (veil_answer_is_made (self), NULL);
  return self->finish_reason;
}

const char *
veil_answer_get_model (VeilAnswer *self)
{
  g_return_val_if_fail (veil_answer_is_made (self), NULL);
  return self->model;
}

VeilVerification *
veil_answer_get_verification (VeilAnswer *self)
{
  g_return_val_if_fail (veil_answer_is_made (self), NULL);
  return self->verification;
}
