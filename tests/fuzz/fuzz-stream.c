/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Whatever events come out of the seal, and wherever they are cut: the verdict is the same, and only what the key's owner signed is replayed. The
 * first byte says how long the pieces are. */
#include "response.h"

#include "genuine.h"
#include "veil-error.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize length);

static VeilChatAnswer *
read_pieces (const guint8 *data, gsize length, gsize piece, GError **error)
{
  g_autoptr(VeilStreamReader) reader = veil_stream_reader_new ();

  for (gsize offset = 0; offset < length; offset += piece)
    if (!veil_stream_reader_push (reader, data + offset, MIN (piece, length - offset), error))
      return NULL;
  return veil_stream_reader_finish (reader, genuine_input (), error);
}

static void
check_deltas (const VeilChatAnswer *answer)
{
  gsize end = 0;

  if (answer->text == NULL)
    {
      CHECK (answer->deltas == NULL);
      return;
    }
  for (guint i = 0; i < answer->deltas->len; i++)
    {
      CHECK (g_array_index (answer->deltas, VeilChatDelta, i).offset == end);
      end += g_array_index (answer->deltas, VeilChatDelta, i).length;
    }
  CHECK (end == g_bytes_get_size (answer->text));
}

static void
check_same (const VeilChatAnswer *whole, const VeilChatAnswer *pieces)
{
  CHECK ((whole == NULL) == (pieces == NULL));
  if (whole == NULL)
    return;
  CHECK ((whole->text == NULL) == (pieces->text == NULL));
  CHECK (whole->text == NULL || g_bytes_equal (whole->text, pieces->text));
  CHECK (memcmp (whole->proof->output_hash, pieces->proof->output_hash, 32) == 0);
  CHECK (whole->extras->len == pieces->extras->len);
  CHECK (g_strv_equal ((const char *const *) whole->proof->unsigned_, (const char *const *) pieces->proof->unsigned_));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize length)
{
  g_autoptr(VeilChatAnswer) whole = NULL;
  g_autoptr(VeilChatAnswer) pieces = NULL;
  g_autoptr(GError) whole_error = NULL;
  g_autoptr(GError) pieces_error = NULL;

  if (length == 0)
    return 0;
  whole = read_pieces (data + 1, length - 1, MAX (length, 1), &whole_error);
  pieces = read_pieces (data + 1, length - 1, 1 + data[0] % 32, &pieces_error);
  check_same (whole, pieces);
  if (whole == NULL)
    {
      CHECK (whole_error->domain == VEIL_ERROR && whole_error->code == pieces_error->code);
      CHECK (veil_error_is_verification (whole_error->code) || whole_error->code == VEIL_ERROR_GATEWAY);
      return 0;
    }
  genuine_check (whole);
  genuine_check (pieces);
  check_deltas (whole);
  check_deltas (pieces);
  return 0;
}
