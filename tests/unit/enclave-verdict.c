/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* For tests in other languages: the library's own comparison of a document with an enclave. Reads lines "ROOT DOCUMENT NONCE PCR_HASH SIGNING_KEY
 * TLS_CERTIFICATE" (root and PCR hash in hex, the others in base64, the last one "-" for none) and answers each with "NONCE ENCLAVE DEBUG": "ok" or the
 * nick of the error for the first two, 0 or 1 for the last; or with the nick of the error alone for a document that is none. */
#include "hex.h"
#include "veil-error.h"
#include "wrap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static GBytes *
decode (const char *text)
{
  gsize length;
  guint8 *data = g_base64_decode (text, &length);

  return g_bytes_new_take (data, length);
}

static VeilEnclave *
make_enclave (char **words)
{
  g_autoptr (GBytes) key = decode (words[1]);
  g_autoptr (GBytes) certificate = strcmp (words[2], "-") != 0 ? decode (words[2]) : NULL;
  g_autoptr (GError) error = NULL;
  VeilEnclave *enclave = veil_enclave_new ("https://enclave.example", words[0], key, certificate, NULL, &error);

  if (enclave == NULL)
    g_error ("not an enclave: %s", error->message);
  return enclave;
}

static const char *
nick (gboolean holds, const GError *error)
{
  if (holds != (error == NULL))
    g_error ("an error without a refusal, or the other way round");
  return holds ? "ok" : veil_error_get_nick (error->code);
}

static void
judge (char **words)
{
  guint8 root[32];
  g_autoptr (VeilAttestationDocument) document = NULL;
  g_autoptr (VeilEnclave) enclave = make_enclave (words + 3);
  g_autoptr (GBytes) nonce = decode (words[2]);
  g_autoptr (GError) error = NULL, nonce_error = NULL;
  gboolean answers, holds;

  if (!veil_hex_decode (words[0], root, sizeof root))
    g_error ("not a root: %s", words[0]);
  document = veil_attestation_document_new_under (words[1], root, VEIL_ATTESTATION_AT_ITS_TIME, &error);
  if (document == NULL)
    {
      printf ("%s\n", nick (FALSE, error));
      return;
    }
  answers = veil_attestation_document_check_nonce (document, nonce, &nonce_error);
  holds = veil_attestation_document_check_enclave (document, enclave, &error);
  printf ("%s %s %d\n", nick (answers, nonce_error), nick (holds, error), veil_attestation_document_get_debug (document));
}

int
main (int argc, char **argv)
{
  char *line = NULL;
  size_t size = 0;
  ssize_t length;

  while ((length = getline (&line, &size, stdin)) > 0)
    {
      g_auto (GStrv) words = NULL;

      line[strcspn (line, "\n")] = '\0';
      words = g_strsplit (line, " ", 6);
      if (g_strv_length (words) != 6)
        g_error ("not a question: %s", line);
      judge (words);
      fflush (stdout);
    }
  free (line);
  return 0;
}
