/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Every way in which a request can end is put into words. */
#include "explain.h"

#include "veil-error.h"

#include <gio/gio.h>
#include <string.h>

static const guint8 hash[32] = { 1 };

static VeilRecord *
make_record (void)
{
  VeilRecord *record = veil_record_new ();

  veil_record_set_request (record, "gpt-4.1", FALSE, hash, NULL, 10);
  veil_record_set_tee (record, "0x11", "https://enclave.example:8443/x", "0x22", FALSE);
  return record;
}

static void
test_waiting (void)
{
  g_autoptr (VeilRecord) record = make_record ();
  g_autofree char *summary = veil_explain_summary (record);
  g_autofree char *model = veil_explain_model (record);

  g_assert_cmpstr (veil_explain_state (record), ==, "Waiting");
  g_assert_cmpstr (summary, ==, "Waiting · enclave.example:8443");
  g_assert_cmpstr (model, ==, "gpt-4.1");
  g_assert_null (veil_explain_outcome (record));
  g_assert_null (veil_explain_meaning (record));
  g_assert_null (veil_explain_advice (record));
}

/* Names are anybody's. */
static void
test_hostile_model (void)
{
  g_autoptr (VeilRecord) record = veil_record_new ();
  g_autofree char *model = NULL;

  veil_record_set_request (record, "a\nb\tc\u202ed\u2028e\u2066f<b>", FALSE, hash, NULL, 10);
  model = veil_explain_model (record);
  g_assert_cmpstr (model, ==, "a b c d e f<b>");
}

/* What stands for a host may be anything, encoded too. */
static void
test_hosts (void)
{
  static const struct
  {
    const char *endpoint;
    const char *host;
  } cases[] = {
    { "https://enclave.example/x", "enclave.example" },     { "https://enclave.example:8443", "enclave.example:8443" },
    { "https://a%0Ab%09c.example:99", "a b c.example:99" }, { "https://%E2%80%AEmoc.example", "https://%E2%80%AEmoc.example" },
    { "no\u202eaddress\n<b>", "no address <b>" },           { "", "" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *host = veil_explain_host (cases[i].endpoint);

      g_assert_cmpstr (host, ==, cases[i].host);
    }
}

/* What each check means is told, and the check is named. */
static void
test_refusals (void)
{
  for (VeilError code = VEIL_ERROR_SEAL; code <= VEIL_ERROR_UNSIGNED_CONTENT; code++)
    {
      g_autoptr (VeilRecord) record = make_record ();
      VeilCheck check = veil_check_from_code (code);
      g_autofree char *outcome = NULL;

      veil_record_fail (record, 502, "verification_failed", veil_error_get_nick (code), check, "No.");
      outcome = veil_explain_outcome (record);
      g_assert_cmpstr (veil_explain_state (record), ==, "Refused");
      g_assert_nonnull (strstr (outcome, veil_check_get_title (check)));
      g_assert_nonnull (veil_explain_meaning (record));
      g_assert_nonnull (veil_explain_advice (record));
    }
}

static void
test_failures (void)
{
  const struct
  {
    const char *code;
    gboolean known;
  } rows[] = {
    { veil_error_get_nick (VEIL_ERROR_NOT_SIGNED_IN), TRUE },
    { veil_error_get_nick (VEIL_ERROR_SESSION_REFUSED), TRUE },
    { veil_error_get_nick (VEIL_ERROR_REGISTRY), TRUE },
    { veil_error_get_nick (VEIL_ERROR_NO_ACTIVE_TEE), TRUE },
    { veil_error_get_nick (VEIL_ERROR_PIN_MISMATCH), TRUE },
    { veil_error_get_nick (VEIL_ERROR_PINNED_TEE_INACTIVE), TRUE },
    { veil_error_get_nick (VEIL_ERROR_TEE_UNUSABLE), TRUE },
    { veil_error_get_nick (VEIL_ERROR_UNREACHABLE), TRUE },
    { veil_error_get_nick (VEIL_ERROR_TIMED_OUT), TRUE },
    { veil_error_get_nick (VEIL_ERROR_BROKEN_ANSWER), TRUE },
    { "something_else", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autoptr (VeilRecord) record = make_record ();
      g_autofree char *outcome = NULL;

      veil_record_fail (record, 503, rows[i].code, NULL, 0, "It says why.");
      outcome = veil_explain_outcome (record);
      g_assert_cmpstr (veil_explain_state (record), ==, "Failed");
      g_assert_cmpstr (outcome, ==, "It says why.");
      g_assert_cmpint (veil_explain_meaning (record) != NULL, ==, rows[i].known);
      g_assert_cmpint (veil_explain_advice (record) != NULL, ==, rows[i].known);
    }
}

/* Never shown as attested. */
static void
test_sandbox (void)
{
  g_autoptr (VeilRecord) record = veil_record_new ();
  g_autoptr (VeilProof) proof = veil_proof_new ();
  g_autofree char *outcome = NULL;
  VeilTiming timing = { 0 };

  veil_record_set_tee (record, "0x11", "no address", "0x22", TRUE);
  proof->sandbox = TRUE;
  veil_record_verify (record, proof, &timing, 200);
  outcome = veil_explain_outcome (record);
  g_assert_nonnull (strstr (veil_explain_state (record), "Sandbox"));
  g_assert_nonnull (strstr (outcome, "Nothing is attested"));
}

static void
test_numbers (void)
{
  const struct
  {
    gint64 duration;
    const char *text;
  } rows[] = { { 0, "under 1 ms" },
               { 999, "under 1 ms" },
               { 1000, "1 ms" },
               { 99999, "99 ms" },
               { 100000, "0.1 s" },
               { 1550000, "1.6 s" },
               { 61 * G_USEC_PER_SEC, "1 min 1 s" } };
  g_autofree char *today = veil_explain_time (g_get_real_time ());
  g_autofree char *past = veil_explain_time (0);
  g_autofree char *never = veil_explain_time (G_MAXINT64);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      g_autofree char *text = veil_explain_duration (rows[i].duration);

      g_assert_cmpstr (text, ==, rows[i].text);
    }
  g_assert_cmpuint (strlen (today), <, strlen (past));
  g_assert_cmpstr (never, !=, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/explain/waiting", test_waiting);
  g_test_add_func ("/explain/hostile-model", test_hostile_model);
  g_test_add_func ("/explain/hosts", test_hosts);
  g_test_add_func ("/explain/refusals", test_refusals);
  g_test_add_func ("/explain/failures", test_failures);
  g_test_add_func ("/explain/sandbox", test_sandbox);
  g_test_add_func ("/explain/numbers", test_numbers);
  return g_test_run ();
}
