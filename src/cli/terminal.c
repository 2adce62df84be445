/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "terminal.h"

#include <stdio.h>

gboolean
veil_terminal_ask (const char *question)
{
  char reply[64];

  g_printerr ("%s", question);
  return fgets (reply, sizeof reply, stdin) != NULL && g_ascii_tolower (reply[0]) == 'y';
}
