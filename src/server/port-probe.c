/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "port-probe.h"

#include <string.h>

#define DEADLINE_US G_USEC_PER_SEC
#define MAX_ANSWER 2048

static gboolean
wait_for (GSocket *socket, GIOCondition condition, gint64 deadline)
{
  gint64 left = deadline - g_get_monotonic_time ();

  return left > 0 && g_socket_condition_timed_wait (socket, condition, left, NULL, NULL);
}

static gboolean
ask (GSocket *socket, gint64 deadline)
{
  static const char request[] = "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n";

  return wait_for (socket, G_IO_OUT, deadline) && g_socket_check_connect_result (socket, NULL) &&
         g_socket_send (socket, request, sizeof request - 1, NULL, NULL) == sizeof request - 1;
}

static VeilPortHolder
read_greeting (GSocket *socket, gint64 deadline)
{
  char answer[MAX_ANSWER + 1];
  gsize length = 0;

  while (length < MAX_ANSWER && wait_for (socket, G_IO_IN, deadline))
    {
      gssize got = g_socket_receive (socket, answer + length, MAX_ANSWER - length, NULL, NULL);

      if (got <= 0)
        break;
      length += got;
    }
  answer[length] = '\0';
  if (strstr (answer, "Ollama is running") != NULL)
    return VEIL_PORT_OLLAMA;
  /* "Host: localhost" without a port is not allowed there, and this is how it says so. */
  return strstr (answer, "\"host_not_allowed\"") != NULL && strstr (answer, "og-veil") != NULL ? VEIL_PORT_VEIL : VEIL_PORT_OTHER;
}

VeilPortHolder
veil_port_get_holder (GInetAddress *address, guint16 port)
{
  gint64 deadline = g_get_monotonic_time () + DEADLINE_US;
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (g_inet_address_get_family (address));
  g_autoptr (GSocketAddress) target = g_inet_socket_address_new (g_inet_address_get_is_any (address) ? loopback : address, port);
  g_autoptr (GSocket) socket =
      g_socket_new (g_inet_address_get_family (address), G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
  g_autoptr (GError) error = NULL;

  if (socket == NULL)
    return VEIL_PORT_OTHER;
  g_socket_set_blocking (socket, FALSE);
  if (!g_socket_connect (socket, target, NULL, &error) && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PENDING))
    return VEIL_PORT_OTHER;
  return ask (socket, deadline) ? read_greeting (socket, deadline) : VEIL_PORT_OTHER;
}
