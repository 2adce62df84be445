/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What the library does for those who use it wrongly, as languages without types let them: it warns, and gives nothing. */
#include <veil.h>

#define CRITICAL(pattern) g_test_expect_message ("veil", G_LOG_LEVEL_CRITICAL, pattern)
#define ADDRESS "0x703cB174AeadB35D611858369B4b1111dC9AbDa6"
#define NOBODY "http://127.0.0.1:1"

/* Empty objects, which any language can make: no function may take one for what it stands for. */
static void
test_empty (gconstpointer data)
{
  GType type = ((GType (*) (void)) data) ();
  GObject *object = g_object_new (type, NULL);
  guint n;
  g_autofree GParamSpec **specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (object), &n);

  g_assert_cmpuint (n, >, 0);
  for (guint i = 0; i < n; i++)
    {
      g_auto (GValue) value = G_VALUE_INIT;

      CRITICAL ("*is_made (self)*");
      g_object_get_property (object, specs[i]->name, &value);
      g_test_assert_expected_messages ();
      g_assert_true (G_VALUE_HOLDS (&value, specs[i]->value_type));
      g_assert_true (!G_VALUE_HOLDS (&value, G_TYPE_STRING) || g_value_get_string (&value) == NULL);
    }
  g_assert_finalize_object (object);
}

static void
test_empty_arguments (void)
{
  g_autoptr (VeilAnswer) answer = g_object_new (VEIL_TYPE_ANSWER, NULL);
  g_autoptr (VeilBundle) bundle = g_object_new (VEIL_TYPE_BUNDLE, NULL);
  g_autoptr (VeilEnclave) enclave = g_object_new (VEIL_TYPE_ENCLAVE, NULL);
  g_autoptr (VeilAttestationDocument) document = g_object_new (VEIL_TYPE_ATTESTATION_DOCUMENT, NULL);
  g_autoptr (VeilSignedReceipt) receipt = g_object_new (VEIL_TYPE_SIGNED_RECEIPT, NULL);
  g_autoptr (VeilRequest) request = veil_request_new_for_prompt ("gpt-4.1", "Hello!", NULL);
  g_autoptr (VeilChooser) chooser = veil_chooser_new ();
  g_autoptr (GBytes) bytes = g_bytes_new_static ("{}", 2);
  GError *error = NULL;

  CRITICAL ("*veil_answer_is_made*");
  g_assert_null (veil_signed_receipt_new (answer));
  CRITICAL ("*veil_bundle_is_made*");
  g_assert_null (veil_registry_client_new_for_bundle (bundle, &error));
  CRITICAL ("*veil_bundle_is_made*");
  g_assert_null (veil_client_new_for_bundle (bundle, &error));
  CRITICAL ("*veil_enclave_is_made*");
  g_assert_null (veil_request_verify_response (request, enclave, bytes, -1, &error));
  CRITICAL ("*veil_enclave_is_made*");
  g_assert_null (veil_seal_new (enclave, &error));
  CRITICAL ("*is_made*");
  g_assert_false (veil_attestation_document_check_enclave (document, enclave, &error));
  CRITICAL ("*is_made*");
  g_assert_false (veil_attestation_document_check_nonce (document, bytes, &error));
  CRITICAL ("*is_made*");
  g_assert_false (veil_signed_receipt_check_output (receipt, bytes, &error));
  CRITICAL ("*veil_enclave_is_made*");
  veil_chooser_report_failure (chooser, enclave);
  g_test_assert_expected_messages ();
  g_assert_no_error (error);
}

