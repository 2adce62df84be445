/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The two ends of an accepted connection, as soup_server_accept_iostream() wants them. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum
{
  VEIL_SOCKET_END_LOCAL,
  VEIL_SOCKET_END_REMOTE,
} VeilSocketEnd;

/**
 * veil_socket_end_dup:
 *
 * libsoup takes it for granted that the address is of an inet family (it calls g_inet_socket_address_get_address() on it for a request without a
 * Host), so one of another family, or none, is given as 127.0.0.1, port 0. The socket does not know the returned object, on which a reference to the
 * connection may therefore be kept.
 *
 * Returns: (transfer full): a #GInetSocketAddress of the connection's own.
 */
GSocketAddress *veil_socket_end_dup (GSocketConnection *stream, VeilSocketEnd end);

G_END_DECLS
