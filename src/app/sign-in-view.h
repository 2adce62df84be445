/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Signing in, from the browser's page to the keyring: what is waited for, what went wrong, and the ways on. */
#pragma once

#include "front.h"
#include "session.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define VEIL_TYPE_SIGN_IN_VIEW (veil_sign_in_view_get_type ())
G_DECLARE_FINAL_TYPE (VeilSignInView, veil_sign_in_view, VEIL, SIGN_IN_VIEW, AdwBin)

/* Signal "closed": back to where it came from. */
void veil_sign_in_view_set_front (VeilSignInView *self, VeilFront *front);
/* Opens the browser, and waits for its page. */
void veil_sign_in_view_begin (VeilSignInView *self);
/* With a session that was found on this computer. */
void veil_sign_in_view_use_session (VeilSignInView *self, VeilSession *session);
/* Ends a wait, and closes the view, unless something is being decided or put away. */
void veil_sign_in_view_leave (VeilSignInView *self);

G_END_DECLS
