/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Who has our port? */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Asks for / there and looks for Ollama's greeting. Blocks for a second at most: only for a start that has already come to nothing. */
gboolean veil_port_is_ollama (GInetAddress *address, guint16 port);

G_END_DECLS
