/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "response.h"

#include "answer-proof.h"
#include "check.h"
#include "coverage.h"
#include "error-details.h"
#include "gateway-error.h"
#include "translate.h"

static gboolean
malformed (GError **error, const char *message)
{
  g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_MALFORMED_ANSWER, message);
  return FALSE;
}

/* The response object itself, or the body of {"status": N, "body": {...}}. */
static gboolean
open_envelope (const VeilJson *root, const VeilJson **response, GError **error)
{
  const VeilJson *status = veil_json_get_member (root, "status");
  const VeilJson *body = veil_json_get_member (root, "body");
  guint64 code = 200;

  if (!veil_json_is (root, VEIL_JSON_OBJECT))
    return malformed (error, _ ("The sealed answer is not a JSON object"));
  *response = root;
  if (veil_json_is (status, VEIL_JSON_INTEGER) && veil_json_is (body, VEIL_JSON_OBJECT))
    {
      if (!veil_json_get_uint64 (status, &code) || code < 100 || code > 599)
        return malformed (error, _ ("The sealed answer's status is not an HTTP status"));
      *response = body;
    }
  /* As with a stream's frames: an answer that says "error" is one, whatever else it holds. */
  if (code < 400 && veil_json_get_type (veil_json_get_member (*response, "error")) == VEIL_JSON_NULL)
    return TRUE;
  return veil_gateway_error_set (error, code < 400 ? 502 : (guint) code, *response);
}

static VeilJsonDoc *
read_plaintext (const guint8 *plaintext, gsize length, GError **error)
{
  g_autoptr (GError) reason = NULL;
  VeilJsonDoc *doc = veil_json_doc_new ((const char *) plaintext, length, &reason);

  if (doc == NULL)
    g_set_error (error, VEIL_ERROR, VEIL_ERROR_MALFORMED_ANSWER, _ ("The sealed answer is not JSON: %s"), reason->message);
  return doc;
}

/* Exactly one choice with a message, and nothing beside it that must not be there. Asked after the signature: whoever is not the enclave hears
 * about that first. */
static gboolean
check_coverage (VeilJsonDoc *doc, const VeilJson *response, gboolean calls_signed, VeilChatAnswer *answer, GError **error)
{
  g_autoptr (VeilCoverage) coverage = veil_coverage_new (VEIL_COVERAGE_SINGLE);
  const VeilJson *choice = veil_json_get_element (veil_json_get_member (response, "choices"), 0);

  if (!veil_coverage_add (coverage, doc, response, error))
    return FALSE;
  if (!veil_json_is (veil_json_get_member (choice, "message"), VEIL_JSON_OBJECT))
    return malformed (error, _ ("The answer holds no message"));
  return veil_coverage_finish (coverage, calls_signed, answer, error);
}

VeilChatAnswer *
veil_response_verify_single (const VeilVerifierInput *input, const guint8 *plaintext, gsize length, GError **error)
{
  g_autoptr (VeilJsonDoc) doc = read_plaintext (plaintext, length, error);
  g_autoptr (VeilChatAnswer) answer = NULL;
  g_auto (VeilOutput) output = { NULL };
  const VeilJson *response;
  const VeilJson *choice;

  if (doc == NULL || !open_envelope (veil_json_doc_get_root (doc), &response, error) ||
      !veil_output_read_single (doc, response, &output, error))
    return NULL;
  answer = veil_chat_answer_verify (input, response, &output, 1, error);
  if (answer == NULL)
    return NULL;
  if (!check_coverage (doc, response, output.is_calls, answer, error))
    {
      if (error != NULL)
        veil_error_set_passed (*error, VEIL_CHECK_COVERAGE);
      return NULL;
    }
  choice = veil_json_get_element (veil_json_get_member (response, "choices"), 0);
  answer->finish_reason = veil_json_get_member (choice, "finish_reason");
  if (veil_json_get_type (veil_json_get_member (veil_json_get_member (choice, "message"), "content")) == VEIL_JSON_NULL)
    answer->content_was_null = TRUE;
  g_ptr_array_add (answer->docs, g_steal_pointer (&doc));
  return g_steal_pointer (&answer);
}