/* A list from a language without types: the chooser keeps what it had. */
static void
test_wrong_elements (void)
{
  g_autoptr (VeilChooser) chooser = veil_chooser_new ();
  g_autoptr (VeilRequest) request = veil_request_new_for_prompt ("gpt-4.1", "Hello!", NULL);
  g_autoptr (VeilEnclave) empty = g_object_new (VEIL_TYPE_ENCLAVE, NULL);
  gpointer wrong[] = { NULL, request, empty };
  GError *error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GPtrArray) enclaves = g_ptr_array_new ();

      g_ptr_array_add (enclaves, wrong[i]);
      CRITICAL ("*veil_enclave_is_made*");
      veil_chooser_set_enclaves (chooser, enclaves);
      g_test_assert_expected_messages ();
      g_assert_null (veil_chooser_choose (chooser, NULL, &error));
      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_REGISTRY);
      g_clear_error (&error);
    }
}

static VeilRegistryClient *
make_registry (void)
{
  GError *error = NULL;
  VeilRegistryClient *registry = veil_registry_client_new (NOBODY, ADDRESS, 0, &error);

  g_assert_no_error (error);
  return registry;
}

static VeilClient *
make_client (void)
{
  g_autoptr (VeilRegistryClient) registry = make_registry ();
  GError *error = NULL;
  VeilClient *client = veil_client_new (NOBODY, registry, &error);

  g_assert_no_error (error);
  return client;
}

/* Results are all of one type, and what is in them is not. */
static void
on_chosen (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilClient) other = make_client ();
  GError *error = NULL;

  CRITICAL ("*g_async_result_is_tagged (result, veil_client_send_async)*");
  g_assert_null (veil_client_send_finish (VEIL_CLIENT (source), result, &error));
  CRITICAL ("*g_task_is_valid*");
  g_assert_null (veil_client_choose_finish (other, result, &error));
  CRITICAL ("*g_task_is_valid*");
  g_assert_null (veil_client_choose_finish (NULL, result, &error));
  CRITICAL ("*g_task_is_valid*");
  g_assert_null (veil_client_choose_finish (VEIL_CLIENT (source), NULL, &error));
  g_test_assert_expected_messages ();
  g_assert_no_error (error);
  g_assert_null (veil_client_choose_finish (VEIL_CLIENT (source), result, &error));
  g_assert_nonnull (error);
  g_error_free (error);
  *(gboolean *) user_data = TRUE;
}

static void
on_fetched (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GError *error = NULL;

  CRITICAL ("*g_async_result_is_tagged (result, veil_registry_client_fetch_version_async)*");
  g_assert_null (veil_registry_client_fetch_version_finish (VEIL_REGISTRY_CLIENT (source), result, &error));
  g_test_assert_expected_messages ();
  g_assert_no_error (error);
  g_assert_null (veil_registry_client_fetch_finish (VEIL_REGISTRY_CLIENT (source), result, &error));
  g_assert_nonnull (error);
  g_error_free (error);
  *(gboolean *) user_data = TRUE;
}

static void
test_wrong_finish (void)
{
  g_autoptr (VeilClient) client = make_client ();
  g_autoptr (VeilRegistryClient) registry = make_registry ();
  gboolean chosen = FALSE, fetched = FALSE;

  veil_client_choose_async (client, NULL, on_chosen, &chosen);
  veil_registry_client_fetch_async (registry, NULL, on_fetched, &fetched);
  while (!chosen || !fetched)
    g_main_context_iteration (NULL, TRUE);
}

static void
never (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_assert_not_reached ();
}

static void
begin_all (VeilClient *client)
{
  g_autoptr (VeilRequest) request = veil_request_new_for_prompt ("gpt-4.1", "Hello!", NULL);
  g_autoptr (VeilClient) mixed = NULL;
  GError *error = NULL;

  CRITICAL ("*veil_place_is_here*");
  veil_client_send_async (client, request, NULL, never, NULL);
  CRITICAL ("*veil_place_is_here*");
  veil_client_choose_async (client, NULL, never, NULL);
  CRITICAL ("*veil_place_is_here*");
  veil_registry_client_fetch_async (veil_client_get_registry (client), NULL, never, NULL);
  CRITICAL ("*veil_place_is_here*");
  mixed = veil_client_new (NOBODY, veil_client_get_registry (client), &error);
  g_assert_null (mixed);
  g_assert_no_error (error);
  g_test_assert_expected_messages ();
}

