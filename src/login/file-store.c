/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The session file as a token store. Changes run in worker threads, because bringing them to the disk takes its time; reading is quick. */
#include "session-file.h"
#include "token-store.h"

#define VEIL_TYPE_FILE_STORE (veil_file_store_get_type ())
G_DECLARE_FINAL_TYPE (VeilFileStore, veil_file_store, VEIL, FILE_STORE, GObject)

struct _VeilFileStore
{
  GObject parent;

  char *path; /* owned */
};

static void iface_init (VeilTokenStoreInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (VeilFileStore, veil_file_store, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (VEIL_TYPE_TOKEN_STORE, iface_init))

static void
veil_file_store_finalize (GObject *object)
{
  g_free (VEIL_FILE_STORE (object)->path);
  G_OBJECT_CLASS (veil_file_store_parent_class)->finalize (object);
}

static void
veil_file_store_class_init (VeilFileStoreClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_file_store_finalize;
}

static void
veil_file_store_init (VeilFileStore *self)
{
}

VeilTokenStore *
veil_file_store_new (const char *path)
{
  VeilFileStore *self = g_object_new (VEIL_TYPE_FILE_STORE, NULL);

  self->path = g_strdup (path);
  return VEIL_TOKEN_STORE (self);
}

static void
change (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const char *path = VEIL_FILE_STORE (source)->path;
  GError *error = NULL;

  if (data != NULL ? veil_session_file_save (path, data, &error) : veil_session_file_clear (path, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
load_async (VeilTokenStore *store, VeilStorePrompt prompt, GCancellable *cancellable, GAsyncReadyCallback callback,
            gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (store, cancellable, callback, user_data);
  GError *error = NULL;
  VeilSession *session = veil_session_file_load (VEIL_FILE_STORE (store)->path, &error);

  g_task_set_source_tag (task, load_async);
  if (session != NULL)
    g_task_return_pointer (task, session, (GDestroyNotify) veil_session_unref);
  else
    g_task_return_error (task, error);
}

static void
save_async (VeilTokenStore *store, VeilSession *session, VeilStorePrompt prompt, GCancellable *cancellable,
            GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (store, cancellable, callback, user_data);

  g_task_set_source_tag (task, save_async);
  g_task_set_task_data (task, veil_session_ref (session), (GDestroyNotify) veil_session_unref);
  g_task_run_in_thread (task, change);
}

static void
clear_async (VeilTokenStore *store, VeilStorePrompt prompt, GCancellable *cancellable, GAsyncReadyCallback callback,
             gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (store, cancellable, callback, user_data);

  g_task_set_source_tag (task, clear_async);
  g_task_run_in_thread (task, change);
}

static char *
describe (VeilTokenStore *store)
{
  return g_strdup (VEIL_FILE_STORE (store)->path);
}

static void
iface_init (VeilTokenStoreInterface *iface)
{
  iface->load_async = load_async;
  iface->save_async = save_async;
  iface->clear_async = clear_async;
  iface->describe = describe;
}
