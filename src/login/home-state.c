/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "home-state.h"

#include "translate.h"
#include "veil-error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <unistd.h>

#define GENERATION "session.generation"
#define LOCK "session.lock"
#define RENEWING "session.renewing"
#define MAX_GENERATION 64
#define LOCK_RETRY_MS 20
#define LOCK_PATIENCE_US (10 * G_USEC_PER_SEC)

char *
veil_home_get_generation (const char *home)
{
  g_autofree char *path = g_build_filename (home, GENERATION, NULL);
  g_autofree char *text = NULL;
  gsize length;

  if (!g_file_get_contents (path, &text, &length, NULL) || length > MAX_GENERATION)
    return g_strdup ("");
  return g_steal_pointer (&text);
}

static gboolean
make_home (const char *home, GError **error)
{
  if (g_mkdir_with_parents (home, 0700) == 0)
    return TRUE;
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE,
               _ ("The folder %s cannot be made (%s); see that the home can be written to, or choose another one with --home"),
               home, g_strerror (errno));
  return FALSE;
}

gboolean
veil_home_bump_generation (const char *home, GError **error)
{
  g_autofree char *path = g_build_filename (home, GENERATION, NULL);
  g_autofree char *word = g_uuid_string_random ();
  g_autoptr (GError) cause = NULL;

  if (!make_home (home, error))
    return FALSE;
  if (g_file_set_contents_full (path, word, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &cause))
    return TRUE;
  /* No file is another generation too, and needs no room. */
  if (unlink (path) == 0)
    return TRUE;
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE, _ ("A running server cannot be told of the change (%s); restart it"),
               cause->message);
  return FALSE;
}

/* --- watching --- */

/* The kernel's own interface: GFileMonitor brings its news a tenth of a second late, and by then a request may have used the former session. */
struct _VeilHomeWatch
{
  char *home;       /* owned */
  char *generation; /* owned; as last seen */
  int fd;           /* -1 where files cannot be watched */
  GSource *source;  /* owned */
  VeilHomeChanged changed;
  gpointer user_data;
};

static gboolean
on_event (int fd, GIOCondition condition, gpointer user_data)
{
  VeilHomeWatch *self = user_data;
  g_autofree char *generation = NULL;
  char events[4096];
  gssize n;

  /* What happened does not matter, only what the file says then. */
  do
    n = read (fd, events, sizeof events);
  while (n > 0 || (n < 0 && errno == EINTR));
  generation = veil_home_get_generation (self->home);
  if (g_str_equal (generation, self->generation))
    return G_SOURCE_CONTINUE;
  g_free (self->generation);
  self->generation = g_steal_pointer (&generation);
  self->changed (self->user_data);
  return G_SOURCE_CONTINUE;
}

VeilHomeWatch *
veil_home_watch_new (const char *home, VeilHomeChanged changed, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  VeilHomeWatch *self = g_new0 (VeilHomeWatch, 1);

  self->home = g_strdup (home);
  self->changed = changed;
  self->user_data = user_data;
  self->fd = inotify_init1 (IN_NONBLOCK | IN_CLOEXEC);
  if (!make_home (home, &error))
    g_message ("%s", error->message);
  if (self->fd < 0 || inotify_add_watch (self->fd, home, IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE | IN_ONLYDIR) < 0)
    g_message ("Signing in or out elsewhere is not noticed until the next start: %s", g_strerror (errno));
  if (self->fd >= 0)
    {
      self->source = g_unix_fd_source_new (self->fd, G_IO_IN);
      g_source_set_priority (self->source, G_PRIORITY_HIGH);
      g_source_set_callback (self->source, G_SOURCE_FUNC (on_event), self, NULL);
      g_source_attach (self->source, g_main_context_get_thread_default ());
    }
  self->generation = veil_home_get_generation (home);
  return self;
}

void
veil_home_watch_free (VeilHomeWatch *self)
{
  if (self == NULL)
    return;
  if (self->source != NULL)
    {
      g_source_destroy (self->source);
      g_source_unref (self->source);
      close (self->fd);
    }
  g_free (self->home);
  g_free (self->generation);
  g_free (self);
}

/* --- the lock --- */

typedef struct
{
  int fd;
  gint64 deadline; /* monotonic */
} Wait;

static void
wait_free (gpointer data)
{
  Wait *wait = data;

  veil_home_unlock (wait->fd);
  g_free (wait);
}

/* TRUE to go on waiting. */
static gboolean
try_lock (GTask *task)
{
  Wait *wait = g_task_get_task_data (task);
  int fd = wait->fd;

  if (g_task_return_error_if_cancelled (task))
    return FALSE;
  if (flock (fd, LOCK_EX | LOCK_NB) == 0)
    {
      wait->fd = -1;
      g_task_return_int (task, fd);
      return FALSE;
    }
  if (errno == EWOULDBLOCK && g_get_monotonic_time () < wait->deadline)
    return TRUE;
  g_task_return_new_error (task, VEIL_ERROR, VEIL_ERROR_STORE,
                           _ ("Another process is changing the session and does not end; stop it and try again"));
  return FALSE;
}

static gboolean
on_retry (gpointer data)
{
  return try_lock (data) ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

void
veil_home_lock_async (const char *home, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  g_autofree char *path = g_build_filename (home, LOCK, NULL);
  g_autoptr (GSource) retry = NULL;
  GError *error = NULL;
  Wait *wait;

  g_task_set_source_tag (task, veil_home_lock_async);
  wait = g_new0 (Wait, 1);
  wait->fd = -1;
  wait->deadline = g_get_monotonic_time () + LOCK_PATIENCE_US;
  g_task_set_task_data (task, wait, wait_free);
  if (!make_home (home, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  wait->fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (wait->fd < 0)
    {
      g_task_return_new_error (
          task, VEIL_ERROR, VEIL_ERROR_STORE,
          _ ("%s cannot be opened (%s); see that the home can be written to, or choose another one with --home"), path,
          g_strerror (errno));
      return;
    }
  if (!try_lock (task))
    return;
  retry = g_timeout_source_new (LOCK_RETRY_MS);
  g_source_set_callback (retry, on_retry, g_object_ref (task), g_object_unref);
  g_source_attach (retry, g_task_get_context (task));
}

int
veil_home_lock_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), -1);
  return (int) g_task_propagate_int (G_TASK (result), error);
}

void
veil_home_unlock (int lock)
{
  if (lock >= 0)
    close (lock);
}

/* --- a renewal under way --- */

gboolean
veil_home_is_renewing (const char *home)
{
  g_autofree char *path = g_build_filename (home, RENEWING, NULL);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

void
veil_home_set_renewing (const char *home, gboolean renewing)
{
  g_autofree char *path = g_build_filename (home, RENEWING, NULL);
  int fd;

  if (!renewing)
    {
      unlink (path);
      return;
    }
  fd = open (path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd >= 0)
    close (fd);
}
