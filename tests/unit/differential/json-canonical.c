/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Reads documents from standard input, each after its length (four bytes, big endian), and answers each on standard output: a byte that is 1
 * for canonical text and 0 for a refusal, a byte that tells whether keys were repeated with different values, a length, and the text. */
#include <stdio.h>
#include <string.h>

#include "json-writer.h"

static gboolean
read_document (GByteArray *document)
{
  guint32 length;

  if (fread (&length, sizeof length, 1, stdin) != 1)
    return FALSE;
  g_byte_array_set_size (document, GUINT32_FROM_BE (length));
  return document->len == 0 || fread (document->data, document->len, 1, stdin) == 1;
}

static void
answer (guint8 verdict, guint8 duplicates, const void *text, gsize length)
{
  guint32 prefix = GUINT32_TO_BE ((guint32) length);

  putchar (verdict);
  putchar (duplicates);
  fwrite (&prefix, sizeof prefix, 1, stdout);
  fwrite (text, length, 1, stdout);
}

int
main (void)
{
  g_autoptr (GByteArray) document = g_byte_array_new ();

  while (read_document (document))
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (VeilJsonDoc) doc = veil_json_doc_new ((const char *) document->data, document->len, &error);
      g_autoptr (GBytes) text = NULL;

      if (doc == NULL)
        {
          answer (0, 0, error->message, strlen (error->message));
          continue;
        }
      text = veil_json_to_bytes (veil_json_doc_get_root (doc), VEIL_JSON_CANONICAL);
      answer (1, veil_json_doc_has_duplicate_keys (doc) != FALSE, g_bytes_get_data (text, NULL), g_bytes_get_size (text));
    }
  return fflush (stdout) == 0 ? 0 : 1;
}
