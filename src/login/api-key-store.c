/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "api-key-store.h"

#include "secret-item.h"
#include "secret.h"
#include "translate.h"
#include "veil-error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const SecretSchema schema = {
  "ai.opengradient.Veil.ApiKey",
  SECRET_SCHEMA_DONT_MATCH_NAME,
  { { "application", SECRET_SCHEMA_ATTRIBUTE_STRING }, { "home", SECRET_SCHEMA_ATTRIBUTE_STRING }, { NULL, 0 } },
};

const char *
veil_api_key_check (const char *key)
{
  gsize length = strlen (key);

  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isgraph (key[i]))
      return _ ("An API key holds printable ASCII without spaces only");
  if (length < VEIL_API_KEY_MIN_LENGTH)
    return _ ("An API key has at least 8 characters");
  return length > VEIL_API_KEY_MAX_LENGTH ? _ ("An API key has at most 4096 characters") : NULL;
}

/* --- the keyring --- */

static void
take (GTask *task, const char *text, gsize length)
{
  char *key = text != NULL ? g_strndup (text, length) : NULL;
  const char *wrong = key != NULL ? strlen (key) != length ? _ ("An API key holds no NUL") : veil_api_key_check (key) : NULL;

  if (wrong == NULL)
    {
      g_task_return_pointer (task, key, (GDestroyNotify) veil_secret_free);
      return;
    }
  g_task_return_new_error (task, VEIL_ERROR, VEIL_ERROR_STORE,
                           _ ("What is kept as the API key cannot be used (%s); set it again with `og-veil key set`"), wrong);
  veil_secret_free (key);
}

static const VeilSecretItemKind key_kind = {
  .schema = &schema,
  .application = "ai.opengradient.Veil.ApiKey",
  .label = N_ ("Veil API key"),
  .content_type = "text/plain",
  .otherwise = N_ ("Otherwise keep the API key in a file with --session-store file, or let OG_VEIL_API_KEY hold it"),
  .take = take,
};

/* --- the file --- */

static char *
get_path (const char *home)
{
  return g_build_filename (home, "api-key", NULL);
}

/* NULL with an error, or without one if there is no file. */
static char *
read_file (const char *path, GError **error)
{
  g_autofree char *text = g_malloc0 (VEIL_API_KEY_MAX_LENGTH + 2);
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  const char *wrong = NULL;
  struct stat status;
  gssize n = -1;

  if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
    return NULL;
  if (fd < 0 || fstat (fd, &status) != 0)
    g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE, _ ("%s cannot be read: %s"), path, g_strerror (errno));
  else if (!S_ISREG (status.st_mode) || status.st_uid != geteuid () || (status.st_mode & 077) != 0)
    g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE,
                 _ ("%s cannot be used: it is no file that only you can read; `chmod 600` makes it one"), path);
  else if ((n = read (fd, text, VEIL_API_KEY_MAX_LENGTH + 1)) < 0)
    g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE, _ ("%s cannot be read: %s"), path, g_strerror (errno));
  if (fd >= 0)
    close (fd);
  if (n >= 0)
    wrong = (gsize) n != strlen (text) ? _ ("An API key holds no NUL") : veil_api_key_check (text);
  if (wrong != NULL)
    g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE,
                 _ ("What is kept as the API key cannot be used (%s); set it again with `og-veil key set`"), wrong);
  if (n >= 0 && wrong == NULL)
    return g_steal_pointer (&text);
  veil_secret_wipe (text, VEIL_API_KEY_MAX_LENGTH + 2);
  return NULL;
}

static gboolean
clear_file (const char *path, GError **error)
{
  if (unlink (path) == 0 || errno == ENOENT || errno == ENOTDIR)
    return TRUE;
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE, _ ("%s cannot be removed: %s"), path, g_strerror (errno));
  return FALSE;
}

static gboolean
write_file (const char *home, const char *path, const char *key, GError **error)
{
  g_autoptr (GError) local_error = NULL;

  if (g_mkdir_with_parents (home, 0700) != 0)
    g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE, _ ("%s cannot be written: %s"), path, g_strerror (errno));
  else if (!g_file_set_contents_full (path, key, -1, G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600,
                                      &local_error))
    g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE, _ ("%s cannot be written: %s"), path, local_error->message);
  else
    return TRUE;
  return FALSE;
}

/* --- both --- */

void
veil_api_key_load_async (const char *kind, const char *home, VeilStorePrompt prompt, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  g_autofree char *path = get_path (home);
  GError *error = NULL;
  char *key;

  g_task_set_source_tag (task, veil_api_key_load_async);
  if (!g_str_equal (kind, "file"))
    {
      veil_secret_item_begin (&key_kind, home, VEIL_SECRET_LOAD, g_steal_pointer (&task), NULL, prompt, VEIL_SECRET_ANSWER_MS,
                              VEIL_SECRET_PROMPT_MS);
      return;
    }
  key = read_file (path, &error);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, key, (GDestroyNotify) veil_secret_free);
}

char *
veil_api_key_load_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

static GBytes *
copy_key (const char *key)
{
  return veil_secret_bytes_new_take (g_strdup (key), strlen (key));
}

void
veil_api_key_save_async (const char *kind, const char *home, const char *key, VeilStorePrompt prompt, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  g_autofree char *path = get_path (home);
  g_autoptr (GBytes) text = key != NULL ? copy_key (key) : NULL;
  gboolean in_file = g_str_equal (kind, "file");
  GError *error = NULL;

  g_task_set_source_tag (task, veil_api_key_save_async);
  if (key == NULL ? !clear_file (path, &error) : in_file && !write_file (home, path, key, &error))
    g_task_return_error (task, error);
  else if (in_file)
    g_task_return_boolean (task, TRUE);
  else
    veil_secret_item_begin (&key_kind, home, key != NULL ? VEIL_SECRET_SAVE : VEIL_SECRET_CLEAR, g_steal_pointer (&task), text,
                            prompt, VEIL_SECRET_ANSWER_MS, VEIL_SECRET_PROMPT_MS);
}

gboolean
veil_api_key_save_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}
