/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "sd-notify.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* 0 if it is no address of a kind that we know. */
static socklen_t
set_address (struct sockaddr_un *address, const char *name)
{
  gsize length = strlen (name);

  if ((name[0] != '/' && name[0] != '@') || name[1] == '\0' || length >= sizeof address->sun_path)
    return 0;
  memset (address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  memcpy (address->sun_path, name, length);
  /* Abstract: a name that begins with a NUL and has no end mark. */
  if (name[0] == '@')
    address->sun_path[0] = '\0';
  return (socklen_t) (offsetof (struct sockaddr_un, sun_path) + length + (name[0] == '/'));
}

gboolean
veil_sd_notify (const char *state)
{
  const char *name = g_getenv ("NOTIFY_SOCKET");
  struct sockaddr_un address;
  socklen_t address_length;
  gssize n;
  int fd;

  if (name == NULL || (address_length = set_address (&address, name)) == 0)
    return FALSE;
  fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return FALSE;
  do
    n = sendto (fd, state, strlen (state), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *) &address, address_length);
  while (n < 0 && errno == EINTR);
  close (fd);
  return n == (gssize) strlen (state);
}

gboolean
veil_sd_notify_reloading (void)
{
  g_autofree char *state = g_strdup_printf ("RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time ());

  return veil_sd_notify (state);
}
