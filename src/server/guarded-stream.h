/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A connection as libsoup gets to see it: between two requests it never ends. libsoup 3.2 loses a connection whose end it reads there, without telling
 * anybody, and crashes when it is asked for it later. Who waits for the end looks at the socket. */
#pragma once

#include "connection.h"

G_BEGIN_DECLS

/* Over @stream, which it keeps and closes; @connection says when it is between two requests. */
GIOStream *veil_guarded_stream_new (GSocketConnection *stream, VeilConnection *connection);

G_END_DECLS
