/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The inner loops over strings: eight bytes at a time as long as nothing special comes. */
#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

#define VEIL_JSON_BYTES(byte) (G_GUINT64_CONSTANT (0x0101010101010101) * (byte))

/* The lowest set bit marks the first byte, in memory order of a little-endian load, that is a control character, a quote, a
 * backslash, DEL or not ASCII. Bits above it may be false. */
static inline guint64
veil_json_special (guint64 word)
{
  const guint64 ones = VEIL_JSON_BYTES (0x01);
  guint64 quote = word ^ VEIL_JSON_BYTES ('"');
  guint64 backslash = word ^ VEIL_JSON_BYTES ('\\');
  guint64 high = word | (word + ones);
  guint64 low = ((word - VEIL_JSON_BYTES (0x20)) & ~word) | ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash);

  return (high | low) & VEIL_JSON_BYTES (0x80);
}

static inline gboolean
veil_json_is_special (guint8 byte)
{
  return byte < 0x20 || byte >= 0x7f || byte == '"' || byte == '\\';
}

/* Copies up to the first special byte, or all @length; up to @length bytes of @to may be touched. Returns how many were meant. */
static inline gsize
veil_json_copy_plain (char *to, const guint8 *from, gsize length)
{
  gsize i = 0;

  for (; length - i >= 8; i += 8)
    {
      guint64 word, special;

      memcpy (&word, from + i, 8);
      memcpy (to + i, &word, 8);
      special = veil_json_special (GUINT64_FROM_LE (word));
      if (special != 0)
        return i + (guint) __builtin_ctzll (special) / 8;
    }
  for (; i < length && !veil_json_is_special (from[i]); i++)
    to[i] = (char) from[i];
  return i;
}

static inline gboolean
veil_json_is_continuation (guint8 byte)
{
  return (byte & 0xc0) == 0x80;
}

/* Length of the UTF-8 sequence at @from (which is before @end), 0 if it is malformed. With @surrogates, WTF-8. */
static inline guint
veil_json_sequence_length (const guint8 *from, const guint8 *end, gboolean surrogates)
{
  gsize left = end - from;

  if (from[0] < 0x80)
    return 1;
  if (from[0] < 0xc2 || from[0] > 0xf4 || left < 2 || !veil_json_is_continuation (from[1]))
    return 0;
  if (from[0] < 0xe0)
    return 2;
  if (left < 3 || !veil_json_is_continuation (from[2]))
    return 0;
  if (from[0] < 0xf0)
    return (from[0] == 0xe0 && from[1] < 0xa0) || (from[0] == 0xed && from[1] > 0x9f && !surrogates) ? 0 : 3;
  if (left < 4 || !veil_json_is_continuation (from[3]))
    return 0;
  return (from[0] == 0xf0 && from[1] < 0x90) || (from[0] == 0xf4 && from[1] > 0x8f) ? 0 : 4;
}

G_END_DECLS
