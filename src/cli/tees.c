/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* og-veil tees: what the registry lists; og-veil tees select: the one to use, or none in particular. */
#include "tees.h"

#include "fetch.h"
#include "hex.h"
#include "instance.h"
#include "json-writer.h"
#include "registry.h"
#include "running.h"
#include "settings-file.h"
#include "sign-in.h"
#include "table.h"
#include "veil-error.h"

#include <glib/gi18n.h>
#include <string.h>

typedef struct
{
  GMainLoop *loop; /* owned */
  const VeilSettings *settings;
  SoupSession *http; /* owned */
  GPtrArray *tees;   /* owned, of VeilTee */
  GPtrArray *builds; /* owned, of VeilBuild */
  char *active_id;   /* owned; what the running endpoint uses, NULL if there is none */
  GError *error;     /* owned */
} Listing;

static const VeilBuild *
find_build (const Listing *listing, const char *pcr_hash)
{
  for (guint i = 0; i < listing->builds->len; i++)
    if (strcmp (((VeilBuild *) listing->builds->pdata[i])->pcr_hash, pcr_hash) == 0)
      return listing->builds->pdata[i];
  return NULL;
}

static gboolean
is_pinned (const Listing *listing, const char *pcr_hash)
{
  return g_strv_contains ((const char *const *) listing->settings->pcr_pins, pcr_hash);
}

static void
print_tee (const Listing *listing, const VeilTee *tee)
{
  const VeilBuild *build = find_build (listing, tee->pcr_hash);
  g_autoptr (GString) line = g_string_new (tee->id);
  VeilTable *table = veil_table_new ("  ");

  if (g_strcmp0 (tee->id, listing->active_id) == 0)
    g_string_append_printf (line, "  %s", C_ ("enclave", "active"));
  if (g_strcmp0 (tee->id, listing->settings->tee_id) == 0)
    g_string_append_printf (line, "  %s", C_ ("enclave", "selected"));
  g_print ("%s\n", line->str);
  veil_table_add (table, C_ ("enclave", "endpoint"), tee->endpoint);
  g_string_assign (line, tee->pcr_hash);
  if (build != NULL && build->version != NULL)
    {
      g_string_append (line, "  ");
      g_string_append_printf (line, C_ ("build", "version %s"), build->version);
    }
  if (is_pinned (listing, tee->pcr_hash))
    g_string_append_printf (line, "  %s", C_ ("build", "pinned"));
  if (build != NULL && build->version != NULL && !build->approved)
    g_string_append_printf (line, "  %s", C_ ("build", "no longer approved"));
  veil_table_add (table, C_ ("enclave", "PCR"), line->str);
  veil_table_print (table);
  if (tee->unusable != NULL)
    g_print (_ ("  not used: %s\n"), tee->unusable);
}

static void
write_text (VeilJsonWriter *writer, const char *key, const char *text)
{
  veil_json_writer_key (writer, key);
  veil_json_writer_string (writer, text);
}

static void
write_boolean (VeilJsonWriter *writer, const char *key, gboolean value)
{
  veil_json_writer_key (writer, key);
  veil_json_writer_boolean (writer, value);
}

static void
write_tee (VeilJsonWriter *writer, const Listing *listing, const VeilTee *tee)
{
  const VeilBuild *build = find_build (listing, tee->pcr_hash);

  veil_json_writer_begin_object (writer);
  write_text (writer, "tee_id", tee->id);
  write_text (writer, "endpoint", tee->endpoint);
  write_text (writer, "pcr_hash", tee->pcr_hash);
  write_text (writer, "version", build != NULL ? build->version : NULL);
  write_boolean (writer, "pinned", is_pinned (listing, tee->pcr_hash));
  write_boolean (writer, "selected", g_strcmp0 (tee->id, listing->settings->tee_id) == 0);
  write_boolean (writer, "active", g_strcmp0 (tee->id, listing->active_id) == 0);
  write_text (writer, "unusable", tee->unusable);
  veil_json_writer_key (writer, "registered_at");
  veil_json_writer_uint (writer, tee->registered_at);
  veil_json_writer_key (writer, "last_heartbeat_at");
  veil_json_writer_uint (writer, tee->last_heartbeat_at);
  veil_json_writer_end_object (writer);
}

