/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "record-private.h"

guint64
veil_record_get_id (VeilRecord *self)
{
  return self->id;
}

VeilRecordState
veil_record_get_state (VeilRecord *self)
{
  return self->state;
}

gint64
veil_record_get_time (VeilRecord *self)
{
  return self->time;
}

const char *
veil_record_get_model (VeilRecord *self)
{
  return self->model;
}

gboolean
veil_record_get_stream (VeilRecord *self)
{
  return self->stream;
}

const char *
veil_record_get_tee_id (VeilRecord *self)
{
  return self->tee_id;
}

const char *
veil_record_get_endpoint (VeilRecord *self)
{
  return self->endpoint;
}

const char *
veil_record_get_pcr_hash (VeilRecord *self)
{
  return self->pcr_hash;
}

gboolean
veil_record_get_sandbox (VeilRecord *self)
{
  return self->sandbox;
}

const char *
veil_record_get_request_hash (VeilRecord *self)
{
  return self->request_hash;
}

const char *
veil_record_get_output_hash (VeilRecord *self)
{
  return self->output_hash;
}

VeilProof *
veil_record_get_proof (VeilRecord *self)
{
  return self->proof;
}

const char *const *
veil_record_get_signed (VeilRecord *self)
{
  return self->proof != NULL ? (const char *const *) self->proof->signed_ : NULL;
}

const char *const *
veil_record_get_unsigned (VeilRecord *self)
{
  return self->proof != NULL ? (const char *const *) self->proof->unsigned_ : NULL;
}

const char *const *
veil_record_get_dropped (VeilRecord *self)
{
  return (const char *const *) self->dropped;
}

gint64
veil_record_get_duration (VeilRecord *self)
{
  return self->duration;
}

gint64
veil_record_get_queue (VeilRecord *self)
{
  return self->queue;
}

const VeilTiming *
veil_record_get_timing (VeilRecord *self)
{
  return &self->timing;
}

guint
veil_record_get_status (VeilRecord *self)
{
  return self->status;
}

const char *
veil_record_get_code (VeilRecord *self)
{
  return self->code;
}

const char *
veil_record_get_check (VeilRecord *self)
{
  return self->check;
}

const char *
veil_record_get_message (VeilRecord *self)
{
  return self->message;
}

VeilCheckState
veil_record_get_check_state (VeilRecord *self, VeilCheck check)
{
  g_return_val_if_fail ((guint) check < VEIL_N_CHECKS, VEIL_CHECK_NOT_REACHED);

  if (self->state == VEIL_RECORD_REFUSED && check == veil_check_from_code_nick (self->check))
    return VEIL_CHECK_FAILED;
  return (guint) check < self->passed ? VEIL_CHECK_PASSED : VEIL_CHECK_NOT_REACHED;
}
