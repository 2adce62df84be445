/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* og-veil test: one question to the running endpoint, as an agent would ask it. */
#include "cli.h"
#include "input.h"
#include "running.h"

#include "receipt.h"
#include "recorded.h"
#include "veil-error.h"

#include <glib/gi18n.h>
#include <libsoup/soup.h>

#define DEFAULT_PROMPT "Say hello in one short sentence."
#define DEFAULT_MODEL "gpt-4.1-mini"
#define TIMEOUT_S 330 /* a little more than the endpoint itself allows for an answer */

static GBytes *
build_body (const char *model, const char *prompt)
{
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);

  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "model");
  veil_json_writer_string (writer, model);
  veil_json_writer_key (writer, "messages");
  veil_json_writer_begin_array (writer);
  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "role");
  veil_json_writer_string (writer, "user");
  veil_json_writer_key (writer, "content");
  veil_json_writer_string (writer, prompt);
  veil_json_writer_end_object (writer);
  veil_json_writer_end_array (writer);
  veil_json_writer_end_object (writer);
  return veil_json_writer_finish (writer);
}

typedef struct
{
  char *model;   /* owned, as is the next; NULL if not given */
  char *receipt; /* file name */
  gboolean json;
  GBytes *body;         /* owned */
  SoupMessage *message; /* owned */
  GBytes *answer;       /* owned */
  VeilJsonDoc *doc;     /* owned: of the answer */
} Question;

static void
question_clear (Question *self)
{
  g_free (self->model);
  g_free (self->receipt);
  g_clear_pointer (&self->body, g_bytes_unref);
  g_clear_object (&self->message);
  g_clear_pointer (&self->answer, g_bytes_unref);
  g_clear_pointer (&self->doc, veil_json_doc_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Question, question_clear)

/* The endpoint is ours, but another program may sit on its port: read it as strictly as anything else. */
static gboolean
ask (Question *self, const VeilSettings *settings, const char *url, const char *prompt, GError **error)
{
  g_autoptr (SoupSession) session = soup_session_new_with_options ("timeout", TIMEOUT_S, "proxy-resolver", NULL, NULL);
  g_autofree char *address = g_strconcat (url, "/chat/completions", NULL);
  SoupMessageHeaders *headers;

  self->body = build_body (self->model != NULL ? self->model : DEFAULT_MODEL, prompt);
  self->message = soup_message_new ("POST", address);
  headers = soup_message_get_request_headers (self->message);
  soup_message_set_request_body_from_bytes (self->message, "application/json", self->body);
  veil_running_authorize (settings, self->message);
  if (self->receipt != NULL || self->json)
    soup_message_headers_append (headers, "X-OpenGradient-Receipt", "1");
  self->answer = soup_session_send_and_read (session, self->message, NULL, error);
  if (self->answer == NULL)
    {
      g_prefix_error (error, _ ("Nothing answers at %s; start it with `og-veil` (or `og-veil serve`): "), url);
      return FALSE;
    }
  self->doc = veil_json_doc_new (g_bytes_get_data (self->answer, NULL), g_bytes_get_size (self->answer), error);
  return self->doc != NULL;
}

/* The receipt in the answer, checked against what was asked and what came. */
static VeilReceipt *
take_receipt (const Question *self, GError **error)
{
  const VeilJson *root = veil_json_doc_get_root (self->doc);
  g_autoptr (VeilReceipt) receipt = NULL;
  g_auto (GStrv) names = NULL;

  receipt = veil_receipt_new_from_json (veil_json_get_member (root, "opengradient_receipt"), error);
  if (receipt == NULL || !veil_receipt_verify (receipt, error) ||
      !veil_recorded_check_request (receipt->proof, g_bytes_get_data (self->body, NULL), g_bytes_get_size (self->body), error) ||
      !veil_recorded_check_response (receipt->proof, g_bytes_get_data (self->answer, NULL), g_bytes_get_size (self->answer), &names,
                                     error))
    {
      g_prefix_error (error, "%s", _ ("The endpoint gave no receipt that can be verified: "));
      return NULL;
    }
  return g_steal_pointer (&receipt);
}

static void
print_json (const VeilReceipt *receipt, const char *text)
{
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);

  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "verified");
  veil_json_writer_boolean (writer, TRUE);
  veil_json_writer_key (writer, "sandbox");
  veil_json_writer_boolean (writer, receipt->proof->sandbox);
  veil_json_writer_key (writer, "tee_id");
  veil_json_writer_string (writer, receipt->proof->tee_id);
  veil_json_writer_key (writer, "text");
  veil_json_writer_string (writer, text);
  veil_json_writer_key (writer, "receipt");
  veil_receipt_write_json (receipt, writer);
  veil_json_writer_end_object (writer);
  veil_cli_print_json (writer);
}