static void
write_build (VeilJsonWriter *writer, const Listing *listing, const VeilBuild *build)
{
  veil_json_writer_begin_object (writer);
  write_text (writer, "pcr_hash", build->pcr_hash);
  write_text (writer, "version", build->version);
  write_boolean (writer, "approved", build->approved);
  write_boolean (writer, "pinned", is_pinned (listing, build->pcr_hash));
  veil_json_writer_end_object (writer);
}

static void
print_json (const Listing *listing)
{
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);

  veil_json_writer_begin_object (writer);
  veil_json_writer_key (writer, "tees");
  veil_json_writer_begin_array (writer);
  for (guint i = 0; i < listing->tees->len; i++)
    write_tee (writer, listing, listing->tees->pdata[i]);
  veil_json_writer_end_array (writer);
  veil_json_writer_key (writer, "builds");
  veil_json_writer_begin_array (writer);
  for (guint i = 0; i < listing->builds->len; i++)
    write_build (writer, listing, listing->builds->pdata[i]);
  veil_json_writer_end_array (writer);
  veil_json_writer_end_object (writer);
  veil_cli_print_json (writer);
}

/* That no endpoint runs, or another program sits on its port, is no error here. */
static char *
find_active (const VeilSettings *settings)
{
  g_autofree char *url = veil_running_get_url (settings, NULL);
  g_autoptr (VeilJsonDoc) health = url != NULL ? veil_running_ask_health (settings, url, NULL) : NULL;
  const VeilJson *root = health != NULL ? veil_json_doc_get_root (health) : NULL;

  return g_strdup (veil_json_get_string (veil_json_get_member (root, "active_tee_id"), NULL));
}

static void
on_builds (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Listing *listing = user_data;

  listing->builds = veil_registry_fetch_builds_finish (VEIL_REGISTRY (source), result, &listing->error);
  g_main_loop_quit (listing->loop);
}

static void
on_tees (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Listing *listing = user_data;

  listing->tees = veil_registry_fetch_finish (VEIL_REGISTRY (source), result, &listing->error);
  if (listing->tees != NULL)
    veil_registry_fetch_builds_async (VEIL_REGISTRY (source), listing->tees, NULL, on_builds, listing);
  else
    g_main_loop_quit (listing->loop);
}

gboolean
veil_tees_open_network (const VeilSettings *settings, SoupSession *http, VeilTeesNetwork *network, GError **error)
{
  g_autoptr (VeilInstanceInfo) running = veil_instance_find (settings->home, NULL);
  g_autoptr (VeilTokenStore) store = NULL;
  g_autoptr (VeilSession) session = NULL;
  guint8 root[32];

  if (running != NULL && running->registry_rpc_url != NULL)
    {
      network->registry =
          veil_registry_new (http, running->registry_rpc_url, running->registry_address, running->registry_tee_type);
      network->sandbox = g_strcmp0 (running->app_env, "sandbox") == 0;
      if (network->sandbox && running->sandbox_root != NULL && veil_hex_decode (running->sandbox_root, root, sizeof root))
        network->sandbox_root = g_bytes_new (root, sizeof root);
      return TRUE;
    }
  store = veil_token_store_new (settings->session_store, settings->home);
  session = veil_sign_in_load (store, error);
  if (session == NULL || !veil_session_check_can_serve (session, error))
    return FALSE;
  network->registry = veil_registry_new (http, session->registry_rpc_url, session->registry_address, session->registry_tee_type);
  network->sandbox = session->sandbox;
  if (session->sandbox && session->sandbox_root != NULL)
    network->sandbox_root = g_bytes_ref (session->sandbox_root);
  return TRUE;
}

void
veil_tees_network_clear (VeilTeesNetwork *network)
{
  g_clear_object (&network->registry);
  g_clear_pointer (&network->sandbox_root, g_bytes_unref);
}

