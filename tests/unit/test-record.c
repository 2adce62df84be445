/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "record.h"

#include <string.h>

static const guint8 hash_of_request[32] = { 0x11, 0x22 };
#define REQUEST_HASH "0x1122000000000000000000000000000000000000000000000000000000000000"
#define OUTPUT_HASH "0x2222222222222222222222222222222222222222222222222222222222222222"

static const char *const dropped[] = { "user", "metadata", NULL };
static const char *const covered[] = { "content", NULL };

static VeilProof *
make_proof (void)
{
  VeilProof *proof = veil_proof_new ();

  proof->tee_id = g_strdup ("0xaa");
  proof->tee_endpoint = g_strdup ("https://tee.example");
  proof->pcr_hash = g_strdup ("0xbb");
  memcpy (proof->request_hash, hash_of_request, 32);
  memset (proof->output_hash, 0x22, 32);
  proof->signed_ = g_strdupv ((char **) covered);
  proof->unsigned_ = g_strdupv ((char **) dropped);
  proof->sandbox = TRUE;
  return proof;
}

/* Names of the properties that were notified, sorted and without repeats. */
static void
on_notify (GObject *object, GParamSpec *pspec, gpointer user_data)
{
  GPtrArray *names = user_data;

  if (!g_ptr_array_find_with_equal_func (names, pspec->name, g_str_equal, NULL))
    g_ptr_array_add (names, (char *) pspec->name);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static void
assert_notified (GPtrArray *names, const char *expected)
{
  g_autofree char *got = NULL;

  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  got = g_strjoinv (" ", (char **) names->pdata);
  g_assert_cmpstr (got, ==, expected);
  g_ptr_array_set_size (names, 0);
}

static void
assert_checks (VeilRecord *record, const char *expected)
{
  char got[VEIL_N_CHECKS + 1] = "";

  for (VeilCheck check = 0; check < VEIL_N_CHECKS; check++)
    got[check] = "-+x"[veil_record_get_check_state (record, check)];
  g_assert_cmpstr (got, ==, expected);
}

static void
test_verified (void)
{
  g_autoptr (VeilRecord) record = veil_record_new ();
  g_autoptr (VeilProof) proof = make_proof ();
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const VeilTiming timing = { .parse = 1, .seal = 2, .relay = 3, .open = 4, .verify = 5, .reply = 6 };

  g_signal_connect (record, "notify", G_CALLBACK (on_notify), names);
  g_assert_cmpint (veil_record_get_state (record), ==, VEIL_RECORD_WAITING);
  g_assert_cmpint (g_get_real_time () - veil_record_get_time (record), <, 60 * G_USEC_PER_SEC);
  g_assert_null (veil_record_get_model (record));
  assert_checks (record, "--------");

  veil_record_set_request (record, "gpt-4.1", TRUE, hash_of_request, dropped, 7);
  assert_notified (names, "model request-hash stream");
  g_assert_cmpstr (veil_record_get_request_hash (record), ==, REQUEST_HASH);
  g_assert_cmpstr (veil_record_get_dropped (record)[1], ==, "metadata");
  veil_record_set_tee (record, "0xaa", "https://tee.example", "0xbb", TRUE);
  assert_notified (names, "endpoint pcr-hash queue sandbox tee-id");
  g_assert_cmpint (veil_record_get_queue (record), >=, 0);
  g_assert_cmpint (veil_record_get_duration (record), ==, 0);

  veil_record_verify (record, proof, &timing, 200);
  assert_notified (names, "duration output-hash proof state status");
  g_assert_cmpint (veil_record_get_state (record), ==, VEIL_RECORD_VERIFIED);
  g_assert_true (veil_record_get_proof (record) == proof);
  g_assert_cmpstr (veil_record_get_output_hash (record), ==, OUTPUT_HASH);
  g_assert_cmpstr (veil_record_get_signed (record)[0], ==, "content");
  g_assert_cmpstr (veil_record_get_unsigned (record)[0], ==, "user");
  g_assert_cmpint (veil_record_get_timing (record)->verify, ==, 5);
  g_assert_cmpint (veil_record_get_duration (record), >=, veil_record_get_queue (record));
  g_assert_cmpuint (veil_record_get_status (record), ==, 200);
  g_assert_null (veil_record_get_code (record));
  assert_checks (record, "++++++++");
}

/* What the proof says counts, not what was announced. */
static void
test_proof_wins (void)
{
  g_autoptr (VeilRecord) record = veil_record_new ();
  g_autoptr (VeilProof) proof = make_proof ();
  const VeilTiming timing = { 0 };

  veil_record_set_tee (record, "0xother", "https://other.example", "0xother", FALSE);
  veil_record_verify (record, proof, &timing, 200);
  g_assert_cmpstr (veil_record_get_tee_id (record), ==, "0xaa");
  g_assert_cmpstr (veil_record_get_endpoint (record), ==, "https://tee.example");
  g_assert_cmpstr (veil_record_get_pcr_hash (record), ==, "0xbb");
  g_assert_true (veil_record_get_sandbox (record));
}

static void
test_refused (void)
{
  static const struct
  {
    VeilError code;
    guint passed;
    const char *checks;
  } cases[] = {
    { VEIL_ERROR_SEAL, 0, "x-------" },
    { VEIL_ERROR_MALFORMED_ANSWER, 1, "+x------" },
    { VEIL_ERROR_NO_SIGNED_FRAME, 1, "+x------" },
    { VEIL_ERROR_MISSING_FIELD, 1, "+x------" },
    { VEIL_ERROR_TIMESTAMP, 1, "+x------" },
    { VEIL_ERROR_TEE_ID, 2, "++x-----" },
    { VEIL_ERROR_REQUEST_HASH, 3, "+++x----" },
    { VEIL_ERROR_OUTPUT_HASH, 4, "++++x---" },
    { VEIL_ERROR_SIGNING_KEY, 5, "+++++x--" },
    { VEIL_ERROR_SIGNATURE, 5, "+++++x--" },
    { VEIL_ERROR_STALE, 6, "++++++x-" },
    { VEIL_ERROR_UNSIGNED_CONTENT, 7, "+++++++x" },
    /* What a stream's frames show before anything else was looked at; and what is only seen at the end. */
    { VEIL_ERROR_UNSIGNED_CONTENT, 1, "+------x" },
    { VEIL_ERROR_OUTPUT_HASH, 1, "+---x---" },
    { VEIL_ERROR_MALFORMED_ANSWER, 7, "+x+++++-" },
    { VEIL_ERROR_SEAL, 99, "x+++++++" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (VeilRecord) record = veil_record_new ();

      veil_record_fail (record, 502, "verification_failed", veil_error_get_nick (cases[i].code), cases[i].passed, "Why");
      g_assert_cmpint (veil_record_get_state (record), ==, VEIL_RECORD_REFUSED);
      g_assert_cmpstr (veil_record_get_check (record), ==, veil_error_get_nick (cases[i].code));
      g_assert_null (veil_record_get_proof (record));
      g_assert_null (veil_record_get_signed (record));
      assert_checks (record, cases[i].checks);
    }
}

static void
test_failed (void)
{
  g_autoptr (VeilRecord) record = veil_record_new ();
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  g_signal_connect (record, "notify", G_CALLBACK (on_notify), names);
  veil_record_fail (record, 429, "rate_limit_exceeded", NULL, 3, "Wait");
  assert_notified (names, "code duration message state status");
  g_assert_cmpint (veil_record_get_state (record), ==, VEIL_RECORD_FAILED);
  g_assert_cmpuint (veil_record_get_status (record), ==, 429);
  g_assert_cmpstr (veil_record_get_code (record), ==, "rate_limit_exceeded");
  g_assert_cmpstr (veil_record_get_message (record), ==, "Wait");
  g_assert_null (veil_record_get_check (record));
  assert_checks (record, "--------");
}

/* A code that is no verification code cannot make a refusal, nor one that is unknown. */
static void
test_no_check (void)
{
  static const char *const nicks[] = { "timed_out", "unsigned", "", "internal" };

  for (guint i = 0; i < G_N_ELEMENTS (nicks); i++)
    {
      g_autoptr (VeilRecord) record = veil_record_new ();

      veil_record_fail (record, 502, "x", nicks[i], 8, "Why");
      g_assert_cmpint (veil_record_get_state (record), ==, VEIL_RECORD_FAILED);
      assert_checks (record, "--------");
    }
}

/* Whatever comes after the end has no effect: a caller who left stays one who left. */
static void
test_end_is_final (void)
{
  g_autoptr (VeilRecord) record = veil_record_new ();
  g_autoptr (VeilProof) proof = make_proof ();
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const VeilTiming timing = { .parse = 1 };

  veil_record_fail (record, 0, "cancelled", NULL, 0, "Gone");
  g_signal_connect (record, "notify", G_CALLBACK (on_notify), names);
  veil_record_set_request (record, "m", TRUE, hash_of_request, dropped, 1);
  veil_record_set_tee (record, "0xaa", "e", "0xbb", TRUE);
  veil_record_verify (record, proof, &timing, 200);
  veil_record_fail (record, 500, "x", NULL, 0, "Other");
  assert_notified (names, "");
  g_assert_cmpint (veil_record_get_state (record), ==, VEIL_RECORD_FAILED);
  g_assert_cmpstr (veil_record_get_code (record), ==, "cancelled");
  g_assert_null (veil_record_get_proof (record));
  g_assert_null (veil_record_get_tee_id (record));
}

/* A name as long as a whole request, cut between characters; bytes that are not text. */
static void
test_long_texts (void)
{
  g_autoptr (VeilRecord) record = veil_record_new ();
  g_autofree char *model = g_strnfill (1024 * 1024, 'm');
  g_autofree char *message = g_strnfill (VEIL_RECORD_MAX_MESSAGE + 1, 'x');

  memcpy (model + VEIL_RECORD_MAX_MODEL - 1, "\303\251", 2);
  veil_record_set_request (record, model, FALSE, hash_of_request, dropped, 1);
  g_assert_cmpuint (strlen (veil_record_get_model (record)), ==, VEIL_RECORD_MAX_MODEL - 1);
  veil_record_set_request (record, "a\377b", FALSE, hash_of_request, dropped, 1);
  g_assert_cmpstr (veil_record_get_model (record), ==, "a\357\277\275b");
  veil_record_fail (record, 500, "x", NULL, 0, message);
  g_assert_cmpuint (strlen (veil_record_get_message (record)), ==, VEIL_RECORD_MAX_MESSAGE);
}

static void
test_properties (void)
{
  g_autoptr (VeilRecord) record = veil_record_new ();
  g_autoptr (VeilProof) proof = make_proof ();
  g_autoptr (VeilProof) got_proof = NULL;
  g_autofree char *model = NULL, *tee_id = NULL, *endpoint = NULL, *pcr_hash = NULL, *request_hash = NULL, *output_hash = NULL;
  g_autofree char *code = NULL, *check = NULL, *message = NULL;
  const VeilTiming timing = { 0 };
  gboolean stream, sandbox;
  gint64 at, duration, queue;
  VeilRecordState state;
  guint64 id;
  guint status;

  veil_record_set_id (record, 5);
  veil_record_set_request (record, "gpt-4.1", TRUE, hash_of_request, dropped, 7);
  veil_record_verify (record, proof, &timing, 200);
  g_object_get (record, "id", &id, "state", &state, "time", &at, "model", &model, "stream", &stream, "tee-id", &tee_id, "endpoint",
                &endpoint, "pcr-hash", &pcr_hash, "sandbox", &sandbox, "request-hash", &request_hash, "output-hash", &output_hash,
                "proof", &got_proof, "duration", &duration, "queue", &queue, "status", &status, "code", &code, "check", &check,
                "message", &message, NULL);
  g_assert_cmpuint (id, ==, 5);
  g_assert_cmpint (state, ==, VEIL_RECORD_VERIFIED);
  g_assert_cmpint (at, ==, veil_record_get_time (record));
  g_assert_cmpstr (model, ==, "gpt-4.1");
  g_assert_true (stream && sandbox);
  g_assert_cmpstr (tee_id, ==, "0xaa");
  g_assert_cmpstr (endpoint, ==, "https://tee.example");
  g_assert_cmpstr (pcr_hash, ==, "0xbb");
  g_assert_cmpstr (request_hash, ==, REQUEST_HASH);
  g_assert_cmpstr (output_hash, ==, OUTPUT_HASH);
  g_assert_true (got_proof == proof);
  g_assert_cmpint (duration, ==, veil_record_get_duration (record));
  g_assert_cmpint (queue, ==, 0);
  g_assert_cmpuint (status, ==, 200);
  g_assert_true (code == NULL && check == NULL && message == NULL);
}

/* Each verification code belongs to a check, and no other code to any. */
static void
test_check_of_code (void)
{
  gboolean seen[VEIL_N_CHECKS] = { FALSE };

  for (VeilError code = 0; code <= VEIL_ERROR_INTERNAL; code++)
    {
      VeilCheck check = veil_check_from_code (code);

      g_assert_true ((check != VEIL_N_CHECKS) == veil_error_is_verification (code));
      g_assert_cmpint (veil_check_from_code_nick (veil_error_get_nick (code)), ==, check);
      if (check != VEIL_N_CHECKS)
        seen[check] = TRUE;
    }
  for (VeilCheck check = 0; check < VEIL_N_CHECKS; check++)
    {
      g_assert_true (seen[check]);
      g_assert_cmpuint (strlen (veil_check_get_title (check)), >, 10);
      for (VeilCheck other = 0; other < check; other++)
        g_assert_cmpstr (veil_check_get_nick (check), !=, veil_check_get_nick (other));
    }
  g_assert_cmpint (veil_check_from_code_nick (NULL), ==, VEIL_N_CHECKS);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/record/verified", test_verified);
  g_test_add_func ("/record/proof-wins", test_proof_wins);
  g_test_add_func ("/record/refused", test_refused);
  g_test_add_func ("/record/failed", test_failed);
  g_test_add_func ("/record/no-check", test_no_check);
  g_test_add_func ("/record/end-is-final", test_end_is_final);
  g_test_add_func ("/record/long-texts", test_long_texts);
  g_test_add_func ("/record/properties", test_properties);
  g_test_add_func ("/record/check-of-code", test_check_of_code);
  return g_test_run ();
}
