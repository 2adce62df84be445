/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The OpenAI-compatible endpoint on this machine (product.md section 3). */
#pragma once

#include "backend.h"
#include "record-list.h"

G_BEGIN_DECLS

#define VEIL_TYPE_SERVER (veil_server_get_type ())
G_DECLARE_FINAL_TYPE (VeilServer, veil_server, VEIL, SERVER, GObject)

#define VEIL_SERVER_MAX_BODY (20u * 1024 * 1024)

VeilServer *veil_server_new (VeilBackend *backend);

/* Who may ask. @api_key: NULL is none; required for a non-loopback host. @origins: exact origins ("https://app.example") that browsers may use. */
void        veil_server_set_api_key (VeilServer *self, const char *api_key);
void        veil_server_set_allowed_origins (VeilServer *self, const char *const *origins);

/* Where each request for an answer gets its record, those that the access rules turn away excepted: they are not the person's own, and must not push
 * out those that are. Without this the server has a list of its own. */
void        veil_server_set_records (VeilServer *self, VeilRecordList *records);

/* The `data` of /v1/models, from data/models.json; without it the list is empty. */
gboolean    veil_server_load_models (VeilServer *self, const char *path, GError **error);

/**
 * veil_server_listen:
 * @host: an IP address or "localhost"; a non-loopback one needs an API key
 * @port: 0 is any free one
 *
 * Listens with a backlog of its own (libsoup's is 10).
 *
 * Returns: %TRUE, or %FALSE with %VEIL_ERROR_LISTEN naming the port. Does not look who has it: see port-probe.h.
 */
gboolean    veil_server_listen (VeilServer *self, const char *host, guint16 port, GError **error);
/* Listens there instead; requests that run are not touched. On failure it listens where it did. */
gboolean    veil_server_move (VeilServer *self, const char *host, guint16 port, GError **error);
/* TRUE if nobody outside this machine can reach it, so that it may do without a key. */
gboolean    veil_server_is_local (VeilServer *self);
const char *veil_server_get_host (VeilServer *self);
guint16     veil_server_get_port (VeilServer *self);

/* Accepts no more connections and no more requests on those that there are (503), and waits until what runs is wholly answered, or the patience or @cancellable is
 * at its end; then stop it. */
void        veil_server_drain_async (VeilServer *self, guint patience_ms, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
void        veil_server_drain_finish (VeilServer *self, GAsyncResult *result);
/* Stops accepting, cancels what runs, closes connections. */
void        veil_server_stop (VeilServer *self);
guint       veil_server_get_n_running (VeilServer *self);

G_END_DECLS
