/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* HPKE contexts for the current enclave, made ready while the loop is idle, so that a request need not wait for key generation. Each is handed out
 * once. */
#pragma once

#include "tee.h"

G_BEGIN_DECLS

#define VEIL_SEAL_POOL_SIZE 2

typedef struct _VeilSealPool VeilSealPool;

VeilSealPool    *veil_seal_pool_new (void);
void             veil_seal_pool_free (VeilSealPool *self);

/* Makes contexts for @tee from now on; those for other keys are thrown away. */
void             veil_seal_pool_prepare (VeilSealPool *self, VeilTee *tee);

/* Returns: (transfer full) (nullable): a fresh context for @tee's key; %NULL if none is ready. */
VeilOhttpClient *veil_seal_pool_take (VeilSealPool *self, VeilTee *tee);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilSealPool, veil_seal_pool_free)

G_END_DECLS
