/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "recorded.h"

#include "chat-request.h"
#include "keccak.h"
#include "veil-error.h"

#include <string.h>

static VeilProof *
make_proof (const char *output, const char *covered)
{
  VeilProof *proof = veil_proof_new ();

  veil_keccak256 (output, strlen (output), proof->output_hash);
  proof->signed_ = g_strsplit (covered, ",", -1);
  return proof;
}

#define MESSAGES "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]"

static void
test_request (void)
{
  static const struct
  {
    const char *body;
    int code; /* -1: it is the one */
  } cases[] = {
    { "{\"model\":\"m\"," MESSAGES "}", -1 },
    { " {\"temperature\": 0.0, \"user\": \"me\", \"model\": \"openai/m\", \"stream\": true, " MESSAGES "}\n", -1 },
    { "{\"model\":\"m2\"," MESSAGES "}", VEIL_ERROR_REQUEST_HASH },
    { "{\"model\":\"m\",\"temperature\":0.1," MESSAGES "}", VEIL_ERROR_REQUEST_HASH },
    { "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi!\"}]}", VEIL_ERROR_REQUEST_HASH },
    { "{\"model\":\"m\",\"reasoning_effort\":\"low\"," MESSAGES "}", -1 }, /* an older gateway, which leaves it out */
    { "{\"model\":\"m\"}", VEIL_ERROR_INVALID_REQUEST },
    { "{", VEIL_ERROR_INVALID_JSON },
    { "", VEIL_ERROR_INVALID_JSON },
  };
  g_autoptr (VeilProof) proof = make_proof ("", "content");
  g_autoptr (VeilChatRequest) request =
      veil_chat_request_new (cases[0].body, strlen (cases[0].body), VEIL_CHAT_REQUEST_OPENAI, NULL);

  memcpy (proof->request_hash, request->request_hash, 32);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_cmpint (veil_recorded_check_request (proof, cases[i].body, strlen (cases[i].body), &error), ==, cases[i].code < 0);
      if (cases[i].code >= 0)
        g_assert_error (error, VEIL_ERROR, cases[i].code);
    }
  /* Where the proof says that the effort was signed, one without is another request. */
  proof->effort_given = proof->effort_signed = TRUE;
  g_assert_false (veil_recorded_check_request (proof, cases[5].body, strlen (cases[5].body), NULL));
}

#define CALLS "[{\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]"
#define CANONICAL_CALLS "[{\"function\": {\"arguments\": \"{}\", \"name\": \"f\"}, \"id\": \"c\", \"type\": \"function\"}]"
#define STREAMED_CALLS "[{\"index\":0,\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]"
#define SINGLE(message, reason)                                                                                                  \
  "{\"id\":\"x\",\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":{" message "},\"finish_reason\":\"" reason \
  "\"}],\"opengradient_verification\":{}}"
#define FRAME(delta, reason)                                                                                                    \
  "data: {\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{" delta "},\"finish_reason\":" reason "}]}" \
                                                                                                                          "\n\n"
#define END "data: {\"choices\":[],\"usage\":{},\"opengradient_receipt\":{}}\n\ndata: [DONE]\n\n"

