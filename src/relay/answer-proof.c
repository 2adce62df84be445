/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "answer-proof.h"

#include "veil-error.h"

#include <string.h>

/* A null tool-call id leaves two forms. */
#define MAX_OUTPUTS 2

/* Tool calls are read back from the very text that was hashed, so that nothing else can be handed on. */
static gboolean
take_output (VeilChatAnswer *answer, const VeilOutput *output, GError **error)
{
  VeilJsonDoc *doc;
  const char *text;
  gsize length;

  if (!output->is_calls)
    {
      answer->text = g_bytes_ref (output->bytes);
      return TRUE;
    }
  text = g_bytes_get_data (output->bytes, &length);
  doc = veil_json_doc_new (text, length, error);
  if (doc == NULL)
    return FALSE;
  g_ptr_array_add (answer->docs, doc);
  answer->tool_calls = veil_json_doc_get_root (doc);
  answer->content_was_null = TRUE;
  return TRUE;
}

static void
fill_proof (VeilProof *proof, VeilVerifierResult *result)
{
  memcpy (proof->request_hash, result->request_hash, sizeof proof->request_hash);
  memcpy (proof->output_hash, result->output_hash, sizeof proof->output_hash);
  proof->timestamp = result->timestamp;
  proof->signature = g_steal_pointer (&result->signature);
}

VeilChatAnswer *
veil_chat_answer_verify (const VeilVerifierInput *input, const VeilJson *signed_object, const VeilOutput *outputs, guint n_outputs,
                         GError **error)
{
  g_autoptr(VeilChatAnswer) answer = NULL;
  g_auto(VeilVerifierResult) result = { 0 };
  guint8 hashes[MAX_OUTPUTS][32];

  g_return_val_if_fail (n_outputs >= 1 && n_outputs <= MAX_OUTPUTS, NULL);
  for (guint i = 0; i < n_outputs; i++)
    memcpy (hashes[i], outputs[i].hash, sizeof hashes[i]);
  if (!veil_verifier_check (input, signed_object, (const guint8 (*)[32]) hashes, n_outputs, &result, error))
    return NULL;
  answer = veil_chat_answer_new ();
  if (!take_output (answer, &outputs[result.output], error))
    return NULL;
  fill_proof (answer->proof, &result);
  return g_steal_pointer (&answer);
}
