/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "response.h"

#include "check.h"
#include "error-details.h"
#include "output.h"
#include "signer.h"
#include "vectors.h"

#include <time.h>

static Signer *signer;

typedef struct
{
  JsonObject *keys;
  guint accepted;
  guint refused;
} VectorRun;

static VeilError
code_of_check (const char *check)
{
  static const struct
  {
    const char *check;
    VeilError code;
  } codes[] = {
    { "timestamp", VEIL_ERROR_TIMESTAMP },       { "tee_id", VEIL_ERROR_TEE_ID },
    { "request_hash", VEIL_ERROR_REQUEST_HASH }, { "output_hash", VEIL_ERROR_OUTPUT_HASH },
    { "signing_key", VEIL_ERROR_SIGNING_KEY },   { "signature", VEIL_ERROR_SIGNATURE },
  };

  if (g_str_has_prefix (check, "missing:"))
    return VEIL_ERROR_MISSING_FIELD;
  for (guint i = 0; i < G_N_ELEMENTS (codes); i++)
    if (g_str_equal (check, codes[i].check))
      return codes[i].code;
  g_error ("unknown check %s", check);
}

/* The signature check alone, without the rules for what no signature covers. */
static gboolean
verify_only (const VeilVerifierInput *input, GBytes *response, VeilVerifierResult *result, VeilOutput *output, GError **error)
{
  g_autoptr (VeilJsonDoc) doc = veil_json_doc_new (g_bytes_get_data (response, NULL), g_bytes_get_size (response), error);

  g_assert_nonnull (doc);
  return veil_output_read_single (doc, veil_json_doc_get_root (doc), output, error) &&
         veil_verifier_check (input, veil_json_doc_get_root (doc), (const guint8 (*)[32]) & output->hash, 1, result, error);
}

static void
check_accepted (const char *name, JsonObject *entry, const VeilVerifierResult *result, const VeilOutput *output)
{
  g_autoptr (GBytes) content = vectors_base64 (entry, "content_b64");
  g_autoptr (GBytes) request_hash = vectors_hex (entry, "request_hash_hex");
  g_autoptr (GBytes) output_hash = vectors_hex (entry, "output_hash_hex");

  if (!vectors_boolean (entry, "valid") && !vectors_boolean (entry, "allow_accept"))
    g_error ("%s is accepted", name);
  if (content == NULL)
    return;
  vectors_assert_equal (name, "content", g_bytes_get_data (output->bytes, NULL), g_bytes_get_size (output->bytes), content);
  vectors_assert_equal (name, "request hash", result->request_hash, 32, request_hash);
  vectors_assert_equal (name, "output hash", result->output_hash, 32, output_hash);
  g_assert_cmpuint (result->timestamp, ==, g_ascii_strtoull (vectors_string (entry, "timestamp"), NULL, 10));
  g_assert_cmpuint (g_bytes_get_size (result->signature), >=, 256);
}

static void
check_refused (const char *name, JsonObject *entry, const GError *error)
{
  if (vectors_boolean (entry, "valid"))
    {
      if (!vectors_boolean (entry, "allow_refuse"))
        g_error ("%s is refused: %s", name, error->message);
      return;
    }
  if (!g_error_matches (error, VEIL_ERROR, (int) code_of_check (vectors_string (entry, "failing_check"))))
    g_error ("%s is refused by another check: %s", name, error->message);
  /* All those before it, unless the output could not even be read. */
  if (error->code != VEIL_ERROR_OUTPUT_HASH || veil_error_get_passed (error) != 0)
    g_assert_cmpuint (veil_error_get_passed (error), ==, veil_check_from_code (error->code));
}

