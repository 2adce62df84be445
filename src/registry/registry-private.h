/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* One eth_call, for the files of this folder. */
#pragma once

#include "registry.h"

G_BEGIN_DECLS

/* In a worker thread: what @data means, to be freed with the call's @destroy; NULL with an error. */
typedef gpointer (*VeilRegistryDecode) (VeilRegistry *self, GBytes *data, GError **error);

/* @call_data: "0x...", taken over. Errors as of veil_registry_fetch_async(). */
void     veil_registry_call_async (VeilRegistry *self, char *call_data, VeilRegistryDecode decode, GDestroyNotify destroy,
                                   GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
gpointer veil_registry_call_finish (VeilRegistry *self, GAsyncResult *result, GError **error);

guint8   veil_registry_get_tee_type (VeilRegistry *self);
guint    veil_registry_get_deadline (VeilRegistry *self);

G_END_DECLS
