/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Between the public objects and what the layers know. Nothing here is exported. */
#pragma once

#include "chat-answer.h"
#include "chat-request.h"
#include "registry.h"
#include "relay-headers.h"
#include "selection.h"
#include "session.h"
#include "veil-answer.h"
#include "veil-attestation-document.h"
#include "veil-authorization.h"
#include "veil-bundle.h"
#include "veil-chooser.h"
#include "veil-enclave.h"
#include "veil-registry-client.h"
#include "veil-request.h"
#include "veil-verification.h"

G_BEGIN_DECLS

/* Returns: (transfer full); the argument is referenced. */
VeilEnclave      *veil_enclave_new_for_tee (VeilTee *tee, gboolean sandbox, GBytes *sandbox_root); /* @sandbox_root: nullable */
VeilVerification *veil_verification_new_for_proof (VeilProof *proof);
VeilAnswer       *veil_answer_new_for_chat_answer (VeilChatAnswer *answer, VeilRequest *request, gint64 asked_at); /* microseconds since 1970 */

/* The same as veil_attestation_document_new() but for the root (SHA-256 of its certificate), which no user of the library may choose. */
VeilAttestationDocument *veil_attestation_document_new_under (const char *base64, const guint8 root[static 32], gint64 at, GError **error);

/* FALSE for NULL, for what is something else, and for an empty object, such as g_object_new() makes when it is called by others: nothing was
 * read or verified for that one. The other classes have the same for themselves. */
gboolean          veil_answer_is_made (VeilAnswer *self);
gboolean          veil_bundle_is_made (VeilBundle *self);
gboolean          veil_enclave_is_made (VeilEnclave *self);
gboolean          veil_registry_client_is_made (VeilRegistryClient *self);
gboolean          veil_request_is_made (VeilRequest *self);

/* Where an object was made, and nowhere else, may it begin something: its work is not locked, and its callbacks come there. */
typedef struct
{
  GThread      *thread;
  GMainContext *context; /* owned */
} VeilPlace;

void              veil_place_init (VeilPlace *self);
void              veil_place_clear (VeilPlace *self);
gboolean          veil_place_is_here (const VeilPlace *self);
const VeilPlace  *veil_registry_client_get_place (VeilRegistryClient *self);

/* Returns: (transfer none). */
VeilTee          *veil_enclave_get_tee (VeilEnclave *self);
GBytes           *veil_enclave_get_sandbox_root (VeilEnclave *self); /* nullable */
VeilProof        *veil_verification_get_proof (VeilVerification *self);
VeilChatRequest  *veil_request_get_chat_request (VeilRequest *self);
VeilSession      *veil_bundle_get_session (VeilBundle *self);
VeilRegistry     *veil_registry_client_get_registry (VeilRegistryClient *self);

/* For receipts. */
gint64            veil_answer_get_asked_at (VeilAnswer *self);
gboolean          veil_answer_is_stream (VeilAnswer *self);
const VeilTiming *veil_answer_get_timing (VeilAnswer *self);

/* Returns: (transfer full) (element-type VeilEnclave). */
GPtrArray        *veil_registry_client_wrap_tees (VeilRegistryClient *self, GPtrArray *tees);

/* Whether it was ever told what the registry lists. */
gboolean          veil_chooser_has_enclaves (VeilChooser *self);

/* "0x…" in lower case from @length bytes of hex of any case, with or without "0x"; NULL with VEIL_ERROR_INVALID_ARGUMENT naming @what. */
char             *veil_wrap_normalize_hex (const char *text, gsize length, const char *what, GError **error);
/* The same for a NULL-terminated list of PCR hashes, which may be NULL. */
GStrv             veil_wrap_normalize_pins (const char *const *pcr_hashes, GError **error);
/* The contents of @bytes (taken over) as a string; they hold no NUL. */
char             *veil_wrap_bytes_to_string (GBytes *bytes);

/* @task ends with VeilRelayHeaders, or with an error, when the authorization is done, has failed, or is dropped. */
VeilAuthorization *veil_authorization_new (GTask *task, gboolean refused);
/* Nobody has taken it on. Returns: %TRUE if @task was not ended yet, which is the caller's to do now. */
gboolean           veil_authorization_withdraw (VeilAuthorization *self);

G_END_DECLS
