/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The headers by which a request shows the relay who pays: usually a bearer token. Values are secrets. */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* Not changed once it is handed out; reference-counted (atomic); wiped with the last reference. */
typedef struct _VeilRelayHeaders VeilRelayHeaders;

VeilRelayHeaders  *veil_relay_headers_new (void);
/* Authorization: Bearer @access_token. */
VeilRelayHeaders  *veil_relay_headers_new_bearer (const char *access_token);
VeilRelayHeaders  *veil_relay_headers_ref (VeilRelayHeaders *self);
void               veil_relay_headers_unref (VeilRelayHeaders *self);

/* In place of an earlier one of that name. FALSE with VEIL_ERROR_INVALID_ARGUMENT for a name that is none, that belongs to the exchange itself or that would
 * tell the relay more about this machine (product.md section 5, rule 7), and for a value with anything but visible ASCII and inner spaces, or over 16 KiB. */
gboolean           veil_relay_headers_set (VeilRelayHeaders *self, const char *name, const char *value, GError **error);

guint              veil_relay_headers_get_size (VeilRelayHeaders *self);
void               veil_relay_headers_apply (VeilRelayHeaders *self, SoupMessageHeaders *headers);

/* Returns: (transfer none): what no message may repeat: the values, and what follows the scheme in them. */
const char *const *veil_relay_headers_get_secrets (VeilRelayHeaders *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilRelayHeaders, veil_relay_headers_unref)

G_END_DECLS
