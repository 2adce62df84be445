/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The library's clients through their public headers alone, against the sandbox network. */
#include <libsoup/soup.h>
#include <string.h>
#include <veil.h>

#define DEADLINE_S 120

typedef struct
{
  GSubprocess *process; /* owned */
  char *json;           /* owned */
  VeilBundle *bundle;   /* owned */
  VeilClient *client;   /* owned */
  SoupSession *http;    /* owned; for what the library does not do */
} Fixture;

/* What a callback was given. */
typedef struct
{
  gboolean done;
  gpointer value;
  GError *error;
} Outcome;

static gboolean
on_deadline (gpointer data)
{
  g_error ("%s: nothing happened for %d s", (const char *) data, DEADLINE_S);
  return G_SOURCE_REMOVE;
}

#define WAIT(condition)                                                                         \
  G_STMT_START                                                                                  \
  {                                                                                             \
    guint wait_deadline = g_timeout_add_seconds (DEADLINE_S, on_deadline, (gpointer) G_STRLOC); \
    while (!(condition))                                                                        \
      g_main_context_iteration (NULL, TRUE);                                                    \
    g_source_remove (wait_deadline);                                                            \
  }                                                                                             \
  G_STMT_END

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GDataInputStream) output = NULL;
  g_autoptr (GError) error = NULL;

  fixture->process =
      g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error, g_getenv ("OG_VEIL_SANDBOX"), NULL);
  g_assert_no_error (error);
  output = g_data_input_stream_new (g_subprocess_get_stdout_pipe (fixture->process));
  fixture->json = g_data_input_stream_read_line (output, NULL, NULL, &error);
  g_assert_no_error (error);
  fixture->bundle = veil_bundle_new (fixture->json, &error);
  g_assert_no_error (error);
  fixture->client = veil_client_new_for_bundle (fixture->bundle, &error);
  g_assert_no_error (error);
  fixture->http = soup_session_new ();
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_finalize_object (fixture->client);
  g_assert_finalize_object (fixture->bundle);
  g_object_unref (fixture->http);
  g_output_stream_close (g_subprocess_get_stdin_pipe (fixture->process), NULL, &error);
  g_assert_no_error (error);
  g_subprocess_wait_check (fixture->process, NULL, &error);
  g_assert_no_error (error);
  g_object_unref (fixture->process);
  g_free (fixture->json);
}

/* Tells the sandbox to do something, or posts a sealed request. */
static GBytes *
post (Fixture *fixture, const char *path, const char *type, GBytes *body, const char *const *headers)
{
  g_autofree char *url = g_strconcat (veil_bundle_get_relay_url (fixture->bundle), path, NULL);
  g_autoptr (SoupMessage) message = soup_message_new ("POST", url);
  g_autoptr (GError) error = NULL;
  GBytes *answer;

  soup_message_set_request_body_from_bytes (message, type, body);
  for (guint i = 0; headers != NULL && headers[i] != NULL; i += 2)
    soup_message_headers_replace (soup_message_get_request_headers (message), headers[i], headers[i + 1]);
  answer = soup_session_send_and_read (fixture->http, message, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (soup_message_get_status (message), ==, 200);
  return answer;
}

static void
control (Fixture *fixture, const char *path, const char *json)
{
  g_autoptr (GBytes) body = g_bytes_new (json, strlen (json));

  g_bytes_unref (post (fixture, path, "application/json", body, NULL));
}

static VeilRequest *
ask (const char *model, const char *rest)
{
  g_autofree char *body =
      g_strdup_printf ("{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello!\"}]%s}", model, rest);
  g_autoptr (GError) error = NULL;
  VeilRequest *request = veil_request_new (body, &error);

  g_assert_no_error (error);
  return request;
}

static void
on_sent (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Outcome *outcome = user_data;

  outcome->value = veil_client_send_finish (VEIL_CLIENT (source), result, &outcome->error);
  outcome->done = TRUE;
}

static VeilAnswer *
send_with (VeilClient *client, const char *model, const char *rest, GError **error)
{
  g_autoptr (VeilRequest) request = ask (model, rest);
  Outcome outcome = { 0 };

  veil_client_send_async (client, request, NULL, on_sent, &outcome);
  g_assert_false (outcome.done);
  WAIT (outcome.done);
  g_assert_true ((outcome.value == NULL) == (outcome.error != NULL));
  if (outcome.error != NULL)
    g_propagate_error (error, outcome.error);
  return outcome.value;
}

static void
assert_sent (VeilClient *client)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilAnswer) answer = send_with (client, "gpt-4.1", "", &error);

  g_assert_no_error (error);
  g_assert_nonnull (strstr (veil_answer_get_text (answer), "Hello!"));
}

