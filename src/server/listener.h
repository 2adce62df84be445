/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The listening sockets. libsoup's own listener is not used: its backlog is 10, it gives no hold on a connection before its first request, and one
 * accept() that goes wrong (no file descriptors left, say) ends it for good. */
#pragma once

#include "server-private.h"

G_BEGIN_DECLS

/* "localhost" is 127.0.0.1 and, where this machine has it, ::1, on the same port. VEIL_ERROR_LISTEN. */
gboolean veil_listeners_open (VeilServer *server, const char *host, guint16 port, GError **error);
void     veil_listeners_close (VeilServer *server);
/* An address or "localhost" that other machines cannot reach. */
gboolean veil_listeners_host_is_local (const char *host);
/* The same elsewhere; on failure where it was. Connections that there are stay. */
gboolean veil_listeners_move (VeilServer *server, const char *host, guint16 port, GError **error);
/* The port is free for others; connections that there are stay. */
void     veil_listeners_stop_accepting (VeilServer *server);

/* There is room for connections again. */
void     veil_listeners_resume (VeilServer *server);

G_END_DECLS
