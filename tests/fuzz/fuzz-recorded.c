/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "recorded.h"

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

/* A file that somebody says is the request, then that it is the answer, of signed text and of signed tool calls. */
int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  static const char *const covered[][2] = { { "content", NULL }, { "tool_calls", NULL } };

  for (guint i = 0; i < G_N_ELEMENTS (covered); i++)
    {
      g_autoptr (VeilProof) proof = veil_proof_new ();
      g_auto (GStrv) names = NULL;

      proof->signed_ = g_strdupv ((char **) covered[i]);
      veil_recorded_check_request (proof, (const char *) data, size, NULL);
      veil_recorded_check_response (proof, (const char *) data, size, &names, NULL);
    }
  return 0;
}
