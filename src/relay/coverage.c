/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "coverage.h"

#include "names.h"
#include "translate.h"
#include "veil-error.h"

#include <string.h>

/* Passed on at the top level, besides cost blocks. */
#define MAX_EXTRAS 32

typedef struct
{
  VeilJsonDoc *doc; /* owned */
  VeilChatExtra extra;
} Extra;

struct _VeilCoverage
{
  VeilCoverageKind kind;
  VeilNames *names; /* owned */
  GArray *extras;   /* owned, of Extra */
  gboolean has_text;
  gboolean has_calls;
};

typedef struct
{
  VeilJsonDoc *doc;
  const char *key;
  gsize key_length;
  const VeilJson *value;
} Member;

static gboolean
refuse (GError **error, VeilError code, const char *message)
{
  g_set_error_literal (error, VEIL_ERROR, code, message);
  return FALSE;
}

static void
clear_extra (gpointer data)
{
  g_clear_pointer (&((Extra *) data)->doc, veil_json_doc_unref);
}

VeilCoverage *
veil_coverage_new (VeilCoverageKind kind)
{
  VeilCoverage *self = g_new0 (VeilCoverage, 1);

  self->kind = kind;
  self->names = veil_names_new ();
  self->extras = g_array_new (FALSE, FALSE, sizeof (Extra));
  g_array_set_clear_func (self->extras, clear_extra);
  return self;
}

void
veil_coverage_free (VeilCoverage *self)
{
  veil_names_free (self->names);
  g_array_unref (self->extras);
  g_free (self);
}

static gboolean
is_any (const Member *member, const char *const *keys)
{
  return strlen (member->key) == member->key_length && g_strv_contains (keys, member->key);
}

static gboolean
is (const Member *member, const char *key)
{
  const char *const keys[] = { key, NULL };

  return is_any (member, keys);
}

static void
name (VeilCoverage *self, const char *prefix, const Member *member)
{
  veil_names_add (self->names, prefix, member->key, member->key_length);
}

/* A later frame's value takes the place of an earlier one, but an answer keeps its first id, model and time. */
static void
keep_extra (VeilCoverage *self, const Member *member, gboolean in_message)
{
  static const char *const keep_first[] = { "id", "model", "created", NULL };
  Extra added = { member->doc, { member->key, member->value, in_message } };

  for (guint i = 0; i < self->extras->len; i++)
    {
      Extra *kept = &g_array_index (self->extras, Extra, i);

      if (kept->extra.in_message != in_message || strcmp (kept->extra.name, member->key) != 0)
        continue;
      if (is_any (member, keep_first))
        return;
      veil_json_doc_ref (added.doc);
      clear_extra (kept);
      *kept = added;
      return;
    }
  if (self->extras->len >= MAX_EXTRAS)
    return;
  veil_json_doc_ref (added.doc);
  g_array_append_val (self->extras, added);
}

/* The cost block has no fixed name in the protocol: the headers call theirs X-Inference-Cost-* and X-Inference-Price-*, gateways put it into
 * "opengradient". */
static gboolean
is_cost (const Member *member)
{
  g_autofree char *lower = NULL;

  if (is (member, "opengradient"))
    return TRUE;
  if (strlen (member->key) != member->key_length || g_str_has_prefix (member->key, "tee_") ||
      !g_utf8_validate (member->key, (gssize) member->key_length, NULL))
    return FALSE;
  lower = g_ascii_strdown (member->key, (gssize) member->key_length);
  return strstr (lower, "cost") != NULL || strstr (lower, "price") != NULL;
}

static gboolean
may_pass (const Member *member)
{
  static const char *const any_type[] = { "usage", "images", "citations", "moderation", NULL };

  if (is (member, "id") || is (member, "model"))
    return veil_json_is (member->value, VEIL_JSON_STRING);
  if (is (member, "created"))
    return veil_json_is (member->value, VEIL_JSON_INTEGER);
  return is_any (member, any_type) || is_cost (member);
}

