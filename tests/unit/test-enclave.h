/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A small enclave for tests: its end of the seal (RFC 9180 recipient), its signature, its registry record. Immutable once made; any thread. */
#pragma once

#include "chat-request.h"
#include "tee.h"

G_BEGIN_DECLS

typedef struct _TestEnclave TestEnclave;

TestEnclave *test_enclave_new (const char *endpoint, guint8 pcr); /* every byte of the PCR hash is @pcr */
void         test_enclave_free (TestEnclave *self);
VeilTee     *test_enclave_get_tee (TestEnclave *self); /* (transfer none) */

/* A request that was opened, and what seals its answer. */
typedef struct
{
  guint8  enc[32];
  guint8  response_secret[32];
  guint8  chunked_secret[32];
  GBytes *plaintext; /* owned; padding included */
} TestOpened;

/* FALSE for anything that was not sealed to this enclave. */
gboolean     test_enclave_open (TestEnclave *self, GBytes *sealed, TestOpened *opened);
void         test_opened_clear (TestOpened *opened);

/* The response object, or the frames of a stream (NULL-terminated, one per chunk), saying @text, signed for @request_hash. @text needs no escapes. */
char        *test_enclave_say (TestEnclave *self, const guint8 *request_hash, const char *text);
GStrv        test_enclave_say_frames (TestEnclave *self, const guint8 *request_hash, const char *text);

GBytes      *test_opened_seal (const TestOpened *opened, const char *plaintext);
GBytes      *test_opened_seal_chunks (const TestOpened *opened, const char *const *chunks);

/* The honest answer to @sealed, single or chunked as @request asks; NULL if it does not open. */
GBytes      *test_enclave_answer (TestEnclave *self, GBytes *sealed, VeilChatRequest *request, const char *text);

/* The JSON-RPC answer that lists @n enclaves. @id is the call's. */
char        *test_enclave_list (TestEnclave *const *enclaves, guint n, guint64 id);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TestOpened, test_opened_clear)

G_END_DECLS
