/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "hex.h"

#include <string.h>

void
veil_hex_encode (const guint8 *data, gsize length, char *out)
{
  static const char digits[] = "0123456789abcdef";

  for (gsize i = 0; i < length; i++)
    {
      *out++ = digits[data[i] >> 4];
      *out++ = digits[data[i] & 15];
    }
  *out = '\0';
}

char *
veil_hex_encode_0x (const guint8 *data, gsize length)
{
  char *text = g_malloc (2 * length + 3);

  memcpy (text, "0x", 2);
  veil_hex_encode (data, length, text + 2);
  return text;
}

static void
skip_prefix (const char **text, gsize *length)
{
  if (*length >= 2 && (*text)[0] == '0' && ((*text)[1] == 'x' || (*text)[1] == 'X'))
    {
      *text += 2;
      *length -= 2;
    }
}

static gboolean
decode_digits (const char *text, guint8 *out, gsize length)
{
  for (gsize i = 0; i < length; i++)
    {
      int high = g_ascii_xdigit_value (text[2 * i]);
      int low = g_ascii_xdigit_value (text[2 * i + 1]);

      if (high < 0 || low < 0)
        return FALSE;
      out[i] = high << 4 | low;
    }
  return TRUE;
}

gboolean
veil_hex_decode (const char *text, guint8 *out, gsize length)
{
  gsize digits = strlen (text);

  skip_prefix (&text, &digits);
  return digits % 2 == 0 && digits / 2 == length && decode_digits (text, out, length);
}

GBytes *
veil_hex_decode_bytes (const char *text, gsize length, gsize max)
{
  g_autofree guint8 *data = NULL;

  skip_prefix (&text, &length);
  if (length % 2 != 0 || length / 2 > max)
    return NULL;
  data = g_malloc (length / 2);
  if (!decode_digits (text, data, length / 2))
    return NULL;
  return g_bytes_new_take (g_steal_pointer (&data), length / 2);
}

static int
base64_value (char digit)
{
  if (digit >= 'A' && digit <= 'Z')
    return digit - 'A';
  if (digit >= 'a' && digit <= 'z')
    return digit - 'a' + 26;
  if (digit >= '0' && digit <= '9')
    return digit - '0' + 52;
  return digit == '+' ? 62 : digit == '/' ? 63 : -1;
}

/* One group of four; @n_bytes (1 to 3) says how many of them are digits rather than padding. */
static gboolean
base64_group (const char *text, guint8 *out, guint n_bytes)
{
  guint32 bits = 0;

  for (guint i = 0; i < 4; i++)
    {
      int value = i <= n_bytes ? base64_value (text[i]) : 0;

      if (value < 0 || (i > n_bytes && text[i] != '='))
        return FALSE;
      bits = bits << 6 | value;
    }
  if ((bits & (0xffffffu >> (8 * n_bytes))) != 0)
    return FALSE;
  for (guint i = 0; i < n_bytes; i++)
    out[i] = bits >> (16 - 8 * i);
  return TRUE;
}

GBytes *
veil_base64_decode (const char *text, gsize length)
{
  g_autofree guint8 *data = NULL;
  gsize groups = length / 4;
  gsize padding;

  if (length % 4 != 0)
    return NULL;
  if (length == 0)
    return g_bytes_new_static ("", 0);

  padding = text[length - 1] != '=' ? 0 : text[length - 2] != '=' ? 1 : 2;
  data = g_malloc (3 * groups);
  for (gsize i = 0; i < groups; i++)
    if (!base64_group (text + 4 * i, data + 3 * i, i + 1 < groups ? 3 : 3 - padding))
      return NULL;
  return g_bytes_new_take (g_steal_pointer (&data), 3 * groups - padding);
}
