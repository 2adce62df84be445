/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The library through its public headers alone: what needs no network. */
#include "vectors.h"

#include <string.h>
#include <veil.h>

#define PCR "0x1111111111111111111111111111111111111111111111111111111111111111"
#define BUNDLE                                                                                                                     \
  "{\"type\":\"opengradient-cli-auth\",\"access_token\":\"TOKEN\",\"expires_at\":1800000000,\"user\":{\"email\":\"a@b.example\"}," \
  "\"config\":{\"app_env\":\"%s\",\"supabase_url\":\"https://"                                                                     \
  "auth.example\",\"supabase_anon_key\":\"k\",\"chat_api_base_url\":\"%s\"%s}}"
#define REGISTRY                                                                                                               \
  ",\"tee_registry_rpc_url\":\"https://rpc.example\",\"tee_registry_address\":\"0x703cB174AEadB35D611858369B4b1111dC9Abda6\"," \
  "\"tee_registry_tee_type\":0"

static void
assert_bytes_equal (GBytes *a, GBytes *b)
{
  g_assert_cmpmem (g_bytes_get_data (a, NULL), g_bytes_get_size (a), g_bytes_get_data (b, NULL), g_bytes_get_size (b));
}

static char *
to_string (GBytes *bytes)
{
  return g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

static void
test_errors (void)
{
  GEnumClass *codes = g_type_class_ref (VEIL_TYPE_ERROR);
  g_autoptr (GError) error = NULL;
  guint verification = 0;

  g_assert_cmpstr (g_quark_to_string (VEIL_ERROR), ==, "VeilError");
  g_assert_cmpuint (codes->n_values, >, 30);
  for (guint i = 0; i < codes->n_values; i++)
    {
      g_assert_cmpstr (veil_error_get_nick (codes->values[i].value), !=, "");
      g_assert_true (codes->values[i].value == VEIL_ERROR_INTERNAL ||
                     !g_str_equal (veil_error_get_nick (codes->values[i].value), "internal"));
      verification += veil_error_is_verification (codes->values[i].value);
    }
  g_assert_cmpuint (verification, >=, 12);
  g_assert_null (veil_request_new ("{\"model\":\"m\",\"messages\":[{\"role\":\"king\"}]}", &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_REQUEST);
  g_assert_cmpstr (veil_error_get_param (error), ==, "messages[0].role");
  g_assert_cmpuint (veil_error_get_status (error), ==, 0);
  g_assert_null (veil_error_get_retry_after (error));
  g_assert_false (veil_error_get_retryable (error));
  g_type_class_unref (codes);
}

/* Every property can be read, and is what it says in JSON or by its getter. */
static void
read_all_properties (gpointer object)
{
  guint n;
  g_autofree GParamSpec **specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (object), &n);

  g_assert_cmpuint (n, >, 0);
  for (guint i = 0; i < n; i++)
    {
      g_auto (GValue) value = G_VALUE_INIT;

      g_object_get_property (object, specs[i]->name, &value);
      g_assert_true (G_VALUE_HOLDS (&value, specs[i]->value_type));
    }
}

static VeilBundle *
make_bundle (const char *env, const char *relay, const char *registry, GError **error)
{
  g_autofree char *json = g_strdup_printf (BUNDLE, env, relay, registry);

  return veil_bundle_new (json, error);
}

static void
test_bundle (void)
{
  g_autoptr (GError) error = NULL;
  VeilBundle *bundle = make_bundle ("sandbox", "https://relay.example/", REGISTRY, &error);
  g_autofree char *relay = NULL;
  gboolean sandbox = FALSE;
  gint64 expires_at = 0;

  g_assert_no_error (error);
  g_assert_cmpstr (veil_bundle_get_relay_url (bundle), ==, "https://relay.example");
  g_assert_cmpstr (veil_bundle_get_registry_url (bundle), ==, "https://rpc.example");
  g_assert_cmpstr (veil_bundle_get_registry_address (bundle), ==, "0x703cb174aeadb35d611858369b4b1111dc9abda6");
  g_assert_cmpuint (veil_bundle_get_tee_type (bundle), ==, 0);
  g_assert_cmpstr (veil_bundle_get_email (bundle), ==, "a@b.example");
  g_assert_cmpstr (veil_bundle_get_access_token (bundle), ==, "TOKEN");
  g_assert_true (veil_bundle_get_sandbox (bundle));
  g_object_get (bundle, "relay-url", &relay, "sandbox", &sandbox, "expires-at", &expires_at, NULL);
  g_assert_cmpstr (relay, ==, "https://relay.example");
  g_assert_true (sandbox);
  g_assert_cmpint (expires_at, ==, 1800000000);
  g_assert_null (g_object_class_find_property (G_OBJECT_GET_CLASS (bundle), "access-token"));
  read_all_properties (bundle);
  g_assert_finalize_object (bundle);
}

static void
test_bundle_refused (void)
{
  g_autoptr (VeilBundle) lone = NULL;
  GError *error = NULL;

  g_assert_null (make_bundle ("production", "http://relay.example", REGISTRY, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_BUNDLE);
  g_assert_null (strstr (error->message, "TOKEN"));
  g_clear_error (&error);
  g_assert_null (veil_bundle_new ("not JSON", &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_BUNDLE);
  g_clear_error (&error);
  lone = make_bundle ("production", "https://relay.example", "", &error);
  g_assert_no_error (error);
  g_assert_null (veil_client_new_for_bundle (lone, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_BUNDLE);
  g_clear_error (&error);
}

static void
check_request (const char *name, JsonObject *entry, gpointer user_data)
{
  g_autoptr (GBytes) body = vectors_base64 (entry, "body_json_b64");
  g_autoptr (GBytes) canonical = vectors_base64 (entry, "canonical_b64");
  g_autofree char *text = to_string (body);
  g_autoptr (VeilRequest) request = NULL;
  g_autoptr (GError) error = NULL;
  guint *count = user_data;

  /* A string has no NUL inside; nor do the vectors say what the endpoint's reading adds. */
  if (strlen (text) != g_bytes_get_size (body) || canonical == NULL || strchr (text, '/') != NULL ||
      strstr (text, "max_completion_tokens") != NULL || strstr (text, "\"stream\"") != NULL)
    return;
  request = veil_request_new (text, &error);
  if (request == NULL)
    return;
  ++*count;
  assert_bytes_equal (veil_request_get_canonical (request), canonical);
  g_assert_cmpstr (veil_request_get_hash (request) + 2, ==, vectors_string (entry, "request_hash_hex"));
}

static void
test_request_vectors (void)
{
  JsonObject *file = vectors_load ("build-request.json");
  guint count = 0;

  vectors_foreach (file, check_request, &count);
  g_assert_cmpuint (count, >=, 100);
  json_object_unref (file);
}

static void
test_request (void)
{
  g_autoptr (GError) error = NULL;
  VeilRequest *request =
      veil_request_new ("{\"model\":\"openai/gpt-4.1\",\"stream\":true,\"user\":\"me\",\"reasoning_effort\":\"low\","
                        "\"messages\":[{\"role\":\"user\",\"content\":\"hi\",\"name\":\"x\"}]}",
                        &error);
  g_auto (GStrv) dropped = NULL;

  g_assert_no_error (error);
  g_assert_cmpstr (veil_request_get_model (request), ==, "gpt-4.1");
  g_assert_true (veil_request_get_stream (request));
  g_assert_cmpstr (veil_request_get_hash (request), !=, veil_request_get_hash_without_effort (request));
  g_object_get (request, "dropped-fields", &dropped, NULL);
  g_assert_true (g_strv_equal ((const char *const *) dropped, veil_request_get_dropped_fields (request)));
  g_assert_true (g_strv_contains (veil_request_get_dropped_fields (request), "user"));
  g_assert_true (g_strv_contains (veil_request_get_dropped_fields (request), "messages[].name"));
  read_all_properties (request);
  g_assert_finalize_object (request);
  g_assert_null (veil_request_new ("{\"model\":NaN}", &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_JSON);
}

static VeilEnclave *
make_enclave (GBytes *key, GError **error)
{
  return veil_enclave_new ("https://tee.example", PCR, key, NULL, NULL, error);
}

static GBytes *
load_key (JsonObject *file, const char *name)
{
  return vectors_base64 (json_object_get_object_member (json_object_get_object_member (file, "keys"), name), "spki_der_b64");
}

static void
test_enclave (void)
{
  JsonObject *file = vectors_load ("verify-response.json");
  g_autoptr (GBytes) key = load_key (file, "rsa2048");
  g_autoptr (GBytes) small = load_key (file, "rsa1024");
  g_autoptr (GBytes) curve = load_key (file, "ec_p256");
  g_autoptr (GBytes) certificate = g_bytes_new_static ("certificate", 11);
  g_autoptr (GBytes) config =
      vectors_hex_text ("010020058965810a754762cd8d0ad85175df1b26559e62a33b2398414887625a05160e000400010003");
  g_autoptr (VeilEnclave) usable = NULL;
  GError *error = NULL;
  VeilEnclave *enclave = make_enclave (key, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (veil_enclave_get_id (enclave), ==, "0x6a53cb626d3beb8620b1d3e54fb1b9bfd05fbe7bbd7fbb79caf56852f45df588");
  g_assert_nonnull (veil_enclave_get_unusable_reason (enclave));
  g_assert_null (veil_enclave_get_hpke_key (enclave));
  g_assert_null (veil_seal_new (enclave, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_TEE_UNUSABLE);
  g_clear_error (&error);
  usable = veil_enclave_new ("https://tee.example", PCR, key, certificate, config, &error);
  g_assert_no_error (error);
  g_assert_null (veil_enclave_get_unusable_reason (usable));
  g_assert_cmpuint (g_bytes_get_size (veil_enclave_get_hpke_key (usable)), ==, 32);
  g_assert_false (veil_enclave_same_keys (enclave, usable));
  g_assert_true (veil_enclave_same_keys (usable, usable));
  read_all_properties (enclave);
  g_assert_finalize_object (enclave);

  g_assert_null (make_enclave (small, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_SIGNING_KEY);
  g_clear_error (&error);
  g_assert_null (make_enclave (curve, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_SIGNING_KEY);
  g_clear_error (&error);
  g_assert_null (veil_enclave_new ("https://tee.example", "0x11", key, NULL, NULL, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  json_object_unref (file);
}

typedef struct
{
  JsonObject *file;
  guint accepted;
  guint refused;
} Run;

static void
check_answer (const char *name, JsonObject *entry, VeilAnswer *answer, const GError *error, Run *run)
{
  g_autoptr (GBytes) content = vectors_base64 (entry, "content_b64");

  if (answer == NULL)
    {
      /* What no signature covers is refused by rules of its own. */
      if (vectors_boolean (entry, "valid") && !vectors_boolean (entry, "allow_refuse") &&
          error->code != VEIL_ERROR_UNSIGNED_CONTENT && error->code != VEIL_ERROR_MALFORMED_ANSWER)
        g_error ("%s is refused: %s", name, error->message);
      run->refused++;
      return;
    }
  if (!vectors_boolean (entry, "valid") && !vectors_boolean (entry, "allow_accept") && !vectors_boolean (entry, "either"))
    g_error ("%s is accepted", name);
  run->accepted++;
  if (content != NULL && veil_answer_get_content (answer) != NULL)
    assert_bytes_equal (veil_answer_get_content (answer), content);
  g_assert_true ((veil_answer_get_content (answer) == NULL) == (veil_answer_get_tool_calls (answer) != NULL));
  read_all_properties (answer);
  read_all_properties (veil_answer_get_verification (answer));
}

static gint64
get_time (JsonObject *entry)
{
  const char *timestamp = vectors_string (entry, "timestamp");

  return timestamp != NULL ? g_ascii_strtoll (timestamp, NULL, 10) : 1700000000;
}

static void
check_single (const char *name, JsonObject *entry, gpointer user_data)
{
  Run *run = user_data;
  g_autoptr (GBytes) key = load_key (run->file, vectors_string (entry, "key"));
  g_autoptr (GBytes) canonical = vectors_base64 (entry, "canonical_request_b64");
  g_autoptr (GBytes) response = vectors_base64 (entry, "response_json_b64");
  g_autofree char *body = to_string (canonical);
  g_autoptr (VeilRequest) request = NULL;
  g_autoptr (VeilEnclave) enclave = NULL;
  g_autoptr (VeilAnswer) answer = NULL;
  g_autoptr (GError) error = NULL;

  enclave = make_enclave (key, &error);
  if (enclave == NULL)
    {
      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_SIGNING_KEY);
      g_assert_true (!vectors_boolean (entry, "valid") || vectors_boolean (entry, "allow_refuse"));
      return;
    }
  request = veil_request_new (body, NULL);
  /* The id is derived here, and the request built; vectors that give others are for the layers below. */
  if (request == NULL || !g_str_equal (vectors_string (entry, "expected_tee_id"), veil_enclave_get_id (enclave)))
    return;
  assert_bytes_equal (veil_request_get_canonical (request), canonical);
  answer = veil_request_verify_response (request, enclave, response, get_time (entry), &error);
  check_answer (name, entry, answer, error, run);
}

static void
test_verify_vectors (void)
{
  Run run = { .file = vectors_load ("verify-response.json") };

  vectors_foreach (run.file, check_single, &run);
  g_assert_cmpuint (run.accepted, >=, 40);
  g_assert_cmpuint (run.refused, >=, 40);
  json_object_unref (run.file);
}

static void
check_stream (const char *name, JsonObject *entry, gpointer user_data)
{
  Run *run = user_data;
  g_autoptr (GBytes) key = vectors_base64 (json_object_get_object_member (run->file, "key"), "spki_der_b64");
  g_autoptr (GBytes) canonical = vectors_base64 (run->file, "canonical_request_b64");
  g_autofree char *text = to_string (canonical);
  g_autofree char *body = NULL;
  JsonArray *chunks;
  g_autoptr (GByteArray) events = g_byte_array_new ();
  g_autoptr (GBytes) response = NULL;
  g_autoptr (VeilRequest) request = NULL;
  g_autoptr (VeilEnclave) enclave = make_enclave (key, NULL);
  g_autoptr (VeilAnswer) answer = NULL;
  g_autoptr (GError) error = NULL;

  if (!g_str_equal (vectors_string (entry, "kind"), "stream"))
    return;
  chunks = json_object_get_array_member (entry, "chunks_b64");
  for (guint i = 0; i < json_array_get_length (chunks); i++)
    {
      g_autofree guchar *chunk = NULL;
      gsize length;

      chunk = g_base64_decode (json_array_get_string_element (chunks, i), &length);
      g_byte_array_append (events, chunk, (guint) length);
    }
  response = g_byte_array_free_to_bytes (g_steal_pointer (&events));
  *strrchr (text, '}') = '\0';
  body = g_strconcat (text, ", \"stream\": true}", NULL);
  request = veil_request_new (body, &error);
  g_assert_no_error (error);
  answer = veil_request_verify_response (request, enclave, response, get_time (entry), &error);
  check_answer (name, entry, answer, error, run);
}

static void
test_verify_stream_vectors (void)
{
  Run run = { .file = vectors_load ("verify-stream.json") };

  vectors_foreach (run.file, check_stream, &run);
  g_assert_cmpuint (run.accepted, >=, 20);
  g_assert_cmpuint (run.refused, >=, 20);
  json_object_unref (run.file);
}

static JsonObject *
find_valid (JsonObject *file)
{
  return json_array_get_object_element (json_object_get_array_member (file, "cases"), 0);
}

/* Whatever bit of a good answer is turned, it is refused, or what is verified is the same. */
static void
test_verify_altered (void)
{
  JsonObject *file = vectors_load ("verify-response.json");
  JsonObject *entry = find_valid (file);
  g_autoptr (GBytes) key = load_key (file, vectors_string (entry, "key"));
  g_autoptr (GBytes) canonical = vectors_base64 (entry, "canonical_request_b64");
  g_autoptr (GBytes) response = vectors_base64 (entry, "response_json_b64");
  g_autofree char *body = to_string (canonical);
  g_autoptr (VeilRequest) request = veil_request_new (body, NULL);
  g_autoptr (VeilEnclave) enclave = make_enclave (key, NULL);
  gsize length;
  const guint8 *data = g_bytes_get_data (response, &length);
  guint refused = 0;

  for (gsize i = 0; i < length; i++)
    {
      g_autofree guint8 *copy = g_memdup2 (data, length);
      g_autoptr (GBytes) altered = NULL;
      g_autoptr (VeilAnswer) answer = NULL;

      copy[i] ^= 1;
      altered = g_bytes_new (copy, length);
      answer = veil_request_verify_response (request, enclave, altered, 1700000000, NULL);
      refused += answer == NULL;
      g_assert_true (answer == NULL || g_str_equal (veil_answer_get_text (answer), "Hi there!"));
    }
  g_assert_cmpuint (refused, >, length / 2);
  json_object_unref (file);
}

static void
test_verify_stale (void)
{
  JsonObject *file = vectors_load ("verify-response.json");
  JsonObject *entry = find_valid (file);
  g_autoptr (GBytes) key = load_key (file, vectors_string (entry, "key"));
  g_autoptr (GBytes) canonical = vectors_base64 (entry, "canonical_request_b64");
  g_autoptr (GBytes) response = vectors_base64 (entry, "response_json_b64");
  g_autofree char *body = to_string (canonical);
  g_autoptr (VeilRequest) request = veil_request_new (body, NULL);
  g_autoptr (VeilEnclave) enclave = make_enclave (key, NULL);
  g_autoptr (VeilAnswer) answer = NULL;
  g_autofree char *json = NULL;
  g_autofree char *events = NULL;
  g_autofree char *proof = NULL;
  GError *error = NULL;

  g_assert_null (veil_request_verify_response (request, enclave, response, -1, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_STALE);
  g_clear_error (&error);
  g_assert_null (veil_request_verify_response (request, enclave, response, 1700000601, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_STALE);
  g_clear_error (&error);
  g_assert_null (veil_request_verify_response (request, enclave, response, G_MAXINT64, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  answer = veil_request_verify_response (request, enclave, response, 1700000600, &error);
  g_assert_no_error (error);
  json = veil_answer_to_json (answer);
  events = veil_answer_to_events (answer);
  proof = veil_verification_to_json (veil_answer_get_verification (answer));
  g_assert_nonnull (strstr (json, proof));
  g_assert_nonnull (strstr (events, proof));
  g_assert_true (g_str_has_suffix (events, "data: [DONE]\n\n"));
  g_assert_cmpstr (veil_verification_get_tee_id (veil_answer_get_verification (answer)), ==, veil_enclave_get_id (enclave));
  g_assert_cmpstr (veil_verification_get_pcr_hash (veil_answer_get_verification (answer)), ==, PCR);
  json_object_unref (file);
}

static VeilEnclave *
make_usable (const char *key_name, const char *pcr)
{
  JsonObject *file = vectors_load ("verify-response.json");
  g_autoptr (GBytes) key = load_key (file, key_name);
  g_autoptr (GBytes) certificate = g_bytes_new_static ("certificate", 11);
  g_autoptr (GBytes) config =
      vectors_hex_text ("010020058965810a754762cd8d0ad85175df1b26559e62a33b2398414887625a05160e000400010003");
  g_autoptr (GError) error = NULL;
  VeilEnclave *enclave = veil_enclave_new ("https://tee.example", pcr, key, certificate, config, &error);

  g_assert_no_error (error);
  json_object_unref (file);
  return enclave;
}

static void
test_seal (void)
{
  g_autoptr (VeilEnclave) enclave = make_usable ("rsa2048", PCR);
  g_autoptr (VeilRequest) request =
      veil_request_new ("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}", NULL);
  g_autoptr (GBytes) nonsense = g_bytes_new_static ("0123456789012345678901234567890123456789012345678901234567890123", 64);
  g_autoptr (GBytes) first = NULL;
  g_autoptr (GBytes) second = NULL;
  GError *error = NULL;
  VeilSeal *seal = veil_seal_new (enclave, &error);
  g_autoptr (VeilSeal) other = veil_seal_new (enclave, &error);

  g_assert_no_error (error);
  g_assert_true (veil_seal_get_enclave (seal) == enclave);
  g_assert_null (veil_seal_open_answer (seal, nonsense, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  first = veil_seal_encapsulate (seal, request, &error);
  second = veil_seal_encapsulate (other, request, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_bytes_get_size (first), ==, 7 + 32 + 16 + 256);
  g_assert_false (g_bytes_equal (first, second));
  g_assert_null (veil_seal_encapsulate (seal, request, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_null (veil_seal_encapsulate_bytes (seal, nonsense, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_null (veil_seal_open_answer (seal, nonsense, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_SEAL);
  g_clear_error (&error);
  g_assert_null (veil_seal_open (seal, nonsense, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_SEAL);
  g_clear_error (&error);
  g_assert_null (veil_seal_open_chunked (seal, nonsense, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_SEAL);
  g_clear_error (&error);
  read_all_properties (seal);
  g_assert_finalize_object (seal);
}

static void
test_chooser (void)
{
  static const char *const pins[] = { "2222222222222222222222222222222222222222222222222222222222222222", NULL };
  static const char *const bad_pins[] = { "22", NULL };
  g_autoptr (VeilEnclave) one = make_usable ("rsa2048", PCR);
  g_autoptr (VeilEnclave) two = make_usable ("rsa3072", pins[0]);
  g_autoptr (GPtrArray) enclaves = g_ptr_array_new ();
  VeilChooser *chooser = veil_chooser_new ();
  VeilEnclave *chosen;
  GError *error = NULL;

  g_assert_null (veil_chooser_choose (chooser, NULL, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_REGISTRY);
  g_clear_error (&error);
  veil_chooser_set_enclaves (chooser, enclaves);
  g_assert_null (veil_chooser_choose (chooser, NULL, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_NO_ACTIVE_TEE);
  g_clear_error (&error);
  g_ptr_array_add (enclaves, one);
  g_ptr_array_add (enclaves, two);
  veil_chooser_set_enclaves (chooser, enclaves);

  g_assert_false (veil_chooser_set_pcr_pins (chooser, bad_pins, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_null (veil_chooser_get_pcr_pins (chooser)[0]);
  g_assert_true (veil_chooser_set_pcr_pins (chooser, pins, &error));
  g_assert_cmpstr (veil_chooser_get_pcr_pins (chooser)[0], ==, veil_enclave_get_pcr_hash (two));
  chosen = veil_chooser_choose (chooser, NULL, &error);
  g_assert_true (chosen == two);
  g_assert_true (veil_chooser_get_current (chooser) == two);
  g_object_unref (chosen);

  g_assert_false (veil_chooser_set_tee_id (chooser, "0xzz", &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_true (veil_chooser_set_tee_id (chooser, veil_enclave_get_id (one), &error));
  g_assert_null (veil_chooser_choose (chooser, NULL, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_PIN_MISMATCH);
  g_clear_error (&error);
  g_assert_true (veil_chooser_set_pcr_pins (chooser, NULL, &error));
  chosen = veil_chooser_choose (chooser, NULL, &error);
  g_assert_true (chosen == one);
  g_object_unref (chosen);

  g_assert_true (veil_chooser_set_tee_id (chooser, NULL, &error));
  veil_chooser_report_failure (chooser, one);
  chosen = veil_chooser_choose (chooser, one, &error);
  g_assert_true (chosen == two);
  g_object_unref (chosen);
  veil_chooser_report_success (chooser, one);
  read_all_properties (chooser);
  g_assert_finalize_object (chooser);
}

static void
test_clients_refused (void)
{
  static const char *const address = "0x703cB174AEadB35D611858369B4b1111dC9Abda6";
  g_autoptr (VeilRegistryClient) registry = NULL;
  GError *error = NULL;

  g_assert_null (veil_registry_client_new ("http://rpc.example", address, 0, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_null (veil_registry_client_new ("https://rpc.example", "0x1234", 0, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_null (veil_registry_client_new ("https://rpc.example", address, 256, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  registry = veil_registry_client_new ("https://rpc.example", address, 1, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (veil_registry_client_get_address (registry), ==, "0x703cb174aeadb35d611858369b4b1111dc9abda6");
  g_assert_cmpuint (veil_registry_client_get_tee_type (registry), ==, 1);
  read_all_properties (registry);
  g_assert_null (veil_client_new ("http://relay.example", registry, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_null (veil_client_new ("https://relay.example/?x", registry, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
}

static void
test_prompt (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilRequest) request = veil_request_new_for_prompt ("openai/gpt-4.1", "a \"quoted\"\n\\ word", &error);
  g_autoptr (VeilRequest) same = NULL;

  g_assert_no_error (error);
  same =
      veil_request_new ("{\"model\":\"gpt-4.1\",\"messages\":[{\"role\":\"user\",\"content\":\"a \\\"quoted\\\"\\n\\\\ word\"}]}",
                        &error);
  g_assert_no_error (error);
  g_assert_cmpstr (veil_request_get_hash (request), ==, veil_request_get_hash (same));
  g_assert_null (veil_request_new_for_prompt ("gpt-4.1", "\xff", &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT);
}

static char *
load_text (const char *name)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "vectors", name, NULL);
  g_autoptr (GError) error = NULL;
  char *text;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  return text;
}

static void
test_attestation (void)
{
  JsonObject *expected = vectors_load ("nitro-attestation-expected.json");
  g_autofree char *text = load_text ("nitro-attestation-document.b64");
  g_autoptr (GBytes) nonce = vectors_hex (expected, "nonce");
  g_autoptr (GBytes) other = g_bytes_new_static ("other", 5);
  g_autoptr (GBytes) user_data = vectors_hex (expected, "user_data");
  g_autoptr (GBytes) pcr0 = vectors_hex (expected, "pcr0");
  GError *error = NULL;
  VeilAttestationDocument *document;

  g_assert_null (veil_attestation_document_new (text, VEIL_ATTESTATION_NOW, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_ATTEST_VALIDITY);
  g_clear_error (&error);
  document = veil_attestation_document_new (text, VEIL_ATTESTATION_AT_ITS_TIME, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (veil_attestation_document_get_pcr_hash (document), ==, vectors_string (expected, "pcr_hash"));
  g_assert_cmpstr (veil_attestation_document_get_module_id (document), ==, vectors_string (expected, "module_id"));
  g_assert_cmpint (veil_attestation_document_get_timestamp (document), ==, json_object_get_int_member (expected, "timestamp_ms"));
  assert_bytes_equal (veil_attestation_document_get_user_data (document), user_data);
  assert_bytes_equal (veil_attestation_document_get_pcr (document, 0), pcr0);
  g_assert_null (veil_attestation_document_get_pcr (document, 32));
  g_assert_false (veil_attestation_document_get_debug (document));
  g_assert_true (veil_attestation_document_check_nonce (document, nonce, &error));
  g_assert_false (veil_attestation_document_check_nonce (document, other, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_ATTEST_NONCE);
  g_clear_error (&error);
  read_all_properties (document);
  g_assert_finalize_object (document);

  text[strlen (text) - 20] = text[strlen (text) - 20] == 'A' ? 'B' : 'A';
  g_assert_null (veil_attestation_document_new (text, VEIL_ATTESTATION_AT_ITS_TIME, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_ATTEST_SIGNATURE);
  g_clear_error (&error);
  json_object_unref (expected);
}

/* The genuine document is of a build and keys that are not in our vectors: each comparison is the first to fail in turn. */
static void
test_attestation_of_others (void)
{
  JsonObject *expected = vectors_load ("nitro-attestation-expected.json");
  g_autofree char *text = load_text ("nitro-attestation-document.b64");
  g_autoptr (VeilAttestationDocument) document = veil_attestation_document_new (text, VEIL_ATTESTATION_AT_ITS_TIME, NULL);
  g_autoptr (VeilEnclave) other_build = make_usable ("rsa2048", PCR);
  g_autoptr (VeilEnclave) other_key = make_usable ("rsa2048", vectors_string (expected, "pcr_hash"));
  GError *error = NULL;

  g_assert_false (veil_attestation_document_check_enclave (document, other_build, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_ATTEST_PCR);
  g_clear_error (&error);
  g_assert_false (veil_attestation_document_check_enclave (document, other_key, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_ATTEST_KEY);
  g_clear_error (&error);
  json_object_unref (expected);
}

static void
test_pcr_hash (void)
{
  JsonObject *expected = vectors_load ("nitro-attestation-expected.json");
  const char *pcr0 = vectors_string (expected, "pcr0");
  const char *pcr1 = vectors_string (expected, "pcr1");
  GError *error = NULL;
  g_autofree char *lines = NULL;
  g_autofree char *same = NULL;
  g_autofree char *hash = veil_compute_pcr_hash (pcr0, pcr1, vectors_string (expected, "pcr2"), &error);

  g_assert_no_error (error);
  g_assert_cmpstr (hash, ==, vectors_string (expected, "pcr_hash"));
  lines = g_strdup_printf ("PCR0: %s\nPCR1: %s\nPCR2: %s\n", pcr0, pcr1, vectors_string (expected, "pcr2"));
  same = veil_compute_pcr_hash_of_measurements (lines, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (same, ==, hash);
  g_assert_null (veil_compute_pcr_hash_of_measurements ("PCR0: 12", &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_null (veil_compute_pcr_hash (pcr0, pcr1, "0x12", &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  json_object_unref (expected);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/libveil/errors", test_errors);
  g_test_add_func ("/libveil/bundle", test_bundle);
  g_test_add_func ("/libveil/bundle/refused", test_bundle_refused);
  g_test_add_func ("/libveil/request", test_request);
  g_test_add_func ("/libveil/request/vectors", test_request_vectors);
  g_test_add_func ("/libveil/request/prompt", test_prompt);
  g_test_add_func ("/libveil/enclave", test_enclave);
  g_test_add_func ("/libveil/attestation", test_attestation);
  g_test_add_func ("/libveil/attestation/of-others", test_attestation_of_others);
  g_test_add_func ("/libveil/attestation/pcr-hash", test_pcr_hash);
  g_test_add_func ("/libveil/verify/vectors", test_verify_vectors);
  g_test_add_func ("/libveil/verify/stream-vectors", test_verify_stream_vectors);
  g_test_add_func ("/libveil/verify/altered", test_verify_altered);
  g_test_add_func ("/libveil/verify/stale", test_verify_stale);
  g_test_add_func ("/libveil/seal", test_seal);
  g_test_add_func ("/libveil/chooser", test_chooser);
  g_test_add_func ("/libveil/clients/refused", test_clients_refused);
  return g_test_run ();
}
