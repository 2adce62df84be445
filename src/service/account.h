/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Whose session is in force: read from the store, kept alive, taken up anew when somebody signs in or out from another process, and only if its network
 * is the trusted one. */
#pragma once

#include "session-keeper.h"
#include "settings.h"

G_BEGIN_DECLS

typedef enum
{
  VEIL_ACCOUNT_READING,       /* the store has not said yet */
  VEIL_ACCOUNT_SIGNED_IN,
  VEIL_ACCOUNT_SIGNED_OUT,
  VEIL_ACCOUNT_STORE_TROUBLE, /* it is locked, cannot be reached, or holds something else */
  VEIL_ACCOUNT_OTHER_NETWORK, /* than the trusted one: signing in again asks for consent */
  VEIL_ACCOUNT_ENDED,         /* it could not be renewed */
} VeilAccountState;

#define VEIL_TYPE_ACCOUNT (veil_account_get_type ())
G_DECLARE_FINAL_TYPE (VeilAccount, veil_account, VEIL, ACCOUNT, GObject)

VeilAccount  *veil_account_new (SoupSession *http, const VeilSettings *settings);
/* "changed": the session, its tokens, or why there is none. */

/* Reads the store, with a prompt if it is locked, and follows its changes from now on. A store that cannot be read is tried again by and by. */
void          veil_account_open (VeilAccount *self);
/* This session and no other, in memory alone (the sandbox; a run without a keyring). NULL: none. */
void          veil_account_set_session (VeilAccount *self, VeilSession *session);
void          veil_account_stop (VeilAccount *self);
/* See veil_session_keeper_close_async(). */
void          veil_account_close_async (VeilAccount *self, guint patience_ms, GCancellable *cancellable, GAsyncReadyCallback callback,
                                        gpointer user_data);
void          veil_account_close_finish (VeilAccount *self, GAsyncResult *result);

/* (transfer none) (nullable): the session, while it can be used */
VeilSession  *veil_account_get_session (VeilAccount *self);
VeilAccountState veil_account_get_state (VeilAccount *self);
/* (transfer none) (nullable): why there is none */
const GError *veil_account_get_problem (VeilAccount *self);

/* See veil_session_keeper_get_async(). */
void          veil_account_get_async (VeilAccount *self, const char *refused, GCancellable *cancellable, GAsyncReadyCallback callback,
                                      gpointer user_data);
VeilSession  *veil_account_get_finish (VeilAccount *self, GAsyncResult *result, GError **error);

G_END_DECLS
