/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "frames.h"

#include <string.h>

#define SPLIT 7            /* bytes per chunk of split-events: events and UTF-8 sequences are cut anywhere */
#define LONG_COMMENT 20000 /* more than a two-byte varint can say */
#define LINES_EVERY 16     /* bytes per line of multi-line-data, at least */

static const char *
line_end (VeilSandboxFault fault)
{
  return fault == VEIL_SANDBOX_CRLF ? "\r\n" : fault == VEIL_SANDBOX_CR ? "\r" : "\n";
}

/* Breaks JSON after a comma between members, where white space means nothing. Commas inside strings are left alone. */
static void
append_lines (GString *out, const char *data, const char *end)
{
  gboolean in_string = FALSE;
  gsize line = 0;

  g_string_append (out, "data: ");
  for (const char *p = data; *p != '\0'; p++)
    {
      g_string_append_c (out, *p);
      line++;
      if (*p == '\\' && in_string && p[1] != '\0')
        g_string_append_c (out, *++p);
      else if (*p == '"')
        in_string = !in_string;
      else if (*p == ',' && !in_string && line >= LINES_EVERY)
        {
          g_string_append_printf (out, "%sdata: ", end);
          line = 0;
        }
    }
  g_string_append (out, end);
}

static void
append_event (GString *out, const char *data, guint index, VeilSandboxFault fault)
{
  const char *end = line_end (fault);

  if (fault == VEIL_SANDBOX_COMMENTS)
    g_string_append_printf (out, ": keep-alive data: {\"no\": 1}\nevent: message\nid: %u\nretry: 1000\n", index);
  if (fault == VEIL_SANDBOX_LONG_VARINTS)
    {
      gsize start = out->len;
      g_string_append (out, ": ");
      g_string_set_size (out, start + LONG_COMMENT);
      memset (out->str + start + 2, '.', LONG_COMMENT - 2);
      g_string_append (out, "\n");
    }
  if (fault == VEIL_SANDBOX_MULTI_LINE_DATA)
    append_lines (out, data, end);
  else
    g_string_append_printf (out, "%s%s%s", fault == VEIL_SANDBOX_NO_SPACE ? "data:" : "data: ", data, end);
  g_string_append (out, end);
  if (fault == VEIL_SANDBOX_COMMENTS)
    g_string_append (out, ": a comment on its own\n\nevent: ping\n\n");
}

static void
string_free (gpointer string)
{
  g_string_free (string, TRUE);
}

/* One text for each chunk: usually one event. */
static GPtrArray *
make_texts (const GPtrArray *events, VeilSandboxFault fault)
{
  GPtrArray *texts = g_ptr_array_new_with_free_func (string_free);
  guint per_chunk = fault == VEIL_SANDBOX_SEVERAL_EVENTS ? events->len / 3 + 1 : 1;

  for (guint i = 0; i < events->len; i++)
    {
      if (i % per_chunk == 0)
        g_ptr_array_add (texts, g_string_new (NULL));
      append_event (g_ptr_array_index (texts, texts->len - 1), g_ptr_array_index (events, i), i, fault);
      if (fault == VEIL_SANDBOX_EMPTY_CHUNKS)
        g_ptr_array_add (texts, g_string_new (NULL));
    }
  return texts;
}

static GPtrArray *
split_texts (GPtrArray *texts)
{
  GPtrArray *split = g_ptr_array_new_with_free_func (string_free);

  for (guint i = 0; i < texts->len; i++)
    {
      const GString *text = g_ptr_array_index (texts, i);
      for (gsize done = 0; done < text->len; done += SPLIT)
        g_ptr_array_add (split, g_string_new_len (text->str + done, (gssize) MIN (SPLIT, text->len - done)));
    }
  g_ptr_array_unref (texts);
  return split;
}

static GBytes *
flip_last_bit (GBytes *piece)
{
  gsize length;
  guint8 *data = g_bytes_unref_to_data (piece, &length);

  data[length - 1] ^= 0x01;
  return g_bytes_new_take (data, length);
}

