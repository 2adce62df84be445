/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* og-veil verify: checks a receipt again, without network. */
#include "cli.h"
#include "input.h"
#include "table.h"

#include "hex.h"
#include "receipt.h"
#include "recorded.h"
#include "veil-error.h"

#include <glib/gi18n.h>
#include <string.h>

typedef enum
{
  CHECK_FORMAT,
  CHECK_TEE_ID,
  CHECK_SIGNATURE,
  CHECK_TIME,
  CHECK_SIGNED_BY,
  CHECK_REQUEST,
  CHECK_RESPONSE,
  N_CHECKS,
} Check;

static const struct
{
  const char *name;
  const char *title;
} titles[N_CHECKS] = {
  [CHECK_FORMAT] = { "format", N_ ("The receipt is whole and reads as it was written") },
  [CHECK_TEE_ID] = { "tee_id", N_ ("The enclave's id is the hash of its signing key") },
  [CHECK_SIGNATURE] = { "signature", N_ ("That key signed the request, the answer and the time") },
  [CHECK_TIME] = { "time", N_ ("The signed time is that of the request") },
  [CHECK_SIGNED_BY] = { "signed_by", N_ ("The enclave is the one that was expected") },
  [CHECK_REQUEST] = { "request", N_ ("The request is the one that was signed") },
  [CHECK_RESPONSE] = { "response", N_ ("The answer is the one that was signed") },
};

typedef struct
{
  gboolean made[N_CHECKS];
  GError *errors[N_CHECKS]; /* owned; NULL if it was passed */
  VeilReceipt *receipt;     /* owned; NULL if it is none */
  GStrv unsigned_;          /* owned; names of what else is in the answer's file; NULL unless it was checked */
} Report;

static void
report_clear (Report *self)
{
  for (Check check = 0; check < N_CHECKS; check++)
    g_clear_error (&self->errors[check]);
  g_clear_pointer (&self->receipt, veil_receipt_unref);
  g_strfreev (self->unsigned_);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Report, report_clear)

static gboolean
is_verified (const Report *self)
{
  for (Check check = 0; check < N_CHECKS; check++)
    if (self->errors[check] != NULL)
      return FALSE;
  return self->receipt != NULL;
}

static void
check_receipt (Report *self, GBytes *file)
{
  static const Check of_receipt[VEIL_N_RECEIPT_CHECKS] = {
    [VEIL_RECEIPT_CHECK_TEE_ID] = CHECK_TEE_ID,
    [VEIL_RECEIPT_CHECK_SIGNATURE] = CHECK_SIGNATURE,
    [VEIL_RECEIPT_CHECK_TIME] = CHECK_TIME,
  };
  gsize length;
  const char *data = g_bytes_get_data (file, &length);

  self->made[CHECK_FORMAT] = TRUE;
  self->receipt = veil_receipt_new_from_data (data, length, &self->errors[CHECK_FORMAT]);
  for (VeilReceiptCheck check = 0; self->receipt != NULL && check < VEIL_N_RECEIPT_CHECKS; check++)
    {
      self->made[of_receipt[check]] = TRUE;
      veil_receipt_check (self->receipt, check, &self->errors[of_receipt[check]]);
    }
}

/* What was kept beside the receipt; NULL is not given. */
static void
check_rest (Report *self, const guint8 *signed_by, GBytes *request, GBytes *response)
{
  const VeilProof *proof = self->receipt->proof;
  gsize length;
  const char *data;
  guint8 id[32];

  if (signed_by != NULL)
    {
      self->made[CHECK_SIGNED_BY] = TRUE;
      if (!veil_hex_decode (proof->tee_id, id, sizeof id) || memcmp (id, signed_by, sizeof id) != 0)
        g_set_error_literal (&self->errors[CHECK_SIGNED_BY], VEIL_ERROR, VEIL_ERROR_TEE_ID, _ ("Another enclave signed it"));
    }
  if (request != NULL)
    {
      self->made[CHECK_REQUEST] = TRUE;
      data = g_bytes_get_data (request, &length);
      veil_recorded_check_request (proof, length > 0 ? data : "", length, &self->errors[CHECK_REQUEST]);
    }
  if (response != NULL)
    {
      self->made[CHECK_RESPONSE] = TRUE;
      data = g_bytes_get_data (response, &length);
      veil_recorded_check_response (proof, length > 0 ? data : "", length, &self->unsigned_, &self->errors[CHECK_RESPONSE]);
    }
}

