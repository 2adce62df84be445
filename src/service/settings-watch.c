/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "settings-file.h"

#include <glib/gstdio.h>

/* What tells one state of the file from the next: every writer of ours puts a new file in place, an editor may write into the old one. When its
 * inode changed, not its text: that moves also when the file only becomes readable, and nobody can set it back. */
typedef struct
{
  guint64 device;
  guint64 inode;
  gint64 size; /* 0 is no file, or an empty one */
  gint64 changed_ns;
} Stamp;

struct _VeilSettingsWatch
{
  char *path;             /* owned */
  VeilSettings *settings; /* owned */
  Stamp stamp;
};

static Stamp
take_stamp (const char *path)
{
  GStatBuf info;

  if (g_stat (path, &info) != 0 || info.st_size == 0)
    return (Stamp){ 0 };
  return (Stamp){ info.st_dev, info.st_ino, info.st_size,
                  info.st_ctim.tv_sec * G_GINT64_CONSTANT (1000000000) + info.st_ctim.tv_nsec };
}

VeilSettingsWatch *
veil_settings_watch_new (const VeilSettings *settings)
{
  VeilSettingsWatch *self = g_new0 (VeilSettingsWatch, 1);

  self->path = veil_settings_file_get_path (settings);
  self->settings = veil_settings_copy (settings);
  /* The stamp stays empty: what was written since @settings were read must not be missed. */
  return self;
}

void
veil_settings_watch_free (VeilSettingsWatch *self)
{
  g_free (self->path);
  veil_settings_free (self->settings);
  g_free (self);
}

gboolean
veil_settings_watch_look (VeilSettingsWatch *self)
{
  Stamp stamp = take_stamp (self->path);
  g_autoptr (VeilSettings) fresh = NULL;
  g_autoptr (GError) error = NULL;

  if (stamp.device == self->stamp.device && stamp.inode == self->stamp.inode && stamp.size == self->stamp.size &&
      stamp.changed_ns == self->stamp.changed_ns)
    return FALSE;
  self->stamp = stamp;
  /* That a moment ago there was something in it does not tell what is read now. */
  if (stamp.size != 0)
    fresh = veil_settings_file_resolve_again (self->settings, &error);
  if (error != NULL)
    g_message ("%s; the settings stay as they were", error->message);
  else if (fresh == NULL)
    g_message ("The settings file %s is gone or empty; the settings stay as they were", self->path);
  if (fresh == NULL)
    return FALSE;
  veil_settings_free (self->settings);
  self->settings = g_steal_pointer (&fresh);
  return TRUE;
}

const VeilSettings *
veil_settings_watch_get (VeilSettingsWatch *self)
{
  return self->settings;
}
