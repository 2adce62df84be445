/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "instance-private.h"

#include "fetch.h"
#include "json-writer.h"
#include "settings.h"

#include <glib/gstdio.h>
#include <string.h>

VeilInstanceInfo *
veil_instance_info_copy (const VeilInstanceInfo *self)
{
  VeilInstanceInfo *copy = g_memdup2 (self, sizeof *self);

  copy->program = g_strdup (self->program);
  copy->version = g_strdup (self->version);
  copy->host = g_strdup (self->host);
  copy->log = g_strdup (self->log);
  copy->app_env = g_strdup (self->app_env);
  copy->relay_url = g_strdup (self->relay_url);
  copy->registry_rpc_url = g_strdup (self->registry_rpc_url);
  copy->registry_address = g_strdup (self->registry_address);
  copy->sandbox_root = g_strdup (self->sandbox_root);
  return copy;
}

void
veil_instance_info_clear_network (VeilInstanceInfo *self)
{
  g_clear_pointer (&self->app_env, g_free);
  g_clear_pointer (&self->relay_url, g_free);
  g_clear_pointer (&self->registry_rpc_url, g_free);
  g_clear_pointer (&self->registry_address, g_free);
  g_clear_pointer (&self->sandbox_root, g_free);
  self->registry_tee_type = 0;
}

void
veil_instance_info_free (VeilInstanceInfo *self)
{
  if (self == NULL)
    return;
  g_free (self->program);
  g_free (self->version);
  g_free (self->host);
  g_free (self->log);
  veil_instance_info_clear_network (self);
  g_free (self);
}

char *
veil_instance_info_get_url (const VeilInstanceInfo *self)
{
  return self->port != 0 ? veil_settings_make_url (self->host, self->port) : NULL;
}

static void
write_string (VeilJsonWriter *writer, const char *key, const char *value)
{
  veil_json_writer_key (writer, key);
  veil_json_writer_string (writer, value);
}

static void
write_uint (VeilJsonWriter *writer, const char *key, guint64 value)
{
  veil_json_writer_key (writer, key);
  veil_json_writer_uint (writer, value);
}

static void
write_boolean (VeilJsonWriter *writer, const char *key, gboolean value)
{
  veil_json_writer_key (writer, key);
  veil_json_writer_boolean (writer, value);
}

/* A file's name is bytes, JSON is text. */
static void
write_filename (VeilJsonWriter *writer, const char *key, const char *name)
{
  g_autofree char *escaped = name != NULL ? g_uri_escape_string (name, "/", FALSE) : NULL;

  write_string (writer, key, escaped);
}

GBytes *
veil_instance_info_to_bytes (const VeilInstanceInfo *self)
{
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);

  veil_json_writer_begin_object (writer);
  write_string (writer, "program", self->program);
  write_string (writer, "version", self->version);
  write_uint (writer, "pid", self->pid);
  write_uint (writer, "pids", self->pids);
  write_uint (writer, "born", self->born);
  write_uint (writer, "started_at", self->started_at);
  write_string (writer, "host", self->host);
  write_uint (writer, "port", self->port);
  write_filename (writer, "log", self->log);
  write_boolean (writer, "sandbox", self->sandbox);
  write_boolean (writer, "restarts", self->restarts);
  write_string (writer, "app_env", self->app_env);
  write_string (writer, "relay_url", self->relay_url);
  write_string (writer, "registry_rpc_url", self->registry_rpc_url);
  write_string (writer, "registry_address", self->registry_address);
  write_uint (writer, "registry_tee_type", self->registry_tee_type);
  write_string (writer, "sandbox_attestation_root", self->sandbox_root);
  veil_json_writer_end_object (writer);
  return veil_json_writer_finish (writer);
}

/* One word of printable ASCII: these are shown to people, and some of them are or become part of addresses. */
static char *
read_word (const VeilJson *object, const char *key, gsize max)
{
  gsize length;
  const char *text = veil_json_get_string (veil_json_get_member (object, key), &length);

  if (text == NULL || length == 0 || length > max)
    return NULL;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isgraph (text[i]))
      return NULL;
  return g_strdup (text);
}