/* What the whole says must be what the signature check says, unless the rules for the unsigned step in, which they may for these only. */
static void
check_whole (const char *name, const VeilVerifierInput *input, GBytes *response, const VeilOutput *output, const GError *refusal)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilChatAnswer) answer =
      veil_response_verify_single (input, g_bytes_get_data (response, NULL), g_bytes_get_size (response), &error);

  if (refusal != NULL)
    {
      g_assert_null (answer);
      g_assert_error (error, VEIL_ERROR, refusal->code);
      return;
    }
  if (g_str_equal (name, "valid/duplicate-field-last-wins") || g_str_has_prefix (name, "valid/tool-calls-with-finish-stop") ||
      g_str_has_prefix (name, "valid/finish-tool-calls-not-a-list") || g_str_has_prefix (name, "valid/second-choice"))
    {
      g_assert_null (answer);
      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_UNSIGNED_CONTENT);
      return;
    }
  if (g_str_has_prefix (name, "valid/choices-") || g_str_equal (name, "valid/message-not-an-object"))
    {
      g_assert_null (answer);
      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_MALFORMED_ANSWER);
      return;
    }
  g_assert_no_error (error);
  if (output->is_calls)
    {
      g_autoptr (GBytes) calls = veil_json_to_bytes (answer->tool_calls, VEIL_JSON_CANONICAL);

      g_assert_null (answer->text);
      vectors_assert_equal (name, "tool calls", g_bytes_get_data (calls, NULL), g_bytes_get_size (calls), output->bytes);
      return;
    }
  g_assert_null (answer->tool_calls);
  vectors_assert_equal (name, "text", g_bytes_get_data (answer->text, NULL), g_bytes_get_size (answer->text), output->bytes);
}

static void
check_vector (const char *name, JsonObject *entry, gpointer user_data)
{
  VectorRun *run = user_data;
  JsonObject *key = json_object_get_object_member (run->keys, vectors_string (entry, "key"));
  g_autoptr (GBytes) der = vectors_base64 (key, "spki_der_b64");
  g_autoptr (GBytes) request = vectors_base64 (entry, "canonical_request_b64");
  g_autoptr (GBytes) response = vectors_base64 (entry, "response_json_b64");
  g_autoptr (GError) error = NULL;
  g_auto (VeilVerifierResult) result = { 0 };
  g_auto (VeilOutput) output = { NULL };
  const char *timestamp = vectors_string (entry, "timestamp");
  guint8 request_hash[32];
  VeilVerifierInput input = {
    .tee_id = vectors_string (entry, "expected_tee_id"),
    .signing_key_der = g_bytes_get_data (der, NULL),
    .signing_key_length = g_bytes_get_size (der),
    .request_hash = request_hash,
    .now = timestamp != NULL ? g_ascii_strtoll (timestamp, NULL, 10) : 1700000000,
  };

  veil_keccak256 (g_bytes_get_data (request, NULL), g_bytes_get_size (request), request_hash);
  if (verify_only (&input, response, &result, &output, &error))
    {
      check_accepted (name, entry, &result, &output);
      run->accepted++;
    }
  else
    {
      check_refused (name, entry, error);
      run->refused++;
    }
  check_whole (name, &input, response, &output, error);
}

static void
test_vectors (void)
{
  g_autoptr (JsonObject) file = vectors_load ("verify-response.json");
  VectorRun run = { json_object_get_object_member (file, "keys"), 0, 0 };

  vectors_foreach (file, check_vector, &run);
  g_assert_cmpuint (run.accepted, >=, 44);
  g_assert_cmpuint (run.refused, >=, 104);
}

static VeilChatAnswer *
verify_at (const VeilVerifierInput *input, const char *response, GError **error)
{
  return veil_response_verify_single (input, (const guint8 *) response, strlen (response), error);
}

static VeilChatAnswer *
verify (const char *response, GError **error)
{
  VeilVerifierInput input = signer_input (signer);

  return verify_at (&input, response, error);
}

/* {@head "choices":[@choices], tee_*} with a signature over @output. */
static char *
make_response (const char *head, const char *choices, const char *output)
{
  g_autofree char *proof = signer_sign (signer, output);

  return g_strdup_printf ("{%s\"choices\":[%s],%s}", head, choices, proof);
}

#define CALLS "[{\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]"
#define CANONICAL_CALLS "[{\"function\": {\"arguments\": \"{}\", \"name\": \"f\"}, \"id\": \"c\", \"type\": \"function\"}]"

