/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The file is never changed: each new state is another file, locked before it gets the name. So a locked file was written, as a whole, by whoever holds the
 * lock on it; and only who holds the lock on the file of that name may replace or remove it. */
#include "instance-private.h"

#include "config.h"
#include "hex.h"
#include "veil-error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "instance.lock"
/* Others hold the lock for a moment to look whether somebody has it, and a file is empty for a moment when it is new. */
#define ATTEMPTS 100
#define PAUSE_US 2000
/* Of a holder whose process cannot be seen: that is no moment. */
#define FAR_ATTEMPTS 10

struct _VeilInstance
{
  char *path;             /* owned */
  VeilInstanceInfo *info; /* owned */
  int fd;                 /* of the file under path, with the lock on it */
};

/* What may be wrong beside the system's error numbers. */
enum
{
  NOT_REGULAR = -1,
  BY_ANOTHER = -2,
};

/* @format: what the system's errors are told with. */
static void G_GNUC_PRINTF (4, 5) set_store_error (GError **error, const char *path, int problem, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  if (problem == NOT_REGULAR)
    g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE, _ ("%s is not a regular file; remove it and try again"), path);
  else if (problem == BY_ANOTHER)
    g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE,
                 _ ("Another user holds %s, who is not believed; remove it, or use a home that only you can write to"), path);
  else if (error != NULL)
    *error = g_error_new_valist (VEIL_ERROR, VEIL_ERROR_STORE, format, args);
  va_end (args);
}

static void
set_unclear_error (GError **error, const char *path)
{
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE,
               _ ("A program that does not say who it is has a lock on %s; end it (`fuser %s` tells its number) and try again"),
               path, path);
}

static gboolean
is_current (int fd, const char *path)
{
  struct stat ours, current;

  return fstat (fd, &ours) == 0 && stat (path, &current) == 0 && ours.st_dev == current.st_dev && ours.st_ino == current.st_ino;
}

/* 0, or an error number; EWOULDBLOCK: somebody has it. */
static int
lock (int fd, int kind)
{
  while (flock (fd, kind | LOCK_NB) != 0)
    if (errno != EINTR)
      return errno;
  return 0;
}

/* 0 or what is wrong. A FIFO in its place must not be waited for. */
static int
open_regular (const char *path, int flags, int *fd)
{
  struct stat status;

  *fd = open (path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (*fd < 0)
    return errno;
  if (fstat (*fd, &status) == 0 && S_ISREG (status.st_mode))
    return 0;
  close (*fd);
  *fd = -1;
  return NOT_REGULAR;
}

static gboolean
is_process_of (pid_t pid, uid_t user)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d", (int) pid);
  struct stat status;

  return stat (path, &status) == 0 && status.st_uid == user;
}

/* What a locked file says, if that is about its holder: who begins anew has the lock on what a killed program left for a moment. Where others can write to the
 * home, they could have us signal a process of ours, and give our prompts and the key to theirs; so only our own word counts, and with an administrator each
 * user's about processes of that user. Of a process in another sandbox there is only the lock, which then has to last until @attempt FAR_ATTEMPTS. 0, EAGAIN while nothing can be read, BY_ANOTHER, or an error number. */
static int
read_info (int fd, guint attempt, VeilInstanceInfo **found)
{
  g_autoptr (VeilInstanceInfo) info = NULL;
  g_autofree char *text = g_malloc (VEIL_INSTANCE_MAX_BYTES + 1);
  gsize length = 0;
  struct stat status;
  gboolean near;
  gssize n;

  if (fstat (fd, &status) != 0)
    return errno;
  if (status.st_uid != geteuid () && geteuid () != 0)
    return BY_ANOTHER;
  while (length <= VEIL_INSTANCE_MAX_BYTES &&
         (n = pread (fd, text + length, VEIL_INSTANCE_MAX_BYTES + 1 - length, (off_t) length)) != 0)
    {
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return errno;
      length += (gsize) n;
    }
  info = veil_instance_info_parse (text, length);
  if (info == NULL)
    return EAGAIN;
  near = veil_instance_info_is_near (info);
  if (near ? !veil_instance_info_is_alive (info) : attempt < FAR_ATTEMPTS)
    return EAGAIN;
  if (status.st_uid != geteuid () && (!near || !is_process_of (info->pid, status.st_uid)))
    return BY_ANOTHER;
  *found = g_steal_pointer (&info);
  return 0;
}

