/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What may be done about a request that failed (product.md section 4). */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* TRUE if nothing can have run, so that the request may go to another TEE. */
gboolean veil_retry_elsewhere (const GError *error);

/* TRUE if the enclave or its key may be outdated, so that the registry is to be read before the next choice. Verification failures, which may mean the same, are
 * not looked at here. */
gboolean veil_retry_anew (const GError *error);

G_END_DECLS
