/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What the files of a receipt share. */
#pragma once

#include "receipt.h"

G_BEGIN_DECLS

#define VEIL_RECEIPT_TYPE "ai.opengradient.veil.receipt"

VeilReceipt *veil_receipt_alloc (void);

/* All but the digest. */
VeilReceipt *veil_receipt_read_members (const VeilJson *object, GError **error);

/* keccak256 over the canonical text of all members but the digest itself. */
void         veil_receipt_digest (const VeilReceipt *self, guint8 digest[static 32]);

/* "2026-01-31T12:00:00.000000Z": the one spelling of a time. */
char        *veil_receipt_format_time (gint64 time);
gboolean     veil_receipt_parse_time (const char *text, gint64 *time);

G_END_DECLS
