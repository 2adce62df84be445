/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A verified request as one JSON file that anybody can check again, without network (product.md section 6; the format: docs/receipts.md). Only verified
 * requests have one: of a refused answer there is nothing that a file could prove. */
#pragma once

#include "record.h"

G_BEGIN_DECLS

#define VEIL_RECEIPT_VERSION 1
#define VEIL_RECEIPT_MAX_SIZE (256u * 1024) /* bytes; the largest that is ever written is far smaller */
#define VEIL_RECEIPT_MAX_SKEW 600           /* seconds: what an answer's timestamp may be off the clock of who verified it */

/* Immutable once it is handed out; reference-counted (atomic). One that was read is well-formed, and nothing more is known of it. */
typedef struct
{
  VeilProof *proof;  /* owned */
  gint64     time;   /* microseconds since 1970: when the request arrived */
  char      *model;  /* owned: as asked for */
  gboolean   stream;
  gint64     queue;  /* microseconds, as in a record */
  VeilTiming timing; /* without reply */
} VeilReceipt;

#define VEIL_TYPE_RECEIPT (veil_receipt_get_type ())
GType        veil_receipt_get_type (void);

/* @model is cut as in a record. */
VeilReceipt *veil_receipt_new (VeilProof *proof, gint64 time, const char *model, gboolean stream, gint64 queue, const VeilTiming *timing);
/* NULL with VEIL_ERROR_RECEIPT for a record that is not a verified one. */
VeilReceipt *veil_receipt_new_from_record (VeilRecord *record, GError **error);
VeilReceipt *veil_receipt_ref (VeilReceipt *self);
void         veil_receipt_unref (VeilReceipt *self);

/* Writes the object, in sorted order, so that either spelling of the writer will do. */
void         veil_receipt_write_json (const VeilReceipt *self, VeilJsonWriter *writer);
/* The whole file: one line. */
GBytes      *veil_receipt_to_bytes (const VeilReceipt *self);

/**
 * veil_receipt_new_from_data:
 * @data: UTF-8 JSON
 *
 * Reads strictly: every member once, of its type and form, no other, nothing behind, and the digest that the writer put over all of them. That tells an
 * accident or a careless change, not a forger, who can make it anew: what the enclave itself vouches for veil_receipt_check() tells.
 *
 * Returns: (transfer full): the receipt; %NULL with %VEIL_ERROR_TOO_LARGE, %VEIL_ERROR_INVALID_JSON, or %VEIL_ERROR_RECEIPT, which names the member in
 *   veil_error_get_param().
 */
VeilReceipt *veil_receipt_new_from_data (const char *data, gsize length, GError **error);
/* The same for an object of a larger document. */
VeilReceipt *veil_receipt_new_from_json (const VeilJson *object, GError **error);

typedef enum
{
  VEIL_RECEIPT_CHECK_TEE_ID,    /* the enclave's id is the hash of the signing key; VEIL_ERROR_TEE_ID */
  VEIL_RECEIPT_CHECK_SIGNATURE, /* of that key, over both hashes and the timestamp; VEIL_ERROR_SIGNING_KEY, VEIL_ERROR_SIGNATURE */
  VEIL_RECEIPT_CHECK_TIME,      /* the timestamp is of the time of the request; VEIL_ERROR_STALE */
  VEIL_N_RECEIPT_CHECKS,
} VeilReceiptCheck;

/* One check, whatever became of the others. */
gboolean     veil_receipt_check (const VeilReceipt *self, VeilReceiptCheck check, GError **error);
/* All of them: the error is of the first that is not met. */
gboolean     veil_receipt_verify (const VeilReceipt *self, GError **error);

/* "tee_id", "signature", "time", static. */
const char  *veil_receipt_check_get_nick (VeilReceiptCheck check);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilReceipt, veil_receipt_unref)

G_END_DECLS
