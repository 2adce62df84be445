/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A question to the person. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Asks on standard error. TRUE for an answer that begins with "y". */
gboolean    veil_terminal_ask (const char *question);

G_END_DECLS
