/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Whatever body comes in: it is refused, or its wire form is what an enclave hashes to the very value that we computed. */
#include "chat-request.h"

#include "json.h"
#include "keccak.h"
#include "veil-error.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize length);

#define CHECK(condition)                                                     \
  do                                                                         \
    {                                                                        \
      if (!(condition))                                                      \
        g_error ("%s:%d: %s does not hold", __FILE__, __LINE__, #condition); \
    }                                                                        \
  while (0)

static void
check_wire_keys (GBytes *wire)
{
  static const char *const allowed[] = { "max_tokens",      "messages", "model",      "reasoning_effort",
                                         "response_format", "stop",     "stream",     "temperature",
                                         "tool_choice",     "tools",    "web_search", NULL };
  static const char *const in_message[] = { "content", "name", "role", "tool_call_id", "tool_calls", NULL };
  g_autoptr(VeilJsonDoc) doc = veil_json_doc_new (g_bytes_get_data (wire, NULL), g_bytes_get_size (wire), NULL);
  const VeilJson *messages;
  const char *key;
  gsize key_length;

  CHECK (doc != NULL);
  CHECK (!veil_json_doc_has_duplicate_keys (doc));
  for (guint i = 0; veil_json_get_member_at (veil_json_doc_get_root (doc), i, &key, &key_length) != NULL; i++)
    CHECK (strlen (key) == key_length && g_strv_contains (allowed, key));
  messages = veil_json_get_member (veil_json_doc_get_root (doc), "messages");
  CHECK (veil_json_get_size (messages) > 0);
  for (guint i = 0; i < veil_json_get_size (messages); i++)
    for (guint j = 0; veil_json_get_member_at (veil_json_get_element (messages, i), j, &key, &key_length) != NULL; j++)
      CHECK (strlen (key) == key_length && g_strv_contains (in_message, key));
}

/* The gateway reads the wire form and makes the canonical form of it. */
static void
check_gateway_agrees (const VeilChatRequest *request)
{
  g_autoptr(VeilChatRequest) read = veil_chat_request_new (g_bytes_get_data (request->wire, NULL),
                                                            g_bytes_get_size (request->wire), VEIL_CHAT_REQUEST_EXACT, NULL);

  CHECK (read != NULL);
  CHECK (memcmp (read->request_hash, request->request_hash, 32) == 0);
  CHECK (memcmp (read->request_hash_plain, request->request_hash_plain, 32) == 0);
  CHECK (read->effort_given == request->effort_given);
  CHECK (g_str_equal (read->model, request->model));
  CHECK (read->dropped[0] == NULL);
}

static void
check (const guint8 *data, gsize length, VeilChatRequestFlags flags)
{
  g_autoptr(GError) error = NULL;
  g_autoptr(GError) canonical_error = NULL;
  g_autoptr(VeilChatRequest) request = veil_chat_request_new ((const char *) data, length, flags, &error);
  g_autoptr(GBytes) canonical = veil_chat_request_build_canonical ((const char *) data, length, flags, &canonical_error);
  guint8 hash[32];

  CHECK ((request == NULL) == (canonical == NULL));
  if (request == NULL)
    {
      CHECK (error->domain == VEIL_ERROR);
      CHECK (error->code == VEIL_ERROR_INVALID_JSON || error->code == VEIL_ERROR_INVALID_REQUEST);
      return;
    }
  veil_keccak256 (g_bytes_get_data (canonical, NULL), g_bytes_get_size (canonical), hash);
  CHECK (memcmp (hash, request->request_hash, 32) == 0);
  CHECK (g_strv_length (request->dropped) <= 65);
  check_wire_keys (request->wire);
  check_gateway_agrees (request);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize length)
{
  check (data, length, VEIL_CHAT_REQUEST_EXACT);
  check (data, length, VEIL_CHAT_REQUEST_OPENAI);
  return 0;
}
