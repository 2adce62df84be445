/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* og-veil status: the account from the store, the server from its instance file and its /health. */
#include "cli.h"

#include "config.h"
#include "instance.h"
#include "running.h"
#include "sign-in.h"
#include "table.h"
#include "veil-error.h"

#include <glib/gi18n.h>

typedef struct
{
  VeilSession *session;      /* owned; in the store; NULL: none, or it cannot be read */
  GError *store_problem;     /* owned; why it cannot be read */
  VeilInstanceInfo *running; /* owned; NULL: nobody */
  char *url;                 /* owned; NULL: it does not serve */
  VeilJsonDoc *health;       /* owned; NULL: it does not serve, or health_problem */
  GError *health_problem;    /* owned */
  /* Of the running server if there is one, else of the session; not owned, may be NULL. */
  const char *app_env;
  const char *relay_url;
  const char *registry_rpc_url;
  const char *registry_address;
} Status;

static void
status_clear (Status *self)
{
  g_clear_pointer (&self->session, veil_session_unref);
  g_clear_error (&self->store_problem);
  g_clear_pointer (&self->running, veil_instance_info_free);
  g_clear_pointer (&self->url, g_free);
  g_clear_pointer (&self->health, veil_json_doc_unref);
  g_clear_error (&self->health_problem);
}

static void
load_account (Status *self, const VeilSettings *settings)
{
  g_autoptr (VeilTokenStore) store = veil_token_store_new (settings->session_store, settings->home);

  /* The sandbox has nothing to do with an account. */
  if (self->running != NULL && self->running->sandbox)
    return;
  self->session = veil_sign_in_peek (store, &self->store_problem);
  if (g_error_matches (self->store_problem, VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN))
    g_clear_error (&self->store_problem);
}

static void
choose_network (Status *self)
{
  if (self->running != NULL && self->running->relay_url != NULL)
    {
      self->app_env = self->running->app_env;
      self->relay_url = self->running->relay_url;
      self->registry_rpc_url = self->running->registry_rpc_url;
      self->registry_address = self->running->registry_address;
    }
  else if (self->session != NULL)
    {
      self->app_env = self->session->app_env;
      self->relay_url = self->session->relay_url;
      self->registry_rpc_url = self->session->registry_rpc_url;
      self->registry_address = self->session->registry_address;
    }
}

static gboolean
load (Status *self, const VeilSettings *settings, GError **error)
{
  g_autoptr (GError) local_error = NULL;

  self->running = veil_instance_find (settings->home, &local_error);
  if (local_error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }
  load_account (self, settings);
  choose_network (self);
  if (self->running != NULL)
    self->url = veil_instance_info_get_url (self->running);
  if (self->url != NULL)
    self->health = veil_running_ask_health (settings, self->url, &self->health_problem);
  return TRUE;
}

static const VeilJson *
get_health (const Status *self, const char *key)
{
  return self->health != NULL ? veil_json_get_member (veil_json_doc_get_root (self->health), key) : NULL;
}

static guint64
get_count (const Status *self, const char *key)
{
  guint64 count = 0;

  veil_json_get_uint64 (veil_json_get_member (get_health (self, "counts"), key), &count);
  return count;
}

static const char *
get_text (const Status *self, const char *key)
{
  return veil_json_get_string (get_health (self, key), NULL);
}

/* Seconds since 1970. */
static gint64
get_start (const Status *self)
{
  return self->running->started_at / G_USEC_PER_SEC;
}

/* --- for people --- */

static void
row (VeilTable *table, const char *name, const char *value)
{
  g_autofree char *printable = veil_cli_printable (value);

  veil_table_add (table, name, printable);
}

