/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Chunked OHTTP responses, opened as they arrive, whatever the split of the bytes (protocol.md section 3). */
#pragma once

#include "ohttp.h"

G_BEGIN_DECLS

typedef struct _VeilOhttpChunkOpener VeilOhttpChunkOpener;

/* Called once per chunk, in order, with its plaintext (valid during the call, wiped after); @final for the last one. It must not free the opener. */
typedef void (*VeilOhttpChunkFunc) (const guint8 *plaintext, gsize length, gboolean final, gpointer user_data);

/* What is needed of @client is copied. */
VeilOhttpChunkOpener *veil_ohttp_chunk_opener_new (VeilOhttpClient *client, VeilOhttpChunkFunc func, gpointer user_data);
void                  veil_ohttp_chunk_opener_free (VeilOhttpChunkOpener *self); /* wipes; NULL is fine */

/* Takes the next bytes of the body. FALSE with VEIL_ERROR_SEAL for a chunk that does not open; every later call fails too. A length may be
 * written in any of the varint forms (RFC 9000 section 16), but the mark of the final chunk only as the single byte 0. A chunk is handed on
 * when the first byte after it has come; the final one runs to the end of the body, so it is opened by _finish(). Nothing is allocated from
 * a length field alone: what is held is never more than what has arrived. */
gboolean              veil_ohttp_chunk_opener_push (VeilOhttpChunkOpener *self, const guint8 *data, gsize length, GError **error);

/* The body ended: opens the final chunk. FALSE with VEIL_ERROR_SEAL if there is none or it does not open. Once. */
gboolean              veil_ohttp_chunk_opener_finish (VeilOhttpChunkOpener *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilOhttpChunkOpener, veil_ohttp_chunk_opener_free)

G_END_DECLS
