/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* og-veil test: one question to the running endpoint, as an agent would ask it. */
#include "cli.h"

#include "json-writer.h"
#include "running.h"
#include "veil-error.h"

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

/* The endpoint is ours, but another program may sit on its port: read it as strictly as anything else. */
static VeilJsonDoc *
ask (const VeilSettings *settings, const char *url, const char *model, const char *prompt, SoupMessage **message, GError **error)
{
  g_autoptr (SoupSession) session = soup_session_new_with_options ("timeout", TIMEOUT_S, "proxy-resolver", NULL, NULL);
  g_autofree char *address = g_strconcat (url, "/chat/completions", NULL);
  g_autoptr (GBytes) body = build_body (model, prompt);
  g_autoptr (GBytes) answer = NULL;

  *message = soup_message_new ("POST", address);
  soup_message_set_request_body_from_bytes (*message, "application/json", body);
  if (settings->api_key != NULL)
    {
      g_autofree char *authorization = g_strconcat ("Bearer ", settings->api_key, NULL);

      soup_message_headers_append (soup_message_get_request_headers (*message), "Authorization", authorization);
    }
  answer = soup_session_send_and_read (session, *message, NULL, error);
  if (answer == NULL)
    {
      g_prefix_error (error, "Nothing answers at %s; start it with `og-veil` (or `og-veil serve`): ", url);
      return NULL;
    }
  return veil_json_doc_new (g_bytes_get_data (answer, NULL), g_bytes_get_size (answer), error);
}

static VeilExit
show (SoupMessage *message, const VeilJson *answer)
{
  const char *verified = soup_message_headers_get_one (soup_message_get_response_headers (message), "X-OpenGradient-Verified");
  const VeilJson *proof = veil_json_get_member (answer, "opengradient_verification");
  const char *refusal = veil_json_get_string (veil_json_get_member (veil_json_get_member (answer, "error"), "message"), NULL);
  const VeilJson *choice = veil_json_get_element (veil_json_get_member (answer, "choices"), 0);
  const char *text = veil_json_get_string (veil_json_get_member (veil_json_get_member (choice, "message"), "content"), NULL);
  const char *tee_id = veil_json_get_string (veil_json_get_member (proof, "tee_id"), NULL);
  g_autofree char *printable = veil_cli_printable (text != NULL ? text : refusal != NULL ? refusal : "");
  gboolean sandbox = veil_json_is (veil_json_get_member (proof, "sandbox"), VEIL_JSON_TRUE);

  if (soup_message_get_status (message) != SOUP_STATUS_OK)
    {
      g_printerr ("og-veil: %s\n", refusal != NULL ? printable : "The endpoint answered with an error that it did not explain");
      return VEIL_EXIT_FAILURE;
    }
  if (g_strcmp0 (verified, "true") != 0 || !veil_json_is (veil_json_get_member (proof, "verified"), VEIL_JSON_TRUE) ||
      tee_id == NULL)
    {
      g_printerr ("og-veil: What answers on this port is not Veil: the answer is not verified\n");
      return VEIL_EXIT_FAILURE;
    }
  g_print ("%s\n\n✓ verified%s\n%s\n", printable, sandbox ? " (sandbox: simulated, not attested)" : "", tee_id);
  return VEIL_EXIT_OK;
}

VeilExit
veil_command_test (int argc, char **argv)
{
  static const char *const flags[] = { "home", "host", "port", NULL };
  g_autofree char *model = NULL;
  const GOptionEntry entries[] = {
    { "model", 'm', 0, G_OPTION_ARG_STRING, &model, "Model to ask (default " DEFAULT_MODEL ")", "NAME" },
    { NULL },
  };
  g_autoptr (VeilSettings) settings = veil_cli_parse ("test", entries, flags, &argc, &argv);
  g_autofree char *prompt = NULL;
  g_autofree char *url = NULL;
  g_autoptr (SoupMessage) message = NULL;
  g_autoptr (VeilJsonDoc) answer = NULL;
  g_autoptr (GError) error = NULL;

  if (settings == NULL)
    return VEIL_EXIT_USAGE;
  prompt = argc > 1 ? g_strjoinv (" ", argv + 1) : g_strdup (DEFAULT_PROMPT);
  if (!g_utf8_validate (prompt, -1, NULL))
    return veil_cli_fail_usage ("the prompt is not UTF-8, so it cannot be sent as it is");
  url = veil_running_get_url (settings, &error);
  if (url == NULL)
    return veil_cli_fail (error);
  answer = ask (settings, url, model != NULL ? model : DEFAULT_MODEL, prompt, &message, &error);
  return answer != NULL ? show (message, veil_json_doc_get_root (answer)) : veil_cli_fail (error);
}