static void
assert_fails (VeilClient *client, const char *model, const char *rest, VeilError code)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilAnswer) answer = send_with (client, model, rest, &error);

  g_assert_null (answer);
  g_assert_error (error, VEIL_ERROR, (int) code);
  g_assert_null (strstr (error->message, "og-veil"));
  g_assert_null (strstr (error->message, "SECRET"));
}

static void
test_single (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilAnswer) answer = send_with (fixture->client, "openai/gpt-4.1", ",\"user\":\"me\"", &error);
  VeilVerification *verification;
  VeilEnclave *current = veil_chooser_get_current (veil_client_get_chooser (fixture->client));

  g_assert_no_error (error);
  g_assert_nonnull (strstr (veil_answer_get_text (answer), "Hello!"));
  g_assert_cmpstr (veil_answer_get_finish_reason (answer), ==, "stop");
  g_assert_cmpstr (veil_answer_get_model (answer), ==, "gpt-4.1");
  verification = veil_answer_get_verification (answer);
  g_assert_true (veil_verification_get_sandbox (verification));
  g_assert_true (g_strv_contains (veil_verification_get_signed_fields (verification), "content"));
  g_assert_true (g_strv_contains (veil_verification_get_dropped_fields (verification), "user"));
  g_assert_cmpstr (veil_verification_get_tee_id (verification), ==, veil_enclave_get_id (current));
  g_assert_cmpstr (veil_verification_get_pcr_hash (verification), ==, veil_enclave_get_pcr_hash (current));
  g_assert_cmpint (ABS (veil_verification_get_timestamp (verification) - g_get_real_time () / G_USEC_PER_SEC), <, 600);
}

static void
test_stream (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilAnswer) answer = send_with (fixture->client, "gpt-4.1", ",\"stream\":true", &error);
  g_autofree char *events = NULL;

  g_assert_no_error (error);
  g_assert_nonnull (strstr (veil_answer_get_text (answer), "Hello!"));
  events = veil_answer_to_events (answer);
  g_assert_nonnull (strstr (events, "opengradient_verification"));
}

static void
test_tools (Fixture *fixture, gconstpointer data)
{
  static const char *const rest =
      ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"get_weather\",\"parameters\":{\"type\":"
      "\"object\",\"properties\":{}}}}],\"tool_choice\":\"required\"";
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilAnswer) answer = send_with (fixture->client, "gpt-4.1", rest, &error);

  g_assert_no_error (error);
  g_assert_null (veil_answer_get_text (answer));
  g_assert_null (veil_answer_get_content (answer));
  g_assert_nonnull (strstr (veil_answer_get_tool_calls (answer), "get_weather"));
  g_assert_true (g_strv_contains (veil_verification_get_signed_fields (veil_answer_get_verification (answer)), "tool_calls"));
}

static void
test_refused (Fixture *fixture, gconstpointer data)
{
  static const struct
  {
    const char *model;
    VeilError code;
  } faults[] = {
    { "fault-wrong-signature", VEIL_ERROR_SIGNATURE },       { "fault-changed-output", VEIL_ERROR_OUTPUT_HASH },
    { "fault-request-hash", VEIL_ERROR_REQUEST_HASH },       { "fault-tee-id", VEIL_ERROR_TEE_ID },
    { "fault-missing-signature", VEIL_ERROR_MISSING_FIELD }, { "fault-relay-402", VEIL_ERROR_RELAY_REFUSED },
    { "fault-relay-403", VEIL_ERROR_SESSION_REFUSED },       { "fault-empty-200", VEIL_ERROR_BROKEN_ANSWER },
  };

  for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
    {
      assert_fails (fixture->client, faults[i].model, "", faults[i].code);
      if (i != 4) /* no signature in a stream is no signed frame */
        assert_fails (fixture->client, faults[i].model, ",\"stream\":true", faults[i].code);
    }
}