/* Calls in a place where no gateway puts signed ones. */
static gboolean
check_no_calls (const Member *member, GError **error)
{
  static const char *const calls[] = { "tool_calls", "function_call", NULL };

  if (is_any (member, calls) && veil_json_is_truthy (member->value))
    return refuse (error, VEIL_ERROR_UNSIGNED_CONTENT,
                   _ ("The answer asks for a call that its signature does not cover; nothing of it was passed on"));
  return TRUE;
}

static void
add_content (VeilCoverage *self, const char *prefix, const Member *member)
{
  gboolean has_others = FALSE;

  self->has_text = self->has_text || veil_json_is_truthy (member->value);
  for (guint i = 0; veil_json_is (member->value, VEIL_JSON_ARRAY) && i < veil_json_get_size (member->value); i++)
    {
      const VeilJson *part = veil_json_get_element (member->value, i);

      has_others = has_others || (veil_json_is (part, VEIL_JSON_OBJECT) && veil_json_get_member (part, "text") == NULL);
    }
  if (has_others)
    veil_names_add (self->names, prefix, "content[]", strlen ("content[]"));
}

/* Only the rebuilt form of a streamed call is hashed and handed on; what else its fragments hold is left behind. */
static void
name_call_extras (VeilCoverage *self, const VeilJson *object, const char *prefix, const char *const *known)
{
  Member member;

  for (guint i = 0; (member.value = veil_json_get_member_at (object, i, &member.key, &member.key_length)) != NULL; i++)
    if (!is_any (&member, known) && veil_json_get_type (member.value) != VEIL_JSON_NULL)
      name (self, prefix, &member);
}

static void
add_calls (VeilCoverage *self, const VeilJson *calls)
{
  static const char *const in_call[] = { "index", "id", "type", "function", NULL };
  static const char *const in_function[] = { "name", "arguments", NULL };

  self->has_calls = self->has_calls || veil_json_is_truthy (calls);
  if (self->kind != VEIL_COVERAGE_STREAM)
    return;
  for (guint i = 0; i < veil_json_get_size (calls); i++)
    {
      const VeilJson *call = veil_json_get_element (calls, i);

      name_call_extras (self, call, "delta.tool_calls[].", in_call);
      name_call_extras (self, veil_json_get_member (call, "function"), "delta.tool_calls[].function.", in_function);
    }
}

static gboolean
add_message (VeilCoverage *self, VeilJsonDoc *doc, const VeilJson *message, GError **error)
{
  static const char *const passed[] = { "images", "citations", NULL };
  const char *prefix = self->kind == VEIL_COVERAGE_SINGLE ? "choices[0].message." : "delta.";
  Member member = { doc };

  for (guint i = 0; (member.value = veil_json_get_member_at (message, i, &member.key, &member.key_length)) != NULL; i++)
    {
      if (veil_json_get_type (member.value) == VEIL_JSON_NULL ||
          (is (&member, "role") && veil_json_equals (member.value, "assistant")))
        continue;
      if (is (&member, "content"))
        add_content (self, prefix, &member);
      else if (is (&member, "tool_calls"))
        add_calls (self, member.value);
      else if (!check_no_calls (&member, error))
        return FALSE;
      else
        {
          name (self, prefix, &member);
          if (is_any (&member, passed))
            keep_extra (self, &member, TRUE);
        }
    }
  return TRUE;
}

static gboolean
check_index (const VeilJson *choice, GError **error)
{
  const VeilJson *index = veil_json_get_member (choice, "index");
  guint64 number;

  if (veil_json_get_type (index) == VEIL_JSON_NULL || (veil_json_get_uint64 (index, &number) && number == 0))
    return TRUE;
  return refuse (error, VEIL_ERROR_UNSIGNED_CONTENT,
                 _ ("The answer holds another choice than the first, which no signature covers"));
}

