/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* One running Veil for each home (product.md section 1). Who runs holds a lock on the file instance.lock in the home, and what that file says was written by the
 * holder of the lock: a file that a killed program left behind is told from one of a program that runs by the lock alone. All calls are local, small and blocking. */
#pragma once

#include "session.h"

#include <sys/types.h>

G_BEGIN_DECLS

/* Who runs. Readable by the same user only; never a secret. */
typedef struct
{
  char    *program;    /* owned; "og-veil" or "veil" */
  char    *version;    /* owned */
  pid_t    pid;        /* > 1 */
  guint64  pids;       /* which process numbers pid is one of: the inode of its namespace, another one in each sandbox; 0: not known */
  guint64  born;       /* when the kernel started it (field 22 of /proc/PID/stat): tells it from another that got its pid later */
  gint64   started_at; /* microseconds since 1970; another one after each start, that of a restart in place too */
  char    *host;       /* owned; as bound; NULL while port is 0 */
  guint16  port;       /* 0 until requests are accepted */
  char    *log;        /* owned; the log file; NULL: standard error */
  gboolean sandbox;
  gboolean restarts;   /* starts again in place on SIGUSR1 */
  /* The network in use; all NULL while nobody is signed in. */
  char    *app_env;          /* owned; may be NULL */
  char    *relay_url;        /* owned */
  char    *registry_rpc_url; /* owned */
  char    *registry_address; /* owned */
  guint8   registry_tee_type;
  char    *sandbox_root; /* owned; 0x + 64 digits: as in the session; NULL outside the sandbox */
} VeilInstanceInfo;

VeilInstanceInfo *veil_instance_info_copy (const VeilInstanceInfo *self);
void              veil_instance_info_free (VeilInstanceInfo *self);
/* New string: where clients on this machine reach it, "http://HOST:PORT/v1"; NULL until requests are accepted. */
char             *veil_instance_info_get_url (const VeilInstanceInfo *self);
/* Whether pid means to us what it means to that process: FALSE in another sandbox (each `flatpak run` is one), where no signal of ours arrives. */
gboolean          veil_instance_info_is_near (const VeilInstanceInfo *self);
/* FALSE once that process has ended, whoever has its pid then. Only of one that is near. */
gboolean          veil_instance_info_is_alive (const VeilInstanceInfo *self);
/* Reads what an instance file holds. NULL: that is not one. Exposed for tests. */
VeilInstanceInfo *veil_instance_info_parse (const char *text, gsize length);

typedef struct _VeilInstance VeilInstance;

/**
 * veil_instance_acquire:
 * @home: made (mode 0700) if it is not there
 * @info: program, log, sandbox and restarts; the rest is filled in
 * @holder: (out): who runs already, if that is why there is no lock; free with veil_instance_info_free()
 *
 * Becomes the one instance of @home, until veil_instance_release() or the end of the process, however it ends. Programs that are started from here do not keep it.
 *
 * Returns: (transfer full): the lock; %NULL with @holder set and no error if another instance runs; %NULL with %VEIL_ERROR_STORE if the home cannot be written
 *   or who runs cannot be told.
 */
VeilInstance           *veil_instance_acquire (const char *home, const VeilInstanceInfo *info, VeilInstanceInfo **holder, GError **error);
/* For a program that execs itself: the lock stays with the process, under the number that is returned, for veil_instance_take_over(). */
int                     veil_instance_hand_over (VeilInstance *self);
/* Goes on with the lock of @home that is open as @fd, whoever says so, under another start time. Returns: (transfer full): %NULL if @fd is none, and
 * veil_instance_acquire() is to be asked. */
VeilInstance           *veil_instance_take_over (const char *home, const VeilInstanceInfo *info, int fd);
/* Where requests are accepted from now on; NULL and 0: nowhere. On failure (VEIL_ERROR_STORE) others see what was there before. */
gboolean                veil_instance_set_address (VeilInstance *self, const char *host, guint16 port, GError **error);
/* Whose network is used from now on (its tokens and names are not told); NULL: nobody's. */
gboolean                veil_instance_set_session (VeilInstance *self, const VeilSession *session, GError **error);
const VeilInstanceInfo *veil_instance_get_info (VeilInstance *self);
/* The file goes with it. */
void                    veil_instance_release (VeilInstance *self);

/* Who runs in @home, for the commands. Returns: (transfer full): NULL without an error if nobody does. VEIL_ERROR_STORE: it cannot be
 * told, or another user says so. */
VeilInstanceInfo       *veil_instance_find (const char *home, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilInstanceInfo, veil_instance_info_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilInstance, veil_instance_release)

G_END_DECLS
