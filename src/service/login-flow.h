/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Signing in, step by step, for a window: through the browser, or with the code that the page shows; the person's consent if the network is not the trusted
 * one; the store. One flow may be used again and again. */
#pragma once

#include "session.h"
#include "settings.h"

G_BEGIN_DECLS

typedef enum
{
  VEIL_LOGIN_IDLE,
  VEIL_LOGIN_WAITING,   /* for the page to hand over who signs in: veil_login_flow_get_url() */
  VEIL_LOGIN_CONSENT,   /* for veil_login_flow_consent() */
  VEIL_LOGIN_STORING,
  VEIL_LOGIN_DONE,      /* veil_login_flow_get_session(); kept, unless there is an error */
  VEIL_LOGIN_FAILED,
  VEIL_LOGIN_CANCELLED,
  VEIL_LOGIN_TIMED_OUT,
} VeilLoginState;

#define VEIL_TYPE_LOGIN_FLOW (veil_login_flow_get_type ())
G_DECLARE_FINAL_TYPE (VeilLoginFlow, veil_login_flow, VEIL, LOGIN_FLOW, GObject)

/* Signal "changed": the state. */
VeilLoginFlow *veil_login_flow_new (const VeilSettings *settings);

/* Listens for the page; whoever calls this opens the address. Ends what was under way. @patience_ms: 0 is the usual five minutes. */
void           veil_login_flow_begin (VeilLoginFlow *self, guint patience_ms);
/* With a code instead, in whatever state. A code that cannot be used is told, and what was waited for is waited for on. */
gboolean       veil_login_flow_use_code (VeilLoginFlow *self, const char *code, GError **error);
/* With a session that was found. */
void           veil_login_flow_use_session (VeilLoginFlow *self, VeilSession *session);
/* FALSE: nothing is changed. */
void           veil_login_flow_consent (VeilLoginFlow *self, gboolean consent);
/* While it waits for somebody; what is being stored is stored. Call it before the last unref: a flow that waits holds a reference. */
void           veil_login_flow_cancel (VeilLoginFlow *self);

VeilLoginState veil_login_flow_get_state (VeilLoginFlow *self);
const char    *veil_login_flow_get_url (VeilLoginFlow *self);         /* while WAITING */
const char    *veil_login_flow_get_differences (VeilLoginFlow *self); /* while CONSENT: lines, "relay: OLD -> NEW" */
VeilSession   *veil_login_flow_get_session (VeilLoginFlow *self);     /* (transfer none): from CONSENT to DONE */
/* FAILED: why. DONE: why the session is not kept and is for this run alone; %NULL if it is kept. */
const GError  *veil_login_flow_get_error (VeilLoginFlow *self);

G_END_DECLS
