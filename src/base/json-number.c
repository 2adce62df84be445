/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "json-private.h"
#include "json-writer.h"

/* Two decimals of up to 15 digits never stand for the same normal double, and 17 digits always tell it. */
#define SURE_DIGITS 15
#define MAX_DIGITS 17
/* Powers of ten between which no double of that many digits is subnormal or overflows. */
#define SAFE_EXPONENT 290

/* 0.DIGITS times ten to the power of point; no digit at all is zero. */
typedef struct
{
  char digits[MAX_DIGITS + 1];
  guint count;
  int point;
} Decimal;

static gsize
put_exponent (int exponent, char *out)
{
  guint magnitude = (guint) ABS (exponent);
  gsize length = 0;

  out[length++] = 'e';
  out[length++] = exponent < 0 ? '-' : '+';
  if (magnitude >= 100)
    out[length++] = (char) ('0' + magnitude / 100);
  out[length++] = (char) ('0' + magnitude / 10 % 10);
  out[length++] = (char) ('0' + magnitude % 10);
  return length;
}

/* The spelling of Python's repr(): scientific when the exponent is < -4 or >= 16. */
static gsize
put_decimal (const Decimal *decimal, gboolean negative, char *out)
{
  const char *digits = decimal->count > 0 ? decimal->digits : "0";
  gsize count = MAX (decimal->count, 1);
  gsize whole = decimal->count > 0 ? (gsize) MAX (decimal->point, 0) : 1;
  gboolean scientific = decimal->count > 0 && (decimal->point < -3 || decimal->point > 16);
  gsize length = 0;

  if (negative)
    out[length++] = '-';
  if (scientific)
    whole = 1;
  if (whole == 0)
    out[length++] = '0';
  for (gsize i = 0; i < whole; i++)
    out[length++] = i < count ? digits[i] : '0';
  if (!scientific || count > 1)
    out[length++] = '.';
  for (int i = decimal->point; i < 0 && !scientific; i++)
    out[length++] = '0';
  for (gsize i = whole; i < count; i++)
    out[length++] = digits[i];
  if (scientific)
    length += put_exponent (decimal->point - 1, out + length);
  else if (count <= whole)
    out[length++] = '0';
  out[length] = '\0';
  return length;
}

static void
strip_zeros (Decimal *decimal)
{
  while (decimal->count > 0 && decimal->digits[decimal->count - 1] == '0')
    decimal->count--;
}

/* The decimal of @count digits that is closest to @value > 0. The decimal separator, which depends on the locale, is passed over. */
static void
closest (double value, guint count, Decimal *decimal)
{
  char text[48];
  const char *at = text;

  g_snprintf (text, sizeof text, "%.*e", (int) count - 1, value);
  decimal->count = 0;
  for (; *at != 'e'; at++)
    if (g_ascii_isdigit (*at))
      decimal->digits[decimal->count++] = *at;
  decimal->point = (int) g_ascii_strtoll (at + 1, NULL, 10) + 1;
}

static gboolean
stands_for (const Decimal *decimal, double value)
{
  char text[MAX_DIGITS + 8];
  double read;

  memcpy (text, decimal->digits, decimal->count);
  g_snprintf (text + decimal->count, sizeof text - decimal->count, "e%d", decimal->point - (int) decimal->count);
  read = g_ascii_strtod (text, NULL);
  return memcmp (&read, &value, sizeof value) == 0;
}

/* One unit in the last digit more. */
static void
next_up (Decimal *decimal)
{
  guint i = decimal->count;

  while (i > 0 && decimal->digits[i - 1] == '9')
    decimal->digits[--i] = '0';
  if (i > 0)
    decimal->digits[i - 1]++;
  else
    {
      decimal->digits[0] = '1';
      decimal->point++;
    }
}

/* A power of two has a neighbour above twice as far away as the one below: the closest decimal may lie below and miss while the next
 * one above it hits. */
static gboolean
try_count (double value, guint count, gboolean power_of_two, Decimal *decimal)
{
  closest (value, count, decimal);
  if (stands_for (decimal, value))
    return TRUE;
  if (!power_of_two)
    return FALSE;
  next_up (decimal);
  return stands_for (decimal, value);
}

static void
shortest (double value, Decimal *decimal)
{
  guint64 bits;
  gboolean subnormal, power_of_two, found = FALSE;
  guint low, high = MAX_DIGITS;

  memcpy (&bits, &value, sizeof bits);
  subnormal = bits >> 52 == 0;
  power_of_two = !subnormal && bits << 12 == 0;
  low = subnormal ? 1 : SURE_DIGITS;

  /* If some number of digits is enough, so is any larger one. */
  while (low < high)
    {
      guint count = low + (high - low) / 2;
      Decimal attempt;

      if (try_count (value, count, power_of_two, &attempt))
        {
          *decimal = attempt;
          found = TRUE;
          high = count;
        }
      else
        low = count + 1;
    }
  if (!found)
    closest (value, MAX_DIGITS, decimal);
  strip_zeros (decimal);
}

gsize
veil_json_format_double (double number, char out[static 32])
{
  Decimal decimal = { 0 };
  gboolean negative = __builtin_signbit (number) != 0;
  double magnitude = negative ? -number : number;

  g_return_val_if_fail (__builtin_isfinite (number), 0);
  if (magnitude > 0)
    shortest (magnitude, &decimal);
  return put_decimal (&decimal, negative, out);
}

/* Beyond a limit that no number of digits can make up for, it is no longer exact. */
static gint64
read_exponent (const char *text, const char *end)
{
  gboolean negative = text < end && *text == '-';
  gint64 exponent = 0;

  for (; text < end; text++)
    if (g_ascii_isdigit (*text) && exponent < (gint64) VEIL_JSON_MAX_LENGTH * 4)
      exponent = exponent * 10 + (*text - '0');
  return negative ? -exponent : exponent;
}

/* Takes the digits from the text itself; FALSE if there are so many, or they are so far out, that they need not come back as they are. */
static gboolean
read_decimal (const char *text, const char *end, Decimal *decimal)
{
  gboolean fraction = FALSE;
  gsize digits = 0, significant = 0;
  gint64 point = 0;

  for (; text < end && (*text | 0x20) != 'e'; text++)
    {
      if (*text == '.')
        {
          fraction = TRUE;
          continue;
        }
      if (digits > 0 || *text != '0')
        {
          if (digits < SURE_DIGITS)
            decimal->digits[digits] = *text;
          digits++;
          point += !fraction;
          if (*text != '0')
            significant = digits;
        }
      else
        point -= fraction;
    }
  decimal->count = (guint) MIN (significant, MAX_DIGITS);
  if (text < end)
    point += read_exponent (text + 1, end);
  decimal->point = significant > 0 ? (int) CLAMP (point, -SAFE_EXPONENT - 1, SAFE_EXPONENT + 1) : 0;
  return significant <= SURE_DIGITS && ABS (decimal->point) <= SAFE_EXPONENT;
}

gsize
veil_json_format_number_text (const char *text, gsize length, char out[static 32])
{
  gboolean negative = *text == '-';
  Decimal decimal = { 0 };

  /* Most numbers need no arithmetic at all. */
  if (read_decimal (text + negative, text + length, &decimal))
    return put_decimal (&decimal, negative, out);
  return veil_json_format_double (g_ascii_strtod (text, NULL), out);
}