static void
test_response (void)
{
  static const struct
  {
    const char *output;
    const char *covered;
    const char *file;
    int code;
    const char *names;
  } cases[] = {
    { "Hi", "content", "\n" SINGLE ("\"content\":\"Hi\"", "stop"), -1, "id finish_reason" },
    { "", "content", SINGLE ("\"content\":null", "stop"), -1, "id finish_reason" },
    { "Hi", "content", SINGLE ("\"content\":\"Ho\"", "stop"), VEIL_ERROR_OUTPUT_HASH, NULL },
    { "Hi", "content", SINGLE ("\"content\":\"Hi\",\"tool_calls\":" CALLS, "stop"), VEIL_ERROR_UNSIGNED_CONTENT, NULL },
    { "Hi", "content", SINGLE ("\"content\":\"Ho\",\"content\":\"Hi\"", "stop"), VEIL_ERROR_UNSIGNED_CONTENT, NULL },
    { "Hi", "content", SINGLE ("\"content\":\"Hi\",\"reasoning\":\"r\"", "stop"), -1,
      "id choices[0].message.reasoning finish_reason" },
    { "Hi", "tool_calls", SINGLE ("\"content\":\"Hi\"", "stop"), VEIL_ERROR_OUTPUT_HASH, NULL },
    { CANONICAL_CALLS, "tool_calls", SINGLE ("\"content\":null,\"tool_calls\":" CALLS, "tool_calls"), -1, "id finish_reason" },
    { CANONICAL_CALLS, "tool_calls", SINGLE ("\"content\":\"x\",\"tool_calls\":" CALLS, "tool_calls"), -1,
      "id finish_reason choices[0].message.content" },
    { CANONICAL_CALLS, "content", SINGLE ("\"content\":null,\"tool_calls\":" CALLS, "tool_calls"), VEIL_ERROR_OUTPUT_HASH, NULL },
    { CANONICAL_CALLS, "content", SINGLE ("\"content\":\"x\",\"tool_calls\":" CALLS, "stop"), VEIL_ERROR_OUTPUT_HASH, NULL },
    { "Hi", "content", "{\"error\":{\"message\":\"no\"}}", VEIL_ERROR_OUTPUT_HASH, NULL },
    { "Hi", "content", "{\"choices\":[", VEIL_ERROR_INVALID_JSON, NULL },
    { "Hi", "content", "", VEIL_ERROR_MALFORMED_ANSWER, NULL },
    { "Hi", "content", "Hi", VEIL_ERROR_MALFORMED_ANSWER, NULL },
    { "Hi", "content", FRAME ("\"content\":\"H\"", "null") FRAME ("\"content\":\"i\"", "\"stop\"") END, -1, "finish_reason usage" },
    { "Hi", "content", FRAME ("\"content\":\"H\"", "null") FRAME ("\"content\":\"o\"", "\"stop\"") END, VEIL_ERROR_OUTPUT_HASH,
      NULL },
    { "Hi", "content", FRAME ("\"content\":\"Hi\"", "\"stop\""), VEIL_ERROR_MALFORMED_ANSWER, NULL },
    { "Hi", "content", FRAME ("\"content\":\"Hi\"", "\"stop\"") END FRAME ("", "null"), VEIL_ERROR_MALFORMED_ANSWER, NULL },
    { "Hi", "content", FRAME ("\"content\":\"Hi\"", "\"stop\"") FRAME ("", "\"length\"") END, VEIL_ERROR_MALFORMED_ANSWER, NULL },
    { "Hi", "content", FRAME ("\"content\":\"Hi\",\"tool_calls\":" STREAMED_CALLS, "\"stop\"") END, VEIL_ERROR_UNSIGNED_CONTENT,
      NULL },
    { CANONICAL_CALLS, "tool_calls", FRAME ("\"tool_calls\":" STREAMED_CALLS, "\"tool_calls\"") END, -1, "finish_reason usage" },
    { "Hi", "content", "data: nonsense\n\n" END, VEIL_ERROR_INVALID_JSON, NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (VeilProof) proof = make_proof (cases[i].output, cases[i].covered);
      g_autoptr (GError) error = NULL;
      g_auto (GStrv) names = NULL;
      g_autofree char *joined = NULL;
      gboolean same = veil_recorded_check_response (proof, cases[i].file, strlen (cases[i].file), &names, &error);

      g_test_message ("%s", cases[i].file);
      if (cases[i].code >= 0)
        {
          g_assert_error (error, VEIL_ERROR, cases[i].code);
          g_assert_false (same);
          continue;
        }
      g_assert_no_error (error);
      g_assert_true (same);
      joined = g_strjoinv (" ", names);
      g_assert_cmpstr (joined, ==, cases[i].names);
    }
}

/* A call that had no id was hashed with null or with "". */
static void
test_null_id (void)
{
  static const char *const outputs[] = {
    "[{\"function\": {\"arguments\": \"{}\", \"name\": \"f\"}, \"id\": null, \"type\": \"function\"}]",
    "[{\"function\": {\"arguments\": \"{}\", \"name\": \"f\"}, \"id\": \"\", \"type\": \"function\"}]"
  };
  const char *file =
      FRAME ("\"tool_calls\":[{\"index\":0,\"id\":null,\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]",
             "\"tool_calls\"") END;

  for (guint i = 0; i < G_N_ELEMENTS (outputs); i++)
    {
      g_autoptr (VeilProof) proof = make_proof (outputs[i], "tool_calls");
      g_auto (GStrv) names = NULL;

      g_assert_true (veil_recorded_check_response (proof, file, strlen (file), &names, NULL));
    }
}

static void
test_too_large (void)
{
  g_autoptr (VeilProof) proof = make_proof ("", "content");
  g_autoptr (GError) error = NULL, second = NULL;
  g_auto (GStrv) names = NULL;

  g_assert_false (veil_recorded_check_request (proof, "{", (gsize) VEIL_RECORDED_MAX_SIZE + 1, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_TOO_LARGE);
  g_assert_false (veil_recorded_check_response (proof, "{", (gsize) VEIL_RECORDED_MAX_SIZE + 1, &names, &second));
  g_assert_error (second, VEIL_ERROR, VEIL_ERROR_TOO_LARGE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/recorded/request", test_request);
  g_test_add_func ("/recorded/response", test_response);
  g_test_add_func ("/recorded/null-id", test_null_id);
  g_test_add_func ("/recorded/too-large", test_too_large);
  return g_test_run ();
}
