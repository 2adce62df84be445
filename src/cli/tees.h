/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What the parts of og-veil tees share. */
#pragma once

#include "cli.h"
#include "registry.h"

G_BEGIN_DECLS

/* Whom to ask. */
typedef struct
{
  VeilRegistry *registry;     /* owned */
  gboolean      sandbox;
  GBytes       *sandbox_root; /* owned; what this run of the sandbox announced; NULL if it did not, and always outside the sandbox */
} VeilTeesNetwork;

/* The registry that the running server uses: of the sandbox and of a session that is not kept, it alone knows. Else that of whoever is signed in. Waits
 * in the main loop. */
gboolean veil_tees_open_network (const VeilSettings *settings, SoupSession *http, VeilTeesNetwork *network, GError **error);
void     veil_tees_network_clear (VeilTeesNetwork *network);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VeilTeesNetwork, veil_tees_network_clear)

/* og-veil tees --attest @text. @yes: the person has consented on the command line. */
VeilExit veil_tees_attest (const VeilSettings *settings, const char *text, gboolean json, gboolean yes);

G_END_DECLS
