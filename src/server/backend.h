/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What the local endpoint asks of the rest of the program. */
#pragma once

#include "chat-answer.h"
#include "chat-request.h"
#include "record.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define VEIL_TYPE_BACKEND (veil_backend_get_type ())
G_DECLARE_INTERFACE (VeilBackend, veil_backend, VEIL, BACKEND, GObject)

/* For /health; never a token or an e-mail address. Strings are owned by the struct. */
typedef struct
{
  const char *status;       /* static: "ok", "not_signed_in", "no_tee", "registry_unreachable" */
  char       *tee_id;       /* may be NULL */
  char       *tee_endpoint; /* may be NULL */
  char       *tee_pcr_hash; /* may be NULL */
  gboolean    sandbox;
  guint64     verified;
  guint64     refused;      /* answers that failed verification */
  guint64     failed;       /* everything else that went wrong */
} VeilBackendHealth;

void veil_backend_health_clear (VeilBackendHealth *health);

struct _VeilBackendInterface
{
  GTypeInterface parent;

  void            (*chat_async) (VeilBackend *self, VeilChatRequest *request, VeilRecord *record, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data);
  VeilChatAnswer *(*chat_finish) (VeilBackend *self, GAsyncResult *result, GError **error);
  void            (*get_health) (VeilBackend *self, VeilBackendHealth *health);
};

/* Chooses a TEE, sends, verifies. The answer is verified or there is an error of VEIL_ERROR (or G_IO_ERROR_CANCELLED). @record (nullable) hears which TEE
 * it is; to end it is left to the caller. */
void            veil_backend_chat_async (VeilBackend *self, VeilChatRequest *request, VeilRecord *record, GCancellable *cancellable,
                                         GAsyncReadyCallback callback, gpointer user_data);
VeilChatAnswer *veil_backend_chat_finish (VeilBackend *self, GAsyncResult *result, GError **error);
void            veil_backend_get_health (VeilBackend *self, VeilBackendHealth *health);

G_END_DECLS
