/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "log.h"

#include "veil-error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FIELDS 32

struct _VeilLog
{
  char *identifier; /* owned */
  GMutex mutex;     /* lines come from any thread */
  char *path;       /* owned; NULL: standard error */
  gsize max_bytes;
};

static const char *
get_level_name (GLogLevelFlags level)
{
  switch (level & G_LOG_LEVEL_MASK)
    {
    case G_LOG_LEVEL_ERROR:
      return "ERROR";
    case G_LOG_LEVEL_CRITICAL:
      return "CRITICAL";
    case G_LOG_LEVEL_WARNING:
      return "WARNING";
    case G_LOG_LEVEL_MESSAGE:
      return "MESSAGE";
    case G_LOG_LEVEL_INFO:
      return "INFO";
    default:
      return "DEBUG";
    }
}

static const char *
find_field (const GLogField *fields, gsize n_fields, const char *key)
{
  for (gsize i = 0; i < n_fields; i++)
    if (strcmp (fields[i].key, key) == 0 && fields[i].length < 0)
      return fields[i].value;
  return NULL;
}

/* One line, whatever the message holds. */
static void
append_message (GString *line, const char *message)
{
  g_autofree char *valid = g_utf8_make_valid (message, -1);

  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      g_string_append_unichar (line, c == '\n' ? ' ' : g_unichar_iscntrl (c) ? 0xfffd : c);
    }
}

static GString *
format_line (GLogLevelFlags level, const GLogField *fields, gsize n_fields)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *time = g_date_time_format (now, "%Y-%m-%dT%H:%M:%S");
  const char *domain = find_field (fields, n_fields, "GLIB_DOMAIN");
  const char *message = find_field (fields, n_fields, "MESSAGE");
  GString *line = g_string_new (NULL);

  g_string_append_printf (line, "%s.%03dZ %s-%s: ", time, g_date_time_get_microsecond (now) / 1000,
                          domain != NULL ? domain : "glib", get_level_name (level));
  append_message (line, message != NULL ? message : "");
  g_string_append_c (line, '\n');
  return line;
}

static void
write_all (int fd, const char *data, gsize length)
{
  while (length > 0)
    {
      gssize n = write (fd, data, length);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return;
      data += n;
      length -= (gsize) n;
    }
}

/* Puts the file under standard output and standard error. 0 or an error number. */
static int
open_file (const char *path)
{
  int fd = open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  struct stat status;
  int problem = 0;

  if (fd < 0)
    return errno;
  if (fstat (fd, &status) != 0 || !S_ISREG (status.st_mode))
    problem = EINVAL;
  else if (fchmod (fd, 0600) != 0 || dup2 (fd, STDOUT_FILENO) < 0 || dup2 (fd, STDERR_FILENO) < 0)
    problem = errno;
  close (fd);
  return problem;
}

static void
rotate (VeilLog *self)
{
  g_autofree char *old = NULL;
  struct stat status;

  if (fstat (STDERR_FILENO, &status) != 0 || (gsize) status.st_size <= self->max_bytes)
    return;
  old = g_strconcat (self->path, ".1", NULL);
  /* A file that cannot be moved must not grow for ever. */
  if (rename (self->path, old) != 0 && errno != ENOENT && ftruncate (STDERR_FILENO, 0) != 0)
    return;
  open_file (self->path);
}

static GLogWriterOutput
write_to_file (VeilLog *self, GLogLevelFlags level, const GLogField *fields, gsize n_fields)
{
  g_autoptr (GString) line = format_line (level, fields, n_fields);

  g_mutex_lock (&self->mutex);
  write_all (STDERR_FILENO, line->str, line->len);
  rotate (self);
  g_mutex_unlock (&self->mutex);
  return G_LOG_WRITER_HANDLED;
}

static GLogWriterOutput
write_fields (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  VeilLog *self = user_data;
  GLogField more[MAX_FIELDS];

  if (g_log_writer_default_would_drop (level, find_field (fields, n_fields, "GLIB_DOMAIN")))
    return G_LOG_WRITER_HANDLED;
  if (self->path != NULL)
    return write_to_file (self, level, fields, n_fields);
  if (n_fields >= MAX_FIELDS)
    return g_log_writer_default (level, fields, n_fields, NULL);
  /* GLib's own writer does the rest: it knows the journal when it sees it. */
  memcpy (more, fields, n_fields * sizeof *fields);
  more[n_fields] = (GLogField){ "SYSLOG_IDENTIFIER", self->identifier, -1 };
  return g_log_writer_default (level, more, n_fields + 1, NULL);
}

VeilLog *
veil_log_install (const char *identifier)
{
  VeilLog *self = g_new0 (VeilLog, 1);

  self->identifier = g_strdup (identifier);
  g_mutex_init (&self->mutex);
  /* Standard output is for those who read it; GLib would put information and debugging there. */
  g_log_writer_default_set_use_stderr (TRUE);
  g_log_set_writer_func (write_fields, self, NULL);
  return self;
}

gboolean
veil_log_to_file (VeilLog *self, const char *path, gsize max_bytes, GError **error)
{
  int problem = open_file (path);

  if (problem != 0)
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE, _ ("The log file %s cannot be opened: %s"), path, g_strerror (problem));
      return FALSE;
    }
  g_mutex_lock (&self->mutex);
  g_free (self->path);
  self->path = g_strdup (path);
  self->max_bytes = max_bytes;
  g_mutex_unlock (&self->mutex);
  return TRUE;
}

void
veil_log_reopen (VeilLog *self)
{
  g_mutex_lock (&self->mutex);
  if (self->path != NULL)
    open_file (self->path);
  g_mutex_unlock (&self->mutex);
}

char *
veil_log_get_path (const char *home)
{
  return g_build_filename (home, "veil.log", NULL);
}
