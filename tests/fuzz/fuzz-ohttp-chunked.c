/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Streams of sealed chunks. The input is a script: each instruction puts a well or badly made piece on the stream. Pushed whole, byte by byte and
 * in pieces of any size, the stream has the same result as for a plain reader that has all of it at once; and a stream that was made well opens. */
#include <string.h>

#include "ohttp-chunked.h"
#include "ohttp-private.h"
#include "veil-error.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize length);

static const guint8 enc[32] = { 0xe0, 1, 2 };
static const guint8 secret[32] = { 0x5e, 3, 4 };
static const guint8 response_nonce[32] = { 0x11, 5, 6 };

typedef struct
{
  const guint8 *data;
  gsize length;
} Script;

static guint8
next_byte (Script *script)
{
  if (script->length == 0)
    return 0;
  script->length--;
  return *script->data++;
}

/* Text that differs from place to place, so that what is handed on cannot be taken for something else. */
static void
fill (guint8 *out, gsize length, gsize offset)
{
  for (gsize i = 0; i < length; i++)
    out[i] = (offset + i) * 31 >> 3;
}

static void
put_varint (GByteArray *stream, guint64 value, guint form)
{
  guint8 bytes[8];
  guint size;

  while (form < 3 && value >> (8 * (1 << form) - 2) != 0)
    form++;
  size = 1 << form;
  for (guint i = 0; i < size; i++)
    bytes[i] = value >> 8 * (size - 1 - i);
  bytes[0] |= form << 6;
  g_byte_array_append (stream, bytes, size);
}

typedef struct
{
  GByteArray *stream;   /* what is pushed */
  GByteArray *expected; /* the plaintexts */
  VeilOhttpResponseKeys keys;
  guint64 counter;
  gboolean intact; /* so far everything is as it should be */
  gboolean ended;
} Sender;

static void
put_chunk (Sender *sender, gsize length, guint form, gboolean final)
{
  g_autofree guint8 *sealed = g_malloc (length + 16);
  guint8 nonce[12];

  fill (sealed, length, sender->expected->len);
  g_byte_array_append (sender->expected, sealed, length);
  veil_aead_nonce (sender->keys.nonce, sender->counter++, nonce);
  veil_aead_seal (sender->keys.key, nonce, (const guint8 *) "final", final ? 5 : 0, sealed, length, sealed);
  put_varint (sender->stream, final ? 0 : length + 16, form);
  g_byte_array_append (sender->stream, sealed, length + 16);
  if (sender->ended || (final && form > 0)) /* nothing may follow the end, and it has one mark only */
    sender->intact = FALSE;
  sender->ended |= final;
}

static void
damage (Sender *sender, Script *script)
{
  gsize at = next_byte (script) << 8 | next_byte (script);

  if (sender->stream->len > 0)
    sender->stream->data[at % sender->stream->len] ^= 1 << next_byte (script) % 8;
  sender->intact = FALSE;
}

static void
truncate_by (GByteArray *stream, gsize length)
{
  g_byte_array_set_size (stream, stream->len - MIN (stream->len, length));
}

static void
run_instruction (Sender *sender, Script *script)
{
  guint8 instruction = next_byte (script);
  guint form = instruction >> 4 & 3;

  switch (instruction & 15)
    {
    case 0 ... 6:
      put_chunk (sender, next_byte (script) << (instruction & 7), form, FALSE);
      break;
    case 7:
      put_chunk (sender, next_byte (script), form, TRUE);
      break;
    case 8:
      damage (sender, script);
      break;
    case 9:
      sender->counter = next_byte (script);
      sender->intact = FALSE;
      break;
    case 10: /* a length that nothing stands behind */
      put_varint (sender->stream, (guint64) (next_byte (script) << 8 | next_byte (script)) << (instruction >> 4) * 3, form);
      sender->intact = FALSE;
      break;
    case 11:
      truncate_by (sender->stream, next_byte (script));
      sender->intact = FALSE;
      break;
    default:
      {
        gsize size = next_byte (script);

        size = MIN (script->length, size);
        g_byte_array_append (sender->stream, script->data, size);
        script->data += size;
        script->length -= size;
        sender->intact = sender->intact && size == 0;
      }
    }
}

typedef struct
{
  GByteArray *plaintext;
  GArray *lengths; /* of gsize: where the borders were */
  guint finals;
  gboolean good;
} Result;

static void
receive (const guint8 *plaintext, gsize length, gboolean final, gpointer user_data)
{
  Result *result = user_data;

  g_assert_cmpuint (result->finals, ==, 0);
  result->finals += final;
  g_byte_array_append (result->plaintext, plaintext, length);
  g_array_append_val (result->lengths, length);
}