/* With --receipt or --json: before anything is called verified. */
static VeilExit
show_receipt (const Question *self, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilReceipt) receipt = take_receipt (self, &error);
  g_autoptr (GBytes) file = receipt != NULL ? veil_receipt_to_bytes (receipt) : NULL;

  if (receipt == NULL || (self->receipt != NULL && !veil_cli_write_file (self->receipt, file, &error)))
    return veil_cli_fail (error);
  if (self->json)
    print_json (receipt, text);
  return VEIL_EXIT_OK;
}

static VeilExit
show (const Question *self)
{
  const VeilJson *answer = veil_json_doc_get_root (self->doc);
  const char *verified =
      soup_message_headers_get_one (soup_message_get_response_headers (self->message), "X-OpenGradient-Verified");
  const VeilJson *proof = veil_json_get_member (answer, "opengradient_verification");
  const char *refusal = veil_json_get_string (veil_json_get_member (veil_json_get_member (answer, "error"), "message"), NULL);
  const VeilJson *choice = veil_json_get_element (veil_json_get_member (answer, "choices"), 0);
  const char *text = veil_json_get_string (veil_json_get_member (veil_json_get_member (choice, "message"), "content"), NULL);
  const char *tee_id = veil_json_get_string (veil_json_get_member (proof, "tee_id"), NULL);
  g_autofree char *printable = veil_cli_printable (text != NULL ? text : refusal != NULL ? refusal : "");
  gboolean sandbox = veil_json_is (veil_json_get_member (proof, "sandbox"), VEIL_JSON_TRUE);

  if (soup_message_get_status (self->message) != SOUP_STATUS_OK)
    {
      g_printerr ("og-veil: %s\n", refusal != NULL ? printable : _ ("The endpoint answered with an error that it did not explain"));
      return VEIL_EXIT_FAILURE;
    }
  if (g_strcmp0 (verified, "true") != 0 || !veil_json_is (veil_json_get_member (proof, "verified"), VEIL_JSON_TRUE) ||
      tee_id == NULL)
    {
      g_printerr (_ ("og-veil: What answers on this port is not Veil: the answer is not verified\n"));
      return VEIL_EXIT_FAILURE;
    }
  if ((self->receipt != NULL || self->json) && show_receipt (self, text) != VEIL_EXIT_OK)
    return VEIL_EXIT_FAILURE;
  if (!self->json)
    g_print ("%s\n\n✓ %s\n%s\n", printable, sandbox ? _ ("verified (sandbox: simulated, not attested)") : _ ("verified"), tee_id);
  return VEIL_EXIT_OK;
}

VeilExit
veil_command_test (int argc, char **argv)
{
  static const char *const flags[] = { "home", "host", "port", NULL };
  g_auto (Question) question = { NULL };
  const GOptionEntry entries[] = {
    { "model", 'm', 0, G_OPTION_ARG_STRING, &question.model, N_ ("Model to ask (default gpt-4.1-mini)"), "NAME" },
    { "receipt", 0, 0, G_OPTION_ARG_FILENAME, &question.receipt, N_ ("Write the answer's receipt, for `og-veil verify`"), "FILE" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &question.json, N_ ("An object with verified, sandbox, tee_id, text and receipt"), NULL },
    { NULL },
  };
  g_autoptr (VeilSettings) settings = veil_cli_parse ("test", entries, flags, &argc, &argv);
  g_autofree char *prompt = NULL;
  g_autofree char *url = NULL;
  g_autoptr (GError) error = NULL;

  if (settings == NULL)
    return VEIL_EXIT_USAGE;
  prompt = argc > 1 ? g_strjoinv (" ", argv + 1) : g_strdup (DEFAULT_PROMPT);
  if (!g_utf8_validate (prompt, -1, NULL))
    return veil_cli_fail_usage (_ ("the prompt is not UTF-8, so it cannot be sent as it is"));
  url = veil_running_get_url (settings, &error);
  if (url == NULL)
    return veil_cli_fail (error);
  return ask (&question, settings, url, prompt, &error) ? show (&question) : veil_cli_fail (error);
}
