/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "port-probe.h"

#include "error-details.h"
#include "translate.h"

#include <string.h>

#define DEADLINE_US G_USEC_PER_SEC
#define MAX_ANSWER 2048

typedef enum
{
  HOLDER_OTHER, /* or nobody, or somebody who does not say */
  HOLDER_OLLAMA,
  HOLDER_VEIL,
} Holder;

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

static Holder
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
    return HOLDER_OLLAMA;
  /* "Host: localhost" without a port is not allowed there, and this is how it says so. */
  return strstr (answer, "\"host_not_allowed\"") != NULL && strstr (answer, "og-veil") != NULL ? HOLDER_VEIL : HOLDER_OTHER;
}

static Holder
get_holder (GInetAddress *address, guint16 port)
{
  gint64 deadline = g_get_monotonic_time () + DEADLINE_US;
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (g_inet_address_get_family (address));
  g_autoptr (GSocketAddress) target = g_inet_socket_address_new (g_inet_address_get_is_any (address) ? loopback : address, port);
  g_autoptr (GSocket) socket =
      g_socket_new (g_inet_address_get_family (address), G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
  g_autoptr (GError) error = NULL;

  if (socket == NULL)
    return HOLDER_OTHER;
  g_socket_set_blocking (socket, FALSE);
  if (!g_socket_connect (socket, target, NULL, &error) && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PENDING))
    return HOLDER_OTHER;
  return ask (socket, deadline) ? read_greeting (socket, deadline) : HOLDER_OTHER;
}

/* NULL if @error does not say where. */
static GInetAddress *
read_taken (const GError *error, guint16 *port)
{
  const char *taken = veil_error_get_taken (error);
  g_autoptr (GSocketConnectable) where = taken != NULL ? g_network_address_parse (taken, 0, NULL) : NULL;

  if (where == NULL)
    return NULL;
  *port = g_network_address_get_port (G_NETWORK_ADDRESS (where));
  return g_inet_address_new_from_string (g_network_address_get_hostname (G_NETWORK_ADDRESS (where)));
}

void
veil_port_name_holder (GError *error)
{
  guint16 port = 0;
  g_autoptr (GInetAddress) address = read_taken (error, &port);
  g_autofree char *host = address != NULL ? g_inet_address_to_string (address) : NULL;
  Holder holder = address != NULL ? get_holder (address, port) : HOLDER_OTHER;

  if (holder == HOLDER_OTHER)
    return;
  g_free (error->message);
  if (holder == HOLDER_OLLAMA)
    error->message =
        g_strdup_printf (_ ("Port %u on %s is taken by an Ollama server; stop it, or choose another port with --port"), port, host);
  else
    error->message = g_strdup_printf (_ ("Port %u on %s is taken by another Veil; choose another one with --port"), port, host);
}

static void
name_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = g_error_copy (data);

  veil_port_name_holder (error);
  g_task_return_pointer (task, error, (GDestroyNotify) g_error_free);
}

void
veil_port_name_holder_async (const GError *error, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);

  g_task_set_source_tag (task, veil_port_name_holder_async);
  g_task_set_task_data (task, g_error_copy (error), (GDestroyNotify) g_error_free);
  g_task_set_return_on_cancel (task, TRUE);
  g_task_run_in_thread (task, name_in_thread);
}

GError *
veil_port_name_holder_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}
