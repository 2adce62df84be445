/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "ohttp-chunked.h"

#include <string.h>

#include "ohttp-private.h"
#include "secret.h"
#include "translate.h"
#include "veil-error.h"

/* Far above any cap of a caller, and what a GByteArray can hold without its index overflowing. */
#define MAX_CHUNK (G_GUINT64_CONSTANT (1) << 30)

typedef enum
{
  STATE_NONCE,
  STATE_LENGTH,
  STATE_CHUNK,
  STATE_FINAL, /* up to the end of the body */
  STATE_DONE,
  STATE_BROKEN,
} State;

struct _VeilOhttpChunkOpener
{
  VeilOhttpChunkFunc func;
  gpointer user_data;
  State state;
  guint8 enc[VEIL_HPKE_ENC_SIZE];
  guint8 secret[VEIL_OHTTP_SECRET_SIZE];
  VeilOhttpResponseKeys keys;
  guint8 head[VEIL_OHTTP_RESPONSE_NONCE_SIZE]; /* of the response nonce or a varint, as far as it has arrived */
  guint head_used;
  guint64 chunk_length; /* sealed; in STATE_CHUNK */
  guint64 counter;
  GByteArray *pending; /* owned; of the chunk that is arriving */
};

VeilOhttpChunkOpener *
veil_ohttp_chunk_opener_new (VeilOhttpClient *client, VeilOhttpChunkFunc func, gpointer user_data)
{
  VeilOhttpChunkOpener *self = g_new0 (VeilOhttpChunkOpener, 1);

  memcpy (self->enc, veil_ohttp_client_get_enc (client), sizeof self->enc);
  memcpy (self->secret, veil_ohttp_client_get_chunked_secret (client), sizeof self->secret);
  self->func = func;
  self->user_data = user_data;
  self->pending = g_byte_array_new ();
  return self;
}

void
veil_ohttp_chunk_opener_free (VeilOhttpChunkOpener *self)
{
  if (self == NULL)
    return;
  veil_secret_byte_array_unref (self->pending);
  veil_secret_wipe (self, sizeof *self);
  g_free (self);
}

static gboolean
break_off (VeilOhttpChunkOpener *self, const char *message, GError **error)
{
  self->state = STATE_BROKEN;
  g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_SEAL, message);
  return FALSE;
}

/* Opens one sealed chunk into @out, which may be @sealed, and hands it on. */
static gboolean
open_chunk (VeilOhttpChunkOpener *self, const guint8 *sealed, gsize length, guint8 *out, gboolean final, GError **error)
{
  const char *aad = final ? "final" : "";
  guint8 nonce[VEIL_HPKE_NONCE_SIZE];

  veil_aead_nonce (self->keys.nonce, self->counter, nonce);
  if (!veil_aead_open (self->keys.key, nonce, (const guint8 *) aad, strlen (aad), sealed, length, out))
    return break_off (self,
                      final
                          ? _ ("The last part of the streamed answer does not open: the stream was altered or cut; try again")
                          : _ ("A part of the streamed answer does not open: the stream was altered, cut or reordered; try again"),
                      error);
  self->counter++;
  self->func (out, length - VEIL_HPKE_TAG_SIZE, final, self->user_data);
  veil_secret_wipe (out, length - VEIL_HPKE_TAG_SIZE);
  return TRUE;
}

/* Fills the head up to @size bytes. */
static gsize
fill_head (VeilOhttpChunkOpener *self, gsize size, const guint8 *data, gsize length)
{
  gsize taken = MIN (length, size - self->head_used);

  memcpy (self->head + self->head_used, data, taken);
  self->head_used += taken;
  return taken;
}

static gsize
take_nonce (VeilOhttpChunkOpener *self, const guint8 *data, gsize length)
{
  gsize taken = fill_head (self, VEIL_OHTTP_RESPONSE_NONCE_SIZE, data, length);

  if (self->head_used == VEIL_OHTTP_RESPONSE_NONCE_SIZE)
    {
      veil_ohttp_derive_response_keys (self->enc, self->secret, self->head, &self->keys);
      veil_secret_wipe (self->secret, sizeof self->secret);
      self->head_used = 0;
      self->state = STATE_LENGTH;
    }
  return taken;
}

