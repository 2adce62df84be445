/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What a proxy costs that does nothing but pass bodies on: libsoup's server and its client, connections reused. */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

typedef struct _BareProxy BareProxy;

/* Passes POSTs on to the same path of 127.0.0.1:@relay_port. */
BareProxy *bare_proxy_new (guint relay_port);
void       bare_proxy_free (BareProxy *self);
guint      bare_proxy_get_port (BareProxy *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BareProxy, bare_proxy_free)

G_END_DECLS
