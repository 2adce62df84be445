/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "autostart.h"

#include "background-portal.h"
#include "veil-error.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>

#define ENTRY "ai.opengradient.Veil.desktop"
#define GNOME_KEY "X-GNOME-Autostart-enabled"
#define MAX_BYTES (64 * 1024)

typedef struct
{
  char *home; /* owned */
  gboolean enabled;
  GStrv command; /* owned */
} Wish;

static void
wish_free (Wish *wish)
{
  g_free (wish->home);
  g_strfreev (wish->command);
  g_free (wish);
}

char *
veil_autostart_get_path (void)
{
  return g_build_filename (g_get_user_config_dir (), "autostart", ENTRY, NULL);
}

/* In a Flatpak: that the portal granted it. */
static char *
get_mark_path (const char *home)
{
  return g_build_filename (home, "autostart", NULL);
}

/* An empty one if there is none that can be used. */
static GKeyFile *
load_entry (const char *path)
{
  g_autoptr (GKeyFile) entry = g_key_file_new ();
  g_autofree char *text = NULL;
  GStatBuf info;
  gsize length;

  /* Not a pipe, which could hold us for ever. A reader that stops keeps what it has read so far. */
  if (g_stat (path, &info) == 0 && S_ISREG (info.st_mode) && info.st_size <= MAX_BYTES &&
      g_file_get_contents (path, &text, &length, NULL) &&
      g_key_file_load_from_data (entry, text, length, G_KEY_FILE_KEEP_COMMENTS | G_KEY_FILE_KEEP_TRANSLATIONS, NULL))
    return g_steal_pointer (&entry);
  return g_key_file_new ();
}

gboolean
veil_autostart_is_enabled (const char *home)
{
  g_autofree char *path = veil_background_portal_is_needed () ? get_mark_path (home) : veil_autostart_get_path ();
  g_autoptr (GKeyFile) entry = NULL;

  if (veil_background_portal_is_needed ())
    return g_file_test (path, G_FILE_TEST_EXISTS);
  entry = load_entry (path);
  return g_key_file_has_key (entry, G_KEY_FILE_DESKTOP_GROUP, G_KEY_FILE_DESKTOP_KEY_EXEC, NULL) &&
         !g_key_file_get_boolean (entry, G_KEY_FILE_DESKTOP_GROUP, G_KEY_FILE_DESKTOP_KEY_HIDDEN, NULL) &&
         (!g_key_file_has_key (entry, G_KEY_FILE_DESKTOP_GROUP, GNOME_KEY, NULL) ||
          g_key_file_get_boolean (entry, G_KEY_FILE_DESKTOP_GROUP, GNOME_KEY, NULL));
}

/* New string: @command as the Exec key takes it. Each word is quoted and its field codes ("%f") are made plain; the key file
 * escapes once more. */
static char *
build_exec (const char *const *command)
{
  GString *exec = g_string_new (NULL);

  for (; *command != NULL; command++)
    {
      g_string_append (exec, exec->len > 0 ? " \"" : "\"");
      for (const char *p = *command; *p != '\0'; p++)
        {
          if (*p == '"' || *p == '`' || *p == '$' || *p == '\\')
            g_string_append_c (exec, '\\');
          else if (*p == '%')
            g_string_append_c (exec, '%');
          g_string_append_c (exec, *p);
        }
      g_string_append_c (exec, '"');
    }
  return g_string_free (exec, FALSE);
}

static void
set_text (GKeyFile *entry, const char *key, const char *value)
{
  if (!g_key_file_has_key (entry, G_KEY_FILE_DESKTOP_GROUP, key, NULL))
    g_key_file_set_string (entry, G_KEY_FILE_DESKTOP_GROUP, key, value);
}

