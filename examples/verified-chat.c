/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* verified-chat BUNDLE PROMPT RECEIPT: asks, prints the verified answer, writes a receipt, and verifies that.
 *
 *   cc verified-chat.c -o verified-chat $(pkg-config --cflags --libs libveil)
 */
#include <stdlib.h>
#include <veil.h>

typedef struct
{
  GMainLoop *loop;
  const char *receipt_path;
  GError *error;
} Example;

/* Anybody can do this, without network and without an account. */
static gboolean
verify_receipt (const char *path, GError **error)
{
  g_autofree char *json = NULL;
  g_autoptr (VeilSignedReceipt) receipt = NULL;

  if (!g_file_get_contents (path, &json, NULL, error))
    return FALSE;
  receipt = veil_signed_receipt_new_from_json (json, error);
  if (receipt == NULL)
    return FALSE;
  g_print ("receipt verified: %s\n", veil_verification_get_tee_id (veil_signed_receipt_get_verification (receipt)));
  return TRUE;
}

static gboolean
use_answer (Example *self, VeilAnswer *answer, GError **error)
{
  g_autoptr (VeilSignedReceipt) receipt = veil_signed_receipt_new (answer);
  g_autofree char *json = veil_signed_receipt_to_json (receipt);

  g_print ("%s\n", veil_answer_get_text (answer));
  return g_file_set_contents (self->receipt_path, json, -1, error) && verify_receipt (self->receipt_path, error);
}

static void
on_sent (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Example *self = user_data;
  g_autoptr (VeilAnswer) answer = veil_client_send_finish (VEIL_CLIENT (source), result, &self->error);

  /* It is verified, or there is an error. */
  if (answer != NULL)
    use_answer (self, answer, &self->error);
  g_main_loop_quit (self->loop);
}

static VeilClient *
make_client (const char *path, GError **error)
{
  g_autofree char *json = NULL;
  g_autoptr (VeilBundle) bundle = NULL;

  if (!g_file_get_contents (path, &json, NULL, error))
    return NULL;
  bundle = veil_bundle_new (json, error);
  return bundle != NULL ? veil_client_new_for_bundle (bundle, error) : NULL;
}

static gboolean
run (Example *self, char **argv, GError **error)
{
  g_autoptr (VeilClient) client = make_client (argv[1], error);
  g_autoptr (VeilRequest) request = client != NULL ? veil_request_new_for_prompt ("gpt-4.1", argv[2], error) : NULL;

  if (request == NULL)
    return FALSE;
  veil_client_send_async (client, request, NULL, on_sent, self);
  g_main_loop_run (self->loop);
  if (self->error != NULL)
    g_propagate_error (error, g_steal_pointer (&self->error));
  return *error == NULL;
}

int
main (int argc, char **argv)
{
  Example self = { NULL, argc == 4 ? argv[3] : NULL, NULL };
  g_autoptr (GError) error = NULL;
  gboolean good;

  if (argc != 4)
    {
      g_printerr ("usage: verified-chat BUNDLE PROMPT RECEIPT\n");
      return 2;
    }
  self.loop = g_main_loop_new (NULL, FALSE);
  good = run (&self, argv, &error);
  g_main_loop_unref (self.loop);
  if (!good)
    g_printerr ("%s (%s)\n", error->message, error->domain == VEIL_ERROR ? veil_error_get_nick (error->code) : "");
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
