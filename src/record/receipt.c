/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "receipt-private.h"

#include "hex.h"
#include "keccak.h"
#include "translate.h"
#include "veil-error.h"

#include <string.h>

#define END_OF_9999 G_GINT64_CONSTANT (253402300799) /* unix, in seconds: what follows has no four digits for the year */

G_DEFINE_BOXED_TYPE (VeilReceipt, veil_receipt, veil_receipt_ref, veil_receipt_unref)

VeilReceipt *
veil_receipt_alloc (void)
{
  return g_atomic_rc_box_new0 (VeilReceipt);
}

VeilReceipt *
veil_receipt_ref (VeilReceipt *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
veil_receipt_clear (gpointer data)
{
  VeilReceipt *self = data;

  g_clear_pointer (&self->proof, veil_proof_unref);
  g_free (self->model);
}

void
veil_receipt_unref (VeilReceipt *self)
{
  g_atomic_rc_box_release_full (self, veil_receipt_clear);
}

VeilReceipt *
veil_receipt_new (VeilProof *proof, gint64 time, const char *model, gboolean stream, gint64 queue, const VeilTiming *timing)
{
  VeilReceipt *self = veil_receipt_alloc ();

  self->proof = veil_proof_ref (proof);
  self->time = time;
  self->model = veil_record_cut_text (model, VEIL_RECORD_MAX_MODEL);
  self->stream = stream;
  self->queue = queue;
  self->timing = *timing;
  self->timing.reply = 0;
  return self;
}

VeilReceipt *
veil_receipt_new_from_record (VeilRecord *record, GError **error)
{
  if (veil_record_get_state (record) == VEIL_RECORD_VERIFIED)
    return veil_receipt_new (veil_record_get_proof (record), veil_record_get_time (record), veil_record_get_model (record),
                             veil_record_get_stream (record), veil_record_get_queue (record), veil_record_get_timing (record));
  g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_RECEIPT,
                       _ ("Only a verified request has a receipt: of any other there is nothing to prove"));
  return NULL;
}

char *
veil_receipt_format_time (gint64 time)
{
  g_autoptr (GDateTime) second = g_date_time_new_from_unix_utc (time / G_USEC_PER_SEC);
  g_autofree char *text = g_date_time_format (second, "%Y-%m-%dT%H:%M:%S");

  return g_strdup_printf ("%s.%06dZ", text, (int) (time % G_USEC_PER_SEC));
}

gboolean
veil_receipt_parse_time (const char *text, gint64 *time)
{
  g_autoptr (GDateTime) read =
      strlen (text) == strlen ("2026-01-31T12:00:00.000000Z") ? g_date_time_new_from_iso8601 (text, NULL) : NULL;
  g_autofree char *again = NULL;

  if (read == NULL || g_date_time_to_unix (read) < 0 || g_date_time_to_unix (read) > END_OF_9999)
    return FALSE;
  /* Its fraction may be off by one: it goes through a double. */
  *time =
      g_date_time_to_unix (read) * G_USEC_PER_SEC + (gint64) g_ascii_strtoull (text + strlen ("2026-01-31T12:00:00."), NULL, 10);
  again = veil_receipt_format_time (*time);
  return g_str_equal (text, again);
}

static void
write_string (VeilJsonWriter *writer, const char *key, const char *text)
{
  veil_json_writer_key (writer, key);
  veil_json_writer_string (writer, text);
}

static void
write_hash (VeilJsonWriter *writer, const char *key, const guint8 hash[static 32])
{
  g_autofree char *hex = veil_hex_encode_0x (hash, 32);

  write_string (writer, key, hex);
}

static void
write_base64 (VeilJsonWriter *writer, const char *key, GBytes *bytes)
{
  g_autofree char *text = g_base64_encode (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));

  write_string (writer, key, text);
}

static void
write_names (VeilJsonWriter *writer, const char *key, GStrv names)
{
  veil_json_writer_key (writer, key);
  veil_json_writer_strv (writer, (const char *const *) names);
}