static void
test_text (void)
{
  g_autofree char *response = make_response (
      "\"id\":\"x\",\"object\":\"chat.completion\",\"created\":5,\"model\":\"m\",\"usage\":{\"total_tokens\":1},"
      "\"opengradient\":{\"cost\":\"0.1\"},\"system_fingerprint\":\"fp\",\"service_tier\":null,\"tee_note\":1,",
      "{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Hi\",\"refusal\":null,\"reasoning_content\":\"r\","
      "\"citations\":[1],\"annotations\":[2],\"tool_calls\":[],\"function_call\":null},\"logprobs\":{},\"finish_reason\":\"stop\"}",
      "Hi");
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilChatAnswer) answer = verify (response, &error);
  g_autofree char *uncovered = NULL;
  g_autoptr (GString) extras = g_string_new (NULL);

  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (answer->text, NULL), g_bytes_get_size (answer->text), "Hi", 2);
  g_assert_null (answer->tool_calls);
  g_assert_null (answer->deltas);
  g_assert_false (answer->content_was_null);
  g_assert_true (veil_json_equals (answer->finish_reason, "stop"));
  g_assert_cmpstr (answer->proof->signed_[0], ==, "content");
  g_assert_null (answer->proof->signed_[1]);
  g_assert_cmpuint (answer->proof->timestamp, ==, SIGNER_NOW);
  uncovered = g_strjoinv (" ", answer->proof->unsigned_);
  g_assert_cmpstr (uncovered, ==,
                   "id created model usage opengradient system_fingerprint tee_note choices[0].message.reasoning_content "
                   "choices[0].message.citations choices[0].message.annotations choices[0].logprobs finish_reason");
  for (guint i = 0; i < answer->extras->len; i++)
    {
      VeilChatExtra *extra = &g_array_index (answer->extras, VeilChatExtra, i);

      g_string_append_printf (extras, "%s%s ", extra->in_message ? "message." : "", extra->name);
    }
  g_assert_cmpstr (extras->str, ==, "id created model usage opengradient message.citations ");
}

static void
test_tool_calls (void)
{
  g_autofree char *response =
      make_response ("", "{\"message\":{\"content\":\"unsigned words\",\"tool_calls\":" CALLS "},\"finish_reason\":\"tool_calls\"}",
                     CANONICAL_CALLS);
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilChatAnswer) answer = verify (response, &error);
  g_autoptr (GBytes) calls = NULL;

  g_assert_no_error (error);
  g_assert_null (answer->text);
  g_assert_true (answer->content_was_null);
  calls = veil_json_to_bytes (answer->tool_calls, VEIL_JSON_CANONICAL);
  g_assert_cmpmem (g_bytes_get_data (calls, NULL), g_bytes_get_size (calls), CANONICAL_CALLS, strlen (CANONICAL_CALLS));
  g_assert_cmpstr (answer->proof->signed_[0], ==, "tool_calls");
  g_assert_true (g_strv_contains ((const char *const *) answer->proof->unsigned_, "choices[0].message.content"));
}

#define LONG_WORD "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HI_CHOICE "{\"message\":{\"content\":\"Hi\"},\"finish_reason\":\"stop\"}"