static void
add_account (VeilTable *table, const Status *self)
{
  if (self->running != NULL && self->running->sandbox)
    row (table, C_ ("status", "account"), _ ("none: this is the sandbox, simulated and not attested"));
  else if (self->store_problem != NULL)
    row (table, C_ ("status", "account"), self->store_problem->message);
  else if (self->session != NULL)
    row (table, C_ ("status", "account"), self->session->email != NULL ? self->session->email : C_ ("status", "signed in"));
  else if (self->relay_url != NULL)
    row (table, C_ ("status", "account"), _ ("signed in for this run only"));
  else
    row (table, C_ ("status", "account"), _ ("nobody is signed in; `og-veil login` does it"));
  if (self->app_env != NULL)
    row (table, C_ ("status", "environment"), self->app_env);
  if (self->relay_url != NULL)
    {
      g_autofree char *registry = g_strdup_printf (_ ("%s, contract %s"), self->registry_rpc_url, self->registry_address);

      row (table, C_ ("status", "relay"), self->relay_url);
      row (table, C_ ("status", "registry"), registry);
    }
}

static void
add_enclave (VeilTable *table, const Status *self)
{
  const char *tee_id = get_text (self, "active_tee_id");
  const char *endpoint = get_text (self, "active_tee_endpoint");
  const char *pcr_hash = get_text (self, "active_tee_pcr_hash");
  const char *state = get_text (self, "status");
  g_autofree char *pcr = g_strconcat ("  ", C_ ("enclave", "PCR"), NULL);

  if (tee_id == NULL)
    row (table, C_ ("status", "enclave"),
         g_strcmp0 (state, "ok") == 0 ? _ ("chosen with the first request")
         : state != NULL              ? state
                                      : "-");
  else
    {
      row (table, C_ ("status", "enclave"), tee_id);
      row (table, "", endpoint != NULL ? endpoint : "-");
      row (table, pcr, pcr_hash != NULL ? pcr_hash : "-");
    }
}

static char *
describe_counts (const Status *self)
{
  gulong n_verified = (gulong) get_count (self, "verified");
  gulong n_refused = (gulong) get_count (self, "refused");
  gulong n_failed = (gulong) get_count (self, "failed");
  g_autofree char *verified = g_strdup_printf (ngettext ("%lu verified", "%lu verified", n_verified), n_verified);
  g_autofree char *refused = g_strdup_printf (ngettext ("%lu refused", "%lu refused", n_refused), n_refused);
  g_autofree char *failed = g_strdup_printf (ngettext ("%lu failed", "%lu failed", n_failed), n_failed);

  /* Translators: how many requests were verified, refused and failed */
  return g_strdup_printf (_ ("%s, %s, %s"), verified, refused, failed);
}

static void
add_server (VeilTable *table, const Status *self)
{
  g_autoptr (GDateTime) start = NULL;
  g_autofree char *since = NULL;
  g_autofree char *server = NULL;
  g_autofree char *counts = NULL;

  if (self->running == NULL)
    {
      row (table, C_ ("status", "server"), _ ("not running; `og-veil` starts it"));
      return;
    }
  start = g_date_time_new_from_unix_local (get_start (self));
  /* Translators: a date and a time as in g_date_time_format(): %x and %X are those of the locale. */
  since = g_date_time_format (start, _ ("%Y-%m-%d %H:%M:%S"));
  server = g_strdup_printf (_ ("%s %s, pid %d, since %s"), self->running->program, self->running->version, (int) self->running->pid,
                            since);
  row (table, C_ ("status", "server"), server);
  row (table, C_ ("status", "address"), self->url != NULL ? self->url : _ ("none: it does not serve"));
  if (self->running->log != NULL)
    row (table, C_ ("status", "log"), self->running->log);
  if (self->health_problem != NULL)
    row (table, C_ ("status", "enclave"), self->health_problem->message);
  if (self->health == NULL)
    return;
  add_enclave (table, self);
  counts = describe_counts (self);
  row (table, C_ ("status", "requests"), counts);
}

/* --- for programs --- */

static void
write_text (VeilJsonWriter *writer, const char *key, const char *text)
{
  g_autofree char *valid = text != NULL ? g_utf8_make_valid (text, -1) : NULL;

  veil_json_writer_key (writer, key);
  veil_json_writer_string (writer, valid);
}

static void
write_uint (VeilJsonWriter *writer, const char *key, guint64 number)
{
  veil_json_writer_key (writer, key);
  veil_json_writer_uint (writer, number);
}

static void
write_boolean (VeilJsonWriter *writer, const char *key, gboolean value)
{
  veil_json_writer_key (writer, key);
  veil_json_writer_boolean (writer, value);
}

