/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Server-sent events (WHATWG HTML section 9.2.6), read in pieces of any size. Only LF, CRLF and CR end a line. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _VeilSse VeilSse;

typedef struct
{
  /* The value of one data field, which may be empty. */
  gboolean (*data) (gpointer user_data, const char *value, gsize length, GError **error);
  /* A blank line: the event that the fields since the last one made up is complete. */
  gboolean (*end_event) (gpointer user_data, GError **error);
} VeilSseHandler;

/* @max_line: longest line that is read */
VeilSse *veil_sse_new (const VeilSseHandler *handler, gpointer user_data, gsize max_line);
void     veil_sse_free (VeilSse *self); /* wipes */

/* FALSE with VEIL_ERROR_MALFORMED_ANSWER, or what the handler said. */
gboolean veil_sse_push (VeilSse *self, const guint8 *data, gsize length, GError **error);
/* The end: a last line without its end counts as one, and an event without its blank line too (the seal has proved already that nothing is cut off). */
gboolean veil_sse_finish (VeilSse *self, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilSse, veil_sse_free)

G_END_DECLS