/* Signed and genuine, and still not to be passed on. */
static void
test_unsigned_content (void)
{
  static const struct
  {
    const char *head;
    const char *choices;
    VeilError code;
  } cases[] = {
    { "", "{\"message\":{\"content\":\"Hi\",\"tool_calls\":" CALLS "},\"finish_reason\":\"stop\"}", VEIL_ERROR_UNSIGNED_CONTENT },
    { "", "{\"message\":{\"content\":\"Hi\",\"tool_calls\":{\"a\":1}},\"finish_reason\":\"tool_calls\"}",
      VEIL_ERROR_UNSIGNED_CONTENT },
    { "", "{\"message\":{\"content\":\"Hi\",\"function_call\":{\"name\":\"f\"}}}", VEIL_ERROR_UNSIGNED_CONTENT },
    { "", "{\"message\":{\"content\":\"Hi\"},\"tool_calls\":" CALLS "}", VEIL_ERROR_UNSIGNED_CONTENT },
    { "\"function_call\":{\"name\":\"f\"},", HI_CHOICE, VEIL_ERROR_UNSIGNED_CONTENT },
    { "\"tool_calls\":" CALLS ",", HI_CHOICE, VEIL_ERROR_UNSIGNED_CONTENT },
    { "", HI_CHOICE "," HI_CHOICE, VEIL_ERROR_UNSIGNED_CONTENT },
    { "", HI_CHOICE ",null", VEIL_ERROR_UNSIGNED_CONTENT },
    { "", "{\"index\":1,\"message\":{\"content\":\"Hi\"}}", VEIL_ERROR_UNSIGNED_CONTENT },
    { "", "{\"message\":{\"content\":\"bad\",\"content\":\"Hi\"}}", VEIL_ERROR_UNSIGNED_CONTENT },
    { "\"model\":\"a\",\"model\":\"b\",", HI_CHOICE, VEIL_ERROR_UNSIGNED_CONTENT },
    { "\"usage\":{\"x\":{\"n\":1,\"n\":2}},", HI_CHOICE, VEIL_ERROR_UNSIGNED_CONTENT },
    { "", "{\"message\":{\"content\":\"Hi\"},\"finish_reason\":5}", VEIL_ERROR_MALFORMED_ANSWER },
    { "", "{\"message\":{\"content\":\"Hi\"},\"finish_reason\":[\"stop\"]}", VEIL_ERROR_MALFORMED_ANSWER },
    { "", "{\"message\":{\"content\":\"Hi\"},\"finish_reason\":\"Pay to another account.\"}", VEIL_ERROR_MALFORMED_ANSWER },
    { "", "{\"message\":{\"content\":\"Hi\"},\"finish_reason\":\"stop\\n\"}", VEIL_ERROR_MALFORMED_ANSWER },
    { "", "{\"message\":{\"content\":\"Hi\"},\"finish_reason\":\"stop\\u0000\"}", VEIL_ERROR_MALFORMED_ANSWER },
    { "", "{\"message\":{\"content\":\"Hi\"},\"finish_reason\":\"" LONG_WORD "\"}", VEIL_ERROR_MALFORMED_ANSWER },
    { "\"error\":\"late\",", HI_CHOICE, VEIL_ERROR_GATEWAY },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *response = make_response (cases[i].head, cases[i].choices, "Hi");
      g_autoptr (GError) error = NULL;

      g_test_message ("%s %s", cases[i].head, cases[i].choices);
      g_assert_null (verify (response, &error));
      g_assert_error (error, VEIL_ERROR, (int) cases[i].code);
      g_assert_null (strstr (error->message, "Hi"));
      if (cases[i].code == VEIL_ERROR_UNSIGNED_CONTENT)
        g_assert_cmpuint (veil_error_get_passed (error), ==, VEIL_CHECK_COVERAGE);
    }
}

/* The same key twice with the same value reads one way only. */
static void
test_equal_repeats (void)
{
  g_autofree char *response = make_response ("\"model\":\"a\",\"model\":\"a\",", HI_CHOICE, "Hi");
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilChatAnswer) answer = verify (response, &error);

  g_assert_no_error (error);
  g_assert_nonnull (answer);
}

static void
test_extra_types (void)
{
  g_autofree char *response =
      make_response ("\"id\":{\"a\":1},\"model\":5,\"created\":\"now\",\"request_cost\":1,", HI_CHOICE, "Hi");
  g_autoptr (VeilChatAnswer) answer = verify (response, NULL);

  g_assert_nonnull (answer);
  g_assert_cmpuint (answer->extras->len, ==, 1);
  g_assert_cmpstr (g_array_index (answer->extras, VeilChatExtra, 0).name, ==, "request_cost");
  g_assert_true (g_strv_contains ((const char *const *) answer->proof->unsigned_, "id"));
}

