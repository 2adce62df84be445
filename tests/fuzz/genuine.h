/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The key of the vectors, whose private half nobody has, and all that it signed in the corpora: nothing else can ever be verified. */
#pragma once

#include "chat-answer.h"
#include "json-writer.h"
#include "keccak.h"
#include "verifier.h"

#include <string.h>

#define CHECK(condition) \
  do \
    { \
      if (!(condition)) \
        g_error ("%s:%d: %s does not hold", __FILE__, __LINE__, #condition); \
    } \
  while (0)

static const char genuine_key[] =
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAyYC5AcZatxkQwCPt6TiOwgEydz+aGmKQ+w7FACVq7tUbu+jBvs4IZiDZ1bnrvCNJz4o6PjqsELf8DCa5dT3R"
    "/rfJ8Bcvi+swYLbQcgXQq6qqlS4LbNQDhYoXOv25ONktEseiLaA884o74+ZTiO4GE/mvr6JTiP+qddAPVi3nbEZhVCsaF0ph5kuG64ypwe9TlGAWRNVrbfGeem7dvrJS"
    "7VuY6U0ANHoiSCsDxVBuY0BCh/iJDjtk0un3xK9BkV395bLwaBjdU237giRpM5O/zLhgZcrZr7DMFEqrrFy6Jyv51aPKtL89pVMLG74fWbIO1fOFZ41H/Qh1K0P3VMvq"
    "EwIDAQAB";
static const char genuine_request[] =
    "{\"messages\": [{\"content\": \"hi\", \"role\": \"user\"}], \"model\": \"gpt-4.1\", \"temperature\": 0.5}";

#define GENUINE_CALL(arguments, id, name) \
  "{\"function\": {\"arguments\": \"" arguments "\", \"name\": \"" name "\"}, \"id\": \"" id "\", \"type\": \"function\"}"
#define GENUINE_WEATHER GENUINE_CALL ("{\\\"city\\\":\\\"Z\\u00fcrich\\\"}", "call_1", "get_weather")

static const char *const genuine_texts[] = { "Hello w\303\266rld \360\237\230\200", "see [DONE] x", NULL };
static const char *const genuine_calls[] = {
  "[" GENUINE_WEATHER "]",
  "[" GENUINE_WEATHER ", " GENUINE_CALL ("{}", "call_2", "add") "]",
  NULL,
};

static inline const VeilVerifierInput *
genuine_input (void)
{
  static VeilVerifierInput input;
  static guint8 request_hash[32];
  static gsize ready;

  if (g_once_init_enter (&ready))
    {
      input.signing_key_der = g_base64_decode (genuine_key, &input.signing_key_length);
      input.tee_id = "0x6a53cb626d3beb8620b1d3e54fb1b9bfd05fbe7bbd7fbb79caf56852f45df588";
      veil_keccak256 (genuine_request, strlen (genuine_request), request_hash);
      input.request_hash = request_hash;
      input.now = 1700000123;
      g_once_init_leave (&ready, 1);
    }
  return &input;
}

static inline gboolean
genuine_is_any (GBytes *text, const char *const *known)
{
  gsize length;
  const char *data = g_bytes_get_data (text, &length);

  for (guint i = 0; known[i] != NULL; i++)
    if (strlen (known[i]) == length && memcmp (known[i], data, length) == 0)
      return TRUE;
  return FALSE;
}

/* What may never be passed on, whoever signed. */
static inline void
genuine_check_passed_on (const VeilChatAnswer *answer)
{
  static const char *const own[] = { "choices", "object", "error", "tool_calls", "function_call", "content", "role", NULL };

  for (guint i = 0; i < answer->extras->len; i++)
    {
      const VeilChatExtra *extra = &g_array_index (answer->extras, VeilChatExtra, i);

      CHECK (!g_strv_contains (own, extra->name));
      CHECK (!g_str_has_prefix (extra->name, "tee_"));
      CHECK (extra->value != NULL);
    }
  CHECK (g_strv_length (answer->proof->signed_) == 1);
  CHECK (g_strv_length (answer->proof->unsigned_) <= 65);
  for (guint i = 0; answer->proof->unsigned_[i] != NULL; i++)
    CHECK (g_utf8_validate (answer->proof->unsigned_[i], -1, NULL));
}

static inline void
genuine_check (const VeilChatAnswer *answer)
{
  CHECK (answer->proof->timestamp == 1700000123);
  CHECK ((answer->text == NULL) != (answer->tool_calls == NULL));
  if (answer->text != NULL)
    /* What was said is signed, not whether it is text or calls. */
    CHECK (genuine_is_any (answer->text, genuine_texts) || genuine_is_any (answer->text, genuine_calls));
  else
    {
      g_autoptr(GBytes) calls = veil_json_to_bytes (answer->tool_calls, VEIL_JSON_CANONICAL);

      CHECK (genuine_is_any (calls, genuine_calls));
    }
  genuine_check_passed_on (answer);
}
