/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "record-private.h"

#include "hex.h"

#include <string.h>

G_DEFINE_ENUM_TYPE (VeilRecordState, veil_record_state, G_DEFINE_ENUM_VALUE (VEIL_RECORD_WAITING, "waiting"),
                    G_DEFINE_ENUM_VALUE (VEIL_RECORD_VERIFIED, "verified"), G_DEFINE_ENUM_VALUE (VEIL_RECORD_REFUSED, "refused"),
                    G_DEFINE_ENUM_VALUE (VEIL_RECORD_FAILED, "failed"))

G_DEFINE_FINAL_TYPE (VeilRecord, veil_record, G_TYPE_OBJECT)

enum
{
  PROP_ID = 1,
  PROP_STATE,
  PROP_TIME,
  PROP_MODEL,
  PROP_STREAM,
  PROP_TEE_ID,
  PROP_ENDPOINT,
  PROP_PCR_HASH,
  PROP_SANDBOX,
  PROP_REQUEST_HASH,
  PROP_OUTPUT_HASH,
  PROP_PROOF,
  PROP_DURATION,
  PROP_QUEUE,
  PROP_STATUS,
  PROP_CODE,
  PROP_CHECK,
  PROP_MESSAGE,
  N_PROPS,
};

static GParamSpec *props[N_PROPS];

/* Those that are text, by property. */
static const char *
get_text (VeilRecord *self, guint id)
{
  const char *const texts[N_PROPS] = {
    [PROP_MODEL] = self->model,
    [PROP_TEE_ID] = self->tee_id,
    [PROP_ENDPOINT] = self->endpoint,
    [PROP_PCR_HASH] = self->pcr_hash,
    [PROP_REQUEST_HASH] = self->request_hash,
    [PROP_OUTPUT_HASH] = self->output_hash,
    [PROP_CODE] = self->code,
    [PROP_CHECK] = self->check,
    [PROP_MESSAGE] = self->message,
  };

  return texts[id];
}

static void
veil_record_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  VeilRecord *self = VEIL_RECORD (object);

  switch (id)
    {
    case PROP_ID:
      g_value_set_uint64 (value, self->id);
      break;
    case PROP_STATE:
      g_value_set_enum (value, self->state);
      break;
    case PROP_TIME:
      g_value_set_int64 (value, self->time);
      break;
    case PROP_STREAM:
      g_value_set_boolean (value, self->stream);
      break;
    case PROP_SANDBOX:
      g_value_set_boolean (value, self->sandbox);
      break;
    case PROP_PROOF:
      g_value_set_boxed (value, self->proof);
      break;
    case PROP_DURATION:
      g_value_set_int64 (value, self->duration);
      break;
    case PROP_QUEUE:
      g_value_set_int64 (value, self->queue);
      break;
    case PROP_STATUS:
      g_value_set_uint (value, self->status);
      break;
    default:
      g_value_set_string (value, get_text (self, id));
      break;
    }
}

static void
veil_record_finalize (GObject *object)
{
  VeilRecord *self = VEIL_RECORD (object);

  g_free (self->model);
  g_free (self->request_hash);
  g_strfreev (self->dropped);
  g_free (self->tee_id);
  g_free (self->endpoint);
  g_free (self->pcr_hash);
  g_free (self->output_hash);
  g_clear_pointer (&self->proof, veil_proof_unref);
  g_free (self->code);
  g_free (self->check);
  g_free (self->message);
  G_OBJECT_CLASS (veil_record_parent_class)->finalize (object);
}