static gpointer
run_begin_all (gpointer data)
{
  begin_all (data);
  return NULL;
}

/* Nothing of a client is locked, and its callbacks come in one place. */
static void
test_elsewhere (void)
{
  g_autoptr (VeilClient) client = make_client ();
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_thread_join (g_thread_new ("elsewhere", run_begin_all, client));
  g_main_context_push_thread_default (context);
  begin_all (client);
  g_main_context_pop_thread_default (context);
  while (g_main_context_iteration (context, FALSE) || g_main_context_iteration (NULL, FALSE))
    continue;
}

static gboolean
on_authorize (VeilClient *client, VeilAuthorization *authorization, gpointer user_data)
{
  *(VeilAuthorization **) user_data = g_object_ref (authorization);
  return TRUE;
}

static void
on_unsent (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_assert_null (veil_client_send_finish (VEIL_CLIENT (source), result, user_data));
}

static gpointer
run_answer_all (gpointer data)
{
  GError *error = NULL;

  CRITICAL ("*is_mine (self)*");
  g_assert_false (veil_authorization_set_bearer_token (data, "TOKEN", &error));
  CRITICAL ("*is_mine (self)*");
  veil_authorization_done (data);
  CRITICAL ("*is_mine (self)*");
  veil_authorization_fail (data, "no");
  g_test_assert_expected_messages ();
  g_assert_no_error (error);
  return NULL;
}

/* What another thread says is not heard; what the client's own says afterwards is. */
static void
test_authorized_elsewhere (void)
{
  g_autoptr (VeilClient) client = make_client ();
  g_autoptr (VeilRequest) request = veil_request_new_for_prompt ("gpt-4.1", "Hello!", NULL);
  VeilAuthorization *authorization = NULL;
  GError *error = NULL;

  g_signal_connect (client, "authorize", G_CALLBACK (on_authorize), &authorization);
  veil_client_send_async (client, request, NULL, on_unsent, &error);
  g_assert_nonnull (authorization);
  g_thread_join (g_thread_new ("elsewhere", run_answer_all, authorization));
  g_assert_null (error);
  veil_authorization_fail (authorization, "heard");
  g_object_unref (authorization);
  while (error == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN);
  g_assert_cmpstr (error->message, ==, "heard");
  g_error_free (error);
}

#define ADD_EMPTY(name, get_type) g_test_add_data_func ("/libveil-misuse/empty/" name, get_type, test_empty)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD_EMPTY ("answer", veil_answer_get_type);
  ADD_EMPTY ("attestation-document", veil_attestation_document_get_type);
  ADD_EMPTY ("attestation-report", veil_attestation_report_get_type);
  ADD_EMPTY ("bundle", veil_bundle_get_type);
  ADD_EMPTY ("client", veil_client_get_type);
  ADD_EMPTY ("enclave", veil_enclave_get_type);
  ADD_EMPTY ("registry-client", veil_registry_client_get_type);
  ADD_EMPTY ("request", veil_request_get_type);
  ADD_EMPTY ("seal", veil_seal_get_type);
  ADD_EMPTY ("signed-receipt", veil_signed_receipt_get_type);
  ADD_EMPTY ("verification", veil_verification_get_type);
  g_test_add_func ("/libveil-misuse/empty/arguments", test_empty_arguments);
  g_test_add_func ("/libveil-misuse/wrong-elements", test_wrong_elements);
  g_test_add_func ("/libveil-misuse/wrong-finish", test_wrong_finish);
  g_test_add_func ("/libveil-misuse/elsewhere", test_elsewhere);
  g_test_add_func ("/libveil-misuse/authorized-elsewhere", test_authorized_elsewhere);
  return g_test_run ();
}
