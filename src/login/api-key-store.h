/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The key that callers of the endpoint must have, kept where the session is kept: in the keyring, or where the person asked for files in the file api-key of
 * the home, which only they can read. */
#pragma once

#include "token-store.h"

G_BEGIN_DECLS

#define VEIL_API_KEY_MIN_LENGTH 8
#define VEIL_API_KEY_MAX_LENGTH 4096

/* What is wrong with @key, as a translated sentence without a full stop; static; NULL: nothing. */
const char *veil_api_key_check (const char *key);

/* @kind: "keyring" or "file". Finish returns the key, to be freed with veil_secret_free(); NULL without an error if there is none; NULL with
 * VEIL_ERROR_STORE if the store cannot be reached, is locked, does not answer in time, or holds no usable key. */
void        veil_api_key_load_async (const char *kind, const char *home, VeilStorePrompt prompt, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data);
char       *veil_api_key_load_finish (GAsyncResult *result, GError **error);

/* @key: what is kept from now on; NULL: nothing, in the file either. VEIL_ERROR_STORE: what was there is still there. */
void        veil_api_key_save_async (const char *kind, const char *home, const char *key, VeilStorePrompt prompt,
                                     GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
gboolean    veil_api_key_save_finish (GAsyncResult *result, GError **error);

G_END_DECLS