static void
veil_record_class_init (VeilRecordClass *klass)
{
  static const char *const names[N_PROPS] = {
    [PROP_MODEL] = "model",       [PROP_TEE_ID] = "tee-id",
    [PROP_ENDPOINT] = "endpoint", [PROP_PCR_HASH] = "pcr-hash",
    [PROP_CODE] = "code",         [PROP_REQUEST_HASH] = "request-hash",
    [PROP_CHECK] = "check",       [PROP_OUTPUT_HASH] = "output-hash",
    [PROP_MESSAGE] = "message",
  };
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = veil_record_get_property;
  object_class->finalize = veil_record_finalize;

  props[PROP_ID] = g_param_spec_uint64 ("id", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  props[PROP_STATE] = g_param_spec_enum ("state", NULL, NULL, VEIL_TYPE_RECORD_STATE, VEIL_RECORD_WAITING, flags);
  props[PROP_TIME] = g_param_spec_int64 ("time", NULL, NULL, 0, G_MAXINT64, 0, flags);
  props[PROP_STREAM] = g_param_spec_boolean ("stream", NULL, NULL, FALSE, flags);
  props[PROP_SANDBOX] = g_param_spec_boolean ("sandbox", NULL, NULL, FALSE, flags);
  props[PROP_PROOF] = g_param_spec_boxed ("proof", NULL, NULL, VEIL_TYPE_PROOF, flags);
  props[PROP_DURATION] = g_param_spec_int64 ("duration", NULL, NULL, 0, G_MAXINT64, 0, flags);
  props[PROP_QUEUE] = g_param_spec_int64 ("queue", NULL, NULL, 0, G_MAXINT64, 0, flags);
  props[PROP_STATUS] = g_param_spec_uint ("status", NULL, NULL, 0, 999, 0, flags);
  for (guint i = 1; i < N_PROPS; i++)
    if (names[i] != NULL)
      props[i] = g_param_spec_string (names[i], NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
veil_record_init (VeilRecord *self)
{
}

VeilRecord *
veil_record_new (void)
{
  VeilRecord *self = g_object_new (VEIL_TYPE_RECORD, NULL);

  self->time = g_get_real_time ();
  self->started = g_get_monotonic_time ();
  return self;
}

static void
notify (VeilRecord *self, guint id)
{
  g_object_notify_by_pspec (G_OBJECT (self), props[id]);
}

/* Whether that is news. */
static void
set_text (VeilRecord *self, char **field, const char *value, guint id)
{
  if (g_strcmp0 (*field, value) == 0)
    return;
  g_free (*field);
  *field = g_strdup (value);
  notify (self, id);
}

char *
veil_record_cut_text (const char *text, gsize max)
{
  gsize length = strlen (text);

  if (length > max)
    for (length = max; length > 0 && (text[length] & 0xc0) == 0x80; length--)
      ;
  return g_utf8_make_valid (text, (gssize) length);
}

void
veil_record_set_id (VeilRecord *self, guint64 id)
{
  if (self->id == id)
    return;
  self->id = id;
  notify (self, PROP_ID);
}

void
veil_record_set_request (VeilRecord *self, const char *model, gboolean stream, const guint8 request_hash[static 32],
                         const char *const *dropped, gint64 parse_us)
{
  g_autofree char *hash = veil_hex_encode_0x (request_hash, 32);
  g_autofree char *name = veil_record_cut_text (model, VEIL_RECORD_MAX_MODEL);

  if (self->state != VEIL_RECORD_WAITING)
    return;
  g_object_freeze_notify (G_OBJECT (self));
  g_strfreev (self->dropped);
  self->dropped = g_strdupv ((char **) dropped);
  self->timing.parse = parse_us;
  set_text (self, &self->model, name, PROP_MODEL);
  set_text (self, &self->request_hash, hash, PROP_REQUEST_HASH);
  if (self->stream != stream)
    {
      self->stream = stream;
      notify (self, PROP_STREAM);
    }
  g_object_thaw_notify (G_OBJECT (self));
}

static void
set_sandbox (VeilRecord *self, gboolean sandbox)
{
  if (self->sandbox == sandbox)
    return;
  self->sandbox = sandbox;
  notify (self, PROP_SANDBOX);
}

void
veil_record_set_tee (VeilRecord *self, const char *tee_id, const char *endpoint, const char *pcr_hash, gboolean sandbox)
{
  if (self->state != VEIL_RECORD_WAITING)
    return;
  g_object_freeze_notify (G_OBJECT (self));
  set_text (self, &self->tee_id, tee_id, PROP_TEE_ID);
  set_text (self, &self->endpoint, endpoint, PROP_ENDPOINT);
  set_text (self, &self->pcr_hash, pcr_hash, PROP_PCR_HASH);
  set_sandbox (self, sandbox);
  self->queue = MAX (g_get_monotonic_time () - self->started - self->timing.parse, 0);
  notify (self, PROP_QUEUE);
  g_object_thaw_notify (G_OBJECT (self));
}

static void
end (VeilRecord *self, VeilRecordState state, guint status)
{
  self->state = state;
  self->status = status;
  self->duration = g_get_monotonic_time () - self->started;
  notify (self, PROP_STATE);
  notify (self, PROP_STATUS);
  notify (self, PROP_DURATION);
}

/* The proof is what counts, whatever was said before. */
void
veil_record_verify (VeilRecord *self, VeilProof *proof, const VeilTiming *timing, guint status)
{
  g_autofree char *request_hash = veil_hex_encode_0x (proof->request_hash, 32);
  g_autofree char *output_hash = veil_hex_encode_0x (proof->output_hash, 32);

  if (self->state != VEIL_RECORD_WAITING)
    return;
  g_object_freeze_notify (G_OBJECT (self));
  self->proof = veil_proof_ref (proof);
  self->timing = *timing;
  self->passed = VEIL_N_CHECKS;
  notify (self, PROP_PROOF);
  set_text (self, &self->tee_id, proof->tee_id, PROP_TEE_ID);
  set_text (self, &self->endpoint, proof->tee_endpoint, PROP_ENDPOINT);
  set_text (self, &self->pcr_hash, proof->pcr_hash, PROP_PCR_HASH);
  set_text (self, &self->request_hash, request_hash, PROP_REQUEST_HASH);
  set_text (self, &self->output_hash, output_hash, PROP_OUTPUT_HASH);
  set_sandbox (self, proof->sandbox);
  end (self, VEIL_RECORD_VERIFIED, status);
  g_object_thaw_notify (G_OBJECT (self));
}

void
veil_record_fail (VeilRecord *self, guint status, const char *code, const char *check, guint passed, const char *message)
{
  g_autofree char *text = veil_record_cut_text (message, VEIL_RECORD_MAX_MESSAGE);
  gboolean refused = veil_check_from_code_nick (check) != VEIL_N_CHECKS;

  if (self->state != VEIL_RECORD_WAITING)
    return;
  g_object_freeze_notify (G_OBJECT (self));
  set_text (self, &self->code, code, PROP_CODE);
  set_text (self, &self->message, text, PROP_MESSAGE);
  if (refused)
    {
      self->passed = MIN (passed, VEIL_N_CHECKS);
      set_text (self, &self->check, check, PROP_CHECK);
    }
  end (self, refused ? VEIL_RECORD_REFUSED : VEIL_RECORD_FAILED, status);
  g_object_thaw_notify (G_OBJECT (self));
}
