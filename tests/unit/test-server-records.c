/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Each request for an answer has its record, from its arrival to its end, and nobody's words are in it. */
#include "server-fixture.h"

#include "error-details.h"
#include "receipt.h"

#include <string.h>

#define SECRET "the-prompt-itself"

static VeilRecord *
get_record (Fixture *fixture, guint position)
{
  g_autoptr (VeilRecord) record = g_list_model_get_item (G_LIST_MODEL (fixture->server->records), position);

  return record; /* the list's */
}

static guint
count_records (Fixture *fixture)
{
  return g_list_model_get_n_items (G_LIST_MODEL (fixture->server->records));
}

static void
test_verified (Fixture *fixture, gconstpointer data)
{
  gboolean stream = data != NULL;
  g_auto (Reply) reply = { 0 };
  VeilRecord *record;

  fixture->backend->answer->timing.seal = 77;
  fixture_ask_chat (fixture, "", stream ? STREAM_BODY : CHAT_BODY, &reply);
  g_assert_cmpuint (reply.status, ==, 200);
  g_assert_cmpuint (count_records (fixture), ==, 1);
  record = get_record (fixture, 0);
  g_assert_cmpint (veil_record_get_state (record), ==, VEIL_RECORD_VERIFIED);
  g_assert_cmpstr (veil_record_get_model (record), ==, "gpt-4.1");
  g_assert_cmpint (veil_record_get_stream (record), ==, stream);
  g_assert_true (veil_record_get_proof (record) == fixture->backend->answer->proof);
  g_assert_cmpuint (veil_record_get_status (record), ==, 200);
  g_assert_cmpint (veil_record_get_timing (record)->seal, ==, 77);
  g_assert_cmpint (veil_record_get_timing (record)->reply, >, 0);
  g_assert_cmpint (veil_record_get_duration (record), >, 0);
}

/* It is there while the answer is waited for. A caller who leaves ends it. */
static void
leave_while_waiting (Fixture *fixture, gpointer user_data)
{
  g_autofree char *request = fixture_chat_request (fixture, CHAT_BODY);
  Peer peer;

  peer_connect (&peer, veil_server_get_port (fixture->server));
  peer_send_all (&peer, request);
  while (!g_atomic_int_get (&fixture->backend->pending))
    g_usleep (1000);
  peer_close (&peer);
}

static void
on_state (VeilRecord *record, GParamSpec *pspec, guint *changes)
{
  (*changes)++;
}

static void
on_added (GListModel *model, guint position, guint removed, guint added, guint *changes)
{
  g_autoptr (VeilRecord) record = g_list_model_get_item (model, 0);

  g_assert_cmpint (veil_record_get_state (record), ==, VEIL_RECORD_WAITING);
  g_signal_connect (record, "notify::state", G_CALLBACK (on_state), changes);
}

static void
test_hung_up (Fixture *fixture, gconstpointer data)
{
  VeilRecord *record;
  guint changes = 0;

  fixture->backend->hang = TRUE;
  g_signal_connect (fixture->server->records, "items-changed", G_CALLBACK (on_added), &changes);
  fixture_run_peer (fixture, leave_while_waiting, NULL);
  fixture_wait_for (&changes, 1);
  record = get_record (fixture, 0);
  g_assert_cmpint (veil_record_get_state (record), ==, VEIL_RECORD_FAILED);
  g_assert_cmpstr (veil_record_get_code (record), ==, "cancelled");
  g_assert_cmpuint (veil_record_get_status (record), ==, 0);
  g_assert_cmpstr (veil_record_get_model (record), ==, "gpt-4.1");
  g_signal_handlers_disconnect_by_data (fixture->server->records, &changes);
  g_signal_handlers_disconnect_by_data (record, &changes);
}

/* Half a body, and then the end. */
static void
leave_while_sending (Fixture *fixture, gpointer user_data)
{
  g_autofree char *head = fixture_chat_head (fixture, "Content-Length: 1000\r\n");
  Peer peer;

  peer_connect (&peer, veil_server_get_port (fixture->server));
  peer_send_all (&peer, head);
  peer_send_all (&peer, "{");
  peer_close (&peer);
}

