/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "receipt-private.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput (const guint8 *data, size_t size);

/* Read twice: as a file, where the digest stops nearly everything, and without it. What is taken is written as it was read, and can be verified or not. */
int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  g_autoptr (VeilReceipt) whole = veil_receipt_new_from_data ((const char *) data, size, NULL);
  g_autoptr (VeilJsonDoc) doc = veil_json_doc_new ((const char *) data, size, NULL);
  g_autoptr (VeilReceipt) receipt = doc != NULL ? veil_receipt_read_members (veil_json_doc_get_root (doc), NULL) : NULL;
  g_autoptr (VeilReceipt) again = NULL;
  g_autoptr (GBytes) text = NULL, second = NULL;

  if (receipt == NULL)
    {
      if (whole != NULL)
        abort ();
      return 0;
    }
  veil_receipt_verify (receipt, NULL);
  text = veil_receipt_to_bytes (receipt);
  if (g_bytes_get_size (text) > VEIL_RECEIPT_MAX_SIZE)
    return 0; /* names of control characters, which grow sixfold */
  again = veil_receipt_new_from_data (g_bytes_get_data (text, NULL), g_bytes_get_size (text), NULL);
  if (again == NULL)
    abort ();
  second = veil_receipt_to_bytes (again);
  if (!g_bytes_equal (text, second))
    abort ();
  return 0;
}
