/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The steps of signing in that commands share: getting a session, the person's consent to its network, and the store. All wait in the main loop. */
#pragma once

#include "cli.h"
#include "token-store.h"

G_BEGIN_DECLS

/* Through the browser, or with @open_browser FALSE through its address printed on standard output. */
VeilSession *veil_sign_in_with_browser (const VeilSettings *settings, gboolean open_browser, GError **error);
/* From what is pasted or piped to standard input. */
VeilSession *veil_sign_in_with_paste (GError **error);
/* The session of the Python client, if there is one and the person wants it (or @import is set); NULL without an error if not. */
VeilSession *veil_sign_in_with_python (gboolean import, GError **error);

VeilSession *veil_sign_in_load (VeilTokenStore *store, GError **error);
/* The same without asking the person to unlock anything. */
VeilSession *veil_sign_in_peek (VeilTokenStore *store, GError **error);
/* As veil_session_commit_async(), with the person's consent: @trust_new is that from the command line. VEIL_ERROR_BUNDLE without it. */
gboolean     veil_sign_in_commit (const VeilSettings *settings, VeilTokenStore *store, VeilSession *session, gboolean trust_new,
                                  GError **error);
/* "signed in as …" and the network, on standard output. */
void         veil_sign_in_print (const VeilSession *session, const char *where);

G_END_DECLS
