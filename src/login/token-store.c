/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "token-store.h"

G_DEFINE_INTERFACE (VeilTokenStore, veil_token_store, G_TYPE_OBJECT)

static void
veil_token_store_default_init (VeilTokenStoreInterface *iface)
{
}

VeilTokenStore *
veil_token_store_new (const char *kind, const char *home)
{
  g_autofree char *path = g_build_filename (home, "session.json", NULL);

  return g_str_equal (kind, "file") ? veil_file_store_new (path) : veil_secret_store_new (home);
}

void
veil_token_store_load_async (VeilTokenStore *self, VeilStorePrompt prompt, GCancellable *cancellable, GAsyncReadyCallback callback,
                             gpointer user_data)
{
  VEIL_TOKEN_STORE_GET_IFACE (self)->load_async (self, prompt, cancellable, callback, user_data);
}

VeilSession *
veil_token_store_load_finish (VeilTokenStore *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

void
veil_token_store_save_async (VeilTokenStore *self, VeilSession *session, VeilStorePrompt prompt, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data)
{
  VEIL_TOKEN_STORE_GET_IFACE (self)->save_async (self, session, prompt, cancellable, callback, user_data);
}

gboolean
veil_token_store_save_finish (VeilTokenStore *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
veil_token_store_clear_async (VeilTokenStore *self, VeilStorePrompt prompt, GCancellable *cancellable, GAsyncReadyCallback callback,
                              gpointer user_data)
{
  VEIL_TOKEN_STORE_GET_IFACE (self)->clear_async (self, prompt, cancellable, callback, user_data);
}

gboolean
veil_token_store_clear_finish (VeilTokenStore *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

char *
veil_token_store_describe (VeilTokenStore *self)
{
  return VEIL_TOKEN_STORE_GET_IFACE (self)->describe (self);
}
