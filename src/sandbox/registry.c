/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The registry: the few JSON-RPC methods and contract calls that a client makes (protocol.md section 1). */
#include <string.h>

#include "hex.h"
#include "keccak.h"
#include "registry-abi.h"
#include "simulation.h"

#define HALF_AN_HOUR 1800
#define MAX_CALL 4096

/* Arguments of a call: whole words. */
typedef struct
{
  const guint8 *words;
  gsize n_words;
} Arguments;

/* Returns what the call returns, or NULL when it reverts. */
typedef GByteArray *(*ContractCall) (VeilSandboxNetwork *self, const Arguments *arguments, VeilSandboxFault fault);

static guint64
now_seconds (void)
{
  return (guint64) (g_get_real_time () / G_USEC_PER_SEC);
}

static const VeilSandboxRecord *
record_at (VeilSandboxNetwork *self, guint index)
{
  return veil_sandbox_enclave_get_record (g_ptr_array_index (self->enclaves, index));
}

/* The one word of an argument as a small number; G_MAXUINT if it is none. */
static guint
small_argument (const Arguments *arguments, gsize index)
{
  for (guint i = 0; i < 31; i++)
    if (arguments->words[32 * index + i] != 0)
      return G_MAXUINT;
  return arguments->words[32 * index + 31];
}

/* -1 if there is no such enclave. */
static gint
enclave_argument (VeilSandboxNetwork *self, const Arguments *arguments)
{
  g_autofree char *tee_id = veil_hex_encode_0x (arguments->words, 32);

  for (guint i = 0; i < self->enclaves->len; i++)
    if (strcmp (record_at (self, i)->tee_id, tee_id) == 0)
      return (gint) i;
  return -1;
}

static GByteArray *
single_dynamic (GByteArray *value)
{
  VeilSandboxTuple tuple;

  veil_sandbox_tuple_init (&tuple, 1);
  veil_sandbox_tuple_dynamic (&tuple, value);
  return veil_sandbox_tuple_finish (&tuple);
}

/* An array: its length, then the same layout as a tuple. */
static GByteArray *
array_of (guint count, VeilSandboxTuple *elements)
{
  g_autoptr (GByteArray) body = veil_sandbox_tuple_finish (elements);
  GByteArray *array;
  VeilSandboxTuple length;

  veil_sandbox_tuple_init (&length, 1);
  veil_sandbox_tuple_uint (&length, count);
  array = veil_sandbox_tuple_finish (&length);
  g_byte_array_append (array, body->data, body->len);
  return single_dynamic (array);
}

static GByteArray *
get_active_tees (VeilSandboxNetwork *self, const Arguments *arguments, VeilSandboxFault fault)
{
  guint count = 0;
  VeilSandboxTuple elements;

  for (guint i = 0; i < self->enclaves->len && small_argument (arguments, 0) == 0; i++)
    count += self->active[i] ? 1 : 0;
  veil_sandbox_tuple_init (&elements, count);
  for (guint i = 0; i < self->enclaves->len && count > 0; i++)
    if (self->active[i])
      {
        gboolean zero_key = fault == VEIL_SANDBOX_REGISTRY_BAD_KEY && i == 0;
        veil_sandbox_tuple_dynamic (&elements, veil_sandbox_abi_tee_info (record_at (self, i), TRUE, now_seconds (), zero_key));
      }
  return array_of (count, &elements);
}

static GByteArray *
get_enabled_tees (VeilSandboxNetwork *self, const Arguments *arguments, VeilSandboxFault fault)
{
  guint count = small_argument (arguments, 0) == 0 ? self->enclaves->len : 0;
  VeilSandboxTuple elements;

  veil_sandbox_tuple_init (&elements, count);
  for (guint i = 0; i < count; i++)
    {
      guint8 id[32] = { 0 };
      veil_hex_decode (record_at (self, i)->tee_id, id, sizeof id);
      veil_sandbox_tuple_bytes32 (&elements, id);
    }
  return array_of (count, &elements);
}

