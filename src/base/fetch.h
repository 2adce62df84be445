/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* HTTP requests to outside servers with every bound that libsoup leaves open: body size, overall deadline, no redirects, no cookies,
 * no decompression, https only (loopback excepted), system proxy and trust store. */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* One session for all of a program's outgoing requests: generic User-Agent, connection reuse, 64 connections per host, TLS
 * errors fatal, no content decoder, no cookie jar, no redirects followed. */
SoupSession *veil_fetch_session_new (void);

/* How long name lookup, connecting and the TLS handshake may take together before a request counts as unreachable; 20 s unless set. */
void         veil_fetch_session_set_connect_timeout (SoupSession *session, guint milliseconds);

/**
 * veil_fetch_check_url:
 *
 * The rule of product.md section 5: https, or http to a loopback address (127.0.0.0/8, ::1, "localhost"); no user, password or fragment.
 *
 * Returns: %TRUE, or %FALSE with %VEIL_ERROR_INVALID_ARGUMENT whose sentence begins with @what, translated ("The relay's address").
 */
gboolean     veil_fetch_check_url (const char *url, const char *what, GError **error);

/* What came back. */
typedef struct
{
  guint               status;
  GBytes             *body;    /* owned; at most the cap */
  SoupMessageHeaders *headers; /* of the message, referenced */
} VeilFetchResult;

void         veil_fetch_result_free (VeilFetchResult *result);

/**
 * veil_fetch_async:
 * @message: a message not sent before; marked idempotent here so that idle connections are used again (a POST is still
 *   never sent twice: the connection's end is reported instead)
 * @max_bytes: body cap
 * @deadline_ms: for all of it, from now to the last byte; 0 is no deadline
 *
 * Errors: %VEIL_ERROR_UNREACHABLE when nothing of the request can have run (name lookup, connection refused, TLS, connect timeout; the
 * connection was lost before the last byte of the request was handed to it), %VEIL_ERROR_TIMED_OUT (deadline, or five minutes of
 * silence), %VEIL_ERROR_BROKEN_ANSWER (reset or closed after the request was written, not HTTP, shorter than its Content-Length, a
 * Content-Encoding, more than 16 interim answers; a chunked body that ends between two chunks is not noticed, so its reader checks the end), %VEIL_ERROR_ANSWER_TOO_LARGE, %G_IO_ERROR_CANCELLED. Any HTTP status is a result, 3xx included.
 */
void             veil_fetch_async (SoupSession *session, SoupMessage *message, gsize max_bytes, guint deadline_ms,
                                   GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
VeilFetchResult *veil_fetch_finish (SoupSession *session, GAsyncResult *result, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilFetchResult, veil_fetch_result_free)

G_END_DECLS
