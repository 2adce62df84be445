/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "fetch.h"
#include "raw-peer.h"
#include "registry.h"
#include "vectors.h"
#include "veil-error.h"

#include <string.h>

#define ADDRESS "0x703cb174aeadb35d611858369b4b1111dc9abda6"
#define EMPTY_LIST                                                     \
  "0x0000000000000000000000000000000000000000000000000000000000000020" \
  "0000000000000000000000000000000000000000000000000000000000000000"

typedef struct
{
  GPtrArray *tees;
  GError *error;
  gboolean done;
} Outcome;

static void
outcome_clear (Outcome *outcome)
{
  g_clear_pointer (&outcome->tees, g_ptr_array_unref);
  g_clear_error (&outcome->error);
  outcome->done = FALSE;
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Outcome, outcome_clear)

static void
fetched_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Outcome *outcome = user_data;

  outcome->tees = veil_registry_fetch_finish (VEIL_REGISTRY (source), result, &outcome->error);
  g_assert_true ((outcome->tees == NULL) == (outcome->error != NULL));
  outcome->done = TRUE;
}

static gboolean
on_test_timeout (gpointer user_data)
{
  g_error ("the test hangs");
  return G_SOURCE_REMOVE;
}

static void
fetch (VeilRegistry *registry, GCancellable *cancellable, Outcome *outcome)
{
  guint timeout = g_timeout_add_seconds (60, on_test_timeout, NULL);

  veil_registry_fetch_async (registry, cancellable, fetched_cb, outcome);
  while (!outcome->done)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (timeout);
}

/* How the node behaves. */
typedef struct
{
  const char *name;
  const char *head;   /* without Content-Length; NULL: 200 and JSON */
  const char *body;   /* "@" stands for the id that was asked with */
  const char *says;   /* what the error must say */
  gsize repeat;       /* of the body, with a length that fits */
  const char *result; /* of a JSON-RPC answer, instead of a body */
  char *request;      /* owned; the last one */
} Node;

static char *
request_id (const char *request)
{
  const char *at = strstr (request, "\"id\":");

  g_assert_nonnull (at);
  at += strlen ("\"id\":");
  return g_strndup (at, strspn (at, "0123456789"));
}

static void
script_node (RawConnection *connection, gpointer user_data)
{
  Node *node = user_data;
  char *request;

  while ((request = raw_read_request (connection)) != NULL)
    {
      g_autofree char *id = request_id (request);
      g_autofree char *text = node->result != NULL
                                  ? g_strdup_printf ("{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":\"%s\"}", id, node->result)
                                  : g_strdup (node->body);
      g_autoptr (GString) body = g_string_new (text);
      gsize repeat = MAX (node->repeat, 1);

      g_string_replace (body, "@", id, 0);
      g_autofree char *head =
          g_strdup_printf ("%sContent-Length: %" G_GSIZE_FORMAT "\r\n\r\n",
                           node->head != NULL ? node->head : "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n",
                           body->len * repeat);

      g_free (node->request);
      node->request = request;
      raw_write (connection, head);
      for (gsize i = 0; i < repeat && raw_write (connection, body->str); i++)
        ;
    }
}

static VeilRegistry *
new_registry (RawPeer *peer, const char *path)
{
  g_autoptr (SoupSession) session = veil_fetch_session_new ();
  g_autofree char *url = raw_peer_url (peer, path);

  return veil_registry_new (session, url, ADDRESS, 0);
}

static void
check_request (const char *request)
{
  const char *body = strstr (request, "\r\n\r\n");
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;

  g_assert_true (g_str_has_prefix (request, "POST /rpc?key=secret HTTP/1.1\r\n"));
  g_assert_nonnull (strstr (request, "\r\nContent-Type: application/json\r\n"));
  json_parser_load_from_data (parser, body + 4, -1, &error);
  g_assert_no_error (error);

  JsonObject *root = json_node_get_object (json_parser_get_root (parser));
  JsonArray *params = json_object_get_array_member (root, "params");
  JsonObject *call = json_array_get_object_element (params, 0);
  g_assert_cmpuint (json_object_get_size (root), ==, 4);
  g_assert_cmpstr (json_object_get_string_member (root, "jsonrpc"), ==, "2.0");
  g_assert_cmpstr (json_object_get_string_member (root, "method"), ==, "eth_call");
  g_assert_cmpuint (json_array_get_length (params), ==, 2);
  g_assert_cmpstr (json_array_get_string_element (params, 1), ==, "latest");
  g_assert_cmpuint (json_object_get_size (call), ==, 2);
  g_assert_cmpstr (json_object_get_string_member (call, "to"), ==, ADDRESS);
  g_assert_cmpstr (json_object_get_string_member (call, "data"), ==,
                   "0x4b6014da0000000000000000000000000000000000000000000000000000000000000000");
}

