/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Where the session is kept from one run to the next: the Secret Service, or a file on request (product.md section 5, rule 3). */
#pragma once

#include "session.h"

G_BEGIN_DECLS

#define VEIL_TYPE_TOKEN_STORE (veil_token_store_get_type ())
G_DECLARE_INTERFACE (VeilTokenStore, veil_token_store, VEIL, TOKEN_STORE, GObject)

/* May the person be asked to unlock the store? A prompt may stay open for a minute; nothing else waits for long. */
typedef enum
{
  VEIL_STORE_QUIET,
  VEIL_STORE_MAY_PROMPT,
} VeilStorePrompt;

/* Each of the three returns a GTask with the store as its source: a VeilSession, and twice a boolean. */
struct _VeilTokenStoreInterface
{
  GTypeInterface parent;

  void (*load_async) (VeilTokenStore *self, VeilStorePrompt prompt, GCancellable *cancellable, GAsyncReadyCallback callback,
                      gpointer user_data);
  void (*save_async) (VeilTokenStore *self, VeilSession *session, VeilStorePrompt prompt, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data);
  void (*clear_async) (VeilTokenStore *self, VeilStorePrompt prompt, GCancellable *cancellable, GAsyncReadyCallback callback,
                       gpointer user_data);
  char *(*describe) (VeilTokenStore *self);
};

/* @kind: "keyring" or "file". */
VeilTokenStore *veil_token_store_new (const char *kind, const char *home);

/* Errors: %VEIL_ERROR_NOT_SIGNED_IN if it holds nothing, %VEIL_ERROR_STORE if it cannot be reached, is locked, does not answer in time or
 * holds something else. No message quotes a token. */
void            veil_token_store_load_async (VeilTokenStore *self, VeilStorePrompt prompt, GCancellable *cancellable,
                                             GAsyncReadyCallback callback, gpointer user_data);
VeilSession    *veil_token_store_load_finish (VeilTokenStore *self, GAsyncResult *result, GError **error);
/* Replaces what is there. %VEIL_ERROR_STORE: what was there is still there. */
void            veil_token_store_save_async (VeilTokenStore *self, VeilSession *session, VeilStorePrompt prompt,
                                             GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
gboolean        veil_token_store_save_finish (VeilTokenStore *self, GAsyncResult *result, GError **error);
/* That there is nothing is fine. */
void            veil_token_store_clear_async (VeilTokenStore *self, VeilStorePrompt prompt, GCancellable *cancellable,
                                              GAsyncReadyCallback callback, gpointer user_data);
gboolean        veil_token_store_clear_finish (VeilTokenStore *self, GAsyncResult *result, GError **error);

/* New string for people: "the keyring", or the file's name. */
char           *veil_token_store_describe (VeilTokenStore *self);

/* The two of them. */
VeilTokenStore *veil_file_store_new (const char *path);
VeilTokenStore *veil_secret_store_new (const char *home);

G_END_DECLS
