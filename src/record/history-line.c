/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "history.h"

#include "hex.h"
#include "receipt.h"
#include "record-private.h"
#include "translate.h"
#include "veil-error.h"

#include <string.h>

#define MAX_WORD 64
#define MAX_ENDPOINT 2048
#define MAX_NAMES 65
#define MAX_DURATION (G_GINT64_CONSTANT (1000000) * 86400)

static void
write_string (VeilJsonWriter *writer, const char *key, const char *text)
{
  veil_json_writer_key (writer, key);
  veil_json_writer_string (writer, text);
}

static void
write_number (VeilJsonWriter *writer, const char *key, gint64 number)
{
  veil_json_writer_key (writer, key);
  veil_json_writer_uint (writer, (guint64) MAX (number, 0));
}

static void
write_boolean (VeilJsonWriter *writer, const char *key, gboolean value)
{
  veil_json_writer_key (writer, key);
  veil_json_writer_boolean (writer, value);
}

/* What a receipt does not have, because it proves nothing. */
static void
write_ended (VeilJsonWriter *writer, const VeilRecord *self)
{
  write_number (writer, "time", self->time);
  write_string (writer, "model", self->model);
  write_boolean (writer, "stream", self->stream);
  write_string (writer, "tee_id", self->tee_id);
  write_string (writer, "endpoint", self->endpoint);
  write_string (writer, "pcr_hash", self->pcr_hash);
  write_boolean (writer, "sandbox", self->sandbox);
  write_string (writer, "request_hash", self->request_hash);
  veil_json_writer_key (writer, "dropped");
  veil_json_writer_strv (writer, (const char *const *) self->dropped);
  write_number (writer, "queue", self->queue);
  write_string (writer, "code", self->code);
  write_string (writer, "check", self->check);
  write_string (writer, "message", self->message);
  write_number (writer, "passed", self->passed);
}

char *
veil_history_write_line (VeilRecord *self)
{
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);
  g_autoptr (VeilReceipt) receipt = veil_receipt_new_from_record (self, NULL);
  g_autoptr (GBytes) line = NULL;

  veil_json_writer_begin_object (writer);
  write_number (writer, "version", 1);
  write_number (writer, "status", self->status);
  write_number (writer, "duration", self->duration);
  if (receipt != NULL)
    {
      veil_json_writer_key (writer, "receipt");
      veil_receipt_write_json (receipt, writer);
    }
  else
    write_ended (writer, self);
  veil_json_writer_end_object (writer);
  line = veil_json_writer_finish (writer);
  return g_strndup (g_bytes_get_data (line, NULL), g_bytes_get_size (line));
}

/* Text in one line, or null. FALSE for anything else. */
static gboolean
read_text (const VeilJson *object, const char *key, gsize max, char **out)
{
  const VeilJson *value = veil_json_get_member (object, key);
  gsize length;
  const char *text = veil_json_get_string (value, &length);

  if (veil_json_is (value, VEIL_JSON_NULL))
    return TRUE;
  if (text == NULL || length > max || strlen (text) != length || !veil_json_string_is_utf8 (value))
    return FALSE;
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    if (g_unichar_iscntrl (g_utf8_get_char (p)))
      return FALSE;
  *out = g_strdup (text);
  return TRUE;
}

static gboolean
read_hash (const VeilJson *object, const char *key, char **out)
{
  guint8 hash[32];

  return read_text (object, key, 66, out) && (*out == NULL || (strlen (*out) == 66 && veil_hex_decode (*out, hash, sizeof hash)));
}

static gboolean
read_boolean (const VeilJson *object, const char *key, gboolean *out)
{
  const VeilJson *value = veil_json_get_member (object, key);

  *out = veil_json_is (value, VEIL_JSON_TRUE);
  return *out || veil_json_is (value, VEIL_JSON_FALSE);
}

static gboolean
read_number (const VeilJson *object, const char *key, guint64 max, gint64 *out)
{
  guint64 number;

  if (!veil_json_get_uint64 (veil_json_get_member (object, key), &number) || number > max)
    return FALSE;
  *out = (gint64) number;
  return TRUE;
}