static char *
vector_result (const char *wanted)
{
  g_autoptr (JsonObject) file = vectors_load ("registry-abi.json");
  JsonArray *cases = json_object_get_array_member (file, "cases");

  for (guint i = 0; i < json_array_get_length (cases); i++)
    {
      JsonObject *entry = json_array_get_object_element (cases, i);

      if (g_str_equal (vectors_string (entry, "name"), wanted))
        return g_strdup (vectors_string (entry, "return_hex"));
    }
  g_error ("no case %s", wanted);
  return NULL;
}

/* Lists of every size: none, a few (decoded at once), many (decoded in a worker); one session for all. */
static void
test_lists (void)
{
  const struct
  {
    const char *vector;
    guint count;
    guint usable;
  } lists[] = { { "result/0", 0, 0 }, { "result/3", 3, 3 }, { "result/40", 40, 40 }, { "result/mixed-usability", 8, 1 } };
  Node node = { 0 };
  g_autoptr (RawPeer) peer = raw_peer_new (script_node, &node);
  g_autoptr (VeilRegistry) registry = new_registry (peer, "/rpc?key=secret");

  g_assert_cmpstr (veil_registry_get_address (registry), ==, ADDRESS);
  g_assert_true (g_str_has_suffix (veil_registry_get_rpc_url (registry), "/rpc?key=secret"));
  for (gsize i = 0; i < G_N_ELEMENTS (lists); i++)
    {
      g_autofree char *result = vector_result (lists[i].vector);
      g_auto (Outcome) outcome = { 0 };
      guint usable = 0;

      node.result = result;
      fetch (registry, NULL, &outcome);
      g_assert_no_error (outcome.error);
      g_assert_cmpuint (outcome.tees->len, ==, lists[i].count);
      for (guint j = 0; j < outcome.tees->len; j++)
        usable += ((VeilTee *) outcome.tees->pdata[j])->unusable == NULL;
      g_assert_cmpuint (usable, ==, lists[i].usable);
      check_request (node.request);
    }
  g_assert_cmpuint (raw_peer_get_connections (peer), ==, 1);
  g_clear_pointer (&peer, raw_peer_free);
  g_free (node.request);
}

/* A node that answers with TEEs of another type than was asked for. */
static void
test_other_type (void)
{
  g_autofree char *result = vector_result ("result/3");
  Node node = { .result = result };
  g_autoptr (RawPeer) peer = raw_peer_new (script_node, &node);
  g_autoptr (SoupSession) session = veil_fetch_session_new ();
  g_autofree char *url = raw_peer_url (peer, "/");
  g_autoptr (VeilRegistry) registry = veil_registry_new (session, url, ADDRESS, 1);
  g_auto (Outcome) outcome = { 0 };

  fetch (registry, NULL, &outcome);
  g_assert_no_error (outcome.error);
  for (guint i = 0; i < outcome.tees->len; i++)
    g_assert_nonnull (((VeilTee *) outcome.tees->pdata[i])->unusable);
  g_clear_pointer (&peer, raw_peer_free);
  g_free (node.request);
}

#define HTTP(status, more) "HTTP/1.1 " status "\r\n" more

