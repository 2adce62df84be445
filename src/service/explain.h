/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Requests in words for a person: what became of one, what that means and what to do about it. All translated. */
#pragma once

#include "record.h"

G_BEGIN_DECLS

/* "Verified"; in the sandbox, where nothing is attested, it says so. Static. */
const char *veil_explain_state (VeilRecord *record);
/* One sentence, or NULL where the state says it all. New string. */
char       *veil_explain_outcome (VeilRecord *record);
/* What a refusal or a failure means, or NULL. Static. */
const char *veil_explain_meaning (VeilRecord *record);
/* What to do about it, or NULL. Static. */
const char *veil_explain_advice (VeilRecord *record);
/* "passed", "failed", "not reached", static. */
const char *veil_explain_check_state (VeilCheckState state);

/* In one line, in the order in which it is written: nothing that moves or hides what stands beside it. New string. */
char       *veil_explain_plain (const char *text);
/* The host of @endpoint, with the port that it names, or what stands there instead; plain. New string. */
char       *veil_explain_host (const char *endpoint);

/* New strings. */
char       *veil_explain_model (VeilRecord *record);
char       *veil_explain_enclave (VeilRecord *record); /* the endpoint's host, or NULL */
char       *veil_explain_time (gint64 microseconds);   /* since 1970: the local time of day, with the date unless that is today's */
char       *veil_explain_duration (gint64 microseconds); /* "0.8 s" */
/* In one line: state, enclave, duration. */
char       *veil_explain_summary (VeilRecord *record);

G_END_DECLS