static void
fill_entry (GKeyFile *entry, const char *const *command)
{
  g_autofree char *exec = build_exec (command);

  g_key_file_set_string (entry, G_KEY_FILE_DESKTOP_GROUP, G_KEY_FILE_DESKTOP_KEY_TYPE, G_KEY_FILE_DESKTOP_TYPE_APPLICATION);
  set_text (entry, G_KEY_FILE_DESKTOP_KEY_NAME, "Veil");
  set_text (entry, G_KEY_FILE_DESKTOP_KEY_COMMENT, _ ("Private and verified inference for any program that speaks the OpenAI API"));
  set_text (entry, G_KEY_FILE_DESKTOP_KEY_ICON, "ai.opengradient.Veil");
  g_key_file_set_string (entry, G_KEY_FILE_DESKTOP_GROUP, G_KEY_FILE_DESKTOP_KEY_EXEC, exec);
  g_key_file_set_boolean (entry, G_KEY_FILE_DESKTOP_GROUP, G_KEY_FILE_DESKTOP_KEY_TERMINAL, FALSE);
  g_key_file_set_boolean (entry, G_KEY_FILE_DESKTOP_GROUP, G_KEY_FILE_DESKTOP_KEY_STARTUP_NOTIFY, FALSE);
  g_key_file_set_boolean (entry, G_KEY_FILE_DESKTOP_GROUP, GNOME_KEY, TRUE);
  g_key_file_remove_key (entry, G_KEY_FILE_DESKTOP_GROUP, G_KEY_FILE_DESKTOP_KEY_HIDDEN, NULL);
}

static gboolean
fail (const char *path, const char *why, GError **error)
{
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE,
               _ ("The autostart entry %s cannot be changed (%s); correct that, or remove it by hand"), path, why);
  return FALSE;
}

static gboolean
write_file (const char *path, const char *text, gsize length, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autoptr (GError) local_error = NULL;

  if (g_mkdir_with_parents (folder, 0700) != 0)
    return fail (path, g_strerror (errno), error);
  return g_file_set_contents_full (path, text, length, G_FILE_SET_CONTENTS_CONSISTENT, 0644, &local_error) ||
         fail (path, local_error->message, error);
}

static gboolean
remove_file (const char *path, GError **error)
{
  return g_unlink (path) == 0 || errno == ENOENT || errno == ENOTDIR || fail (path, g_strerror (errno), error);
}

/* One small file at home, as with the settings. */
static void
write_entry (GTask *task)
{
  const Wish *wish = g_task_get_task_data (task);
  g_autofree char *path = veil_autostart_get_path ();
  g_autoptr (GKeyFile) entry = load_entry (path);
  g_autofree char *text = NULL;
  GError *error = NULL;
  gsize length;

  fill_entry (entry, (const char *const *) wish->command);
  text = g_key_file_to_data (entry, &length, NULL);
  if (wish->enabled ? write_file (path, text, length, &error) : remove_file (path, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/* What the portal says is kept; a refusal is an error only to who wanted more than was granted. */
static void
write_mark (GTask *task, gboolean granted)
{
  const Wish *wish = g_task_get_task_data (task);
  g_autofree char *path = get_mark_path (wish->home);
  GError *error = NULL;

  if (!(granted ? write_file (path, "", 0, &error) : remove_file (path, &error)))
    g_task_return_error (task, error);
  else if (wish->enabled && !granted)
    g_task_return_new_error (task, VEIL_ERROR, VEIL_ERROR_STORE,
                             _ ("The desktop did not let Veil start at login; its settings for applications can change that"));
  else
    g_task_return_boolean (task, TRUE);
}

static void
on_portal (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  gboolean background = FALSE, autostart = FALSE;
  GError *error = NULL;

  if (!veil_background_portal_request_finish (result, &background, &autostart, &error))
    g_task_return_error (task, error);
  else
    write_mark (task, autostart);
}

void
veil_autostart_set_async (const char *home, gboolean enabled, const char *const *command, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  Wish *wish = g_new0 (Wish, 1);

  g_task_set_source_tag (task, veil_autostart_set_async);
  wish->home = g_strdup (home);
  wish->enabled = enabled;
  wish->command = g_strdupv ((char **) command);
  g_task_set_task_data (task, wish, (GDestroyNotify) wish_free);
  if (veil_background_portal_is_needed ())
    veil_background_portal_request_async (_ ("Veil serves verified inference to the programs on this machine."), enabled, command,
                                          cancellable, on_portal, g_steal_pointer (&task));
  else if (!g_task_return_error_if_cancelled (task))
    write_entry (task);
}

gboolean
veil_autostart_set_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_async_result_is_tagged (result, veil_autostart_set_async), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}