static gboolean
read_names (const VeilJson *object, const char *key, GStrv *out)
{
  const VeilJson *list = veil_json_get_member (object, key);
  guint n = veil_json_get_size (list);

  if (!veil_json_is (list, VEIL_JSON_ARRAY) || n > MAX_NAMES)
    return FALSE;
  *out = g_new0 (char *, n + 1);
  for (guint i = 0; i < n; i++)
    {
      const VeilJson *name = veil_json_get_element (list, i);
      const char *text = veil_json_get_string (name, NULL);

      if (text == NULL || !veil_json_string_is_utf8 (name))
        return FALSE;
      (*out)[i] = veil_record_cut_text (text, 4 * MAX_WORD);
    }
  return TRUE;
}

/* One that has no receipt. */
static gboolean
read_ended (const VeilJson *object, VeilRecord *self)
{
  gint64 passed;

  if (!read_number (object, "time", G_MAXINT64 / 2, &self->time) ||
      !read_text (object, "model", VEIL_RECORD_MAX_MODEL, &self->model) || !read_boolean (object, "stream", &self->stream) ||
      !read_hash (object, "tee_id", &self->tee_id) || !read_text (object, "endpoint", MAX_ENDPOINT, &self->endpoint) ||
      !read_hash (object, "pcr_hash", &self->pcr_hash) || !read_boolean (object, "sandbox", &self->sandbox) ||
      !read_hash (object, "request_hash", &self->request_hash) || !read_names (object, "dropped", &self->dropped) ||
      !read_number (object, "queue", MAX_DURATION, &self->queue) || !read_text (object, "code", MAX_WORD, &self->code) ||
      !read_text (object, "check", MAX_WORD, &self->check) ||
      !read_text (object, "message", VEIL_RECORD_MAX_MESSAGE, &self->message) ||
      !read_number (object, "passed", VEIL_N_CHECKS, &passed) || self->code == NULL || self->message == NULL)
    return FALSE;
  self->passed = (guint) passed;
  self->state = self->check != NULL ? VEIL_RECORD_REFUSED : VEIL_RECORD_FAILED;
  return self->check == NULL || veil_check_from_code_nick (self->check) != VEIL_N_CHECKS;
}

/* What was verified then is verified again: whoever could write to the file must not be able to say so. */
static gboolean
take_receipt (const VeilJson *object, VeilRecord *self, GError **error)
{
  g_autoptr (VeilReceipt) receipt = veil_receipt_new_from_json (object, error);

  if (receipt == NULL || !veil_receipt_verify (receipt, error))
    return FALSE;
  self->time = receipt->time;
  self->model = g_strdup (receipt->model);
  self->stream = receipt->stream;
  self->queue = receipt->queue;
  self->timing = receipt->timing;
  self->proof = veil_proof_ref (receipt->proof);
  self->dropped = g_strdupv (receipt->proof->dropped);
  self->tee_id = g_strdup (receipt->proof->tee_id);
  self->endpoint = g_strdup (receipt->proof->tee_endpoint);
  self->pcr_hash = g_strdup (receipt->proof->pcr_hash);
  self->request_hash = veil_hex_encode_0x (receipt->proof->request_hash, 32);
  self->output_hash = veil_hex_encode_0x (receipt->proof->output_hash, 32);
  self->sandbox = receipt->proof->sandbox;
  self->passed = VEIL_N_CHECKS;
  self->state = VEIL_RECORD_VERIFIED;
  return TRUE;
}

VeilRecord *
veil_history_read_line (const char *line, gsize length, GError **error)
{
  g_autoptr (VeilRecord) self = g_object_new (VEIL_TYPE_RECORD, NULL);
  g_autoptr (VeilJsonDoc) doc = length <= VEIL_HISTORY_MAX_LINE ? veil_json_doc_new (line, length, error) : NULL;
  const VeilJson *root, *receipt;
  gint64 version, status;

  if (doc == NULL && length <= VEIL_HISTORY_MAX_LINE)
    return NULL;
  root = doc != NULL ? veil_json_doc_get_root (doc) : NULL;
  receipt = veil_json_get_member (root, "receipt");
  if (doc == NULL || veil_json_doc_has_repeated_keys (doc) || !read_number (root, "version", 1, &version) || version != 1 ||
      !read_number (root, "status", 999, &status) || !read_number (root, "duration", MAX_DURATION, &self->duration) ||
      (receipt == NULL && !read_ended (root, self)))
    {
      g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_STORE, _ ("The line is not one of a history"));
      return NULL;
    }
  self->status = (guint) status;
  if (receipt != NULL && !take_receipt (receipt, self, error))
    return NULL;
  return g_steal_pointer (&self);
}
