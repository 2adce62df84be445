/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "paste.h"

#include "secret.h"
#include "veil-error.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <poll.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define CTRL_C 3
#define CTRL_D 4
#define REST_MS 100 /* how long the rest of a paste that went wrong is waited for */

/* Where a JSON object ends, told from braces and quotes alone: whether it is one is found out later. */
typedef struct
{
  guint depth;
  gboolean in_string;
  gboolean escaped;
  gboolean begun;
  gboolean ended;
  gboolean cancelled;
} Scan;

static void
scan_plain (Scan *scan, char c)
{
  if (c == '"')
    scan->in_string = TRUE;
  else if (c == '{')
    scan->depth++;
  else if (c == '}' && scan->depth > 0)
    scan->ended = --scan->depth == 0;
  else if (c == '\n' && scan->depth == 0)
    scan->ended = scan->begun; /* no object: the line is all there is */
  scan->begun = scan->begun || !g_ascii_isspace (c);
}

static void
scan_bytes (Scan *scan, const char *bytes, gsize length)
{
  for (gsize i = 0; i < length && !scan->ended && !scan->cancelled; i++)
    {
      if (bytes[i] == CTRL_C || bytes[i] == CTRL_D)
        scan->cancelled = TRUE;
      else if (scan->escaped)
        scan->escaped = FALSE;
      else if (!scan->in_string)
        scan_plain (scan, bytes[i]);
      else if (bytes[i] == '\\')
        scan->escaped = TRUE;
      else if (bytes[i] == '"')
        scan->in_string = FALSE;
    }
}

static gboolean
set_paste_error (GError **error, const char *message)
{
  g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_BUNDLE, message);
  return FALSE;
}

/* @scan: NULL reads to the end. */
static gboolean
read_all (GByteArray *text, gsize max, Scan *scan, GError **error)
{
  char piece[4096];
  gboolean good = TRUE;

  while (good && (scan == NULL || !scan->ended))
    {
      gssize n = read (STDIN_FILENO, piece, sizeof piece);

      if (n < 0 && errno == EINTR)
        continue;
      if (n == 0)
        break;
      if (n < 0)
        {
          g_set_error (error, VEIL_ERROR, VEIL_ERROR_BUNDLE, _ ("Standard input cannot be read: %s"), g_strerror (errno));
          good = FALSE;
          break;
        }
      veil_secret_byte_array_append (text, piece, n);
      if (scan != NULL)
        scan_bytes (scan, piece, n);
      if (scan != NULL && scan->cancelled)
        good = set_paste_error (error, _ ("Nothing was pasted, and nothing is changed"));
      else if (text->len > max)
        good = set_paste_error (error, _ ("This is too long for a login bundle; copy the code from the page again"));
    }
  veil_secret_wipe (piece, sizeof piece);
  return good;
}

/* What is left of it must not become commands of the shell. */
static void
throw_rest_away (void)
{
  struct pollfd input = { STDIN_FILENO, POLLIN, 0 };
  char piece[4096];

  while (poll (&input, 1, REST_MS) > 0 && read (STDIN_FILENO, piece, sizeof piece) > 0)
    continue;
  veil_secret_wipe (piece, sizeof piece);
}

static gboolean
read_terminal (GByteArray *text, const char *prompt, gsize max, GError **error)
{
  struct termios before, during;
  Scan scan = { 0 };
  gboolean good;

  if (tcgetattr (STDIN_FILENO, &before) != 0)
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_BUNDLE, _ ("The terminal cannot be set up: %s"), g_strerror (errno));
      return FALSE;
    }
  during = before;
  during.c_lflag &= ~(tcflag_t) (ICANON | ECHO | ISIG);
  during.c_cc[VMIN] = 1;
  during.c_cc[VTIME] = 0;
  tcsetattr (STDIN_FILENO, TCSADRAIN, &during);
  g_printerr ("%s\n", prompt);
  good = read_all (text, max, &scan, error);
  throw_rest_away ();
  tcsetattr (STDIN_FILENO, TCSAFLUSH, &before);
  return good;
}

static gboolean
is_around_text (gunichar c)
{
  return c == 0xfeff || c == 0x200b || (c < 0x110000 && g_unichar_isspace (c));
}

static GBytes *
trim (GBytes *whole)
{
  gsize length;
  const char *data = g_bytes_get_data (whole, &length);
  const char *start = length > 0 ? data : "";
  const char *end = start + length;
  const char *from = start;

  while (from < end && is_around_text (g_utf8_get_char_validated (from, end - from)))
    from = g_utf8_next_char (from);
  while (end > from)
    {
      const char *last = g_utf8_find_prev_char (from, end);

      if (last == NULL || !is_around_text (g_utf8_get_char_validated (last, end - last)))
        break;
      end = last;
    }
  return g_bytes_new_from_bytes (whole, from - start, end - from);
}

GBytes *
veil_cli_read_paste (const char *prompt, gsize max, GError **error)
{
  GByteArray *text = g_byte_array_new ();
  gboolean good = isatty (STDIN_FILENO) ? read_terminal (text, prompt, max, error) : read_all (text, max, NULL, error);
  g_autoptr (GBytes) whole = NULL;
  gsize length;
  guint8 *data;

  if (!good)
    {
      veil_secret_byte_array_unref (text);
      return NULL;
    }
  data = g_byte_array_steal (text, &length);
  g_byte_array_unref (text);
  whole = veil_secret_bytes_new_take (data, length);
  return trim (whole);
}
