/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Chunked OHTTP responses, opened as they arrive, whatever the split of the bytes (protocol.md section 3). */
#pragma once

#include "ohttp.h"

G_BEGIN_DECLS

typedef struct _VeilOhttpChunkOpener VeilOhttpChunkOpener;

/* Called once per chunk, in order, with its plaintext (valid during the call, wiped after); @final for the last one. */
typedef void (*VeilOhttpChunkFunc) (const guint8 *plaintext, gsize length, gboolean final, gpointer user_data);

VeilOhttpChunkOpener *veil_ohttp_chunk_opener_new (VeilOhttpClient *client, VeilOhttpChunkFunc func, gpointer user_data);
void                  veil_ohttp_chunk_opener_free (VeilOhttpChunkOpener *self);

/* Takes the next bytes of the body. FALSE with VEIL_ERROR_SEAL for a chunk that does not open or a non-minimal varint; every later call fails too. The final
 * chunk runs to the end of the body, so it is opened by _finish(). A chunk is never larger than what is left of the caller's cap: nothing is
 * allocated from a length field alone. */
gboolean              veil_ohttp_chunk_opener_push (VeilOhttpChunkOpener *self, const guint8 *data, gsize length, GError **error);

/* The body ended: opens the final chunk. FALSE with VEIL_ERROR_SEAL if there is none or it does not open. */
gboolean              veil_ohttp_chunk_opener_finish (VeilOhttpChunkOpener *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilOhttpChunkOpener, veil_ohttp_chunk_opener_free)

G_END_DECLS