static GByteArray *
get_tee (VeilSandboxNetwork *self, const Arguments *arguments, VeilSandboxFault fault)
{
  gint index = enclave_argument (self, arguments);
  guint64 heartbeat;

  if (index < 0)
    return NULL;
  heartbeat = now_seconds () - (self->active[index] ? 0 : HALF_AN_HOUR);
  return single_dynamic (veil_sandbox_abi_tee_info (record_at (self, (guint) index), TRUE, heartbeat,
                                                    fault == VEIL_SANDBOX_REGISTRY_BAD_KEY && index == 0));
}

static GByteArray *
is_tee_active (VeilSandboxNetwork *self, const Arguments *arguments, VeilSandboxFault fault)
{
  gint index = enclave_argument (self, arguments);
  VeilSandboxTuple tuple;

  veil_sandbox_tuple_init (&tuple, 1);
  veil_sandbox_tuple_uint (&tuple, index >= 0 && self->active[index] ? 1 : 0);
  return veil_sandbox_tuple_finish (&tuple);
}

static GByteArray *
get_approved_pcrs (VeilSandboxNetwork *self, const Arguments *arguments, VeilSandboxFault fault)
{
  VeilSandboxTuple elements;

  veil_sandbox_tuple_init (&elements, 2 * self->enclaves->len); /* two words each, nothing dynamic */
  for (guint i = 0; i < self->enclaves->len; i++)
    {
      veil_sandbox_tuple_bytes32 (&elements, record_at (self, i)->pcr_hash);
      veil_sandbox_tuple_uint (&elements, 0);
    }
  return array_of (self->enclaves->len, &elements);
}

static GByteArray *
approved_pcrs (VeilSandboxNetwork *self, const Arguments *arguments, VeilSandboxFault fault)
{
  const VeilSandboxRecord *found = NULL;
  g_autofree char *version = NULL;
  VeilSandboxTuple tuple;

  for (guint i = 0; i < self->enclaves->len && small_argument (arguments, 0) == 0; i++)
    if (memcmp (record_at (self, i)->pcr_hash, arguments->words + 32, 32) == 0)
      found = record_at (self, i);
  version = found != NULL ? g_strdup_printf ("sandbox-%u", found->index + 1) : g_strdup ("");
  veil_sandbox_tuple_init (&tuple, 4);
  veil_sandbox_tuple_uint (&tuple, found != NULL ? 1 : 0);
  veil_sandbox_tuple_uint (&tuple, 0);
  veil_sandbox_tuple_uint (&tuple, found != NULL ? (guint64) found->registered_at : 0);
  veil_sandbox_tuple_bytes (&tuple, version, strlen (version));
  return veil_sandbox_tuple_finish (&tuple);
}

static GByteArray *
call_contract (VeilSandboxNetwork *self, const guint8 *data, gsize length, VeilSandboxFault fault)
{
  static const struct
  {
    const char *signature;
    gsize n_words;
    ContractCall call;
  } calls[] = {
    { "getActiveTEEs(uint8)", 1, get_active_tees },
    { "getEnabledTEEs(uint8)", 1, get_enabled_tees },
    { "getTEE(bytes32)", 1, get_tee },
    { "isTEEActive(bytes32)", 1, is_tee_active },
    { "getApprovedPCRs()", 0, get_approved_pcrs },
    { "approvedPCRs(uint8,bytes32)", 2, approved_pcrs },
  };

  for (guint i = 0; length >= 4 && i < G_N_ELEMENTS (calls); i++)
    {
      Arguments arguments = { data + 4, (length - 4) / 32 };
      guint8 hash[32];
      veil_keccak256 (calls[i].signature, strlen (calls[i].signature), hash);
      if (memcmp (hash, data, 4) == 0)
        return arguments.n_words >= calls[i].n_words ? calls[i].call (self, &arguments, fault) : NULL;
    }
  return NULL;
}

static void
write_error (VeilJsonWriter *writer, int code, const char *text)
{
  g_autofree char *number = g_strdup_printf ("%d", code);

  veil_json_writer_key (writer, "error");
  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "code");
  veil_json_writer_raw (writer, number, strlen (number));
  veil_json_writer_key (writer, "message");
  veil_json_writer_string (writer, text);
  veil_json_writer_end_object (writer);
}

