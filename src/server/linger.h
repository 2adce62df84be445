/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Refusing a request whose body has not been read. libsoup would read all of it first; closing at once would reset the connection before the
 * caller has seen why. So: say it, close our direction, throw away a bounded amount, leave the rest unread until the caller goes or the time is up, close. */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

#define VEIL_LINGER_MAX_BYTES (4u * 1024 * 1024)
#define VEIL_LINGER_MS 5000

typedef struct _VeilLinger VeilLinger;

typedef void (*VeilLingerFunc) (VeilLinger *self, gpointer user_data);

/**
 * veil_linger_new:
 * @stolen: what soup_server_message_steal_connection() gave
 * @stream: the connection under it
 * @response: all of the response, small enough for a socket's buffer
 * @done: called once, from the main loop; frees the linger
 */
VeilLinger *veil_linger_new (GIOStream *stolen, GSocketConnection *stream, GBytes *response, VeilLingerFunc done, gpointer user_data);
void        veil_linger_free (VeilLinger *self);

G_END_DECLS
