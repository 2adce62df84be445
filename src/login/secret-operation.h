/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* One operation on the Secret Service: its bounds in time, and its end. It answers once; what libsecret still has under way then is cancelled and comes to
 * nothing. Each call that is under way holds a reference. */
#pragma once

#include "token-store.h"

#include <libsecret/secret.h>

G_BEGIN_DECLS

typedef enum
{
  VEIL_SECRET_LOAD,
  VEIL_SECRET_SAVE,
  VEIL_SECRET_CLEAR
} VeilSecretKind;

typedef struct _VeilSecretItemKind VeilSecretItemKind;

typedef struct
{
  GTask *task; /* owned; NULL once answered */
  VeilSecretKind kind;
  VeilStorePrompt prompt;
  guint answer_ms;
  guint prompt_ms;
  const VeilSecretItemKind *item_kind;
  GBytes *text;           /* owned; VEIL_SECRET_SAVE */
  GHashTable *attributes; /* owned */
  SecretService *service; /* owned */
  GList *locked;          /* owned, of SecretItem; what is being unlocked */
  SecretItem *item;       /* owned; VEIL_SECRET_LOAD */
  GCancellable *inner;    /* owned; of the call under way */
  GSource *timer;         /* owned */
  GSource *cancelled;     /* owned */
  gboolean prompting;
} VeilSecretOperation;

/* Its time for an answer begins. @task is taken over. */
VeilSecretOperation *veil_secret_operation_new (VeilSecretKind kind, GTask *task, VeilStorePrompt prompt, guint answer_ms,
                                                guint prompt_ms);
VeilSecretOperation *veil_secret_operation_ref (VeilSecretOperation *self);
void                 veil_secret_operation_unref (VeilSecretOperation *self);

/* From now on, so long for an answer, or for the person if they are asked. */
void                 veil_secret_operation_set_timer (VeilSecretOperation *self, gboolean prompting);

/* The end, with success: (transfer full): the task to be answered. */
GTask               *veil_secret_operation_end (VeilSecretOperation *self);
/* With @error, which is taken over. */
void                 veil_secret_operation_end_with (VeilSecretOperation *self, GError *error);
void                 veil_secret_operation_end_locked (VeilSecretOperation *self);
/* With why a call came to nothing; @cause is taken over. */
void                 veil_secret_operation_fail (VeilSecretOperation *self, GError *cause);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilSecretOperation, veil_secret_operation_unref)

G_END_DECLS