/* FALSE if there is no such number up to @max. */
static gboolean
read_uint (const VeilJson *object, const char *key, guint64 max, guint64 *value)
{
  return veil_json_get_uint64 (veil_json_get_member (object, key), value) && *value <= max;
}

/* A file that somebody else wrote must not lead the commands to other places than a session could. */
static void
read_network (VeilInstanceInfo *self, const VeilJson *root)
{
  guint64 tee_type;

  self->app_env = read_word (root, "app_env", 64);
  self->relay_url = read_word (root, "relay_url", 2048);
  self->registry_rpc_url = read_word (root, "registry_rpc_url", 2048);
  self->registry_address = read_word (root, "registry_address", 42);
  if (g_strcmp0 (self->app_env, "sandbox") == 0)
    self->sandbox_root = read_word (root, "sandbox_attestation_root", 66);
  if (self->relay_url != NULL && self->registry_rpc_url != NULL && self->registry_address != NULL &&
      veil_fetch_check_url (self->relay_url, NULL, NULL) && veil_fetch_check_url (self->registry_rpc_url, NULL, NULL) &&
      read_uint (root, "registry_tee_type", G_MAXUINT8, &tee_type))
    self->registry_tee_type = (guint8) tee_type;
  else
    veil_instance_info_clear_network (self);
}

VeilInstanceInfo *
veil_instance_info_parse (const char *text, gsize length)
{
  g_autoptr (VeilInstanceInfo) self = g_new0 (VeilInstanceInfo, 1);
  g_autoptr (VeilJsonDoc) doc = length <= VEIL_INSTANCE_MAX_BYTES ? veil_json_doc_new (text, length, NULL) : NULL;
  const VeilJson *root = doc != NULL ? veil_json_doc_get_root (doc) : NULL;
  const char *log = veil_json_get_string (veil_json_get_member (root, "log"), NULL);
  guint64 pid, born, started_at, port;

  /* A signal to pid 0, 1 or -1 would hit others. */
  if (!read_uint (root, "pid", G_MAXINT32, &pid) || pid <= 1 || !read_uint (root, "born", G_MAXUINT64, &born) ||
      !read_uint (root, "started_at", G_MAXINT64, &started_at) || !read_uint (root, "port", G_MAXUINT16, &port))
    return NULL;
  self->pid = (pid_t) pid;
  self->born = born;
  self->started_at = (gint64) started_at;
  self->port = (guint16) port;
  if (!read_uint (root, "pids", G_MAXUINT64, &self->pids))
    self->pids = 0;
  self->program = read_word (root, "program", 64);
  self->version = read_word (root, "version", 64);
  self->host = read_word (root, "host", 64);
  self->log = log != NULL ? g_uri_unescape_string (log, NULL) : NULL;
  self->sandbox = veil_json_is (veil_json_get_member (root, "sandbox"), VEIL_JSON_TRUE);
  self->restarts = veil_json_is (veil_json_get_member (root, "restarts"), VEIL_JSON_TRUE);
  if (self->program == NULL || self->version == NULL || (self->host == NULL && self->port != 0))
    return NULL;
  read_network (self, root);
  return g_steal_pointer (&self);
}

guint64
veil_instance_get_birth (pid_t pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", (int) pid);
  g_autofree char *text = NULL;
  const char *field;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return 0;
  /* The second field is the program's name in parentheses, which may hold anything. */
  field = strrchr (text, ')');
  if (field == NULL || g_str_has_prefix (field, ") Z") || g_str_has_prefix (field, ") X"))
    return 0;
  for (guint i = 2; field != NULL && i < 22; i++)
    field = strchr (field + 1, ' ');
  return field != NULL ? g_ascii_strtoull (field + 1, NULL, 10) : 0;
}

guint64
veil_instance_get_pids (void)
{
  GStatBuf info;

  return g_stat ("/proc/self/ns/pid", &info) == 0 ? info.st_ino : 0;
}

gboolean
veil_instance_info_is_near (const VeilInstanceInfo *self)
{
  guint64 own = veil_instance_get_pids ();

  return self->pids == 0 || own == 0 || self->pids == own;
}

gboolean
veil_instance_info_is_alive (const VeilInstanceInfo *self)
{
  return veil_instance_get_birth (self->pid) == self->born;
}
