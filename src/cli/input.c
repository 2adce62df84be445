/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "input.h"

#include "veil-error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE 65536

static GBytes *
fail (const char *path, int reason, GError **error)
{
  g_autofree char *name = g_filename_display_name (path);

  g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE, _ ("%s cannot be read: %s"), name, g_strerror (reason));
  return NULL;
}

static GBytes *
read_all (int fd, const char *path, gsize max, GError **error)
{
  g_autoptr (GByteArray) content = g_byte_array_new ();
  guint8 piece[PIECE];
  gssize got;

  do
    {
      got = read (fd, piece, sizeof piece);
      if (got < 0 && errno != EINTR)
        return fail (path, errno, error);
      if (got <= 0)
        continue;
      if ((gsize) got > max - content->len)
        {
          g_autofree char *name = g_filename_display_name (path);

          g_set_error (error, VEIL_ERROR, VEIL_ERROR_TOO_LARGE, _ ("%s is larger than the %u KiB that such a file may have"), name,
                       (guint) (max / 1024));
          return NULL;
        }
      g_byte_array_append (content, piece, (guint) got);
    }
  while (got != 0);
  return g_byte_array_free_to_bytes (g_steal_pointer (&content));
}

GBytes *
veil_cli_read_file (const char *path, gsize max, GError **error)
{
  gboolean is_stdin = g_str_equal (path, "-");
  int fd = is_stdin ? STDIN_FILENO : open (path, O_RDONLY | O_CLOEXEC);
  GBytes *content;

  if (fd < 0)
    return fail (path, errno, error);
  content = read_all (fd, path, max, error);
  if (!is_stdin)
    close (fd);
  return content;
}

gboolean
veil_cli_write_file (const char *path, GBytes *content, GError **error)
{
  g_autofree char *name = g_filename_display_name (path);
  g_autoptr (GError) reason = NULL;
  gsize length;
  const char *data = g_bytes_get_data (content, &length);

  if (g_file_set_contents_full (path, data, (gssize) length, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &reason))
    return TRUE;
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE, _ ("%s cannot be written: %s"), name, reason->message);
  return FALSE;
}
