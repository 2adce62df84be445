/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Who has our port? */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum
{
  VEIL_PORT_OTHER, /* or nobody, or somebody who does not say */
  VEIL_PORT_OLLAMA,
  VEIL_PORT_VEIL,
} VeilPortHolder;

/* Asks for / there and looks for Ollama's greeting, or for our own refusal. Blocks for a second at most: only for a start that has already come to nothing. */
VeilPortHolder veil_port_get_holder (GInetAddress *address, guint16 port);

G_END_DECLS
