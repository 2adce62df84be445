/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* og-veil tees --attest: asks an enclave itself, after the person was told what that shows, and prints check by check what came of it. */
#include "tees.h"

#include "attest-fetch.h"
#include "fetch.h"
#include "hex.h"
#include "registry.h"
#include "table.h"
#include "terminal.h"
#include "veil-error.h"

#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
  GMainLoop *loop;          /* owned */
  VeilTee *tee;             /* owned */
  VeilAttestReport *report; /* owned */
  const char *id;
  GError *error; /* owned */
} Attesting;

static void
on_tees (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Attesting *self = user_data;
  g_autoptr (GPtrArray) tees = veil_registry_fetch_finish (VEIL_REGISTRY (source), result, &self->error);

  for (guint i = 0; tees != NULL && i < tees->len; i++)
    if (strcmp (((VeilTee *) tees->pdata[i])->id, self->id) == 0 && self->tee == NULL)
      self->tee = veil_tee_ref (tees->pdata[i]);
  if (tees != NULL && self->tee == NULL)
    g_set_error (&self->error, VEIL_ERROR, VEIL_ERROR_PINNED_TEE_INACTIVE,
                 _ ("%s is not among the registry's active enclaves; `og-veil tees` lists them"), self->id);
  g_main_loop_quit (self->loop);
}

static void
on_report (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Attesting *self = user_data;

  self->report = veil_attest_fetch_finish (result, &self->error);
  g_main_loop_quit (self->loop);
}

static gboolean
find_tee (Attesting *self, const VeilTeesNetwork *network)
{
  veil_registry_fetch_async (network->registry, NULL, on_tees, self);
  g_main_loop_run (self->loop);
  return self->tee != NULL;
}

/* Says what is about to happen, whoever consented. */
static gboolean
consent (Attesting *self, gboolean yes)
{
  g_autofree char *endpoint = veil_cli_printable (self->tee->endpoint);

  g_printerr (_ ("This asks the enclave itself, at %s: it, and whoever runs the network in between, sees this machine's address.\n"
                 "No prompt, no account and no key is sent.\n"),
              endpoint);
  if (yes || veil_terminal_ask (_ ("Ask it? [y/N] ")))
    return TRUE;
  g_set_error_literal (&self->error, VEIL_ERROR, VEIL_ERROR_INVALID_REQUEST, _ ("The enclave was not asked"));
  return FALSE;
}

static gboolean
get_report (Attesting *self, const VeilSettings *settings, gboolean yes)
{
  g_autoptr (SoupSession) http = veil_fetch_session_new ();
  g_auto (VeilTeesNetwork) network = { NULL };

  if (!veil_tees_open_network (settings, http, &network, &self->error))
    return FALSE;
  if (network.sandbox && network.sandbox_root == NULL)
    {
      g_set_error_literal (&self->error, VEIL_ERROR, VEIL_ERROR_SANDBOX,
                           _ ("The sandbox of this session did not say under which root it attests; sign in to it anew"));
      return FALSE;
    }
  if (!find_tee (self, &network) || !consent (self, yes))
    return FALSE;
  veil_attest_fetch_async (self->tee, (const char *const *) settings->pcr_pins, network.sandbox_root, NULL, on_report, self);
  g_main_loop_run (self->loop);
  return self->report != NULL;
}

static void
add_check (VeilTable *table, const VeilAttestReport *report, VeilAttestCheck check)
{
  static const char *const marks[] = { [VEIL_CHECK_NOT_REACHED] = "–", [VEIL_CHECK_PASSED] = "✓", [VEIL_CHECK_FAILED] = "✗" };
  const GError *error = report->errors[check];
  g_autofree char *reason = error != NULL ? veil_cli_printable (error->message) : NULL;
  g_autofree char *line = g_strdup_printf ("  %s %s%s%s", marks[report->states[check]], veil_attest_check_get_title (check),
                                           reason != NULL ? "\n      " : "", reason != NULL ? reason : "");

  veil_table_add_line (table, line);
}

static void
add_document (VeilTable *table, const VeilAttestation *attestation)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc ((gint64) (attestation->timestamp_ms / 1000));
  g_autofree char *made = time != NULL ? g_date_time_format_iso8601 (time) : NULL;
  g_autofree char *pcr_hash = veil_hex_encode_0x (attestation->pcr_hash, 32);

  veil_table_add (table, C_ ("attestation", "module"), attestation->module_id);
  veil_table_add (table, C_ ("attestation", "made"), made != NULL ? made : "");
  for (guint i = 0; i < 3; i++)
    {
      char digits[2 * VEIL_ATTESTATION_PCR_SIZE + 1];
      char name[] = { 'P', 'C', 'R', (char) ('0' + i), '\0' };

      veil_hex_encode (g_bytes_get_data (attestation->pcrs[i], NULL), VEIL_ATTESTATION_PCR_SIZE, digits);
      veil_table_add (table, name, digits);
    }
  veil_table_add (table, C_ ("attestation", "pin"), pcr_hash);
}

static void
print_report (const VeilAttestReport *report)
{
  g_autofree char *endpoint = veil_cli_printable (report->tee->endpoint);
  gboolean holds = veil_attest_report_holds (report);
  VeilTable *table = veil_table_new ("  ");

  g_print ("%s\n", report->tee->id);
  veil_table_add (table, C_ ("enclave", "endpoint"), endpoint);
  for (VeilAttestCheck check = 0; check < VEIL_N_ATTEST_CHECKS; check++)
    if (veil_attest_report_applies (report, check))
      add_check (table, report, check);
  if (report->attestation != NULL)
    add_document (table, report->attestation);
  veil_table_print (table);
  if (!holds)
    g_print ("✗ %s\n", report->sandbox ? _ ("sandbox: not every check holds") : _ ("not attested"));
  else
    g_print ("✓ %s\n",
             report->sandbox ? _ ("sandbox: every check holds, and nothing is vouched for by real hardware") : _ ("attested"));
}

static void
print_json (const VeilAttestReport *report)
{
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);

  veil_attest_report_write_json (report, writer);
  veil_cli_print_json (writer);
}

VeilExit
veil_tees_attest (const VeilSettings *settings, const char *text, gboolean json, gboolean yes)
{
  Attesting self = { NULL };
  VeilExit status = VEIL_EXIT_FAILURE;
  guint8 bytes[32];
  g_autofree char *id = NULL;

  if (!veil_hex_decode (text, bytes, sizeof bytes))
    return veil_cli_fail_usage (_ ("a TEE id has 64 hexadecimal digits, with or without 0x"));
  if (!yes && !isatty (STDIN_FILENO))
    return veil_cli_fail_usage (
        _ ("--attest shows the enclave this machine's address, and there is no terminal to ask for consent: say --yes"));
  id = veil_hex_encode_0x (bytes, sizeof bytes);
  self.id = id;
  self.loop = g_main_loop_new (NULL, FALSE);
  if (!get_report (&self, settings, yes))
    veil_cli_fail (self.error);
  else
    {
      (json ? print_json : print_report) (self.report);
      status = veil_attest_report_holds (self.report) ? VEIL_EXIT_OK : VEIL_EXIT_FAILURE;
    }
  g_clear_error (&self.error);
  g_clear_pointer (&self.report, veil_attest_report_unref);
  g_clear_pointer (&self.tee, veil_tee_unref);
  g_main_loop_unref (self.loop);
  return status;
}