static void
test_cut_off (Fixture *fixture, gconstpointer data)
{
  guint changes = 0;

  g_signal_connect (fixture->server->records, "items-changed", G_CALLBACK (on_added), &changes);
  fixture_run_peer (fixture, leave_while_sending, NULL);
  fixture_wait_for (&changes, 1);
  g_assert_cmpstr (veil_record_get_code (get_record (fixture, 0)), ==, "cancelled");
  g_assert_null (veil_record_get_model (get_record (fixture, 0)));
  g_signal_handlers_disconnect_by_data (fixture->server->records, &changes);
  g_signal_handlers_disconnect_by_data (get_record (fixture, 0), &changes);
}

typedef struct
{
  const char *request; /* PORT is put right */
  guint status;
  const char *code; /* NULL: no record */
} Case;

#define POST "POST /v1/chat/completions HTTP/1.1\r\n"
#define HOST "Host: 127.0.0.1:PORT\r\n"
#define JSON "Content-Type: application/json\r\n"

static const Case before_sending[] = {
  { POST HOST JSON "Content-Length: 1\r\n\r\n{", 400, "invalid_request_error" },
  { POST HOST JSON "Content-Length: 2\r\n\r\n{}", 400, "invalid_request_error" },
  { POST HOST JSON "Content-Length: 0\r\n\r\n", 400, "invalid_request_error" },
  { POST HOST "Content-Length: 2\r\n\r\n{}", 415, "invalid_request_error" },
  { POST HOST JSON "Content-Length: 20971521\r\n\r\n", 413, "request_too_large" },
  /* Strangers, and what asks for no answer, leave nothing. */
  { POST "Host: evil.example\r\n" JSON "Content-Length: 2\r\n\r\n{}", 403, NULL },
  { POST HOST "Origin: https://evil.example\r\n" JSON "Content-Length: 2\r\n\r\n{}", 403, NULL },
  { "GET /v1/chat/completions HTTP/1.1\r\n" HOST "\r\n", 405, NULL },
  { "OPTIONS /v1/chat/completions HTTP/1.1\r\n" HOST "\r\n", 204, NULL },
  { "GET /v1/models HTTP/1.1\r\n" HOST "\r\n", 200, NULL },
  { "GET /health HTTP/1.1\r\n" HOST "\r\n", 200, NULL },
  { "GET /nothing HTTP/1.1\r\n" HOST "\r\n", 404, NULL },
};

static void
test_before_sending (Fixture *fixture, gconstpointer data)
{
  guint expected = 0;

  for (guint i = 0; i < G_N_ELEMENTS (before_sending); i++)
    {
      const Case *one = &before_sending[i];
      g_auto (Reply) reply = { 0 };

      fixture_ask (fixture, one->request, &reply);
      g_assert_cmpuint (reply.status, ==, one->status);
      expected += one->code != NULL;
      g_assert_cmpuint (count_records (fixture), ==, expected);
      if (one->code == NULL)
        continue;
      g_assert_cmpint (veil_record_get_state (get_record (fixture, 0)), ==, VEIL_RECORD_FAILED);
      g_assert_cmpuint (veil_record_get_status (get_record (fixture, 0)), ==, one->status);
      g_assert_cmpstr (veil_record_get_code (get_record (fixture, 0)), ==, one->code);
      g_assert_nonnull (strstr (reply.body->str, veil_record_get_message (get_record (fixture, 0))));
      g_assert_null (veil_record_get_tee_id (get_record (fixture, 0)));
    }
  g_assert_cmpuint (fixture->backend->calls, ==, 0);
}

static void
test_wrong_key (Fixture *fixture, gconstpointer data)
{
  g_auto (Reply) reply = { 0 };

  veil_server_set_api_key (fixture->server, "key");
  fixture_ask_chat (fixture, "Authorization: Bearer other\r\n", CHAT_BODY, &reply);
  g_assert_cmpuint (reply.status, ==, 401);
  g_assert_cmpuint (count_records (fixture), ==, 0);
}

