/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What libsoup's server does not do for a connection: end it when the peer does nothing while it is its turn, notice that a peer hung up while it waits
 * for an answer, and let go of one that the peer closed between two requests (3.2.3 keeps its descriptor for good). */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

typedef struct _VeilConnection VeilConnection;

typedef void (*VeilConnectionFunc) (VeilConnection *self, gpointer user_data);

/**
 * veil_connection_new:
 * @gone: called once, when @stream is closed for good and freed
 *
 * Watches over @stream, which libsoup owns. Reference-counted.
 */
VeilConnection    *veil_connection_new (GSocketConnection *stream, VeilConnectionFunc gone, gpointer user_data);
VeilConnection    *veil_connection_ref (VeilConnection *self);
void               veil_connection_unref (VeilConnection *self);

/* It is the peer's turn: unless this is called again within the time, the connection is shut down. 0: it is not the peer's turn. */
void               veil_connection_expect (VeilConnection *self, guint milliseconds);

/* @message is answered, and its connection waits for the next one: closes it when the peer does, or after the time. Ends with the next
 * veil_connection_set_busy(), or by itself. */
void               veil_connection_set_idle (VeilConnection *self, SoupServerMessage *message, guint milliseconds);
void               veil_connection_set_busy (VeilConnection *self);
gboolean           veil_connection_is_idle (VeilConnection *self);

/* Calls @closed (once) when the peer closes its end. Bytes that the peer sends meanwhile are left alone and cause no wakeups. */
void               veil_connection_watch (VeilConnection *self, VeilConnectionFunc closed, gpointer user_data);
void               veil_connection_unwatch (VeilConnection *self);

/* Takes the connection from libsoup. Returns: (transfer full): what libsoup had around it, to be kept until it is closed; @stream gets the
 * connection itself (transfer full). */
GIOStream         *veil_connection_steal (VeilConnection *self, SoupServerMessage *message, GSocketConnection **stream);

/* Takes it and closes it. */
void               veil_connection_close (VeilConnection *self, SoupServerMessage *message);

/* Forgets whom to tell; for owners that go first. */
void               veil_connection_detach (VeilConnection *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilConnection, veil_connection_unref)

G_END_DECLS