/* The fault hits one enclave; the request goes to another. */
static void
test_failover (Fixture *fixture, gconstpointer data)
{
  assert_sent (fixture->client);
  control (fixture, "/sandbox/fault", "{\"fault\":\"relay-503\",\"times\":1}");
  assert_sent (fixture->client);
  control (fixture, "/sandbox/fault", "{\"fault\":\"relay-503\",\"times\":2}");
  assert_fails (fixture->client, "gpt-4.1", "", VEIL_ERROR_RELAY_REFUSED);
  assert_sent (fixture->client);
}

/* Keys change: what was sealed for the old ones does not open, and the next request is sealed for the new ones. */
static void
test_rotated (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilAnswer) answer = NULL;

  assert_sent (fixture->client);
  control (fixture, "/sandbox/rotate", "{}");
  answer = send_with (fixture->client, "gpt-4.1", "", &error);
  if (answer == NULL)
    assert_sent (fixture->client);
}

static void
test_no_such_pin (Fixture *fixture, gconstpointer data)
{
  static const char *const pins[] = { "0x2222222222222222222222222222222222222222222222222222222222222222", NULL };
  VeilChooser *chooser = veil_client_get_chooser (fixture->client);
  g_autoptr (GError) error = NULL;

  g_assert_true (veil_chooser_set_pcr_pins (chooser, pins, &error));
  assert_fails (fixture->client, "gpt-4.1", "", VEIL_ERROR_PIN_MISMATCH);
  g_assert_true (veil_chooser_set_pcr_pins (chooser, NULL, &error));
  assert_sent (fixture->client);
}

/* --- authorization --- */

typedef struct
{
  const char *token; /* nothing is answered if NULL */
  const char *second;
  gboolean later;
  gboolean keep;
  guint asked;
  VeilAuthorization *kept; /* owned */
} Authorizer;

static gboolean
answer_later (gpointer data)
{
  veil_authorization_done (data);
  return G_SOURCE_REMOVE;
}

