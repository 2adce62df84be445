/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The fields of a document, for nitro.c. */
#pragma once

#include "attestation.h"

G_BEGIN_DECLS

/* Certificates as they stand in the document. */
typedef struct
{
  VeilAttestation *attestation;  /* owned */
  GPtrArray       *certificates; /* owned; of GBytes: root first, that of the enclave last */
} VeilNitroFields;

/* AWS's constraints on each field; they may come in any order. VEIL_ERROR_ATTEST_ENCODING or VEIL_ERROR_ATTEST_FIELD. */
gboolean veil_nitro_fields_read (VeilNitroFields *self, const guint8 *payload, gsize length, GError **error);
void     veil_nitro_fields_clear (VeilNitroFields *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VeilNitroFields, veil_nitro_fields_clear)

G_END_DECLS
