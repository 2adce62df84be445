/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What tests ask of the sandbox while it runs:
 *
 *   POST /sandbox/fault   {"fault": name or null, "times": N or null, "tee": index or null}
 *   POST /sandbox/tees    {"active": [indexes]}
 *   POST /sandbox/rotate  new keys, new registry entries
 *   POST /sandbox/expire  the access token is no longer accepted; with {"refresh": true} the refresh token neither
 *   POST /sandbox/account another user with other tokens; the former ones are dead (sign-in-page.c)
 *   GET  /sandbox/stats
 */
#include <string.h>

#include "hex.h"
#include "simulation.h"

static void
write_uint (VeilJsonWriter *writer, const char *key, guint64 number)
{
  veil_json_writer_key (writer, key);
  veil_json_writer_uint (writer, number);
}

static void
write_tees (VeilSandboxNetwork *self, VeilJsonWriter *writer)
{
  veil_json_writer_key (writer, "tees");
  veil_json_writer_begin_array (writer);
  for (guint i = 0; i < self->enclaves->len; i++)
    {
      const VeilSandboxRecord *record = veil_sandbox_enclave_get_record (g_ptr_array_index (self->enclaves, i));
      g_autofree char *pcr = veil_hex_encode_0x (record->pcr_hash, sizeof record->pcr_hash);
      veil_json_writer_begin_object (writer);
      write_uint (writer, "index", i);
      veil_json_writer_key (writer, "tee_id");
      veil_json_writer_string (writer, record->tee_id);
      veil_json_writer_key (writer, "endpoint");
      veil_json_writer_string (writer, record->endpoint);
      veil_json_writer_key (writer, "pcr_hash");
      veil_json_writer_string (writer, pcr);
      veil_json_writer_key (writer, "active");
      veil_json_writer_boolean (writer, self->active[i]);
      write_uint (writer, "requests", self->stats.seen[i]);
      veil_json_writer_end_object (writer);
    }
  veil_json_writer_end_array (writer);
}

static void
respond_stats (VeilSandboxNetwork *self, SoupServerMessage *message)
{
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);

  veil_json_writer_begin_object (writer);
  write_uint (writer, "total", self->stats.total);
  write_uint (writer, "in_flight", self->stats.in_flight);
  write_uint (writer, "answered", self->stats.answered);
  write_uint (writer, "cancelled", self->stats.cancelled);
  write_uint (writer, "refused", self->stats.refused);
  write_uint (writer, "registry_calls", self->stats.registry_calls);
  write_uint (writer, "refreshes", self->stats.refreshes);
  write_uint (writer, "redirects_followed", self->stats.redirects_followed);
  veil_json_writer_key (writer, "fault");
  veil_json_writer_string (writer, veil_sandbox_fault_get_name (self->fault));
  write_tees (self, writer);
  veil_json_writer_end_object (writer);
  veil_sandbox_respond (message, 200, writer);
}

/* A number from 0 to @max, or -1 for null and absent. FALSE for anything else. */
static gboolean
read_limit (const VeilJson *request, const char *key, guint max, gint *out)
{
  const VeilJson *value = veil_json_get_member (request, key);
  guint64 number = 0;

  *out = -1;
  if (veil_json_get_type (value) == VEIL_JSON_NULL)
    return TRUE;
  if (!veil_json_get_uint64 (value, &number) || number > max)
    return FALSE;
  *out = (gint) number;
  return TRUE;
}

static void
set_fault (VeilSandboxNetwork *self, SoupServerMessage *message, const VeilJson *request)
{
  const VeilJson *name = veil_json_get_member (request, "fault");
  VeilSandboxFault fault = VEIL_SANDBOX_HONEST;
  gint times;
  gint tee;

  if (veil_json_get_type (name) != VEIL_JSON_NULL && !veil_sandbox_fault_from_name (veil_json_get_string (name, NULL), &fault))
    veil_sandbox_respond_error (message, 400, "there is no such fault; og-veil-sandbox --list-faults names them");
  else if (!read_limit (request, "times", G_MAXINT, &times) || times == 0)
    veil_sandbox_respond_error (message, 400, "times must be null or a positive number");
  else if (!read_limit (request, "tee", self->enclaves->len - 1, &tee))
    veil_sandbox_respond_error (message, 400, "tee must be null or the index of an enclave");
  else
    {
      self->fault = fault;
      self->fault_times = times;
      self->fault_tee = tee;
      respond_stats (self, message);
    }
}