static gboolean
on_authorize (VeilClient *client, VeilAuthorization *authorization, gpointer user_data)
{
  Authorizer *self = user_data;
  const char *token = self->asked == 0 ? self->token : self->second;
  g_autoptr (GError) error = NULL;

  g_assert_true (veil_authorization_get_refused (authorization) == (self->asked > 0));
  self->asked++;
  if (self->keep)
    g_set_object (&self->kept, authorization);
  if (token == NULL)
    return TRUE;
  g_assert_false (veil_authorization_set_header (authorization, "Host", "SECRET", &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  g_assert_true (veil_authorization_set_bearer_token (authorization, token, &error));
  g_assert_no_error (error);
  if (self->later)
    g_idle_add_full (G_PRIORITY_LOW, answer_later, g_object_ref (authorization), g_object_unref);
  else
    veil_authorization_done (authorization);
  return TRUE;
}

static VeilClient *
make_client (Fixture *fixture, Authorizer *authorizer)
{
  g_autoptr (VeilRegistryClient) registry = NULL;
  g_autoptr (GError) error = NULL;
  VeilClient *client;

  registry = veil_registry_client_new (veil_bundle_get_registry_url (fixture->bundle),
                                       veil_bundle_get_registry_address (fixture->bundle), 0, &error);
  g_assert_no_error (error);
  client = veil_client_new (veil_bundle_get_relay_url (fixture->bundle), registry, &error);
  g_assert_no_error (error);
  if (authorizer != NULL)
    g_signal_connect (client, "authorize", G_CALLBACK (on_authorize), authorizer);
  return client;
}

static void
test_authorized (Fixture *fixture, gconstpointer data)
{
  Authorizer at_once = { .token = veil_bundle_get_access_token (fixture->bundle) };
  Authorizer later = { .token = veil_bundle_get_access_token (fixture->bundle), .later = TRUE };
  VeilClient *client = make_client (fixture, &at_once);

  assert_sent (client);
  g_assert_cmpuint (at_once.asked, ==, 1);
  g_assert_finalize_object (client);
  client = make_client (fixture, &later);
  assert_sent (client);
  g_assert_cmpuint (later.asked, ==, 1);
  g_assert_finalize_object (client);
}

static void
test_authorized_again (Fixture *fixture, gconstpointer data)
{
  Authorizer renewing = { .token = "SECRET.old", .second = veil_bundle_get_access_token (fixture->bundle) };
  Authorizer stubborn = { .token = "SECRET.old", .second = "SECRET.old" };
  VeilClient *client = make_client (fixture, &renewing);

  assert_sent (client);
  g_assert_cmpuint (renewing.asked, ==, 2);
  g_assert_finalize_object (client);
  client = make_client (fixture, &stubborn);
  assert_fails (client, "gpt-4.1", "", VEIL_ERROR_SESSION_REFUSED);
  g_assert_cmpuint (stubborn.asked, ==, 2);
  g_assert_finalize_object (client);
}

static void
test_not_authorized (Fixture *fixture, gconstpointer data)
{
  Authorizer silent = { .token = NULL };
  VeilClient *client = make_client (fixture, NULL);

  assert_fails (client, "gpt-4.1", "", VEIL_ERROR_NOT_SIGNED_IN);
  g_assert_finalize_object (client);
  client = make_client (fixture, &silent);
  assert_fails (client, "gpt-4.1", "", VEIL_ERROR_NOT_SIGNED_IN);
  g_assert_finalize_object (client);
}

static void
test_authorization_fails (Fixture *fixture, gconstpointer data)
{
  Authorizer waiting = { .keep = TRUE };
  VeilClient *client = make_client (fixture, &waiting);
  g_autoptr (VeilRequest) request = ask ("gpt-4.1", "");
  g_autoptr (GError) error = NULL;
  Outcome outcome = { 0 };

  veil_client_send_async (client, request, NULL, on_sent, &outcome);
  g_assert_nonnull (waiting.kept);
  veil_authorization_fail (waiting.kept, "The wallet is locked: unlock it");
  veil_authorization_done (waiting.kept);
  g_assert_false (veil_authorization_set_bearer_token (waiting.kept, "x", &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT);
  WAIT (outcome.done);
  g_assert_error (outcome.error, VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN);
  g_assert_cmpstr (outcome.error->message, ==, "The wallet is locked: unlock it");
  g_error_free (outcome.error);
  g_object_unref (waiting.kept);
  g_assert_finalize_object (client);
}

static void
test_cancelled (Fixture *fixture, gconstpointer data)
{
  Authorizer waiting = { .keep = TRUE };
  VeilClient *client = make_client (fixture, &waiting);
  g_autoptr (VeilRequest) request = ask ("gpt-4.1", "");
  g_autoptr (VeilRequest) hanging = ask ("fault-hang", "");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  Outcome outcome = { 0 };

  veil_client_send_async (client, request, cancellable, on_sent, &outcome);
  g_cancellable_cancel (cancellable);
  WAIT (outcome.done);
  g_assert_error (outcome.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&outcome.error);
  veil_authorization_done (waiting.kept);
  g_object_unref (waiting.kept);
  g_assert_finalize_object (client);

  outcome.done = FALSE;
  g_cancellable_reset (cancellable);
  assert_sent (fixture->client);
  veil_client_send_async (fixture->client, hanging, cancellable, on_sent, &outcome);
  g_cancellable_cancel (cancellable);
  WAIT (outcome.done);
  g_assert_error (outcome.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&outcome.error);
}

/* --- registry --- */

static void
on_fetched (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Outcome *outcome = user_data;

  outcome->value = veil_registry_client_fetch_finish (VEIL_REGISTRY_CLIENT (source), result, &outcome->error);
  outcome->done = TRUE;
}

static void
on_version (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Outcome *outcome = user_data;

  outcome->value = veil_registry_client_fetch_version_finish (VEIL_REGISTRY_CLIENT (source), result, &outcome->error);
  outcome->done = TRUE;
}

static GPtrArray *
fetch (VeilRegistryClient *registry, GError **error)
{
  Outcome outcome = { 0 };

  veil_registry_client_fetch_async (registry, NULL, on_fetched, &outcome);
  WAIT (outcome.done);
  if (outcome.error != NULL)
    g_propagate_error (error, outcome.error);
  return outcome.value;
}

static void
test_registry (Fixture *fixture, gconstpointer data)
{
  VeilRegistryClient *registry = veil_client_get_registry (fixture->client);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) enclaves = fetch (registry, &error);
  Outcome outcome = { 0 };

  g_assert_no_error (error);
  g_assert_cmpuint (enclaves->len, ==, 3);
  for (guint i = 0; i < enclaves->len; i++)
    {
      VeilEnclave *enclave = g_ptr_array_index (enclaves, i);

      g_assert_null (veil_enclave_get_unusable_reason (enclave));
      g_assert_true (veil_enclave_get_sandbox (enclave));
      g_assert_cmpuint (strlen (veil_enclave_get_id (enclave)), ==, 66);
      g_assert_cmpuint (g_bytes_get_size (veil_enclave_get_hpke_key (enclave)), ==, 32);
      g_assert_cmpint (veil_enclave_get_last_heartbeat_at (enclave), >, 1700000000);
    }
  veil_registry_client_fetch_version_async (registry, g_ptr_array_index (enclaves, 0), NULL, on_version, &outcome);
  WAIT (outcome.done);
  g_assert_no_error (outcome.error);
  g_assert_nonnull (outcome.value);
  g_free (outcome.value);
}

static void
test_registry_fails (Fixture *fixture, gconstpointer data)
{
  VeilRegistryClient *registry = veil_client_get_registry (fixture->client);
  g_autoptr (GError) error = NULL;

  control (fixture, "/sandbox/fault", "{\"fault\":\"registry-garbage\",\"times\":1}");
  g_assert_null (fetch (registry, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_REGISTRY);
  control (fixture, "/sandbox/fault", "{\"fault\":\"registry-500\",\"times\":1}");
  assert_fails (fixture->client, "gpt-4.1", "", VEIL_ERROR_REGISTRY);
}

static void
on_chosen (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Outcome *outcome = user_data;

  outcome->value = veil_client_choose_finish (VEIL_CLIENT (source), result, &outcome->error);
  outcome->done = TRUE;
}

/* --- one's own transport --- */

static void
exchange_by_hand (Fixture *fixture, VeilEnclave *enclave, gboolean stream)
{
  g_autofree char *authorization = g_strconcat ("Bearer ", veil_bundle_get_access_token (fixture->bundle), NULL);
  const char *headers[] = { "Accept",
                            stream ? VEIL_CONTENT_TYPE_CHUNKED_RESPONSE : VEIL_CONTENT_TYPE_RESPONSE,
                            "X-TEE-ID",
                            veil_enclave_get_id (enclave),
                            "Authorization",
                            authorization,
                            stream ? "X-OHTTP-Stream" : NULL,
                            "true",
                            NULL };
  g_autoptr (VeilRequest) request = ask ("gpt-4.1", stream ? ",\"stream\":true" : "");
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilSeal) seal = veil_seal_new (enclave, &error);
  g_autoptr (GBytes) sealed = veil_seal_encapsulate (seal, request, &error);
  g_autoptr (GBytes) body = post (fixture, "/api/v1/chat/ohttp", VEIL_CONTENT_TYPE_REQUEST, sealed, headers);
  g_autoptr (VeilAnswer) answer = veil_seal_open_answer (seal, body, &error);
  g_autoptr (VeilAnswer) again = NULL;
  g_autoptr (GBytes) plaintext = NULL;

  g_assert_no_error (error);
  g_assert_nonnull (strstr (veil_answer_get_text (answer), "Hello!"));
  g_assert_true (veil_verification_get_sandbox (veil_answer_get_verification (answer)));
  plaintext = stream ? veil_seal_open_chunked (seal, body, &error) : veil_seal_open (seal, body, &error);
  g_assert_no_error (error);
  again = veil_request_verify_response (request, enclave, plaintext, -1, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (veil_answer_get_text (again), ==, veil_answer_get_text (answer));
  g_assert_true (veil_verification_get_sandbox (veil_answer_get_verification (again)));
}

static void
test_own_transport (Fixture *fixture, gconstpointer data)
{
  g_autoptr (VeilEnclave) enclave = NULL;
  Outcome outcome = { 0 };

  veil_client_choose_async (fixture->client, NULL, on_chosen, &outcome);
  WAIT (outcome.done);
  g_assert_no_error (outcome.error);
  enclave = outcome.value;
  exchange_by_hand (fixture, enclave, FALSE);
  exchange_by_hand (fixture, enclave, TRUE);
}

static void
on_attested (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Outcome *outcome = user_data;

  outcome->value = veil_enclave_attest_finish (VEIL_ENCLAVE (source), result, &outcome->error);
  outcome->done = TRUE;
}

static VeilAttestationReport *
attest (VeilEnclave *enclave, const char *const *pins)
{
  Outcome outcome = { 0 };

  veil_enclave_attest_async (enclave, pins, NULL, on_attested, &outcome);
  WAIT (outcome.done);
  g_assert_no_error (outcome.error);
  return outcome.value;
}

/* All checks are met; that it is the sandbox which says so makes the difference between "holds" and "attested". */
static void
test_attestation (Fixture *fixture, gconstpointer data)
{
  static const char *const pins[] = { "0x2222222222222222222222222222222222222222222222222222222222222222", NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) enclaves = fetch (veil_client_get_registry (fixture->client), &error);
  VeilEnclave *enclave = g_ptr_array_index (enclaves, 0);
  VeilAttestationReport *report = attest (enclave, NULL);
  g_autoptr (VeilAttestationReport) pinned = attest (enclave, pins);
  g_autofree char *json = NULL;

  g_assert_true (veil_attestation_report_check (report, &error));
  g_assert_no_error (error);
  g_assert_true (veil_attestation_report_get_holds (report));
  g_assert_false (veil_attestation_report_get_attested (report));
  g_assert_true (veil_attestation_report_get_enclave (report) == enclave);
  g_assert_true (g_strv_contains (veil_attestation_report_get_passed_checks (report), "ohttp_config"));
  g_assert_null (veil_attestation_report_get_failed_checks (report)[0]);
  g_assert_null (veil_attestation_report_get_reason (report, "ohttp_config"));
  json = veil_attestation_report_to_json (report);
  g_assert_nonnull (strstr (json, veil_enclave_get_id (enclave)));
  g_assert_finalize_object (report);

  g_assert_false (veil_attestation_report_get_holds (pinned));
  g_assert_true (g_strv_contains (veil_attestation_report_get_failed_checks (pinned), "pin"));
  g_assert_nonnull (veil_attestation_report_get_reason (pinned, "pin"));
  g_assert_false (veil_attestation_report_check (pinned, &error));
  g_assert_cmpstr (error->message, ==, veil_attestation_report_get_reason (pinned, "pin"));
}

/* Without the sandbox's word for it, its documents are not signed under the root that counts. */
static void
test_attestation_of_sandbox (Fixture *fixture, gconstpointer data)
{
  static const char *const bad[] = { "12", NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilRegistryClient) registry = NULL;
  g_autoptr (GPtrArray) enclaves = NULL;
  g_autoptr (VeilAttestationReport) report = NULL;
  Outcome outcome = { 0 };

  registry = veil_registry_client_new (veil_bundle_get_registry_url (fixture->bundle),
                                       veil_bundle_get_registry_address (fixture->bundle), 0, &error);
  enclaves = fetch (registry, &error);
  g_assert_no_error (error);
  report = attest (g_ptr_array_index (enclaves, 0), NULL);
  g_assert_false (veil_attestation_report_get_holds (report));
  g_assert_false (veil_attestation_report_check (report, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_ATTEST_ROOT);
  g_clear_error (&error);
  veil_enclave_attest_async (g_ptr_array_index (enclaves, 0), bad, NULL, on_attested, &outcome);
  WAIT (outcome.done);
  g_assert_error (outcome.error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT);
  g_clear_error (&outcome.error);
}

/* Nor does AWS's root count for the sandbox, when it names none of its own. */
static void
test_attestation_without_root (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GRegex) regex = g_regex_new (",\"sandbox_attestation_root\":\"[0-9a-fx]*\"", 0, 0, NULL);
  g_autofree char *json = g_regex_replace_literal (regex, fixture->json, -1, 0, "", 0, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilBundle) bundle = veil_bundle_new (json, &error);
  g_autoptr (VeilRegistryClient) registry = veil_registry_client_new_for_bundle (bundle, &error);
  g_autoptr (GPtrArray) enclaves = fetch (registry, &error);
  Outcome outcome = { 0 };

  g_assert_no_error (error);
  g_assert_cmpuint (strlen (json), <, strlen (fixture->json));
  veil_enclave_attest_async (g_ptr_array_index (enclaves, 0), NULL, NULL, on_attested, &outcome);
  WAIT (outcome.done);
  g_assert_error (outcome.error, VEIL_ERROR, VEIL_ERROR_SANDBOX);
  g_clear_error (&outcome.error);
}

static void
test_receipt (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilAnswer) answer = send_with (fixture->client, "gpt-4.1", "", &error);
  g_autoptr (VeilRequest) request = ask ("gpt-4.1", "");
  g_autoptr (VeilRequest) other = ask ("gpt-4.1", ",\"temperature\":1");
  g_autoptr (GBytes) output = NULL;
  g_autofree char *json = NULL;
  g_autofree char *again = NULL;
  VeilSignedReceipt *receipt;
  VeilSignedReceipt *read;

  g_assert_no_error (error);
  receipt = veil_signed_receipt_new (answer);
  json = veil_signed_receipt_to_json (receipt);
  g_assert_finalize_object (receipt);
  read = veil_signed_receipt_new_from_json (json, &error);
  g_assert_no_error (error);
  again = veil_signed_receipt_to_json (read);
  g_assert_cmpstr (json, ==, again);
  g_assert_cmpstr (veil_signed_receipt_get_model (read), ==, "gpt-4.1");
  g_assert_false (veil_signed_receipt_get_stream (read));
  g_assert_cmpint (ABS (veil_signed_receipt_get_time (read) - g_get_real_time ()), <, 600 * G_USEC_PER_SEC);
  g_assert_cmpstr (veil_verification_get_output_hash (veil_signed_receipt_get_verification (read)), ==,
                   veil_verification_get_output_hash (veil_answer_get_verification (answer)));

  g_assert_true (veil_signed_receipt_check_request (read, request, &error));
  g_assert_true (veil_signed_receipt_check_output (read, veil_answer_get_content (answer), &error));
  g_assert_no_error (error);
  g_assert_false (veil_signed_receipt_check_request (read, other, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_REQUEST_HASH);
  g_clear_error (&error);
  output = g_bytes_new_static ("something else", 14);
  g_assert_false (veil_signed_receipt_check_output (read, output, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_OUTPUT_HASH);
  g_clear_error (&error);
  g_assert_finalize_object (read);

  *strstr (json, "\"request_hash\"") = '\'';
  g_assert_null (veil_signed_receipt_new_from_json (json, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_JSON);
  g_clear_error (&error);
  g_assert_null (veil_signed_receipt_new_from_json ("{}", &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_RECEIPT);
}

/* Whichever digit of its hashes, ids and keys is changed, nothing comes out. */
static void
test_receipt_altered (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilAnswer) answer = send_with (fixture->client, "gpt-4.1", ",\"stream\":true", &error);
  g_autoptr (VeilSignedReceipt) receipt = veil_signed_receipt_new (answer);
  g_autofree char *json = veil_signed_receipt_to_json (receipt);
  guint n = 0;

  g_assert_no_error (error);
  for (char *c = json; *c != '\0'; c++)
    {
      char old = *c;

      if (!g_ascii_isdigit (old))
        continue;
      *c = old == '1' ? '2' : '1';
      g_assert_null (veil_signed_receipt_new_from_json (json, NULL));
      *c = old;
      n++;
    }
  g_assert_cmpuint (n, >, 100);
}

static void
test_settings (Fixture *fixture, gconstpointer data)
{
  g_assert_cmpuint (veil_client_get_refresh_interval (fixture->client), ==, 300);
  veil_client_set_refresh_interval (fixture->client, 7);
  g_assert_cmpuint (veil_client_get_refresh_interval (fixture->client), ==, 7);
  g_assert_cmpuint (veil_client_get_answer_timeout (fixture->client), ==, 0);
  assert_sent (fixture->client);
  veil_client_set_answer_timeout (fixture->client, 1);
  assert_fails (fixture->client, "fault-hang", "", VEIL_ERROR_TIMED_OUT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add ("/libveil-client/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("single", test_single);
  ADD ("stream", test_stream);
  ADD ("tools", test_tools);
  ADD ("refused", test_refused);
  ADD ("failover", test_failover);
  ADD ("rotated", test_rotated);
  ADD ("no-such-pin", test_no_such_pin);
  ADD ("authorized", test_authorized);
  ADD ("authorized-again", test_authorized_again);
  ADD ("not-authorized", test_not_authorized);
  ADD ("authorization-fails", test_authorization_fails);
  ADD ("cancelled", test_cancelled);
  ADD ("registry", test_registry);
  ADD ("registry-fails", test_registry_fails);
  ADD ("own-transport", test_own_transport);
  ADD ("attestation", test_attestation);
  ADD ("attestation/of-sandbox", test_attestation_of_sandbox);
  ADD ("attestation/without-root", test_attestation_without_root);
  ADD ("receipt", test_receipt);
  ADD ("receipt/altered", test_receipt_altered);
  ADD ("settings", test_settings);
  return g_test_run ();
}
