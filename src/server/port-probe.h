/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Who has our port? */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * veil_port_name_holder:
 * @error: what veil_server_listen() said
 *
 * If it says that somebody has the port, asks for / there, and lets the message name Ollama by its greeting, or another Veil by its refusal. Leaves it
 * alone otherwise. Blocks for a second at most: only for a program that ends after this.
 */
void    veil_port_name_holder (GError *error);

/* The same in a thread. Finish returns: (transfer full): a copy that names who it is, if that was told; NULL with %G_IO_ERROR_CANCELLED. */
void    veil_port_name_holder_async (const GError *error, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
GError *veil_port_name_holder_finish (GAsyncResult *result, GError **error);

G_END_DECLS