static void
add_field (VeilTable *table, const char *name, const char *value)
{
  g_autofree char *printable = veil_cli_printable (value);

  g_strdelimit (printable, "\n\t", ' ');
  veil_table_add (table, name, printable);
}

static void
add_names (VeilTable *table, const char *name, GStrv names)
{
  g_autofree char *joined = g_strjoinv (", ", names);

  if (*joined != '\0')
    add_field (table, name, joined);
}

static void
print_receipt (const Report *self)
{
  const VeilProof *proof = self->receipt->proof;
  g_autoptr (GDateTime) signed_at = g_date_time_new_from_unix_utc ((gint64) proof->timestamp);
  /* Translators: a date and a time as in g_date_time_format(): %x and %X are those of the locale. */
  g_autofree char *time = g_date_time_format (signed_at, _ ("%Y-%m-%d %H:%M:%S UTC"));
  g_autofree char *request_hash = veil_hex_encode_0x (proof->request_hash, 32);
  g_autofree char *output_hash = veil_hex_encode_0x (proof->output_hash, 32);
  VeilTable *table = veil_table_new ("  ");

  g_print ("\n");
  veil_table_add_line (table, _ ("Covered by the signature:"));
  add_field (table, C_ ("receipt", "enclave"), proof->tee_id);
  add_field (table, C_ ("receipt", "signed at"), time);
  add_field (table, C_ ("receipt", "request hash"), request_hash);
  add_field (table, C_ ("receipt", "output hash"), output_hash);
  add_names (table, C_ ("receipt", "of the answer"), proof->signed_);
  veil_table_add_line (table, _ ("Said by the receipt, not covered by the signature:"));
  add_field (table, C_ ("receipt", "model"), self->receipt->model);
  add_field (table, C_ ("receipt", "endpoint"), proof->tee_endpoint);
  add_field (table, C_ ("receipt", "PCR hash"), proof->pcr_hash);
  add_names (table, C_ ("receipt", "unsigned"), self->unsigned_ != NULL ? self->unsigned_ : proof->unsigned_);
  add_names (table, C_ ("receipt", "not sent"), proof->dropped);
  veil_table_print (table);
}

static void
print_verdict (const Report *self)
{
  gboolean sandbox = self->receipt != NULL && self->receipt->proof->sandbox;

  if (!is_verified (self))
    g_print ("\n✗ %s\n", _ ("NOT verified"));
  else if (sandbox)
    g_print ("\n✓ %s\n", _ ("verified (sandbox: simulated, not attested)"));
  else
    g_print ("\n✓ %s\n%s\n", _ ("verified"),
             _ ("Whether this enclave is one that the registry vouches for is not in the receipt: `og-veil tees` lists them."));
}

static void
print_plain (const Report *self)
{
  for (Check check = 0; check < N_CHECKS; check++)
    {
      g_autofree char *reason = self->errors[check] != NULL ? veil_cli_printable (self->errors[check]->message) : NULL;

      if (self->made[check])
        g_print ("%s %s%s%s\n", reason == NULL ? "✓" : "✗", _ (titles[check].title), reason != NULL ? ": " : "",
                 reason != NULL ? reason : "");
      else if (check != CHECK_SIGNED_BY)
        g_print ("– %s: %s\n", _ (titles[check].title), _ ("not checked"));
    }
  if (self->receipt != NULL)
    print_receipt (self);
  print_verdict (self);
}

static void
write_check (const Report *self, Check check, VeilJsonWriter *writer)
{
  const GError *error = self->errors[check];

  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "check");
  veil_json_writer_string (writer, titles[check].name);
  veil_json_writer_key (writer, "result");
  veil_json_writer_string (writer, !self->made[check] ? "not_made" : error != NULL ? "failed" : "passed");
  veil_json_writer_key (writer, "message");
  veil_json_writer_string (writer, error != NULL ? error->message : NULL);
  veil_json_writer_end_object (writer);
}

