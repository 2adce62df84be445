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
  char *choice_path;      /* owned; NULL outside the sandbox */
  VeilSettings *settings; /* owned */
  Stamp stamp, choice_stamp;
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
  self->choice_path = veil_settings_file_get_choice_path (settings);
  self->settings = veil_settings_copy (settings);
  /* The stamp stays empty: what was written since @settings were read must not be missed. */
  return self;
}

void
veil_settings_watch_free (VeilSettingsWatch *self)
{
  g_free (self->path);
  g_free (self->choice_path);
  veil_settings_free (self->settings);
  g_free (self);
}

/* TRUE if the file is another one than @stamp knows. */
static gboolean
has_changed (const char *path, Stamp *stamp)
{
  Stamp now = take_stamp (path);
  gboolean changed =
      now.device != stamp->device || now.inode != stamp->inode || now.size != stamp->size || now.changed_ns != stamp->changed_ns;

  *stamp = now;
  return changed;
}

/* NULL: they stay. */
static VeilSettings *
read_again (VeilSettingsWatch *self)
{
  g_autoptr (GError) error = NULL;
  VeilSettings *fresh = NULL;

  /* That a moment ago there was something in it does not tell what is read now. */
  if (self->stamp.size != 0)
    fresh = veil_settings_file_resolve_again (self->settings, &error);
  if (error != NULL)
    g_message ("%s; the settings stay as they were", error->message);
  else if (fresh == NULL)
    g_message ("The settings file %s is gone or empty; the settings stay as they were", self->path);
  return fresh;
}

static VeilSettings *
read_choice_again (VeilSettingsWatch *self)
{
  g_autoptr (GError) error = NULL;
  VeilSettings *fresh = veil_settings_file_resolve_choice (self->settings, &error);

  if (fresh == NULL)
    g_message ("%s; the choice stays as it was", error->message);
  return fresh;
}

gboolean
veil_settings_watch_look (VeilSettingsWatch *self)
{
  gboolean changed = has_changed (self->path, &self->stamp);
  gboolean chosen = self->choice_path != NULL && has_changed (self->choice_path, &self->choice_stamp);
  VeilSettings *fresh = changed ? read_again (self) : NULL;

  if (fresh == NULL && chosen)
    fresh = read_choice_again (self);
  if (fresh == NULL)
    return FALSE;
  veil_settings_free (self->settings);
  self->settings = fresh;
  return TRUE;
}

const VeilSettings *
veil_settings_watch_get (VeilSettingsWatch *self)
{
  return self->settings;
}
