/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "socket-end.h"

GSocketAddress *
veil_socket_end_dup (GSocketConnection *stream, VeilSocketEnd end)
{
  g_autoptr (GSocketAddress) address = end == VEIL_SOCKET_END_REMOTE ? g_socket_connection_get_remote_address (stream, NULL)
                                                                     : g_socket_connection_get_local_address (stream, NULL);
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);

  if (G_IS_INET_SOCKET_ADDRESS (address))
    return g_inet_socket_address_new (g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)),
                                      g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address)));
  return g_inet_socket_address_new (loopback, 0);
}
