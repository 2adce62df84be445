/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "backend.h"

G_DEFINE_INTERFACE (VeilBackend, veil_backend, G_TYPE_OBJECT)

static void
veil_backend_default_init (VeilBackendInterface *iface)
{
}

void
veil_backend_health_clear (VeilBackendHealth *health)
{
  g_clear_pointer (&health->tee_id, g_free);
  g_clear_pointer (&health->tee_endpoint, g_free);
  g_clear_pointer (&health->tee_pcr_hash, g_free);
}

void
veil_backend_chat_async (VeilBackend *self, VeilChatRequest *request, VeilRecord *record, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (VEIL_IS_BACKEND (self));

  VEIL_BACKEND_GET_IFACE (self)->chat_async (self, request, record, cancellable, callback, user_data);
}

VeilChatAnswer *
veil_backend_chat_finish (VeilBackend *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (VEIL_IS_BACKEND (self), NULL);

  return VEIL_BACKEND_GET_IFACE (self)->chat_finish (self, result, error);
}

void
veil_backend_get_health (VeilBackend *self, VeilBackendHealth *health)
{
  g_return_if_fail (VEIL_IS_BACKEND (self));

  VEIL_BACKEND_GET_IFACE (self)->get_health (self, health);
}