static void
write_account (VeilJsonWriter *writer, const Status *self)
{
  veil_json_writer_key (writer, "account");
  veil_json_writer_begin_object (writer);
  write_boolean (writer, "signed_in", self->session != NULL || self->relay_url != NULL);
  write_text (writer, "email", self->session != NULL ? self->session->email : NULL);
  write_text (writer, "problem", self->store_problem != NULL ? self->store_problem->message : NULL);
  veil_json_writer_end_object (writer);
  write_text (writer, "environment", self->app_env);
  write_text (writer, "relay", self->relay_url);
  veil_json_writer_key (writer, "registry");
  veil_json_writer_begin_object (writer);
  write_text (writer, "rpc_url", self->registry_rpc_url);
  write_text (writer, "address", self->registry_address);
  veil_json_writer_end_object (writer);
}

static void
write_health (VeilJsonWriter *writer, const Status *self)
{
  write_text (writer, "status", get_text (self, "status"));
  write_text (writer, "problem", self->health_problem != NULL ? self->health_problem->message : NULL);
  veil_json_writer_key (writer, "tee");
  veil_json_writer_begin_object (writer);
  write_text (writer, "tee_id", get_text (self, "active_tee_id"));
  write_text (writer, "endpoint", get_text (self, "active_tee_endpoint"));
  write_text (writer, "pcr_hash", get_text (self, "active_tee_pcr_hash"));
  veil_json_writer_end_object (writer);
  veil_json_writer_key (writer, "counts");
  if (self->health == NULL)
    {
      veil_json_writer_null (writer);
      return;
    }
  veil_json_writer_begin_object (writer);
  write_uint (writer, "verified", get_count (self, "verified"));
  write_uint (writer, "refused", get_count (self, "refused"));
  write_uint (writer, "failed", get_count (self, "failed"));
  veil_json_writer_end_object (writer);
}

static void
write_server (VeilJsonWriter *writer, const Status *self)
{
  veil_json_writer_key (writer, "server");
  if (self->running == NULL)
    {
      veil_json_writer_null (writer);
      return;
    }
  veil_json_writer_begin_object (writer);
  write_text (writer, "program", self->running->program);
  write_text (writer, "version", self->running->version);
  write_uint (writer, "pid", self->running->pid);
  write_uint (writer, "started_at", get_start (self));
  write_boolean (writer, "sandbox", self->running->sandbox);
  write_text (writer, "url", self->url);
  write_text (writer, "host", self->running->host);
  write_uint (writer, "port", self->running->port);
  write_text (writer, "log", self->running->log);
  write_health (writer, self);
  veil_json_writer_end_object (writer);
}

static void
print_json (const Status *self, const VeilSettings *settings)
{
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);

  veil_json_writer_begin_object (writer);
  write_text (writer, "version", VEIL_VERSION);
  write_text (writer, "home", settings->home);
  write_account (writer, self);
  write_boolean (writer, "running", self->running != NULL);
  write_server (writer, self);
  veil_json_writer_end_object (writer);
  veil_cli_print_json (writer);
}

VeilExit
veil_command_status (int argc, char **argv)
{
  static const char *const flags[] = { "home", "session-store", NULL };
  gboolean json = FALSE;
  const GOptionEntry entries[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &json, N_ ("An object with account, network and server"), NULL },
    { NULL },
  };
  g_autoptr (VeilSettings) settings = veil_cli_parse ("status", entries, flags, &argc, &argv);
  Status status = { NULL };
  g_autoptr (GError) error = NULL;

  if (settings == NULL)
    return VEIL_EXIT_USAGE;
  if (argc > 1)
    return veil_cli_fail_usage (_ ("%s takes no argument \"%s\""), "status", argv[1]);
  if (!load (&status, settings, &error))
    return veil_cli_fail (error);
  if (json)
    print_json (&status, settings);
  else
    {
      VeilTable *table = veil_table_new ("");

      row (table, "Veil", VEIL_VERSION);
      add_account (table, &status);
      add_server (table, &status);
      veil_table_print (table);
    }
  status_clear (&status);
  return VEIL_EXIT_OK;
}
