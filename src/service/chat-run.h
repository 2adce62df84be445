/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* One request, from the choice of a TEE to a verified answer, with at most one more try at another TEE. */
#pragma once

#include "network.h"
#include "record.h"

G_BEGIN_DECLS

/* @record: (nullable): hears of each TEE that is tried. The second try is sealed anew, and made only where nothing can have run (product.md section 4). */
void            veil_chat_run_async (VeilNetwork *network, VeilSession *session, VeilChatRequest *request, VeilRecord *record,
                                     GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
VeilChatAnswer *veil_chat_run_finish (VeilNetwork *network, GAsyncResult *result, GError **error);

G_END_DECLS
