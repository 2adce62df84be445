/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Which addresses may be asked, through which proxy, with which patience: what the parts of fetch.h share. */
#pragma once

#include "fetch.h"

G_BEGIN_DECLS

/* No byte for that long, and the other side counts as gone. */
#define VEIL_FETCH_SILENCE_SECONDS 300

/* In milliseconds. */
guint           veil_fetch_session_get_connect_timeout (SoupSession *session);

/* 127.0.0.0/8 in dotted form, ::1 or "localhost"; no other name or spelling. */
gboolean        veil_fetch_host_is_loopback (const char *host);

/* What @system (the machine's proxy settings) says, except that loopback addresses are always connected to directly. */
GProxyResolver *veil_fetch_proxy_resolver_new (GProxyResolver *system);

G_END_DECLS