static void
fetch (Listing *listing)
{
  g_auto (VeilTeesNetwork) network = { NULL };

  if (!veil_tees_open_network (listing->settings, listing->http, &network, &listing->error))
    return;
  veil_registry_fetch_async (network.registry, NULL, on_tees, listing);
  g_main_loop_run (listing->loop);
  if (listing->error == NULL)
    listing->active_id = find_active (listing->settings);
}

static VeilExit
list (const VeilSettings *settings, gboolean json)
{
  Listing listing = { .loop = g_main_loop_new (NULL, FALSE), .settings = settings, .http = veil_fetch_session_new () };
  VeilExit status = VEIL_EXIT_OK;

  fetch (&listing);
  if (listing.error != NULL)
    status = veil_cli_fail (listing.error);
  else if (json)
    print_json (&listing);
  else if (listing.tees->len == 0)
    g_print (_ ("The registry lists no active enclave\n"));
  else
    for (guint i = 0; i < listing.tees->len; i++)
      print_tee (&listing, listing.tees->pdata[i]);

  g_clear_error (&listing.error);
  g_free (listing.active_id);
  g_clear_pointer (&listing.builds, g_ptr_array_unref);
  g_clear_pointer (&listing.tees, g_ptr_array_unref);
  g_object_unref (listing.http);
  g_main_loop_unref (listing.loop);
  return status;
}

static GVariant *
set_tee_id (GVariant *old, gpointer tee_id, GError **error)
{
  return g_variant_new_string (tee_id);
}

static VeilExit
select_tee (const VeilSettings *settings, const char *text)
{
  guint8 bytes[32];
  g_autofree char *tee_id = NULL;
  g_autoptr (GError) error = NULL;

  if (g_str_equal (text, "auto"))
    tee_id = g_strdup (text);
  else if (veil_hex_decode (text, bytes, sizeof bytes))
    tee_id = veil_hex_encode_0x (bytes, sizeof bytes);
  else
    return veil_cli_fail_usage (_ ("a TEE id has 64 hexadecimal digits, with or without 0x; \"auto\" lets Veil choose"));
  if (!veil_settings_file_change (settings, "tee-id", set_tee_id, tee_id, &error))
    return veil_cli_fail (error);
  if (g_str_equal (tee_id, "auto"))
    g_print (_ ("Veil chooses the enclave\n"));
  else
    g_print (_ ("selected %s: it is used, or none\n"), tee_id);
  veil_running_print_scope (settings);
  return VEIL_EXIT_OK;
}

VeilExit
veil_command_tees (int argc, char **argv)
{
  static const char *const flags[] = { "home", "host", "port", "session-store", "tee-id", "expected-pcr", NULL };
  gboolean json = FALSE;
  gboolean yes = FALSE;
  g_autofree char *attest = NULL;
  const GOptionEntry entries[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &json, N_ ("An object with tees and builds; with --attest, one with the checks"), NULL },
    { "attest", 0, 0, G_OPTION_ARG_STRING, &attest, N_ ("Ask this enclave itself for its attestation, and check it"), "ID" },
    { "yes", 0, 0, G_OPTION_ARG_NONE, &yes, N_ ("Consent to show the enclave this machine's address (with --attest)"), NULL },
    { NULL },
  };
  g_autoptr (VeilSettings) settings = veil_running_follow (veil_cli_parse ("tees", entries, flags, &argc, &argv));

  if (settings == NULL)
    return VEIL_EXIT_USAGE;
  if (yes && attest == NULL)
    return veil_cli_fail_usage (_ ("--yes goes with --attest"));
  if (argc == 1 && attest != NULL)
    return veil_tees_attest (settings, attest, json, yes);
  if (argc == 1)
    return list (settings, json);
  if (argc == 3 && g_str_equal (argv[1], "select") && !json && attest == NULL)
    return select_tee (settings, argv[2]);
  return veil_cli_fail_usage (_ ("tees takes nothing, or \"select\" and a TEE id or \"auto\""));
}
