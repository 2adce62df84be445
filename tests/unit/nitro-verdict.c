/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* For tests in other languages. Reads lines "ROOT TIME DOCUMENT" (hex of the trusted root's SHA-256, seconds or "its", base64) and answers each with
 * "ok MODULE_ID TIMESTAMP PCR_HASH TLS_HASH KEY_HASH" or the nick of the error. */
#include "hex.h"
#include "nitro.h"
#include "veil-error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
print_hex (const guint8 hash[32])
{
  char digits[65];

  veil_hex_encode (hash, 32, digits);
  printf (" %s", digits);
}

static void
judge (char **words)
{
  guint8 root[32];
  gint64 at = strcmp (words[1], "its") == 0 ? VEIL_NITRO_AT_ITS_TIME : g_ascii_strtoll (words[1], NULL, 10);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) document = veil_nitro_decode (words[2], strlen (words[2]), &error);
  g_autoptr (VeilAttestation) attestation = NULL;

  if (!veil_hex_decode (words[0], root, sizeof root))
    g_error ("not a root: %s", words[0]);
  if (document != NULL)
    attestation = veil_nitro_verify (document, root, at, &error);
  if (attestation == NULL)
    printf ("%s", veil_error_get_nick (error->code));
  else
    {
      printf ("ok %s %" G_GUINT64_FORMAT, attestation->module_id, attestation->timestamp_ms);
      print_hex (attestation->pcr_hash);
      print_hex (attestation->tls_certificate_hash);
      print_hex (attestation->signing_key_hash);
    }
  printf ("\n");
  fflush (stdout);
}

int
main (int argc, char **argv)
{
  char *line = NULL;
  size_t size = 0;
  ssize_t length;

  while ((length = getline (&line, &size, stdin)) > 0)
    {
      g_auto (GStrv) words = g_strsplit (g_strchomp (line), " ", 3);

      if (g_strv_length (words) != 3)
        g_error ("not three words: %s", line);
      judge (words);
    }
  free (line);
  return 0;
}