static void
print_json (const Report *self)
{
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);

  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "verified");
  veil_json_writer_boolean (writer, is_verified (self));
  veil_json_writer_key (writer, "sandbox");
  if (self->receipt != NULL)
    veil_json_writer_boolean (writer, self->receipt->proof->sandbox);
  else
    veil_json_writer_null (writer);
  veil_json_writer_key (writer, "checks");
  veil_json_writer_begin_array (writer);
  for (Check check = 0; check < N_CHECKS; check++)
    write_check (self, check, writer);
  veil_json_writer_end_array (writer);
  veil_json_writer_key (writer, "receipt");
  if (self->receipt != NULL)
    veil_receipt_write_json (self->receipt, writer);
  else
    veil_json_writer_null (writer);
  veil_json_writer_key (writer, "unsigned_in_response");
  if (self->unsigned_ != NULL)
    veil_json_writer_strv (writer, (const char *const *) self->unsigned_);
  else
    veil_json_writer_null (writer);
  veil_json_writer_end_object (writer);
  veil_cli_print_json (writer);
}

typedef struct
{
  char *request;   /* owned; file names, NULL if not given */
  char *response;  /* owned */
  char *signed_by; /* owned */
  gboolean json;
} Options;

static void
options_clear (Options *self)
{
  g_free (self->request);
  g_free (self->response);
  g_free (self->signed_by);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Options, options_clear)

static VeilExit
verify (const char *path, const Options *options, const guint8 *signed_by)
{
  g_auto (Report) report = { .receipt = NULL };
  g_autoptr (GBytes) file = NULL, request = NULL, response = NULL;
  g_autoptr (GError) error = NULL;

  /* One byte more than a receipt may have: that it is too large is the receipt's own error. */
  file = veil_cli_read_file (path, VEIL_RECEIPT_MAX_SIZE, &error);
  if (file == NULL ||
      (options->request != NULL && (request = veil_cli_read_file (options->request, VEIL_RECORDED_MAX_SIZE, &error)) == NULL) ||
      (options->response != NULL && (response = veil_cli_read_file (options->response, VEIL_RECORDED_MAX_SIZE, &error)) == NULL))
    return veil_cli_fail (error);
  check_receipt (&report, file);
  if (report.receipt != NULL)
    check_rest (&report, signed_by, request, response);
  if (options->json)
    print_json (&report);
  else
    print_plain (&report);
  return is_verified (&report) ? VEIL_EXIT_OK : VEIL_EXIT_FAILURE;
}

VeilExit
veil_command_verify (int argc, char **argv)
{
  static const char *const flags[] = { NULL };
  g_auto (Options) options = { NULL };
  const GOptionEntry entries[] = {
    { "request", 0, 0, G_OPTION_ARG_FILENAME, &options.request, N_ ("Check that this is the request's body"), "FILE" },
    { "response", 0, 0, G_OPTION_ARG_FILENAME, &options.response, N_ ("Check that this is the answer, single or streamed"),
      "FILE" },
    { "signed-by", 0, 0, G_OPTION_ARG_STRING, &options.signed_by, N_ ("Check that this enclave signed it"), "ID" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &options.json, N_ ("An object with verified, sandbox, checks and receipt"), NULL },
    { NULL },
  };
  g_autoptr (VeilSettings) settings = veil_cli_parse ("verify", entries, flags, &argc, &argv);
  guint8 id[32];
  guint n_stdin;

  if (settings == NULL)
    return VEIL_EXIT_USAGE;
  if (argc != 2)
    return veil_cli_fail_usage (_ ("verify takes one receipt; \"-\" is standard input"));
  if (options.signed_by != NULL && !veil_hex_decode (options.signed_by, id, sizeof id))
    return veil_cli_fail_usage (_ ("an enclave's id has 64 hexadecimal digits, with or without 0x"));
  n_stdin = g_str_equal (argv[1], "-") + (g_strcmp0 (options.request, "-") == 0) + (g_strcmp0 (options.response, "-") == 0);
  if (n_stdin > 1)
    return veil_cli_fail_usage (_ ("standard input can be one of the files only"));
  return verify (argv[1], &options, options.signed_by != NULL ? id : NULL);
}
