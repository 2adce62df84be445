/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What is known of one request to the endpoint, from its arrival on: who answered, what was checked, where the time went (product.md section 6).
 * Never a word of the prompt or of the answer. */
#pragma once

#include "check.h"
#include "proof.h"

#include <glib-object.h>

G_BEGIN_DECLS

typedef enum
{
  VEIL_RECORD_WAITING,
  VEIL_RECORD_VERIFIED,
  VEIL_RECORD_REFUSED, /* an answer came and did not pass a check: nothing of it was shown */
  VEIL_RECORD_FAILED,  /* there was no answer to check: bad request, not signed in, no enclave, relay trouble, the caller left */
} VeilRecordState;

#define VEIL_TYPE_RECORD_STATE (veil_record_state_get_type ())
GType veil_record_state_get_type (void);

#define VEIL_TYPE_RECORD (veil_record_get_type ())
G_DECLARE_FINAL_TYPE (VeilRecord, veil_record, VEIL, RECORD, GObject)

#define VEIL_RECORD_MAX_MODEL 256    /* bytes; a longer name is cut */
#define VEIL_RECORD_MAX_MESSAGE 1024 /* likewise */

/* Everything below is also a read-only property ("tee-id" for tee_id) that is notified when it changes, but signed, unsigned, dropped, timing and
 * the checks: these change together with "state". A record of the past never changes. */

guint64            veil_record_get_id (VeilRecord *self);    /* of the list that it is in; unique as long as the program runs */
VeilRecordState    veil_record_get_state (VeilRecord *self);
gint64             veil_record_get_time (VeilRecord *self);  /* of arrival: microseconds since 1970 */
const char        *veil_record_get_model (VeilRecord *self); /* NULL until the request was read */
gboolean           veil_record_get_stream (VeilRecord *self);

/* The enclave that was chosen last; NULL before that. */
const char        *veil_record_get_tee_id (VeilRecord *self);
const char        *veil_record_get_endpoint (VeilRecord *self);
const char        *veil_record_get_pcr_hash (VeilRecord *self);
gboolean           veil_record_get_sandbox (VeilRecord *self); /* it is a simulated one: never to be shown as attested */

const char        *veil_record_get_request_hash (VeilRecord *self); /* 0x + 64 digits; NULL until the request was read */
const char        *veil_record_get_output_hash (VeilRecord *self);  /* NULL unless verified, as are the next three */
VeilProof         *veil_record_get_proof (VeilRecord *self);
const char *const *veil_record_get_signed (VeilRecord *self);
const char *const *veil_record_get_unsigned (VeilRecord *self);
const char *const *veil_record_get_dropped (VeilRecord *self); /* request fields that are not sent; NULL until the request was read */

/* Microseconds. Duration is from arrival to the end, 0 while it waits; queue the part of it before the request was sealed (its body, the session,
 * the choice of an enclave, an enclave that could not be reached), without reading it. The other steps are known of verified requests alone. */
gint64             veil_record_get_duration (VeilRecord *self);
gint64             veil_record_get_queue (VeilRecord *self);
const VeilTiming  *veil_record_get_timing (VeilRecord *self);

/* What the caller got: HTTP status (0: nothing, because it was gone), and the error's code and message, NULL for a verified answer. Where the
 * message quoted what a relay or a gateway said, which may quote the prompt, it says that instead. */
guint              veil_record_get_status (VeilRecord *self);
const char        *veil_record_get_code (VeilRecord *self);
const char        *veil_record_get_check (VeilRecord *self); /* nick of the verification code that a refused answer met; else NULL */
const char        *veil_record_get_message (VeilRecord *self);

VeilCheckState     veil_record_get_check_state (VeilRecord *self, VeilCheck check);

/* For those who write it. */

/* New string: valid UTF-8 from the first @max bytes of @text; what comes from outside has no length of its own here. */
char              *veil_record_cut_text (const char *text, gsize max);

/* Waiting, arrived now. */
VeilRecord        *veil_record_new (void);
void               veil_record_set_id (VeilRecord *self, guint64 id); /* the list's */
/* The request was read. */
void               veil_record_set_request (VeilRecord *self, const char *model, gboolean stream, const guint8 request_hash[static 32],
                                            const char *const *dropped, gint64 parse_us);
/* It is going to be sealed for this one, maybe after another. */
void               veil_record_set_tee (VeilRecord *self, const char *tee_id, const char *endpoint, const char *pcr_hash, gboolean sandbox);

/* One of these ends it; whatever comes later has no effect. */
void               veil_record_verify (VeilRecord *self, VeilProof *proof, const VeilTiming *timing, guint status);
/* @check: nick of a verification code, for a refusal; else NULL. @passed: how many checks, from the first on, were surely passed. */
void               veil_record_fail (VeilRecord *self, guint status, const char *code, const char *check, guint passed,
                                     const char *message);

G_END_DECLS