static void
write_boolean (VeilJsonWriter *writer, const char *key, gboolean value)
{
  veil_json_writer_key (writer, key);
  veil_json_writer_boolean (writer, value);
}

static void
write_uint (VeilJsonWriter *writer, const char *key, gint64 number)
{
  veil_json_writer_key (writer, key);
  veil_json_writer_uint (writer, (guint64) MAX (number, 0));
}

static void
write_durations (VeilJsonWriter *writer, const VeilReceipt *self)
{
  veil_json_writer_key (writer, "duration_us");
  veil_json_writer_begin_object (writer);
  write_uint (writer, "open", self->timing.open);
  write_uint (writer, "parse", self->timing.parse);
  write_uint (writer, "queue", self->queue);
  write_uint (writer, "relay", self->timing.relay);
  write_uint (writer, "seal", self->timing.seal);
  write_uint (writer, "verify", self->timing.verify);
  veil_json_writer_end_object (writer);
}

static void
write_tee (VeilJsonWriter *writer, const VeilProof *proof)
{
  veil_json_writer_key (writer, "tee");
  veil_json_writer_begin_object (writer);
  write_string (writer, "endpoint", proof->tee_endpoint);
  write_string (writer, "id", proof->tee_id);
  write_string (writer, "pcr_hash", proof->pcr_hash);
  write_base64 (writer, "signing_key", proof->signing_key);
  veil_json_writer_end_object (writer);
}

/* @digest: NULL to leave it out. */
static void
write_members (VeilJsonWriter *writer, const VeilReceipt *self, const guint8 *digest)
{
  const VeilProof *proof = self->proof;
  g_autofree char *time = veil_receipt_format_time (self->time);

  veil_json_writer_begin_object (writer);
  if (digest != NULL)
    write_hash (writer, "digest", digest);
  write_names (writer, "dropped", proof->dropped);
  write_durations (writer, self);
  write_string (writer, "model", self->model);
  write_hash (writer, "output_hash", proof->output_hash);
  if (proof->effort_given)
    write_boolean (writer, "reasoning_effort_signed", proof->effort_signed);
  else
    write_string (writer, "reasoning_effort_signed", NULL);
  write_hash (writer, "request_hash", proof->request_hash);
  write_boolean (writer, "sandbox", proof->sandbox);
  write_base64 (writer, "signature", proof->signature);
  write_names (writer, "signed", proof->signed_);
  write_boolean (writer, "stream", self->stream);
  write_tee (writer, proof);
  write_string (writer, "time", time);
  write_uint (writer, "timestamp", (gint64) proof->timestamp);
  write_string (writer, "type", VEIL_RECEIPT_TYPE);
  write_names (writer, "unsigned", proof->unsigned_);
  write_uint (writer, "version", VEIL_RECEIPT_VERSION);
  veil_json_writer_end_object (writer);
}

static void
update_keccak (const guint8 *data, gsize length, gpointer user_data)
{
  veil_keccak256_update (user_data, data, length);
}

void
veil_receipt_digest (const VeilReceipt *self, guint8 digest[static 32])
{
  VeilKeccak256 keccak;
  VeilJsonWriter *writer;

  veil_keccak256_init (&keccak);
  writer = veil_json_writer_new_sink (VEIL_JSON_CANONICAL, update_keccak, &keccak);
  write_members (writer, self, NULL);
  g_bytes_unref (veil_json_writer_finish (writer));
  veil_keccak256_digest (&keccak, digest);
}

void
veil_receipt_write_json (const VeilReceipt *self, VeilJsonWriter *writer)
{
  guint8 digest[32];

  veil_receipt_digest (self, digest);
  write_members (writer, self, digest);
}

GBytes *
veil_receipt_to_bytes (const VeilReceipt *self)
{
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_CANONICAL);
  g_autoptr (GBytes) json = NULL;
  GString *line = g_string_new (NULL);

  veil_receipt_write_json (self, writer);
  json = veil_json_writer_finish (writer);
  g_string_append_len (line, g_bytes_get_data (json, NULL), (gssize) g_bytes_get_size (json));
  g_string_append_c (line, '\n');
  return g_string_free_to_bytes (line);
}
