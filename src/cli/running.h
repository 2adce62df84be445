/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The server that runs in a home, as the commands meet it. */
#pragma once

#include "instance.h"
#include "json.h"
#include "settings.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* Makes @settings (nullable) those of the Veil that runs in their home, whose choice of enclaves is meant: the sandbox has an own one. Takes them, and
 * returns them; ends the program as veil_cli_parse() does if they cannot be read. */
VeilSettings *veil_running_follow (VeilSettings *settings);
/* After a change of that choice: says so if it is the sandbox's. */
void          veil_running_print_scope (const VeilSettings *settings);

/* New string: where to ask: what --host and --port say; else where the server of the home listens; else where one would. NULL with an error if that is any port. */
char        *veil_running_get_url (const VeilSettings *settings, GError **error);

/* What the server at @url (as by veil_running_get_url()) says under /health. VEIL_ERROR_UNREACHABLE; the server is ours, but another program may sit on
 * its port, and nothing that it says is believed unread. */
VeilJsonDoc *veil_running_ask_health (const VeilSettings *settings, const char *url, GError **error);

/* The API key that the endpoint of these settings requires: from the variable, or if one is required from its store. New string, to be freed with
 * veil_secret_free(); NULL without an error if there is none. @prompt: may the person be asked to unlock the keyring? VEIL_ERROR_STORE. */
char        *veil_running_load_key (const VeilSettings *settings, gboolean prompt, GError **error);
/* With it, if it can be had. */
void         veil_running_authorize (const VeilSettings *settings, SoupMessage *message);

G_END_DECLS
