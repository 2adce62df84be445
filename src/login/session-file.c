/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "session-file.h"

#include "secret.h"
#include "translate.h"
#include "veil-error.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that others may have written decides whom to trust in their name; one that others can read tells them the tokens. */
static gboolean
check_file (int fd, const char *path, struct stat *info, GError **error)
{
  if (fstat (fd, info) != 0)
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE, _ ("The session file %s cannot be read: %s"), path, g_strerror (errno));
      return FALSE;
    }
  if (!S_ISREG (info->st_mode))
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE,
                   _ ("The session file %s is not a regular file; remove it and sign in again"), path);
      return FALSE;
    }
  if (info->st_uid != geteuid ())
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE,
                   _ ("The session file %s belongs to another user; remove it and sign in again"), path);
      return FALSE;
    }
  if ((info->st_mode & 077) != 0)
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE,
                   _ ("The session file %s is open to other users (mode %04o); check it and run chmod 600 on it"), path,
                   (guint) info->st_mode & 07777);
      return FALSE;
    }
  if (info->st_size > VEIL_SESSION_MAX_BYTES)
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE,
                   _ ("The session file %s is too large to be one; remove it and sign in again"), path);
      return FALSE;
    }
  return TRUE;
}

/* The content, wiped when freed; never more than one byte over the cap, even if the file grows meanwhile. */
static GBytes *
read_file (int fd, const char *path, GError **error)
{
  gsize capacity = VEIL_SESSION_MAX_BYTES + 1;
  char *buffer = g_malloc (capacity);
  g_autoptr (GBytes) whole = veil_secret_bytes_new_take (buffer, capacity);
  gsize length = 0;

  while (length < capacity)
    {
      gssize n = read (fd, buffer + length, capacity - length);

      if (n == 0)
        break;
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE, _ ("The session file %s cannot be read: %s"), path, g_strerror (errno));
          return NULL;
        }
      length += (gsize) n;
    }
  return g_bytes_new_from_bytes (whole, 0, length);
}

VeilSession *
veil_session_file_load (const char *path, GError **error)
{
  g_autoptr (GBytes) content = NULL;
  g_autoptr (GError) local_error = NULL;
  VeilSession *session;
  struct stat info;
  int fd;

  /* Non-blocking, or a pipe of that name would hold us for ever. */
  fd = open (path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    {
      int error_number = errno;

      if (error_number == ENOENT)
        g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN, _ ("Nobody is signed in: run `og-veil login`"));
      else if (error_number == ELOOP)
        g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE, _ ("The session file %s is a symbolic link, which is not followed"),
                     path);
      else
        g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE, _ ("The session file %s cannot be opened: %s"), path,
                     g_strerror (error_number));
      return NULL;
    }
  if (check_file (fd, path, &info, error))
    content = read_file (fd, path, error);
  close (fd);
  if (content == NULL)
    return NULL;

  session = veil_session_new_from_bundle (g_bytes_get_data (content, NULL), g_bytes_get_size (content),
                                          g_get_real_time () / G_USEC_PER_SEC, &local_error);
  if (session == NULL)
    g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE, _ ("The session file %s holds no usable session (%s); sign in again"), path,
                 local_error->message);
  return session;
}

static gboolean
write_all (int fd, GBytes *content)
{
  gsize length;
  const char *data = g_bytes_get_data (content, &length);

  while (length > 0)
    {
      gssize n = write (fd, data, length);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return FALSE;
      data += n;
      length -= (gsize) n;
    }
  return TRUE;
}

/* So that the rename itself outlives a power cut; a file system that cannot do it is no reason to refuse. */
static void
sync_folder (const char *folder)
{
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd < 0)
    return;
  fsync (fd);
  close (fd);
}

gboolean
veil_session_file_save (const char *path, const VeilSession *session, GError **error)
{
  g_autoptr (GBytes) content = veil_session_to_bundle (session);
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *temporary = g_strconcat (path, ".XXXXXX", NULL);
  gboolean written;
  int error_number;
  int fd;

  if (g_mkdir_with_parents (folder, 0700) != 0)
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE, _ ("The session file %s cannot be written: %s"), path, g_strerror (errno));
      return FALSE;
    }
  fd = g_mkstemp_full (temporary, O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0)
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE, _ ("The session file %s cannot be written: %s"), path, g_strerror (errno));
      return FALSE;
    }
  written = write_all (fd, content) && fsync (fd) == 0;
  error_number = errno;
  if (close (fd) != 0 && written)
    {
      written = FALSE;
      error_number = errno;
    }
  if (written && rename (temporary, path) != 0)
    {
      written = FALSE;
      error_number = errno;
    }
  if (!written)
    {
      unlink (temporary);
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE, _ ("The session file %s cannot be written: %s"), path,
                   g_strerror (error_number));
      return FALSE;
    }
  sync_folder (folder);
  return TRUE;
}

/* What a program that ended between making the new file and putting it in place left: the file's name, a dot, and six letters or digits. */
static gboolean
is_leftover (int folder, const char *name, const char *of)
{
  gsize length = strlen (of);
  struct stat info;

  if (strncmp (name, of, length) != 0 || name[length] != '.' || strlen (name) != length + 1 + 6)
    return FALSE;
  for (const char *c = name + length + 1; *c != '\0'; c++)
    if (!g_ascii_isalnum (*c))
      return FALSE;
  return fstatat (folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG (info.st_mode) && info.st_uid == geteuid ();
}

static gboolean
clear_leftovers (const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *base = g_path_get_basename (path);
  DIR *dir = opendir (folder);
  struct dirent *entry;
  gboolean good = TRUE;

  if (dir == NULL)
    return TRUE;
  while (good && (entry = readdir (dir)) != NULL)
    if (is_leftover (dirfd (dir), entry->d_name, base) && unlinkat (dirfd (dir), entry->d_name, 0) != 0 && errno != ENOENT)
      {
        g_autofree char *leftover = g_build_filename (folder, entry->d_name, NULL);

        g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE, _ ("The session file %s cannot be removed: %s"), leftover,
                     g_strerror (errno));
        good = FALSE;
      }
  closedir (dir);
  return good;
}

gboolean
veil_session_file_clear (const char *path, GError **error)
{
  if (unlink (path) != 0 && errno != ENOENT)
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE, _ ("The session file %s cannot be removed: %s"), path, g_strerror (errno));
      return FALSE;
    }
  return clear_leftovers (path, error);
}