static void
test_staleness (void)
{
  static const struct
  {
    gint64 offset;
    gboolean fresh;
  } cases[] = {
    { 0, TRUE },      { VEIL_VERIFIER_MAX_SKEW, TRUE },  { VEIL_VERIFIER_MAX_SKEW + 1, FALSE },
    { 3600, FALSE },  { -VEIL_VERIFIER_MAX_SKEW, TRUE }, { -VEIL_VERIFIER_MAX_SKEW - 1, FALSE },
    { -3600, FALSE }, { -SIGNER_NOW - 5, FALSE },
  };
  g_autofree char *response = make_response ("", HI_CHOICE, "Hi");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      VeilVerifierInput input = signer_input (signer);
      g_autoptr (GError) error = NULL;
      g_autoptr (VeilChatAnswer) answer = NULL;

      input.now += cases[i].offset;
      answer = verify_at (&input, response, &error);
      g_assert_cmpint (answer != NULL, ==, cases[i].fresh);
      if (!cases[i].fresh)
        g_assert_error (error, VEIL_ERROR, VEIL_ERROR_STALE);
    }
}

/* The signature is looked at before the clock: a stranger's answer is never called stale. */
static void
test_stale_is_last (void)
{
  g_autofree char *response = make_response ("", HI_CHOICE, "Hi");
  VeilVerifierInput input = signer_input (signer);
  char *digit = strstr (response, "\"tee_timestamp\":1") + strlen ("\"tee_timestamp\":1");
  g_autoptr (GError) error = NULL;

  *digit = '0';
  g_assert_null (verify_at (&input, response, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_SIGNATURE);
}

/* Either form of a request with reasoning_effort will do, and the result says which. */
static void
test_plain_request (void)
{
  guint8 with_effort[32] = { 1 };
  guint8 plain[32] = { 2 };
  guint8 foreign[32] = { 3 };
  const guint8 *const signed_for[] = { with_effort, plain, foreign };

  for (guint i = 0; i < G_N_ELEMENTS (signed_for); i++)
    {
      g_autofree char *proof = signer_sign_full (signer, signed_for[i], "Hi", SIGNER_NOW);
      g_autofree char *response = g_strdup_printf ("{\"choices\":[" HI_CHOICE "],%s}", proof);
      VeilVerifierInput input = signer_input (signer);
      g_autoptr (GError) error = NULL;
      g_autoptr (VeilChatAnswer) answer = NULL;

      input.request_hash = with_effort;
      input.request_hash_plain = plain;
      answer = verify_at (&input, response, &error);
      if (i < 2)
        g_assert_cmpmem (answer->proof->request_hash, 32, signed_for[i], 32);
      else
        g_assert_error (error, VEIL_ERROR, VEIL_ERROR_REQUEST_HASH);
    }
}

/* The registry's key must be the one that the chosen id stands for, whatever the answer says. */
static void
test_registry_key_of_another (void)
{
  g_autofree char *response = make_response ("", HI_CHOICE, "Hi");
  VeilVerifierInput input = signer_input (signer);
  g_autoptr (GError) error = NULL;

  input.tee_id = "0x0000000000000000000000000000000000000000000000000000000000000001";
  g_assert_null (verify_at (&input, response, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_TEE_ID);
}

static void
test_envelope (void)
{
  g_autofree char *inner = make_response ("", HI_CHOICE, "Hi");
  g_autofree char *wrapped = g_strdup_printf ("{\"status\":200,\"body\":%s}", inner);
  static const char *const strange[] = { "99999999999999999999", "600", "99", "-1" };
  g_autofree char *refused = g_strdup_printf ("{\"status\":429,\"body\":%s}", inner);
  g_autoptr (VeilChatAnswer) answer = verify (wrapped, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (answer);
  for (guint i = 0; i < G_N_ELEMENTS (strange); i++)
    {
      g_autofree char *response = g_strdup_printf ("{\"status\":%s,\"body\":%s}", strange[i], inner);
      g_autoptr (GError) malformed = NULL;

      g_assert_null (verify (response, &malformed));
      g_assert_error (malformed, VEIL_ERROR, VEIL_ERROR_MALFORMED_ANSWER);
    }
  g_assert_null (verify (refused, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_GATEWAY);
  g_assert_cmpuint (veil_error_get_status (error), ==, 429);
}

/* Numbers that would wrap around to the signed one, and text that a NUL makes shorter. */
static void
test_altered_fields (void)
{
  static const struct
  {
    const char *from;
    const char *to;
    VeilError code;
  } cases[] = {
    { ":1750000000", ":\"18446744075459551616\"", VEIL_ERROR_TIMESTAMP },
    { ":1750000000", ":18446744075459551616", VEIL_ERROR_TIMESTAMP },
    { ":1750000000", ":9223372036854775808", VEIL_ERROR_TIMESTAMP },
    { ":1750000000", ":\"9223372036854775808\"", VEIL_ERROR_TIMESTAMP },
    { ":1750000000", ":\"\"", VEIL_ERROR_TIMESTAMP },
    { ":1750000000", ":1750000000.0", VEIL_ERROR_TIMESTAMP },
    { "\",\"tee_request_hash", "\\u0000\",\"tee_request_hash", VEIL_ERROR_MISSING_FIELD },
    { "\",\"tee_output_hash", "\\u0000x\",\"tee_output_hash", VEIL_ERROR_MISSING_FIELD },
    { "\",\"tee_timestamp", "\\u0000x\",\"tee_timestamp", VEIL_ERROR_MISSING_FIELD },
    { "tee_id\":\"0x", "tee_id\":\"0x0x", VEIL_ERROR_TEE_ID },
    { "tee_output_hash\":\"", "tee_output_hash\":\"0x0x", VEIL_ERROR_OUTPUT_HASH },
    { "\"Hi\"", "\"Hj\"", VEIL_ERROR_OUTPUT_HASH },
  };
  g_autofree char *response = make_response ("", HI_CHOICE, "Hi");

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (GStrv) parts = g_strsplit (response, cases[i].from, 2);
      g_autofree char *altered = g_strjoinv (cases[i].to, parts);
      g_autoptr (GError) error = NULL;

      g_assert_cmpuint (g_strv_length (parts), ==, 2);
      g_assert_null (verify (altered, &error));
      g_assert_error (error, VEIL_ERROR, (int) cases[i].code);
    }
}

/* Half of a surrogate pair has no UTF-8, so nobody can have signed its text, not even over the bytes that we keep it in. */
static void
test_lone_surrogate (void)
{
  g_autofree char *response =
      make_response ("", "{\"message\":{\"content\":\"\\ud83d\"},\"finish_reason\":\"stop\"}", "\xed\xa0\xbd");
  g_autoptr (GError) error = NULL;

  g_assert_null (verify (response, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_OUTPUT_HASH);
}

static void
test_gateway_errors (void)
{
  static const struct
  {
    const char *response;
    guint status;
    const char *says;
    gboolean retryable;
  } cases[] = {
    { "{\"status\":400,\"body\":{\"error\":\"no\"}}", 400, ": no", FALSE },
    { "{\"status\":503,\"body\":{\"detail\":\"busy\",\"retryable\":true}}", 503, ": busy", TRUE },
    { "{\"status\":500,\"body\":{\"error\":{\"message\":\"deep\",\"retryable\":true}}}", 500, ": deep", TRUE },
    { "{\"status\":500,\"body\":{\"error\":\"a\\u001b[31m\\r\\nb\\u202ec\\ud800\"}}", 500, ": a [31m b c", FALSE },
    { "{\"status\":599,\"body\":{}}", 599, "no reason", FALSE },
    { "{\"status\":500,\"body\":{\"error\":[1],\"retryable\":\"true\"}}", 500, "no reason", FALSE },
    { "{\"error\":\"bare\"}", 502, ": bare", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (verify (cases[i].response, &error));
      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_GATEWAY);
      g_assert_cmpuint (veil_error_get_status (error), ==, cases[i].status);
      g_assert_cmpint (veil_error_get_retryable (error), ==, cases[i].retryable);
      g_assert_nonnull (strstr (error->message, cases[i].says));
    }
}

static void
test_gateway_error_is_short (void)
{
  g_autofree char *long_text = g_strnfill (100000, 'x');
  g_autofree char *response = g_strdup_printf ("{\"status\":500,\"body\":{\"error\":\"%s\"}}", long_text);
  g_autoptr (GError) error = NULL;

  g_assert_null (verify (response, &error));
  g_assert_cmpuint (strlen (error->message), <, 500);
}

/* Not one byte of a signed answer's text, proof or finish_reason can change without a refusal or an equal reading. */
static void
test_every_byte (void)
{
  g_autofree char *response = make_response ("", HI_CHOICE, "Hi");
  gsize length = strlen (response);

  for (gsize i = 0; i < length; i++)
    {
      g_autoptr (VeilChatAnswer) answer = NULL;
      char original = response[i];

      response[i] ^= 1;
      answer = verify (response, NULL);
      if (answer != NULL)
        g_assert_cmpmem (g_bytes_get_data (answer->text, NULL), g_bytes_get_size (answer->text), "Hi", 2);
      response[i] = original;
    }
}

static gint64
thread_cpu_us (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

static VeilJsonDoc *
make_heavy_doc (void)
{
  static const gsize count = 4000000;
  g_autofree char *text = g_strnfill (2 * count + 1, ',');
  VeilJsonDoc *doc;

  for (gsize i = 0; i < count; i++)
    text[2 * i + 1] = '0';
  text[0] = '[';
  text[2 * count] = ']';
  doc = veil_json_doc_new (text, 2 * count + 1, NULL);
  g_assert_nonnull (doc);
  return doc;
}

/* The last reference to an answer may be the main loop's, which has no time for what a hostile one can hold. */
static void
test_heavy_answer (void)
{
  VeilChatAnswer *answer = veil_chat_answer_new ();
  VeilJsonDoc *doc = make_heavy_doc ();
  gint64 start, directly, with_answer;

  g_ptr_array_add (answer->docs, make_heavy_doc ());
  start = thread_cpu_us ();
  veil_json_doc_unref (doc);
  directly = thread_cpu_us () - start;
  start = thread_cpu_us ();
  veil_chat_answer_unref (answer);
  with_answer = thread_cpu_us () - start;
  g_test_message ("%" G_GINT64_FORMAT " us directly, %" G_GINT64_FORMAT " us with an answer", directly, with_answer);
  g_assert_cmpint (with_answer, <, directly / 2);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  signer = signer_new ();
  g_test_add_func ("/response/vectors", test_vectors);
  g_test_add_func ("/response/text", test_text);
  g_test_add_func ("/response/tool-calls", test_tool_calls);
  g_test_add_func ("/response/unsigned-content", test_unsigned_content);
  g_test_add_func ("/response/equal-repeats", test_equal_repeats);
  g_test_add_func ("/response/extra-types", test_extra_types);
  g_test_add_func ("/response/staleness", test_staleness);
  g_test_add_func ("/response/stale-is-last", test_stale_is_last);
  g_test_add_func ("/response/plain-request", test_plain_request);
  g_test_add_func ("/response/registry-key-of-another", test_registry_key_of_another);
  g_test_add_func ("/response/altered-fields", test_altered_fields);
  g_test_add_func ("/response/lone-surrogate", test_lone_surrogate);
  g_test_add_func ("/response/envelope", test_envelope);
  g_test_add_func ("/response/gateway-errors", test_gateway_errors);
  g_test_add_func ("/response/gateway-error-is-short", test_gateway_error_is_short);
  g_test_add_func ("/response/every-byte", test_every_byte);
  g_test_add_func ("/response/heavy-answer", test_heavy_answer);
  status = g_test_run ();
  signer_free (signer);
  return status;
}