static gboolean
add_choice (VeilCoverage *self, VeilJsonDoc *doc, const VeilJson *choice, GError **error)
{
  const char *message_key = self->kind == VEIL_COVERAGE_SINGLE ? "message" : "delta";
  Member member = { doc };

  if (!veil_json_is (choice, VEIL_JSON_OBJECT))
    return refuse (error, VEIL_ERROR_MALFORMED_ANSWER, _ ("The answer's choice is not an object"));
  if (!check_index (choice, error))
    return FALSE;
  for (guint i = 0; (member.value = veil_json_get_member_at (choice, i, &member.key, &member.key_length)) != NULL; i++)
    {
      if (veil_json_get_type (member.value) == VEIL_JSON_NULL || is (&member, "index"))
        continue;
      if (is (&member, message_key))
        {
          if (!veil_json_is (member.value, VEIL_JSON_OBJECT))
            return refuse (error, VEIL_ERROR_MALFORMED_ANSWER, _ ("The answer's message is not an object"));
          if (!add_message (self, doc, member.value, error))
            return FALSE;
        }
      else if (!check_no_calls (&member, error))
        return FALSE;
      else
        name (self, is (&member, "finish_reason") ? "" : "choices[0].", &member);
    }
  return TRUE;
}

static gboolean
add_choices (VeilCoverage *self, VeilJsonDoc *doc, const VeilJson *choices, GError **error)
{
  guint size = veil_json_get_size (choices);

  if (!veil_json_is (choices, VEIL_JSON_ARRAY))
    return refuse (error, VEIL_ERROR_MALFORMED_ANSWER, _ ("The answer's choices are not a list"));
  if (size > 1)
    return refuse (error, VEIL_ERROR_UNSIGNED_CONTENT,
                   _ ("The answer holds more than one choice, and the signature covers only the first"));
  return size == 0 || add_choice (self, doc, veil_json_get_element (choices, 0), error);
}

static gboolean
is_of_proof (const Member *member)
{
  static const char *const keys[] = { "tee_signature", "tee_request_hash", "tee_output_hash", "tee_timestamp", "tee_id", NULL };

  return is_any (member, keys);
}

static gboolean
is_own_label (const Member *member)
{
  return is (member, "object") &&
         (veil_json_equals (member->value, "chat.completion") || veil_json_equals (member->value, "chat.completion.chunk"));
}

gboolean
veil_coverage_add (VeilCoverage *self, VeilJsonDoc *doc, const VeilJson *object, GError **error)
{
  Member member = { doc };

  if (veil_json_doc_has_duplicate_keys (doc))
    return refuse (error, VEIL_ERROR_UNSIGNED_CONTENT,
                   _ ("The answer has a key twice with different values, so it could be read two ways"));
  for (guint i = 0; (member.value = veil_json_get_member_at (object, i, &member.key, &member.key_length)) != NULL; i++)
    {
      if (veil_json_get_type (member.value) == VEIL_JSON_NULL || is_of_proof (&member) || is_own_label (&member))
        continue;
      if (is (&member, "choices"))
        {
          if (!add_choices (self, doc, member.value, error))
            return FALSE;
          continue;
        }
      if (!check_no_calls (&member, error))
        return FALSE;
      name (self, "", &member);
      if (may_pass (&member))
        keep_extra (self, &member, FALSE);
    }
  return TRUE;
}

static void
give_extras (VeilCoverage *self, VeilChatAnswer *answer)
{
  for (guint i = 0; i < self->extras->len; i++)
    {
      Extra *kept = &g_array_index (self->extras, Extra, i);

      g_ptr_array_add (answer->docs, g_steal_pointer (&kept->doc));
      g_array_append_val (answer->extras, kept->extra);
    }
  g_array_set_size (self->extras, 0);
}

gboolean
veil_coverage_finish (VeilCoverage *self, gboolean calls_signed, VeilChatAnswer *answer, GError **error)
{
  const char *content = self->kind == VEIL_COVERAGE_SINGLE ? "choices[0].message.content" : "delta.content";
  const char *covered[] = { calls_signed ? "tool_calls" : "content", NULL };

  if (self->has_calls && !calls_signed)
    return refuse (error, VEIL_ERROR_UNSIGNED_CONTENT,
                   _ ("The answer asks for tool calls that its signature does not cover; nothing of it was passed on"));
  if (self->has_text && calls_signed)
    veil_names_add (self->names, "", content, strlen (content));
  give_extras (self, answer);
  answer->proof->signed_ = g_strdupv ((char **) covered);
  answer->proof->unsigned_ = veil_names_to_strv (self->names);
  return TRUE;
}