static int
write_all (int fd, GBytes *bytes)
{
  gsize left;
  const char *data = g_bytes_get_data (bytes, &left);

  while (left > 0)
    {
      gssize n = write (fd, data, left);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return errno;
      data += n;
      left -= (gsize) n;
    }
  return 0;
}

/* Puts a new locked file with @info in place of the one under @path, which must be locked. Returns its descriptor, or -1. */
static int
put (const char *path, const VeilInstanceInfo *info, GError **error)
{
  g_autoptr (GBytes) text = veil_instance_info_to_bytes (info);
  g_autofree char *temporary = g_strconcat (path, ".XXXXXX", NULL);
  int fd = g_mkstemp_full (temporary, O_RDWR | O_CLOEXEC, 0600);
  int problem;

  if (fd < 0)
    {
      set_store_error (error, path, errno, _ ("%s cannot be written: %s"), path, g_strerror (errno));
      return -1;
    }
  problem = lock (fd, LOCK_EX);
  if (problem == 0)
    problem = write_all (fd, text);
  if (problem == 0 && rename (temporary, path) != 0)
    problem = errno;
  if (problem == 0)
    return fd;
  unlink (temporary);
  close (fd);
  set_store_error (error, path, problem, _ ("%s cannot be written: %s"), path, g_strerror (problem));
  return -1;
}

/* One attempt. 0 with @fd set: the file under @path, locked by us, or with @holder set to who has it; EAGAIN: another attempt may say more. */
static int
try_lock (const char *path, guint attempt, int *fd, VeilInstanceInfo **holder)
{
  int problem = open_regular (path, O_RDWR | O_CREAT, fd);

  if (problem != 0)
    return problem;
  problem = lock (*fd, LOCK_EX);
  if (problem == 0 && is_current (*fd, path))
    return 0;
  if (problem == EWOULDBLOCK)
    problem = read_info (*fd, attempt, holder);
  else if (problem == 0)
    problem = EAGAIN;
  close (*fd);
  *fd = -1;
  return problem;
}

/* -1 with @holder or @error. */
static int
lock_path (const char *path, VeilInstanceInfo **holder, GError **error)
{
  int problem = 0;
  int fd;

  for (guint i = 0; i < ATTEMPTS; i++)
    {
      problem = try_lock (path, i, &fd, holder);
      if (problem == 0)
        return fd; /* -1 with a holder */
      if (problem != EAGAIN)
        break;
      g_usleep (PAUSE_US);
    }
  if (problem == EAGAIN)
    set_unclear_error (error, path);
  else
    set_store_error (error, path, problem,
                     _ ("%s cannot be locked (%s); see that the home can be written to, or choose another one with --home"), path,
                     g_strerror (problem));
  return -1;
}

static VeilInstanceInfo *
complete_info (const VeilInstanceInfo *template)
{
  VeilInstanceInfo *info = veil_instance_info_copy (template);

  g_free (info->version);
  info->version = g_strdup (VEIL_VERSION);
  g_clear_pointer (&info->host, g_free);
  info->port = 0;
  info->pid = getpid ();
  info->pids = veil_instance_get_pids ();
  info->born = veil_instance_get_birth (info->pid);
  info->started_at = g_get_real_time ();
  return info;
}

VeilInstance *
veil_instance_acquire (const char *home, const VeilInstanceInfo *info, VeilInstanceInfo **holder, GError **error)
{
  g_autofree char *path = g_build_filename (home, NAME, NULL);
  VeilInstance *self;
  int stale, fd;

  *holder = NULL;
  if (g_mkdir_with_parents (home, 0700) != 0)
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE,
                   _ ("The folder %s cannot be made (%s); see that the home can be written to, or choose another one with --home"),
                   home, g_strerror (errno));
      return NULL;
    }
  stale = lock_path (path, holder, error);
  if (stale < 0)
    return NULL;
  self = g_new0 (VeilInstance, 1);
  self->path = g_steal_pointer (&path);
  self->info = complete_info (info);
  fd = put (self->path, self->info, error);
  if (fd >= 0)
    {
      close (stale);
      self->fd = fd;
      return self;
    }
  self->fd = stale;
  veil_instance_release (self);
  return NULL;
}

int
veil_instance_hand_over (VeilInstance *self)
{
  fcntl (self->fd, F_SETFD, 0);
  return self->fd;
}

