/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "job.h"

#define BLOCK (60 * 1024)
#define MORE_THAN_ENOUGH ((gsize) 80 * 1024 * 1024)
#define DRIP_MS 20

typedef struct
{
  VeilSandboxChunkSealer sealer;
  GString *text;  /* owned; sealed again and again in a stream, sent as it is otherwise */
  GBytes *piece;  /* owned; what is being dripped */
  gsize position; /* in piece */
  gsize left;
  gboolean stream;
  gboolean started;
} Endless;

static void
endless_free (gpointer data)
{
  Endless *self = data;

  g_string_free (self->text, TRUE);
  g_clear_pointer (&self->piece, g_bytes_unref);
  g_free (self);
}

static GBytes *
next_block (Endless *self)
{
  if (!self->started)
    {
      self->started = TRUE;
      return g_bytes_new (self->sealer.response_nonce, sizeof self->sealer.response_nonce);
    }
  if (self->stream)
    return veil_sandbox_chunk_sealer_next (&self->sealer, self->text->str, self->text->len);
  return g_bytes_new (self->text->str, self->text->len);
}

static GBytes *
generate_much (gpointer data)
{
  Endless *self = data;
  GBytes *block = self->left > 0 ? next_block (self) : NULL;

  if (block != NULL)
    self->left -= MIN (self->left, g_bytes_get_size (block));
  return block;
}

static GBytes *
generate_drip (gpointer data)
{
  Endless *self = data;

  if (self->piece == NULL || self->position == g_bytes_get_size (self->piece))
    {
      g_clear_pointer (&self->piece, g_bytes_unref);
      self->piece = next_block (self);
      self->position = 0;
    }
  return g_bytes_new_from_bytes (self->piece, self->position++, 1);
}

static void
fill (GString *text, gboolean stream, gboolean drip)
{
  if (drip)
    g_string_assign (text, ": drip\n\n");
  else if (stream)
    {
      g_string_assign (text, "data: {\"choices\":[{\"delta\":{\"content\":\"");
      while (text->len < BLOCK)
        g_string_append (text, "more and ");
      g_string_append (text, "more\"},\"index\":0,\"finish_reason\":null}],\"model\":\"sandbox\"}\n\n");
    }
  else
    while (text->len < BLOCK)
      g_string_append (text, "more and ");
}

void
veil_sandbox_reply_set_endless (VeilSandboxReply *reply, const VeilSandboxOpened *opened, gboolean stream, gboolean drip)
{
  Endless *self = g_new0 (Endless, 1);

  veil_sandbox_chunk_sealer_init (&self->sealer, opened);
  self->text = g_string_new (NULL);
  self->stream = stream;
  self->left = MORE_THAN_ENOUGH;
  fill (self->text, stream, drip);
  reply->chunked = TRUE;
  reply->generate = drip ? generate_drip : generate_much;
  reply->generator = self;
  reply->generator_free = endless_free;
  if (drip)
    reply->piece_delay_ms = DRIP_MS;
}