static Node bad_nodes[] = {
  { "not-found", HTTP ("404 Not Found", ""), "no", "HTTP status 404" },
  { "server-error", HTTP ("500 Oops", ""), "{\"jsonrpc\":\"2.0\",\"id\":@,\"result\":\"" EMPTY_LIST "\"}", "HTTP status 500" },
  { "no-content", HTTP ("203 Sort Of", ""), "{\"jsonrpc\":\"2.0\",\"id\":@,\"result\":\"" EMPTY_LIST "\"}", "HTTP status 203" },
  { "redirect", HTTP ("302 Found", "Location: /other\r\n"), "", "HTTP status 302" },
  { "html", HTTP ("200 OK", "Content-Type: text/html\r\n"), "<html><body>Hello</body></html>", "not JSON" },
  { "empty", NULL, "", "not JSON" },
  { "two-values", NULL, "{\"jsonrpc\":\"2.0\",\"id\":@,\"result\":\"" EMPTY_LIST "\"}{}", "not JSON" },
  { "array", NULL, "[]", "not JSON-RPC" },
  { "text", NULL, "\"" EMPTY_LIST "\"", "not JSON-RPC" },
  { "no-version", NULL, "{\"id\":@,\"result\":\"" EMPTY_LIST "\"}", "not JSON-RPC" },
  { "reads-two-ways", NULL, "{\"jsonrpc\":\"2.0\",\"id\":@,\"result\":\"0x\",\"result\":\"" EMPTY_LIST "\"}", "not JSON-RPC" },
  { "error-object", NULL, "{\"jsonrpc\":\"2.0\",\"id\":@,\"error\":{\"code\":-32000,\"message\":\"execution reverted\"}}",
    "execution reverted" },
  { "error-and-result", NULL,
    "{\"jsonrpc\":\"2.0\",\"id\":@,\"error\":{\"code\":1,\"message\":\"odd\"},\"result\":\"" EMPTY_LIST "\"}", "odd" },
  { "error-text", NULL, "{\"jsonrpc\":\"2.0\",\"id\":@,\"error\":\"odd\"}", "without a message" },
  { "error-escape", NULL, "{\"jsonrpc\":\"2.0\",\"id\":@,\"error\":{\"message\":\"a\\u001b[2Jb\\nc\\u202ed\"}}", "a?[2Jb?c???d" },
  { "wrong-id", NULL, "{\"jsonrpc\":\"2.0\",\"id\":9@,\"result\":\"" EMPTY_LIST "\"}", "another question" },
  { "text-id", NULL, "{\"jsonrpc\":\"2.0\",\"id\":\"@\",\"result\":\"" EMPTY_LIST "\"}", "another question" },
  { "no-id", NULL, "{\"jsonrpc\":\"2.0\",\"result\":\"" EMPTY_LIST "\"}", "another question" },
  { "no-result", NULL, "{\"jsonrpc\":\"2.0\",\"id\":@}", "no result" },
  { "null-result", NULL, "{\"jsonrpc\":\"2.0\",\"id\":@,\"result\":null}", "no result" },
  { "number-result", NULL, "{\"jsonrpc\":\"2.0\",\"id\":@,\"result\":0}", "no result" },
  { "empty-result", NULL, "{\"jsonrpc\":\"2.0\",\"id\":@,\"result\":\"\"}", "no result" },
  { "no-prefix", NULL, "{\"jsonrpc\":\"2.0\",\"id\":@,\"result\":\"00\"}", "no result" },
  { "no-contract", NULL, "{\"jsonrpc\":\"2.0\",\"id\":@,\"result\":\"0x\"}", "no contract" },
  { "odd-hex", NULL, "{\"jsonrpc\":\"2.0\",\"id\":@,\"result\":\"0x000\"}", "not hexadecimal" },
  { "not-hex", NULL, "{\"jsonrpc\":\"2.0\",\"id\":@,\"result\":\"0xzz\"}", "not hexadecimal" },
  { "double-prefix", NULL, "{\"jsonrpc\":\"2.0\",\"id\":@,\"result\":\"0x0x00\"}", "not hexadecimal" },
  { "bad-abi", NULL, "{\"jsonrpc\":\"2.0\",\"id\":@,\"result\":\"0x00\"}", "cut short" },
  { "gzip", HTTP ("200 OK", "Content-Encoding: gzip\r\n"), "{\"jsonrpc\":\"2.0\",\"id\":@,\"result\":\"" EMPTY_LIST "\"}",
    "compressed" },
  { "huge", NULL, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "larger than", 800 * 1024 },
  { "deep", NULL, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "not JSON", 8 * 1024 },
  { "not-http", "HELO\r\n\r\n", "", "broke off" },
};

