/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "attest-report.h"

#include "hex.h"

static void
write_string (VeilJsonWriter *writer, const char *key, const char *text)
{
  veil_json_writer_key (writer, key);
  veil_json_writer_string (writer, text);
}

static void
write_boolean (VeilJsonWriter *writer, const char *key, gboolean value)
{
  veil_json_writer_key (writer, key);
  veil_json_writer_boolean (writer, value);
}

static void
write_hex (VeilJsonWriter *writer, const char *key, const guint8 *data, gsize length)
{
  g_autofree char *text = g_malloc (2 * length + 1);

  veil_hex_encode (data, length, text);
  write_string (writer, key, text);
}

static void
write_bytes (VeilJsonWriter *writer, const char *key, GBytes *bytes)
{
  if (bytes == NULL)
    write_string (writer, key, NULL);
  else
    write_hex (writer, key, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

static void
write_check (const VeilAttestReport *self, VeilAttestCheck check, VeilJsonWriter *writer)
{
  static const char *const states[] = {
    [VEIL_CHECK_NOT_REACHED] = "not_made", [VEIL_CHECK_PASSED] = "passed", [VEIL_CHECK_FAILED] = "failed"
  };
  const GError *error = self->errors[check];

  veil_json_writer_begin_object (writer);
  write_string (writer, "check", veil_attest_check_get_nick (check));
  write_string (writer, "state", states[self->states[check]]);
  write_string (writer, "code", error != NULL && error->domain == VEIL_ERROR ? veil_error_get_nick (error->code) : NULL);
  write_string (writer, "message", error != NULL ? error->message : NULL);
  veil_json_writer_end_object (writer);
}

static void
write_attestation (const VeilAttestation *attestation, VeilJsonWriter *writer)
{
  g_autofree char *pcr_hash = veil_hex_encode_0x (attestation->pcr_hash, 32);

  veil_json_writer_begin_object (writer);
  write_string (writer, "module_id", attestation->module_id);
  veil_json_writer_key (writer, "timestamp_ms");
  veil_json_writer_uint (writer, attestation->timestamp_ms);
  write_string (writer, "pcr_hash", pcr_hash);
  veil_json_writer_key (writer, "pcrs");
  veil_json_writer_begin_object (writer);
  for (guint i = 0; i < VEIL_ATTESTATION_PCRS; i++)
    if (attestation->pcrs[i] != NULL)
      {
        char key[8];

        g_snprintf (key, sizeof key, "%u", i);
        write_bytes (writer, key, attestation->pcrs[i]);
      }
  veil_json_writer_end_object (writer);
  write_bytes (writer, "user_data", attestation->user_data);
  write_bytes (writer, "public_key", attestation->public_key);
  write_bytes (writer, "nonce", attestation->nonce);
  veil_json_writer_end_object (writer);
}

void
veil_attest_report_write_json (const VeilAttestReport *self, VeilJsonWriter *writer)
{
  gboolean holds = veil_attest_report_holds (self);

  veil_json_writer_begin_object (writer);
  write_string (writer, "tee_id", self->tee->id);
  write_string (writer, "endpoint", self->tee->endpoint);
  write_string (writer, "registered_pcr_hash", self->tee->pcr_hash);
  write_boolean (writer, "sandbox", self->sandbox);
  write_boolean (writer, "holds", holds);
  write_boolean (writer, "attested", holds && !self->sandbox);
  veil_json_writer_key (writer, "checks");
  veil_json_writer_begin_array (writer);
  for (VeilAttestCheck check = 0; check < VEIL_N_ATTEST_CHECKS; check++)
    if (veil_attest_report_applies (self, check))
      write_check (self, check, writer);
  veil_json_writer_end_array (writer);
  veil_json_writer_key (writer, "document");
  if (self->attestation != NULL)
    write_attestation (self->attestation, writer);
  else
    veil_json_writer_null (writer);
  veil_json_writer_end_object (writer);
}