static void
test_refused (Fixture *fixture, gconstpointer data)
{
  g_auto (Reply) reply = { 0 };
  VeilRecord *record;

  fixture->backend->error = g_error_new (VEIL_ERROR, VEIL_ERROR_OUTPUT_HASH, "It was changed");
  veil_error_set_passed (fixture->backend->error, VEIL_CHECK_OUTPUT_HASH);
  fixture_ask_chat (fixture, "", CHAT_BODY, &reply);
  record = get_record (fixture, 0);
  g_assert_cmpint (veil_record_get_state (record), ==, VEIL_RECORD_REFUSED);
  g_assert_cmpuint (veil_record_get_status (record), ==, 502);
  g_assert_cmpstr (veil_record_get_code (record), ==, "verification_failed");
  g_assert_cmpstr (veil_record_get_check (record), ==, "output_hash");
  g_assert_cmpstr (veil_record_get_message (record), ==, "It was changed");
  g_assert_cmpint (veil_record_get_check_state (record, VEIL_CHECK_REQUEST_HASH), ==, VEIL_CHECK_PASSED);
  g_assert_cmpint (veil_record_get_check_state (record, VEIL_CHECK_OUTPUT_HASH), ==, VEIL_CHECK_FAILED);
  g_assert_cmpint (veil_record_get_check_state (record, VEIL_CHECK_SIGNATURE), ==, VEIL_CHECK_NOT_REACHED);
}

/* A relay or gateway that quotes the prompt in its error is heard by the caller alone. */
static void
test_quotes (Fixture *fixture, gconstpointer data)
{
  static const VeilError codes[] = { VEIL_ERROR_RELAY_REFUSED, VEIL_ERROR_GATEWAY, VEIL_ERROR_SESSION_REFUSED };

  for (guint i = 0; i < G_N_ELEMENTS (codes); i++)
    {
      g_auto (Reply) reply = { 0 };
      const char *message;

      g_clear_error (&fixture->backend->error);
      fixture->backend->error = g_error_new (VEIL_ERROR, codes[i], "It says: “" SECRET "”");
      veil_error_set_status (fixture->backend->error, 403);
      fixture_ask_chat (fixture, "", CHAT_BODY, &reply);
      g_assert_nonnull (strstr (reply.body->str, SECRET));
      message = veil_record_get_message (get_record (fixture, 0));
      g_assert_null (strstr (message, SECRET));
      g_assert_nonnull (strstr (message, "not kept"));
    }
}

static void
sign (VeilProof *proof)
{
  proof->signature = g_bytes_new_static ("signature", 9);
  proof->signing_key = g_bytes_new_static ("key", 3);
}

/* The receipt that rides on an answer is the one that the record gives later. */
static void
test_receipt (Fixture *fixture, gconstpointer data)
{
  gboolean stream = data != NULL;
  g_auto (Reply) reply = { 0 }, without = { 0 };
  g_autoptr (VeilReceipt) receipt = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *member = NULL;
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);

  sign (fixture->backend->answer->proof);
  fixture_ask_chat (fixture, "X-OpenGradient-Receipt: 1\r\n", stream ? STREAM_BODY : CHAT_BODY, &reply);
  g_assert_cmpuint (reply.status, ==, 200);
  receipt = veil_receipt_new_from_record (get_record (fixture, 0), &error);
  g_assert_no_error (error);
  veil_receipt_write_json (receipt, writer);
  bytes = veil_json_writer_finish (writer);
  member = g_strdup_printf ("},\"opengradient_receipt\":%.*s}%s", (int) g_bytes_get_size (bytes),
                            (const char *) g_bytes_get_data (bytes, NULL), stream ? "\n\ndata: [DONE]\n\n" : "");
  g_assert_true (g_str_has_suffix (reply.body->str, member));

  fixture_ask_chat (fixture, "X-OpenGradient-Receipt: yes\r\n", stream ? STREAM_BODY : CHAT_BODY, &without);
  g_assert_null (strstr (without.body->str, "opengradient_receipt"));
}

#define ADD(name, data, func) g_test_add ("/server-records/" name, Fixture, data, fixture_set_up, func, fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("verified", NULL, test_verified);
  ADD ("verified-stream", "", test_verified);
  ADD ("receipt", NULL, test_receipt);
  ADD ("receipt-stream", "", test_receipt);
  ADD ("hung-up", NULL, test_hung_up);
  ADD ("cut-off", NULL, test_cut_off);
  ADD ("before-sending", NULL, test_before_sending);
  ADD ("wrong-key", NULL, test_wrong_key);
  ADD ("refused", NULL, test_refused);
  ADD ("quotes", NULL, test_quotes);
  return g_test_run ();
}