/* @pieces: nonce, chunks, final chunk; at least two chunks, as every stream has a content frame and a signed one. */
static void
break_pieces (GPtrArray *pieces, VeilSandboxFault fault)
{
  guint middle = 1 + (pieces->len - 2) / 2;
  gpointer *data = pieces->pdata;
  gpointer swap = data[middle];

  if (fault == VEIL_SANDBOX_AEAD)
    data[middle] = flip_last_bit (data[middle]);
  else if (fault == VEIL_SANDBOX_REORDERED_CHUNKS)
    {
      data[middle] = data[middle - 1 > 0 ? middle - 1 : middle + 1];
      data[middle - 1 > 0 ? middle - 1 : middle + 1] = swap;
    }
  else if (fault == VEIL_SANDBOX_DUPLICATED_CHUNK)
    g_ptr_array_insert (pieces, (int) middle, g_bytes_ref (data[middle]));
  else if (fault == VEIL_SANDBOX_DROPPED_CHUNK)
    g_ptr_array_remove_index (pieces, middle);
  else if (fault == VEIL_SANDBOX_MISSING_FINAL_CHUNK)
    g_ptr_array_set_size (pieces, (int) pieces->len - 1);
  else if (fault == VEIL_SANDBOX_CUT_STREAM)
    {
      data[middle] = g_bytes_new_from_bytes (swap, 0, g_bytes_get_size (swap) / 2);
      g_bytes_unref (swap);
      g_ptr_array_set_size (pieces, (int) middle + 1);
    }
  else if (fault == VEIL_SANDBOX_HUGE_VARINT)
    {
      static const guint8 length[] = { 0xe0, 0, 0, 0, 0, 0, 0, 0 }; /* 2^61 */
      g_ptr_array_insert (pieces, (int) middle, g_bytes_new_static (length, sizeof length));
    }
  else if (fault == VEIL_SANDBOX_SHORT_BODY)
    {
      gpointer nonce = data[0];
      data[0] = g_bytes_new_from_bytes (nonce, 0, 20);
      g_bytes_unref (nonce);
      g_ptr_array_set_size (pieces, 1);
    }
}

static GPtrArray *
cut_to_bytes (GPtrArray *pieces)
{
  GPtrArray *bytes = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);

  for (guint i = 0; i < pieces->len; i++)
    for (gsize j = 0; j < g_bytes_get_size (g_ptr_array_index (pieces, i)); j++)
      g_ptr_array_add (bytes, g_bytes_new_from_bytes (g_ptr_array_index (pieces, i), j, 1));
  g_ptr_array_unref (pieces);
  return bytes;
}

static void
add_final (GPtrArray *pieces, VeilSandboxChunkSealer *sealer, GString *text, VeilSandboxFault fault)
{
  static const guint8 marker[] = { 0 };
  const char *aad = fault == VEIL_SANDBOX_WRONG_AAD ? "" : "final";

  if (fault == VEIL_SANDBOX_EMPTY_FINAL_CHUNK)
    g_ptr_array_add (pieces, g_bytes_new_static (marker, sizeof marker));
  else
    g_ptr_array_add (pieces, veil_sandbox_chunk_sealer_final (sealer, text->str, text->len, aad));
}

GPtrArray *
veil_sandbox_frames_seal (const VeilSandboxOpened *opened, const GPtrArray *events, VeilSandboxFault fault)
{
  g_autoptr (GPtrArray) texts = make_texts (events, fault);
  g_autoptr (GString) last = g_string_new (NULL);
  GPtrArray *pieces = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  VeilSandboxChunkSealer sealer;
  guint n_chunks;

  if (fault == VEIL_SANDBOX_SPLIT_EVENTS)
    texts = split_texts (g_steal_pointer (&texts));
  n_chunks = texts->len;
  if (fault == VEIL_SANDBOX_FINAL_DATA)
    {
      const GString *text = g_ptr_array_index (texts, --n_chunks);
      g_string_append_len (last, text->str, (gssize) text->len);
    }
  veil_sandbox_chunk_sealer_init (&sealer, opened);
  sealer.long_lengths = fault == VEIL_SANDBOX_NON_MINIMAL_VARINT;
  g_ptr_array_add (pieces, g_bytes_new (sealer.response_nonce, sizeof sealer.response_nonce));
  for (guint i = 0; i < n_chunks; i++)
    {
      const GString *text = g_ptr_array_index (texts, i);
      g_ptr_array_add (pieces, veil_sandbox_chunk_sealer_next (&sealer, text->str, text->len));
    }
  add_final (pieces, &sealer, last, fault);
  if (fault == VEIL_SANDBOX_ONE_BYTE_WRITES)
    return cut_to_bytes (pieces);
  break_pieces (pieces, fault);
  return pieces;
}
