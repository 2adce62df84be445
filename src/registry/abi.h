/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Solidity ABI for the registry's calls: encoding of the call data, bounds-checked decoding of what comes back. */
#pragma once

#include "build.h"
#include "tee.h"

G_BEGIN_DECLS

/* Call data as "0x…" text for eth_call. */
char      *veil_abi_encode_get_active_tees (guint8 tee_type);
char      *veil_abi_encode_get_tee (const guint8 tee_id[static 32]);
char      *veil_abi_encode_get_enabled_tees (guint8 tee_type);
char      *veil_abi_encode_is_tee_active (const guint8 tee_id[static 32]);
char      *veil_abi_encode_get_approved_pcrs (void);
char      *veil_abi_encode_approved_pcrs (guint8 tee_type, const guint8 pcr_hash[static 32]);

/**
 * veil_abi_decode_tees:
 * @data: return data of getActiveTEEs
 *
 * Every offset and length is checked against @length before use and nothing is allocated from a length field alone. Entries that decode but
 * cannot be used are kept, with VeilTee.unusable set.
 *
 * Returns: (transfer full) (element-type VeilTee): the entries, perhaps none; %NULL with %VEIL_ERROR_REGISTRY.
 */
GPtrArray *veil_abi_decode_tees (const guint8 *data, gsize length, GError **error);
VeilTee   *veil_abi_decode_tee (const guint8 *data, gsize length, GError **error);      /* of getTEE */
GPtrArray *veil_abi_decode_tee_ids (const guint8 *data, gsize length, GError **error);  /* bytes32[]; "0x…" strings */
gboolean   veil_abi_decode_bool (const guint8 *data, gsize length, gboolean *out, GError **error);

/* Of getApprovedPCRs: VeilBuilds without a version. */
GPtrArray *veil_abi_decode_approved_pcrs (const guint8 *data, gsize length, GError **error);
/* Of approvedPCRs: one without a hash. */
VeilBuild *veil_abi_decode_approval (const guint8 *data, gsize length, GError **error);

G_END_DECLS
