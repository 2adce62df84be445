/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* All of Veil as a graphical front end shows and steers it: the endpoint on or off and why not, the account or the sandbox, what there is to say about both.
 * Window and tray share one. */
#pragma once

#include "service.h"

G_BEGIN_DECLS

typedef enum
{
  VEIL_FRONT_OFF,      /* switched off */
  VEIL_FRONT_STARTING, /* the sandbox comes up */
  VEIL_FRONT_ON,
  VEIL_FRONT_FAILED,   /* is to be on and cannot: see veil_front_get_problem() */
} VeilFrontState;

#define VEIL_TYPE_FRONT (veil_front_get_type ())
G_DECLARE_FINAL_TYPE (VeilFront, veil_front, VEIL, FRONT, GObject)

/* Signals: "changed": anything that the getters tell, several changes at once where they come fast. "service-changed": there is another service (the
 * sandbox was entered or left); who holds things of the old one lets go of them.
 *
 * @settings as resolved. Off at first; reads the account, unless it begins with the sandbox. */
VeilFront          *veil_front_new (const VeilSettings *settings, gboolean sandbox);
/* Stops all of it; call it before the last unref. */
void                veil_front_stop (VeilFront *self);
/* The same, in the time that veil_service_stop_async() takes: requests that run may end. */
void                veil_front_stop_async (VeilFront *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
void                veil_front_stop_finish (VeilFront *self, GAsyncResult *result);

/* On: serves as soon as it can, where it did before if the settings leave the port open. A failure is in the state. */
void                veil_front_set_on (VeilFront *self, gboolean on);
gboolean            veil_front_get_on (VeilFront *self); /* TRUE from switching on to switching off, whatever came of it */
/* Into the simulated network, or back to the account. */
void                veil_front_set_sandbox (VeilFront *self, gboolean sandbox);
gboolean            veil_front_get_sandbox (VeilFront *self);
/* Serves with @session, which could not be kept, until the program ends. */
void                veil_front_use_session (VeilFront *self, VeilSession *session);

gboolean            veil_front_get_session_kept (VeilFront *self); /* FALSE: it lasts until the program ends */
/* Forgets the session, here and in the store. VEIL_ERROR_STORE. */
void                veil_front_sign_out_async (VeilFront *self, GAsyncReadyCallback callback, gpointer user_data);
gboolean            veil_front_sign_out_finish (VeilFront *self, GAsyncResult *result, GError **error);

VeilFrontState      veil_front_get_state (VeilFront *self);
const GError       *veil_front_get_problem (VeilFront *self); /* (transfer none) (nullable) */
/* (transfer none) (nullable): the other Veil that serves in this home, if that is the problem */
const VeilInstanceInfo *veil_front_get_holder (VeilFront *self);
/* Ends it, waits until it is gone, and serves in its place. What goes wrong is the problem then. */
void                veil_front_take_over (VeilFront *self);
VeilService        *veil_front_get_service (VeilFront *self); /* (transfer none) */
/* (transfer none): the settings in force now; valid until the next "changed" */
const VeilSettings *veil_front_get_settings (VeilFront *self);
/* Looks at the settings file now, rather than with the next request. */
void                veil_front_look (VeilFront *self);
/* New string: where programs reach the endpoint, "http://HOST:PORT/v1"; while it is off, where they would, or %NULL if that is any port. */
char               *veil_front_get_url (VeilFront *self);
/* New string: in one line, translated, how things stand. */
char               *veil_front_describe (VeilFront *self);

G_END_DECLS
