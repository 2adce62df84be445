/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Puts a stream's tool calls together from their fragments, as the gateway does before it hashes them (protocol.md section 5, check 3). */
#pragma once

#include "json.h"

G_BEGIN_DECLS

typedef struct _VeilToolDeltas VeilToolDeltas;

VeilToolDeltas *veil_tool_deltas_new (void);
void            veil_tool_deltas_free (VeilToolDeltas *self); /* wipes */

/* A delta's tool_calls. FALSE with VEIL_ERROR_MALFORMED_ANSWER. */
gboolean        veil_tool_deltas_add (VeilToolDeltas *self, const VeilJson *fragments, GError **error);

gboolean        veil_tool_deltas_is_empty (VeilToolDeltas *self);
/* TRUE if some call's id was null in every fragment that had one, which leaves two forms. */
gboolean        veil_tool_deltas_has_null_id (VeilToolDeltas *self);

/* Canonical text of the list. @null_ids: such ids are null, else "". */
GBytes         *veil_tool_deltas_build (VeilToolDeltas *self, gboolean null_ids);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilToolDeltas, veil_tool_deltas_free)

G_END_DECLS
