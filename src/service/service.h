/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* All of Veil without a user interface: session, registry, selection, relay and endpoint, wired together. */
#pragma once

#include "server.h"
#include "session.h"
#include "settings.h"

G_BEGIN_DECLS

#define VEIL_TYPE_SERVICE (veil_service_get_type ())
G_DECLARE_FINAL_TYPE (VeilService, veil_service, VEIL, SERVICE, GObject)

/* Implements VeilBackend. @settings as resolved; what their home's settings file says later counts from the next request on (but not address, port and key, which
 * the endpoint began with). Without a home there is no file. */
VeilService *veil_service_new (const VeilSettings *settings);

/* Reads the session from the store that the settings name, and follows who signs in and out from now on. Blocks nothing: requests that come before it
 * is there are told so. */
void         veil_service_open_account (VeilService *self);
/* This session instead, in memory alone. NULL signs out; requests that run keep the session they began with. */
void         veil_service_set_session (VeilService *self, VeilSession *session);
VeilSession *veil_service_get_session (VeilService *self); /* (transfer none) (nullable) */

/* Starts the endpoint, and reads the registry ahead of the first request. Models come from the file that VEIL_MODELS_FILE names, else
 * from the installed one. VEIL_ERROR_LISTEN. */
gboolean     veil_service_start (VeilService *self, GError **error);
/* Ends it. Call this before the last unref: a running endpoint holds a reference. */
void         veil_service_stop (VeilService *self);
VeilServer  *veil_service_get_server (VeilService *self); /* (transfer none) (nullable): from start to stop */

G_END_DECLS
