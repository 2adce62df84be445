/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Datagrams to a service manager of the test's own, under a path and under an abstract name. */
#include "sd-notify.h"

#include <glib/gstdio.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int
bind_to (const char *name)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  memcpy (address.sun_path, name, strlen (name));
  if (name[0] == '@')
    address.sun_path[0] = '\0';
  g_assert_cmpint (bind (fd, (struct sockaddr *) &address,
                         (socklen_t) (offsetof (struct sockaddr_un, sun_path) + strlen (name) + (name[0] != '@'))),
                   ==, 0);
  g_setenv ("NOTIFY_SOCKET", name, TRUE);
  return fd;
}

static void
assert_hears (int fd, const char *start)
{
  char text[256] = "";

  g_assert_cmpint (recv (fd, text, sizeof text - 1, MSG_DONTWAIT), >, 0);
  if (!g_str_has_prefix (text, start))
    g_error ("\"%s\" does not begin with \"%s\"", text, start);
}

static void
tell (const char *name)
{
  int fd = bind_to (name);
  char nothing;

  g_assert_true (veil_sd_notify ("READY=1\nSTATUS=ä"));
  assert_hears (fd, "READY=1\nSTATUS=ä");
  g_assert_true (veil_sd_notify_reloading ());
  assert_hears (fd, "RELOADING=1\nMONOTONIC_USEC=");
  g_assert_cmpint (recv (fd, &nothing, 1, MSG_DONTWAIT), <, 0);
  close (fd);
  g_assert_false (veil_sd_notify ("READY=1"));
}

static void
test_path (void)
{
  g_autofree char *folder = g_dir_make_tmp ("veil-notify-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "socket", NULL);

  tell (path);
  g_unlink (path);
  g_rmdir (folder);
}

static void
test_abstract (void)
{
  g_autofree char *unique = g_uuid_string_random ();
  g_autofree char *name = g_strconcat ("@veil-notify-", unique, NULL);

  tell (name);
}

static void
test_nobody (void)
{
  g_autofree char *long_name = g_strnfill (200, '/');
  const char *const names[] = { "", "@", "/", "relative", "vsock:2:1234", "/nonexistent/socket", "/dev/null", long_name };

  g_unsetenv ("NOTIFY_SOCKET");
  g_assert_false (veil_sd_notify ("READY=1"));
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_setenv ("NOTIFY_SOCKET", names[i], TRUE);
      g_assert_false (veil_sd_notify ("READY=1"));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sd-notify/path", test_path);
  g_test_add_func ("/sd-notify/abstract", test_abstract);
  g_test_add_func ("/sd-notify/nobody", test_nobody);
  return g_test_run ();
}
