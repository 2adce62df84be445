/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A TCP server on a loopback port whose every byte and every close is scripted, for what no HTTP library would send. Each connection runs the
 * script in a thread of its own. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _RawPeer RawPeer;
typedef struct _RawConnection RawConnection;

typedef void (*RawScript) (RawConnection *connection, gpointer user_data);

RawPeer   *raw_peer_new (RawScript script, gpointer user_data);
/* With @certificate, the TLS side of a server that prefers HTTP/2. */
RawPeer   *raw_peer_new_tls (RawScript script, gpointer user_data, GTlsCertificate *certificate);
void       raw_peer_free (RawPeer *self); /* ends the connections and joins the threads */
char      *raw_peer_url (RawPeer *self, const char *path);
guint16    raw_peer_get_port (RawPeer *self);

/* Counts so far. */
guint      raw_peer_get_connections (RawPeer *self);
guint      raw_peer_get_requests (RawPeer *self);
/* Scripts that have returned, their connections closed. */
guint      raw_peer_get_ended (RawPeer *self);

/* For scripts. read_request: the next request, head and body, as text; NULL when the client is gone. The others: FALSE then. */
char      *raw_read_request (RawConnection *connection);
void       raw_skip_request (RawConnection *connection);
gboolean   raw_read (RawConnection *connection, gsize length);
gboolean   raw_write (RawConnection *connection, const char *text);
gboolean   raw_write_bytes (RawConnection *connection, const void *data, gsize length);
void       raw_wait_for_close (RawConnection *connection); /* until the client closes, or the peer is freed */
void       raw_reset (RawConnection *connection);          /* closes with RST */
const char *raw_negotiated_protocol (RawConnection *connection); /* of TLS; NULL without */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RawPeer, raw_peer_free)

G_END_DECLS