static void
set_tees (VeilSandboxNetwork *self, SoupServerMessage *message, const VeilJson *request)
{
  const VeilJson *list = veil_json_get_member (request, "active");
  gboolean active[VEIL_SANDBOX_MAX_TEES] = { FALSE };
  gboolean fine = veil_json_is (list, VEIL_JSON_ARRAY);

  for (guint i = 0; fine && i < veil_json_get_size (list); i++)
    {
      guint64 index;
      fine = veil_json_get_uint64 (veil_json_get_element (list, i), &index) && index < self->enclaves->len;
      if (fine)
        active[index] = TRUE;
    }
  if (!fine)
    {
      veil_sandbox_respond_error (message, 400, "active must be a list of indexes of enclaves");
      return;
    }
  memcpy (self->active, active, sizeof active);
  respond_stats (self, message);
}

static void
expire (VeilSandboxNetwork *self, SoupServerMessage *message, const VeilJson *request)
{
  g_free (self->access_token);
  self->access_token = veil_sandbox_random_text ("sandbox-expired-");
  if (veil_json_is_truthy (veil_json_get_member (request, "refresh")))
    {
      g_free (self->refresh_token);
      self->refresh_token = veil_sandbox_random_text ("sandbox-revoked-");
    }
  respond_stats (self, message);
}

typedef struct
{
  VeilSandboxNetwork *network;
  VeilSandboxExchange *exchange; /* owned */
  guint count;
  char *base; /* owned */
} Rotation;

static void
rotation_free (gpointer data)
{
  Rotation *rotation = data;

  veil_sandbox_exchange_unref (rotation->exchange);
  g_free (rotation->base);
  g_free (rotation);
}

static void
run_rotation (GTask *task, gpointer source, gpointer task_data, GCancellable *cancellable)
{
  Rotation *rotation = task_data;

  g_task_return_pointer (task, veil_sandbox_enclaves_make (rotation->count, rotation->base), (GDestroyNotify) g_ptr_array_unref);
}

static void
on_rotated (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Rotation *rotation = g_task_get_task_data (G_TASK (result));
  VeilSandboxNetwork *self = rotation->network;
  VeilSandboxReply *reply = veil_sandbox_reply_new (200, "application/json");
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);

  self->jobs--;
  g_ptr_array_unref (self->enclaves); /* jobs that run hold on to theirs */
  self->enclaves = g_task_propagate_pointer (G_TASK (result), NULL);
  memset (self->stats.seen, 0, sizeof self->stats.seen);
  veil_json_writer_begin_object (writer);
  write_tees (self, writer);
  veil_json_writer_end_object (writer);
  veil_sandbox_reply_add (reply, veil_json_writer_finish (writer));
  veil_sandbox_exchange_reply (rotation->exchange, reply);
}

static void
rotate (VeilSandboxNetwork *self, SoupServerMessage *message)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, on_rotated, NULL);
  Rotation *rotation = g_new0 (Rotation, 1);

  rotation->network = self;
  rotation->exchange = veil_sandbox_exchange_ref (veil_sandbox_network_begin (self, message, FALSE));
  rotation->count = self->enclaves->len;
  rotation->base = g_strdup (self->base);
  self->jobs++;
  g_task_set_task_data (task, rotation, rotation_free);
  g_task_run_in_thread (task, run_rotation);
}

static void
on_stats (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user_data)
{
  if (veil_sandbox_check_method (message, "GET"))
    respond_stats (user_data, message);
}

static void
on_rotate (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user_data)
{
  if (veil_sandbox_check_method (message, "POST"))
    rotate (user_data, message);
}

static void
on_change (SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer user_data)
{
  g_autoptr (VeilJsonDoc) doc = NULL;

  if (!veil_sandbox_check_method (message, "POST") || (doc = veil_sandbox_read_body (message)) == NULL)
    return;
  if (strcmp (path, "/sandbox/fault") == 0)
    set_fault (user_data, message, veil_json_doc_get_root (doc));
  else if (strcmp (path, "/sandbox/tees") == 0)
    set_tees (user_data, message, veil_json_doc_get_root (doc));
  else
    expire (user_data, message, veil_json_doc_get_root (doc));
}

void
veil_sandbox_control_attach (VeilSandboxNetwork *self)
{
  veil_sandbox_network_add (self, "/sandbox/stats", on_stats);
  veil_sandbox_network_add (self, "/sandbox/rotate", on_rotate);
  veil_sandbox_network_add (self, "/sandbox/fault", on_change);
  veil_sandbox_network_add (self, "/sandbox/tees", on_change);
  veil_sandbox_network_add (self, "/sandbox/expire", on_change);
}