/* Pieces of @step bytes, or of sizes from @script. */
static void
push_all (GByteArray *stream, gsize step, Script *script, Result *result)
{
  g_autoptr (VeilOhttpClient) client = veil_ohttp_client_new_for_response (enc, secret, secret);
  g_autoptr (VeilOhttpChunkOpener) opener = veil_ohttp_chunk_opener_new (client, receive, result);
  g_autoptr (GError) error = NULL;

  *result = (Result){ g_byte_array_new (), g_array_new (FALSE, FALSE, sizeof (gsize)), 0, TRUE };
  for (gsize at = 0; result->good && at < stream->len;)
    {
      gsize wanted = script == NULL ? step : script->length > 0 ? (gsize) next_byte (script) : 1;
      gsize size = MIN (wanted, stream->len - at);
      g_autofree guint8 *piece = g_memdup2 (stream->data + at, size); /* so that reading past it is noticed */

      result->good = veil_ohttp_chunk_opener_push (opener, piece, size, &error);
      at += size;
    }
  result->good = result->good && veil_ohttp_chunk_opener_finish (opener, &error);
  if (!result->good)
    g_assert_error (error, VEIL_ERROR, VEIL_ERROR_SEAL);
  g_assert_cmpuint (result->finals, ==, result->good ? 1 : 0);
  g_assert_false (veil_ohttp_chunk_opener_push (opener, (const guint8 *) "", 1, NULL));
  g_assert_false (veil_ohttp_chunk_opener_finish (opener, NULL));
}

static void
result_clear (Result *result)
{
  g_byte_array_unref (result->plaintext);
  g_array_unref (result->lengths);
}

static void
check_same (Result *first, Result *second)
{
  g_assert_true (first->good == second->good);
  g_assert_cmpmem (first->plaintext->data, first->plaintext->len, second->plaintext->data, second->plaintext->len);
  g_assert_cmpmem (first->lengths->data, first->lengths->len * sizeof (gsize), second->lengths->data,
                   second->lengths->len * sizeof (gsize));
  result_clear (second);
}

/* The same, with everything at hand. */
static void
read_plainly (const guint8 *data, gsize length, const VeilOhttpResponseKeys *keys, Result *result)
{
  gsize at = sizeof response_nonce;
  gboolean final = FALSE;

  *result = (Result){ g_byte_array_new (), g_array_new (FALSE, FALSE, sizeof (gsize)), 0, FALSE };
  for (guint64 counter = 0; !final && at < length; counter++)
    {
      g_autofree guint8 *plaintext = g_malloc (length);
      gsize size = (gsize) 1 << (data[at] >> 6);
      guint64 value = data[at] & 63;
      guint8 nonce[12];

      if (size > length - at)
        return;
      for (gsize i = 1; i < size; i++)
        value = value * 256 + data[at + i];
      at += size;
      final = value == 0 && size == 1;
      if (final)
        value = length - at;
      else if (value >= length - at) /* cut, or the last that there is without being the final one */
        return;
      veil_aead_nonce (keys->nonce, counter, nonce);
      if (!veil_aead_open (keys->key, nonce, (const guint8 *) "final", final ? 5 : 0, data + at, value, plaintext))
        return;
      receive (plaintext, value - 16, final, result);
      at += value;
    }
  result->good = final;
}

static void
check_stream (GByteArray *stream, const VeilOhttpResponseKeys *keys, Script *script, Result *whole)
{
  Result other;

  push_all (stream, stream->len, NULL, whole);
  if (stream->len >= sizeof response_nonce && memcmp (stream->data, response_nonce, sizeof response_nonce) == 0)
    {
      read_plainly (stream->data, stream->len, keys, &other);
      check_same (whole, &other);
    }
  if (stream->len < 20000)
    {
      push_all (stream, 1, NULL, &other);
      check_same (whole, &other);
    }
  push_all (stream, 13, NULL, &other);
  check_same (whole, &other);
  push_all (stream, 0, script, &other);
  check_same (whole, &other);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize length)
{
  g_autoptr (GByteArray) stream = g_byte_array_new ();
  g_autoptr (GByteArray) expected = g_byte_array_new ();
  Sender sender = { stream, expected, .intact = TRUE };
  Script script = { data, length }, sizes = { data, length };
  Result result;

  veil_ohttp_derive_response_keys (enc, secret, response_nonce, &sender.keys);
  g_byte_array_append (stream, response_nonce, sizeof response_nonce);
  while (script.length > 0 && stream->len < 100000)
    run_instruction (&sender, &script);
  check_stream (stream, &sender.keys, &sizes, &result);

  if (!sender.ended)
    g_assert_false (result.good);
  if (sender.intact && sender.ended)
    {
      g_assert_true (result.good);
      g_assert_cmpmem (result.plaintext->data, result.plaintext->len, expected->data, expected->len);
    }
  result_clear (&result);
  return 0;
}
