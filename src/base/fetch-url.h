/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Which addresses may be asked, and through which proxy. The URL rule itself is veil_fetch_check_url() in fetch.h. */
#pragma once

#include "fetch.h"

G_BEGIN_DECLS

/* 127.0.0.0/8 in dotted form, ::1 or "localhost"; no other name or spelling. */
gboolean        veil_fetch_host_is_loopback (const char *host);

/* The system's proxy settings, except that loopback addresses are always connected to directly. */
GProxyResolver *veil_fetch_proxy_resolver_new (void);

G_END_DECLS
