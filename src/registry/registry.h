/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Reads the TEE registry contract through JSON-RPC (protocol.md section 1). */
#pragma once

#include "build.h"
#include "tee.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

#define VEIL_TYPE_REGISTRY (veil_registry_get_type ())
G_DECLARE_FINAL_TYPE (VeilRegistry, veil_registry, VEIL, REGISTRY, GObject)

/* @rpc_url and @address come from the session; both were checked there (veil_fetch_check_url, 20 bytes of hex). */
VeilRegistry *veil_registry_new (SoupSession *session, const char *rpc_url, const char *address, guint8 tee_type);

const char   *veil_registry_get_rpc_url (VeilRegistry *self);
const char   *veil_registry_get_address (VeilRegistry *self);

/* For the whole exchange; 20 s unless set. */
void          veil_registry_set_deadline (VeilRegistry *self, guint milliseconds);

/* getActiveTEEs. Returns (element-type VeilTee): the entries, unusable ones included and marked; perhaps none. Any trouble is VEIL_ERROR_REGISTRY and names the registry. */
void          veil_registry_fetch_async (VeilRegistry *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
GPtrArray    *veil_registry_fetch_finish (VeilRegistry *self, GAsyncResult *result, GError **error);

/**
 * veil_registry_fetch_builds_async:
 * @tees: (element-type VeilTee): what veil_registry_fetch_async() gave
 *
 * getApprovedPCRs, and approvedPCRs of each build that it or @tees names. Contracts need not have these calls: what they do not answer stays unknown, and only
 * cancelling is an error.
 */
void          veil_registry_fetch_builds_async (VeilRegistry *self, GPtrArray *tees, GCancellable *cancellable,
                                                GAsyncReadyCallback callback, gpointer user_data);
/* Returns (element-type VeilBuild): one for each PCR hash; not approved is one that only a TEE names, or that the contract says is not. */
GPtrArray    *veil_registry_fetch_builds_finish (VeilRegistry *self, GAsyncResult *result, GError **error);

G_END_DECLS
