/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The enclave's own reading of a request: which of its fields are hashed, and how (protocol.md section 2). */
#pragma once

#include "json.h"

G_BEGIN_DECLS

/* The canonical text of what was sent. @effort: whether reasoning_effort is part of it. NULL with VEIL_ERROR_INVALID_REQUEST
 * for a request that no client may send. */
GBytes *veil_sandbox_canonical_text (const VeilJson *wire, gboolean effort, GError **error);

/* keccak256 of the same. */
gboolean veil_sandbox_canonical_hash (const VeilJson *wire, gboolean effort, guint8 out[static 32], GError **error);

G_END_DECLS
