/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "terminal.h"

#include "secret.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

/* The answer of the language, which its questions name; and always the English one, which the manual names. */
static gboolean
means_yes (const char *reply)
{
  /* Translators: the small letter for yes, as your translations of the questions that end in [y/N] or [Y/n] show it. */
  gunichar yes = g_utf8_get_char (C_ ("yes", "y"));
  gunichar given = g_utf8_get_char_validated (reply, -1);

  return given != (gunichar) -1 && given != (gunichar) -2 && (g_unichar_tolower (given) == yes || given == 'y' || given == 'Y');
}

gboolean
veil_terminal_ask (const char *question)
{
  char reply[64];

  g_printerr ("%s", question);
  return fgets (reply, sizeof reply, stdin) != NULL && means_yes (reply);
}

/* Byte by byte: what follows the line stays for others. */
static char *
read_line (gsize max)
{
  GByteArray *line = g_byte_array_new ();
  guint8 byte = 0;
  gssize n;

  while (line->len <= max && ((n = read (STDIN_FILENO, &byte, 1)) > 0 || (n < 0 && errno == EINTR)))
    {
      if (n < 0)
        continue;
      if (byte == '\n')
        break;
      veil_secret_byte_array_append (line, &byte, 1);
    }
  if (line->len > 0 && line->data[line->len - 1] == '\r')
    g_byte_array_set_size (line, line->len - 1);
  if (line->len == 0 || line->len > max)
    {
      veil_secret_byte_array_unref (line);
      return NULL;
    }
  byte = '\0';
  veil_secret_byte_array_append (line, &byte, 1);
  return (char *) g_byte_array_free (line, FALSE);
}

char *
veil_terminal_ask_secret (const char *question, gsize max)
{
  struct termios before, during;
  gboolean hidden = tcgetattr (STDIN_FILENO, &before) == 0;
  char *line;

  if (hidden)
    {
      during = before;
      during.c_lflag &= ~(tcflag_t) ECHO;
      tcsetattr (STDIN_FILENO, TCSAFLUSH, &during);
      g_printerr ("%s", question);
    }
  line = read_line (max);
  if (hidden)
    {
      tcsetattr (STDIN_FILENO, TCSAFLUSH, &before);
      g_printerr ("\n");
    }
  return line;
}

char *
veil_terminal_ask_line (const char *question)
{
  char reply[512];
  char *line;

  g_printerr ("%s", question);
  if (fgets (reply, sizeof reply, stdin) == NULL)
    {
      g_printerr ("\n");
      return NULL;
    }
  line = g_utf8_make_valid (reply, -1);
  return g_strstrip (line);
}

gboolean
veil_terminal_ask_or (const char *question, gboolean otherwise)
{
  g_autofree char *line = veil_terminal_ask_line (question);

  return line == NULL || *line == '\0' ? otherwise : means_yes (line);
}
