/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The session in the Secret Service (GNOME Keyring, KWallet, KeePassXC), one item for each home. Nothing here waits without a bound. */
#pragma once

#include "token-store.h"

G_BEGIN_DECLS

#define VEIL_TYPE_SECRET_STORE (veil_secret_store_get_type ())
G_DECLARE_FINAL_TYPE (VeilSecretStore, veil_secret_store, VEIL, SECRET_STORE, GObject)

/* How long the service may take for an answer (10 s unless set), and how long the person for a prompt of the service's (60 s). */
void veil_secret_store_set_limits (VeilSecretStore *self, guint answer_ms, guint prompt_ms);

G_END_DECLS