static void
write_result (VeilJsonWriter *writer, const char *text)
{
  veil_json_writer_key (writer, "result");
  veil_json_writer_string (writer, text);
}

static void
write_call (VeilSandboxNetwork *self, VeilJsonWriter *writer, const VeilJson *request, VeilSandboxFault fault)
{
  const VeilJson *call = veil_json_get_element (veil_json_get_member (request, "params"), 0);
  const char *to = veil_json_get_string (veil_json_get_member (call, "to"), NULL);
  gsize length = 0;
  const char *text = veil_json_get_string (veil_json_get_member (call, "data"), &length);
  g_autoptr (GBytes) data = text != NULL ? veil_hex_decode_bytes (text, length, MAX_CALL) : NULL;
  g_autoptr (GByteArray) result = NULL;
  g_autofree char *hex = NULL;

  if (to == NULL || data == NULL)
    {
      write_error (writer, -32602, "invalid params");
      return;
    }
  if (g_ascii_strcasecmp (to, self->contract) != 0)
    {
      write_result (writer, "0x"); /* there is no contract */
      return;
    }
  result = call_contract (self, g_bytes_get_data (data, NULL), g_bytes_get_size (data), fault);
  if (result == NULL)
    {
      write_error (writer, 3, "execution reverted");
      return;
    }
  if (fault == VEIL_SANDBOX_REGISTRY_TRUNCATED)
    g_byte_array_set_size (result, result->len / 2 / 32 * 32);
  if (fault == VEIL_SANDBOX_REGISTRY_GARBAGE)
    memset (result->data, 0xff, result->len);
  hex = veil_hex_encode_0x (result->data, result->len);
  write_result (writer, hex);
}

static void
answer_rpc (VeilSandboxNetwork *self, SoupServerMessage *message, const VeilJson *request, VeilSandboxFault fault)
{
  const VeilJson *method = veil_json_get_member (request, "method");
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);

  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "jsonrpc");
  veil_json_writer_string (writer, "2.0");
  veil_json_writer_key (writer, "id");
  veil_json_writer_value (writer, veil_json_get_member (request, "id"));
  if (fault == VEIL_SANDBOX_REGISTRY_ERROR)
    write_error (writer, -32000, "the sandbox node is out of order");
  else if (veil_json_equals (method, "eth_call"))
    write_call (self, writer, request, fault);
  else if (veil_json_equals (method, "eth_chainId"))
    write_result (writer, "0x539");
  else
    write_error (writer, -32601, "the method is not available");
  veil_json_writer_end_object (writer);
  veil_sandbox_respond (message, 200, writer);
}

static void
on_request (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user_data)
{
  static const VeilSandboxScope scopes[] = { VEIL_SANDBOX_SCOPE_REGISTRY };
  static const char page[] = "<!DOCTYPE html><title>Not a registry</title>";
  VeilSandboxNetwork *self = user_data;
  VeilSandboxFault fault = veil_sandbox_network_take_fault (self, scopes, G_N_ELEMENTS (scopes), -1);
  g_autoptr (VeilJsonDoc) doc = NULL;

  if (!veil_sandbox_check_method (message, "POST"))
    return;
  self->stats.registry_calls++;
  if (fault == VEIL_SANDBOX_REGISTRY_HANG)
    veil_sandbox_network_hang (self, message);
  else if (fault == VEIL_SANDBOX_REGISTRY_500)
    veil_sandbox_respond_error (message, 500, "the sandbox node is out of order");
  else if (fault == VEIL_SANDBOX_REGISTRY_HTML)
    {
      soup_server_message_set_status (message, 200, NULL);
      soup_server_message_set_response (message, "text/html", SOUP_MEMORY_STATIC, page, strlen (page));
    }
  else if ((doc = veil_sandbox_read_body (message)) != NULL)
    answer_rpc (self, message, veil_json_doc_get_root (doc), fault);
}

void
veil_sandbox_registry_attach (VeilSandboxNetwork *self)
{
  veil_sandbox_network_add (self, VEIL_SANDBOX_RPC_PATH, on_request);
}