/* A home without room for news keeps what the file says, and is told with the address. */
VeilInstance *
veil_instance_take_over (const char *home, const VeilInstanceInfo *info, int fd)
{
  g_autofree char *path = g_build_filename (home, NAME, NULL);
  g_autoptr (GError) error = NULL;
  VeilInstance *self;

  if (fd < 0 || !is_current (fd, path) || lock (fd, LOCK_EX) != 0)
    return NULL;
  fcntl (fd, F_SETFD, FD_CLOEXEC);
  self = g_new0 (VeilInstance, 1);
  self->path = g_steal_pointer (&path);
  self->info = complete_info (info);
  self->fd = put (self->path, self->info, &error);
  if (self->fd >= 0)
    close (fd);
  else
    {
      g_message ("Other commands are not told of this yet: %s", error->message);
      self->fd = fd;
    }
  return self;
}

/* Takes over @info. */
static gboolean
replace (VeilInstance *self, VeilInstanceInfo *info, GError **error)
{
  int fd = put (self->path, info, error);

  if (fd < 0)
    {
      veil_instance_info_free (info);
      return FALSE;
    }
  close (self->fd);
  self->fd = fd;
  veil_instance_info_free (self->info);
  self->info = info;
  return TRUE;
}

gboolean
veil_instance_set_address (VeilInstance *self, const char *host, guint16 port, GError **error)
{
  VeilInstanceInfo *info;

  if (g_strcmp0 (host, self->info->host) == 0 && port == self->info->port)
    return TRUE;
  info = veil_instance_info_copy (self->info);
  g_free (info->host);
  info->host = g_strdup (host);
  info->port = port;
  return replace (self, info, error);
}

/* What serves; a session that does not names no network. */
static void
set_network (VeilInstanceInfo *info, const VeilSession *session)
{
  veil_instance_info_clear_network (info);
  if (session == NULL || !veil_session_check_can_serve (session, NULL))
    return;
  info->app_env = g_strdup (session->app_env);
  info->relay_url = g_strdup (session->relay_url);
  info->registry_rpc_url = g_strdup (session->registry_rpc_url);
  info->registry_address = g_strdup (session->registry_address);
  info->registry_tee_type = session->registry_tee_type;
  if (session->sandbox && session->sandbox_root != NULL)
    info->sandbox_root =
        veil_hex_encode_0x (g_bytes_get_data (session->sandbox_root, NULL), g_bytes_get_size (session->sandbox_root));
}

static gboolean
has_same_network (const VeilInstanceInfo *a, const VeilInstanceInfo *b)
{
  return g_strcmp0 (a->app_env, b->app_env) == 0 && g_strcmp0 (a->relay_url, b->relay_url) == 0 &&
         g_strcmp0 (a->registry_rpc_url, b->registry_rpc_url) == 0 && g_strcmp0 (a->registry_address, b->registry_address) == 0 &&
         a->registry_tee_type == b->registry_tee_type && g_strcmp0 (a->sandbox_root, b->sandbox_root) == 0;
}

gboolean
veil_instance_set_session (VeilInstance *self, const VeilSession *session, GError **error)
{
  VeilInstanceInfo *info = veil_instance_info_copy (self->info);

  set_network (info, session);
  if (!has_same_network (info, self->info))
    return replace (self, info, error);
  veil_instance_info_free (info);
  return TRUE;
}

const VeilInstanceInfo *
veil_instance_get_info (VeilInstance *self)
{
  return self->info;
}

void
veil_instance_release (VeilInstance *self)
{
  if (self == NULL)
    return;
  /* Somebody may have removed the whole home, and another program begun anew in it. */
  if (is_current (self->fd, self->path))
    unlink (self->path);
  close (self->fd);
  veil_instance_info_free (self->info);
  g_free (self->path);
  g_free (self);
}

VeilInstanceInfo *
veil_instance_find (const char *home, GError **error)
{
  g_autofree char *path = g_build_filename (home, NAME, NULL);

  for (guint i = 0; i < ATTEMPTS; i++)
    {
      VeilInstanceInfo *info = NULL;
      int fd;
      int problem = open_regular (path, O_RDONLY, &fd);
      gboolean current;

      if (problem == 0)
        problem = lock (fd, LOCK_SH);
      current = fd >= 0 && is_current (fd, path);
      if (problem == EWOULDBLOCK)
        problem = read_info (fd, i, &info);
      if (fd >= 0)
        close (fd);
      /* Nobody has it, or there is none: nobody runs. */
      if (info != NULL || problem == ENOENT || problem == ENOTDIR || (problem == 0 && current))
        return info;
      if (problem != 0 && problem != EAGAIN)
        {
          set_store_error (error, path, problem, _ ("%s cannot be read: %s"), path, g_strerror (problem));
          return NULL;
        }
      g_usleep (PAUSE_US);
    }
  set_unclear_error (error, path);
  return NULL;
}
