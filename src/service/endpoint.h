/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The endpoint's address and key as the settings want them, while it serves too. A key that is required and cannot be had lets nobody in. */
#pragma once

#include "server.h"
#include "settings.h"

G_BEGIN_DECLS

typedef struct _VeilEndpoint VeilEndpoint;

VeilEndpoint *veil_endpoint_new (void);
void          veil_endpoint_free (VeilEndpoint *self);

/**
 * veil_endpoint_load_key_async:
 *
 * Gets the key out of its store, if @settings require one and say none. Finish returns %FALSE with %VEIL_ERROR_STORE if it cannot be read, or
 * %VEIL_ERROR_INVALID_ARGUMENT if there is none.
 */
void          veil_endpoint_load_key_async (VeilEndpoint *self, const VeilSettings *settings, GAsyncReadyCallback callback, gpointer user_data);
gboolean      veil_endpoint_load_key_finish (VeilEndpoint *self, GAsyncResult *result, GError **error);

/* Makes @server listen where @settings say. A key that is required and was not loaded is loaded then; until it is there, nobody is let in. %VEIL_ERROR_LISTEN names
 * a Veil of this person that has the port; port-probe.h asks who else it is. */
gboolean      veil_endpoint_open (VeilEndpoint *self, VeilServer *server, const VeilSettings *settings, GError **error);

/* If the settings leave the port open, the next veil_endpoint_open() takes this one where it can, and says so in the log where it cannot. 0: any. */
void          veil_endpoint_prefer_port (VeilEndpoint *self, guint16 port);

/* The settings were read anew. What cannot be had leaves what was, and is logged. Returns: %TRUE if there is another address. */
gboolean      veil_endpoint_follow (VeilEndpoint *self, const VeilSettings *now);

/* Another attempt at an address that could not be had. Returns: likewise. */
gboolean      veil_endpoint_retry (VeilEndpoint *self);

/* The server has been stopped. */
void          veil_endpoint_close (VeilEndpoint *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilEndpoint, veil_endpoint_free)

G_END_DECLS