static void
test_bad_node (gconstpointer data)
{
  Node node = *(const Node *) data;
  g_autoptr (RawPeer) peer = raw_peer_new (script_node, &node);
  g_autoptr (VeilRegistry) registry = new_registry (peer, "/rpc?key=secret");
  g_auto (Outcome) outcome = { 0 };

  fetch (registry, NULL, &outcome);
  g_assert_error (outcome.error, VEIL_ERROR, VEIL_ERROR_REGISTRY);
  g_assert_true (g_str_has_prefix (outcome.error->message, "The registry at 127.0.0.1 could not be read: "));
  g_assert_nonnull (strstr (outcome.error->message, node.says));
  g_assert_null (strstr (outcome.error->message, "secret"));
  g_assert_cmpuint (strlen (outcome.error->message), <, 300);
  g_assert_cmpuint (raw_peer_get_requests (peer), ==, 1);
  g_clear_pointer (&peer, raw_peer_free);
  g_free (node.request);
}

/* A long message of the node's is cut. */
static void
test_long_error (void)
{
  g_autofree char *filler = g_strnfill (5000, 'm');
  g_autofree char *body = g_strdup_printf ("{\"jsonrpc\":\"2.0\",\"id\":@,\"error\":{\"message\":\"%s\"}}", filler);
  Node node = { .name = "long-error", .body = body, .says = "mmm..." };

  test_bad_node (&node);
}

static void
script_close (RawConnection *connection, gpointer user_data)
{
  raw_skip_request (connection);
}

static void
script_drip (RawConnection *connection, gpointer user_data)
{
  gboolean open;

  raw_skip_request (connection);
  open = raw_write (connection, "HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n\r\n");
  while (open)
    {
      open = raw_write (connection, " ");
      g_usleep (2000);
    }
}

static void
test_broken (gconstpointer data)
{
  g_autoptr (RawPeer) peer = raw_peer_new (data != NULL ? script_drip : script_close, NULL);
  g_autoptr (VeilRegistry) registry = new_registry (peer, "/");
  g_auto (Outcome) outcome = { 0 };

  veil_registry_set_deadline (registry, 150);
  fetch (registry, NULL, &outcome);
  g_assert_error (outcome.error, VEIL_ERROR, VEIL_ERROR_REGISTRY);
}

static void
test_unreachable (void)
{
  g_autoptr (RawPeer) peer = raw_peer_new (script_close, NULL);
  g_autoptr (VeilRegistry) registry = new_registry (peer, "/");
  g_auto (Outcome) outcome = { 0 };

  g_clear_pointer (&peer, raw_peer_free);
  fetch (registry, NULL, &outcome);
  g_assert_error (outcome.error, VEIL_ERROR, VEIL_ERROR_REGISTRY);
  g_assert_nonnull (strstr (outcome.error->message, "127.0.0.1"));
}

static void
test_cancelled (void)
{
  g_autoptr (RawPeer) peer = raw_peer_new (script_drip, NULL);
  g_autoptr (VeilRegistry) registry = new_registry (peer, "/");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_auto (Outcome) outcome = { 0 };

  veil_registry_fetch_async (registry, cancellable, fetched_cb, &outcome);
  while (raw_peer_get_requests (peer) == 0)
    g_main_context_iteration (NULL, FALSE);
  g_cancellable_cancel (cancellable);
  while (!outcome.done)
    g_main_context_iteration (NULL, TRUE);
  g_assert_error (outcome.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/registry/lists", test_lists);
  g_test_add_func ("/registry/other-type", test_other_type);
  for (gsize i = 0; i < G_N_ELEMENTS (bad_nodes); i++)
    {
      g_autofree char *path = g_strconcat ("/registry/bad-node/", bad_nodes[i].name, NULL);

      g_test_add_data_func (path, &bad_nodes[i], test_bad_node);
    }
  g_test_add_func ("/registry/long-error", test_long_error);
  g_test_add_data_func ("/registry/closes", NULL, test_broken);
  g_test_add_data_func ("/registry/drips", "drip", test_broken);
  g_test_add_func ("/registry/unreachable", test_unreachable);
  g_test_add_func ("/registry/cancelled", test_cancelled);
  return g_test_run ();
}
