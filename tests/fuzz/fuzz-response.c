/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Whatever comes out of the seal: only what the key's owner signed is accepted, and the rules for the rest hold for any JSON. */
#include "response.h"

#include "coverage.h"
#include "genuine.h"
#include "veil-error.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize length);

/* As if all of it were signed, so that mutations get past the signature. */
static void
check_coverage (const guint8 *data, gsize length, VeilCoverageKind kind, gboolean calls_signed)
{
  g_autoptr(VeilJsonDoc) doc = veil_json_doc_new ((const char *) data, length, NULL);
  g_autoptr(VeilCoverage) coverage = veil_coverage_new (kind);
  g_autoptr(VeilChatAnswer) answer = veil_chat_answer_new ();
  g_autoptr(GError) error = NULL;

  if (doc == NULL)
    return;
  if (veil_coverage_add (coverage, doc, veil_json_doc_get_root (doc), &error) &&
      veil_coverage_add (coverage, doc, veil_json_doc_get_root (doc), &error) &&
      veil_coverage_finish (coverage, calls_signed, answer, &error))
    genuine_check_passed_on (answer);
  else
    CHECK (error->domain == VEIL_ERROR && veil_error_is_verification (error->code));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize length)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(VeilChatAnswer) answer = veil_response_verify_single (genuine_input (), data, length, &error);

  if (answer != NULL)
    genuine_check (answer);
  else
    {
      CHECK (error->domain == VEIL_ERROR);
      CHECK (veil_error_is_verification (error->code) || error->code == VEIL_ERROR_GATEWAY);
      CHECK (g_utf8_validate (error->message, -1, NULL));
    }
  check_coverage (data, length, VEIL_COVERAGE_SINGLE, FALSE);
  check_coverage (data, length, VEIL_COVERAGE_SINGLE, TRUE);
  check_coverage (data, length, VEIL_COVERAGE_STREAM, TRUE);
  return 0;
}
