/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Runs a fuzz target over the files named, once each, where there is no libFuzzer. */
#include <glib.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize length);

int
main (int argc, char **argv)
{
  for (int i = 1; i < argc; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *data = NULL;
      gsize length;

      if (!g_file_get_contents (argv[i], &data, &length, &error))
        g_error ("%s", error->message);
      LLVMFuzzerTestOneInput ((const guint8 *) data, length);
    }
  g_print ("%d inputs\n", argc - 1);
  return argc > 1 ? 0 : 1;
}
