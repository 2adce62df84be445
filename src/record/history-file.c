/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "history-file.h"

#include "translate.h"
#include "veil-error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static gboolean
fail (GError **error, const char *path, int reason)
{
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE, _ ("The history in %s cannot be kept: %s"), path, g_strerror (reason));
  return FALSE;
}

/* Of this user's own, a file and nothing else: no link to somewhere, no pipe that would wait. -1 with errno. */
static int
open_own (const char *path, int flags, struct stat *info)
{
  int fd = open (path, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

  if (fd < 0)
    return -1;
  if (fstat (fd, info) == 0 && S_ISREG (info->st_mode) && info->st_uid == geteuid () && fchmod (fd, 0600) == 0)
    return fd;
  close (fd);
  errno = EPERM;
  return -1;
}

/* The last VEIL_HISTORY_MAX_FILE bytes at most. */
static GByteArray *
read_end (int fd, gint64 size)
{
  GByteArray *content = g_byte_array_new ();
  gint64 at = MAX (size - (gint64) VEIL_HISTORY_MAX_FILE, 0);
  gssize got;

  g_byte_array_set_size (content, (guint) (size - at));
  for (gsize done = 0; done < content->len; done += (gsize) got)
    {
      got = pread (fd, content->data + done, content->len - done, at + (gint64) done);
      if (got <= 0)
        {
          g_byte_array_set_size (content, (guint) done);
          break;
        }
    }
  return content;
}

static void
take_lines (GByteArray *content, guint max, GPtrArray *records, guint *bad)
{
  gsize end = content->len;

  while (end > 0 && records->len < max)
    {
      const guint8 *newline = end > 1 ? memrchr (content->data, '\n', end - 1) : NULL;
      gsize start = newline != NULL ? (gsize) (newline - content->data) + 1 : 0;
      gsize length = end - start - (content->data[end - 1] == '\n');
      VeilRecord *record = length > 0 ? veil_history_read_line ((const char *) content->data + start, length, NULL) : NULL;

      if (record != NULL)
        g_ptr_array_add (records, record);
      else
        *bad += length > 0;
      end = start;
    }
}

GPtrArray *
veil_history_file_read (const char *path, guint max, GError **error)
{
  g_autoptr (GPtrArray) records = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GByteArray) content = NULL;
  struct stat info;
  int fd = open_own (path, O_RDONLY, &info);
  guint bad = 0;

  if (fd < 0 && errno == ENOENT)
    return g_steal_pointer (&records);
  if (fd < 0)
    {
      fail (error, path, errno);
      return NULL;
    }
  content = read_end (fd, info.st_size);
  close (fd);
  take_lines (content, max, records, &bad);
  if (bad > 0)
    g_message ("%u lines of the history in %s are damaged and left out", bad, path);
  return g_steal_pointer (&records);
}

/* The newer half, from the start of a line. */
static gboolean
shorten (const char *path, int fd, gint64 size, GError **error)
{
  g_autoptr (GByteArray) content = read_end (fd, size);
  gsize from = content->len > VEIL_HISTORY_MAX_FILE / 2 ? content->len - VEIL_HISTORY_MAX_FILE / 2 : 0;
  const guint8 *newline = memchr (content->data + from, '\n', content->len - from);
  g_autoptr (GError) reason = NULL;

  from = newline != NULL ? (gsize) (newline - content->data) + 1 : content->len;
  if (g_file_set_contents_full (path, (const char *) content->data + from, (gssize) (content->len - from),
                                G_FILE_SET_CONTENTS_CONSISTENT, 0600, &reason))
    return TRUE;
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE, _ ("The history in %s cannot be shortened: %s"), path, reason->message);
  return FALSE;
}

static gboolean
write_all (int fd, const guint8 *data, gsize length)
{
  while (length > 0)
    {
      gssize put = write (fd, data, length);

      if (put < 0 && errno == EINTR)
        continue;
      if (put <= 0)
        return FALSE;
      data += put;
      length -= (gsize) put;
    }
  return TRUE;
}

static gboolean
ends_amid_a_line (int fd, gint64 size)
{
  char last;

  return size > 0 && pread (fd, &last, 1, size - 1) == 1 && last != '\n';
}

gboolean
veil_history_file_append (const char *path, const guint8 *lines, gsize length, GError **error)
{
  struct stat info;
  int fd = open_own (path, O_RDWR | O_APPEND | O_CREAT, &info);
  gboolean ok;
  int reason;

  if (fd < 0)
    return fail (error, path, errno);
  ok = (!ends_amid_a_line (fd, info.st_size) || write_all (fd, (const guint8 *) "\n", 1)) && write_all (fd, lines, length);
  reason = errno;
  if (!ok)
    {
      /* Nothing of a line rather than half of it; if that fails too, the reader leaves it out. */
      if (ftruncate (fd, info.st_size) != 0)
        g_debug ("a torn line stays in %s", path);
      fail (error, path, reason);
    }
  else if (info.st_size + (gint64) length > (gint64) VEIL_HISTORY_MAX_FILE)
    ok = shorten (path, fd, info.st_size + (gint64) length, error);
  close (fd);
  return ok;
}
