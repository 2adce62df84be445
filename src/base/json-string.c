/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "json-private.h"
#include "json-scan.h"
#include "translate.h"

/* Each function that reads returns NULL, or what is wrong at @at. */
typedef struct
{
  const guint8 *at;
  const guint8 *end;
  char *text; /* never further on than @at: an unescaped string is no longer than its source */
} Cursor;

static void
append_code_point (Cursor *c, guint32 code)
{
  if (code < 0x80)
    *c->text++ = (char) code;
  else if (code < 0x800)
    *c->text++ = (char) (0xc0 | code >> 6);
  else if (code < 0x10000)
    *c->text++ = (char) (0xe0 | code >> 12);
  else
    *c->text++ = (char) (0xf0 | code >> 18);
  if (code >= 0x10000)
    *c->text++ = (char) (0x80 | (code >> 12 & 0x3f));
  if (code >= 0x800)
    *c->text++ = (char) (0x80 | (code >> 6 & 0x3f));
  if (code >= 0x80)
    *c->text++ = (char) (0x80 | (code & 0x3f));
}

/* The escape \uXXXX at @from, or -1 if there is none. */
static int
peek_unicode_escape (const Cursor *c, const guint8 *from)
{
  int code = 0;

  if (c->end - from < 6 || from[0] != '\\' || from[1] != 'u')
    return -1;
  for (guint i = 2; i < 6; i++)
    {
      int digit = g_ascii_xdigit_value ((char) from[i]);

      if (digit < 0)
        return -1;
      code = code << 4 | digit;
    }
  return code;
}

static const char *
read_unicode_escape (Cursor *c, VeilJson *string)
{
  int code = peek_unicode_escape (c, c->at);
  int low;

  if (code < 0)
    return _ ("a \\u escape without four hexadecimal digits");
  c->at += 6;
  low = code >= 0xd800 && code <= 0xdbff ? peek_unicode_escape (c, c->at) : -1;
  if (low >= 0xdc00 && low <= 0xdfff)
    {
      c->at += 6;
      append_code_point (c, 0x10000 + ((guint32) (code - 0xd800) << 10) + (guint32) (low - 0xdc00));
      return NULL;
    }
  if (code >= 0xd800 && code <= 0xdfff)
    string->surrogate = TRUE;
  append_code_point (c, (guint32) code);
  return NULL;
}

static const char *
read_escape (Cursor *c, VeilJson *string)
{
  static const char short_escapes[256] = {
    ['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t',
  };

  if (c->end - c->at < 2)
    return _ ("a string that ends inside an escape");
  if (c->at[1] == 'u')
    return read_unicode_escape (c, string);
  if (short_escapes[c->at[1]] == '\0')
    return _ ("an unknown escape");
  *c->text++ = short_escapes[c->at[1]];
  c->at += 2;
  return NULL;
}

/* A run of DEL and of characters outside ASCII. */
static const char *
read_beyond_ascii (Cursor *c)
{
  while (c->at < c->end && *c->at >= 0x7f)
    {
      guint length = veil_json_sequence_length (c->at, c->end, FALSE);

      if (length == 0)
        return _ ("invalid UTF-8");
      for (guint i = 0; i < length; i++)
        *c->text++ = (char) *c->at++;
    }
  return NULL;
}

static const char *
read_special (Cursor *c, VeilJson *string)
{
  if (*c->at == '\\')
    return read_escape (c, string);
  if (*c->at < 0x20)
    return _ ("a control character inside a string");
  return read_beyond_ascii (c);
}

static const char *
read_to_quote (Cursor *c, VeilJson *string)
{
  for (;;)
    {
      gsize plain = veil_json_copy_plain (c->text, c->at, (gsize) (c->end - c->at));
      const char *problem;

      c->at += plain;
      c->text += plain;
      if (c->at == c->end)
        return _ ("a string without its closing quote");
      if (*c->at == '"')
        return NULL;
      string->plain = FALSE;
      problem = read_special (c, string);
      if (problem != NULL)
        return problem;
    }
}

const char *
veil_json_read_string (const guint8 **at, const guint8 *end, char **text, VeilJson *string)
{
  Cursor c = { *at + 1, end, *text };
  const char *problem;

  string->plain = TRUE;
  string->u.text = c.text;
  problem = read_to_quote (&c, string);
  if (problem == NULL)
    {
      c.at++;
      string->size = (guint32) (c.text - string->u.text);
      *c.text++ = '\0';
    }
  *at = c.at;
  *text = c.text;
  return problem;
}