/* A QUIC varint (RFC 9000 section 16): the two upper bits of the first byte tell how many there are. */
static gboolean
take_length (VeilOhttpChunkOpener *self, const guint8 *data, gsize length, gsize *taken, GError **error)
{
  gsize size = (gsize) 1 << ((self->head_used > 0 ? self->head[0] : data[0]) >> 6);
  guint64 value;

  *taken = fill_head (self, size, data, length);
  if (self->head_used < size)
    return TRUE;
  value = self->head[0] & 0x3f;
  for (gsize i = 1; i < size; i++)
    value = value << 8 | self->head[i];
  self->head_used = 0;

  if (value == 0 && size > 1)
    return break_off (self, _ ("The end of the streamed answer is marked in a form that is not allowed; try another enclave"),
                      error);
  if (value > 0 && value < VEIL_HPKE_TAG_SIZE)
    return break_off (self, _ ("A part of the streamed answer is too short to be sealed; try again"), error);
  if (value > MAX_CHUNK)
    return break_off (self, _ ("A part of the streamed answer claims an impossible length; try again"), error);
  self->chunk_length = value;
  self->state = value == 0 ? STATE_FINAL : STATE_CHUNK;
  return TRUE;
}

/* A chunk counts once it is known that something follows it: one after which the stream ends is not the final one, and is not handed on. What lies
 * wholly in @data is opened from there; otherwise it is collected first. */
static gboolean
take_chunk (VeilOhttpChunkOpener *self, const guint8 *data, gsize length, gsize *taken, GError **error)
{
  gsize missing = self->chunk_length - self->pending->len;
  const guint8 *sealed = data;
  gboolean opened;

  *taken = MIN (length, missing);
  if (self->pending->len > 0 || length == *taken)
    {
      veil_secret_byte_array_append (self->pending, data, *taken);
      if (length == *taken)
        return TRUE;
      sealed = self->pending->data;
    }
  else
    {
      veil_secret_byte_array_reserve (self->pending, self->chunk_length);
    }
  opened = open_chunk (self, sealed, self->chunk_length, self->pending->data, FALSE, error);
  g_byte_array_set_size (self->pending, 0);
  if (opened)
    self->state = STATE_LENGTH;
  return opened;
}

static gboolean
take_final (VeilOhttpChunkOpener *self, const guint8 *data, gsize length, GError **error)
{
  if (length > MAX_CHUNK - self->pending->len)
    return break_off (self, _ ("The last part of the streamed answer has an impossible length; try again"), error);
  veil_secret_byte_array_append (self->pending, data, length);
  return TRUE;
}

gboolean
veil_ohttp_chunk_opener_push (VeilOhttpChunkOpener *self, const guint8 *data, gsize length, GError **error)
{
  while (length > 0)
    {
      gsize taken = length;
      gboolean good = TRUE;

      switch (self->state)
        {
        case STATE_NONCE:
          taken = take_nonce (self, data, length);
          break;
        case STATE_LENGTH:
          good = take_length (self, data, length, &taken, error);
          break;
        case STATE_CHUNK:
          good = take_chunk (self, data, length, &taken, error);
          break;
        case STATE_FINAL:
          good = take_final (self, data, length, error);
          break;
        case STATE_DONE:
        case STATE_BROKEN:
        default:
          return break_off (self, _ ("The streamed answer is over and takes no more data"), error);
        }
      if (!good)
        return FALSE;
      data += taken;
      length -= taken;
    }
  return TRUE;
}

gboolean
veil_ohttp_chunk_opener_finish (VeilOhttpChunkOpener *self, GError **error)
{
  switch (self->state)
    {
    case STATE_NONCE:
      return break_off (self, _ ("The streamed answer is empty or was cut at its very beginning; try again"), error);
    case STATE_LENGTH:
    case STATE_CHUNK:
      return break_off (self, _ ("The streamed answer was cut before its end; try again"), error);
    case STATE_FINAL:
      if (!open_chunk (self, self->pending->data, self->pending->len, self->pending->data, TRUE, error))
        return FALSE;
      self->state = STATE_DONE;
      return TRUE;
    case STATE_DONE:
    case STATE_BROKEN:
    default:
      return break_off (self, _ ("The streamed answer is over already, or broken"), error);
    }
}
