/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* All of Veil without a user interface: session, registry, selection, relay and endpoint, wired together. */
#pragma once

#include "account.h"
#include "instance.h"
#include "network.h"
#include "server.h"
#include "session.h"
#include "settings.h"

G_BEGIN_DECLS

#define VEIL_TYPE_SERVICE (veil_service_get_type ())
G_DECLARE_FINAL_TYPE (VeilService, veil_service, VEIL, SERVICE, GObject)

/* Signal "changed": who is signed in, the network, the counts, the endpoint.
 *
 * Implements VeilBackend. @settings as resolved; what their home's settings file says later counts from the next request on, and the endpoint
 * follows another address as soon as the file is changed. Without a home there is no file. */
VeilService *veil_service_new (const VeilSettings *settings);

/* Reads the session from the store that the settings name, and follows who signs in and out from now on. Blocks nothing: requests that come before it
 * is there are told so. */
void         veil_service_open_account (VeilService *self);
/* This session instead, in memory alone. NULL signs out; requests that run keep the session they began with. */
void         veil_service_set_session (VeilService *self, VeilSession *session);
VeilSession *veil_service_get_session (VeilService *self); /* (transfer none) (nullable) */

VeilAccount *veil_service_get_account (VeilService *self); /* (transfer none) */
/* (transfer none) (nullable): while somebody is signed in whose session is fit to serve */
VeilNetwork *veil_service_get_network (VeilService *self);
/* (transfer none): the settings in force, the file looked at now; valid until they are looked at again */
const VeilSettings *veil_service_get_settings (VeilService *self);

/* Tells @instance, which must outlive the service, the address and the network from now on, so that the commands find both. NULL: nobody any more. */
void         veil_service_set_instance (VeilService *self, VeilInstance *instance);

/* Gets the API key that the settings require out of its store, for a start that is to fail without one. The source of @callback is NULL; the service must
 * be there until then. VEIL_ERROR_STORE, VEIL_ERROR_INVALID_ARGUMENT. */
void         veil_service_load_key_async (VeilService *self, GAsyncReadyCallback callback, gpointer user_data);
gboolean     veil_service_load_key_finish (VeilService *self, GAsyncResult *result, GError **error);

/* Starts the endpoint, and reads the registry ahead of the first request. Models come from the file that VEIL_MODELS_FILE names, else
 * from the installed one. A key that is required and not loaded is loaded then, and until it is there nobody is let in. VEIL_ERROR_LISTEN. */
gboolean     veil_service_start (VeilService *self, GError **error);
/* The same in two steps, with nothing in between but what is wanted: what the person who starts it reads comes from the first, what goes to the log and to
 * callers from the second. */
gboolean     veil_service_listen (VeilService *self, GError **error);
void         veil_service_begin (VeilService *self);
/* If the settings leave the port open, the next start takes this one where it can. */
void         veil_service_prefer_port (VeilService *self, guint16 port);
/* Reads the settings file now, rather than with the next request. */
void         veil_service_reload (VeilService *self);
/* Moves to the address of the settings, if that could not be had when they changed. */
void         veil_service_retry_address (VeilService *self);
/* Ends it. Call this before the last unref: a running endpoint holds a reference. */
void         veil_service_stop (VeilService *self);
/* Ends it, within five seconds: requests that run get four of them. And signs nobody out: a renewal of the session that is under way has spent a token, and its successor is waited for and stored, unless that takes
 * longer or @cancellable says that there is no time. */
void         veil_service_stop_async (VeilService *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
void         veil_service_stop_finish (VeilService *self, GAsyncResult *result);
VeilServer  *veil_service_get_server (VeilService *self); /* (transfer none) (nullable): from start to stop */
/* One for each request to the endpoint, newest first; they outlast start and stop. */
VeilRecordList *veil_service_get_records (VeilService *self); /* (transfer none) */

G_END_DECLS
