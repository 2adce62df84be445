/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "trust.h"

#include "json-writer.h"
#include "veil-error.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <sys/stat.h>

#define FILE_NAME "trust.json"
#define MAX_BYTES 65536
#define N_PARTS 4

static const char *const keys[N_PARTS] = { "relay", "registry", "contract", "tee_type" };
static const char *const names[N_PARTS] = { "relay", "registry", "contract", "TEE type" };

static void
get_parts (const VeilSession *session, char *parts[static N_PARTS])
{
  parts[0] = g_strdup (session->relay_url);
  parts[1] = g_strdup (session->registry_rpc_url != NULL ? session->registry_rpc_url : "");
  parts[2] = g_strdup (session->registry_address != NULL ? session->registry_address : "");
  parts[3] = g_strdup_printf ("%u", session->registry_tee_type);
}

/* For a terminal: what the file holds may have been put there by anybody who can write in the home. */
static char *
printable (const char *text)
{
  char *clean = g_utf8_make_valid (text, -1);

  for (char *c = clean; *c != '\0'; c = g_utf8_next_char (c))
    if (g_ascii_iscntrl (*c))
      *c = '?';
  return clean;
}

static char *
describe_differences (const VeilJson *trusted, char *parts[static N_PARTS])
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < N_PARTS; i++)
    {
      const char *old = veil_json_get_string (veil_json_get_member (trusted, keys[i]), NULL);
      g_autofree char *clean = printable (old != NULL ? old : "?");

      if (g_strcmp0 (old, parts[i]) != 0)
        g_string_append_printf (text, "  %s: %s -> %s\n", names[i], clean, parts[i]);
    }
  return g_string_free (text, FALSE);
}

VeilTrust
veil_trust_check (const char *home, const VeilSession *session, char **differences)
{
  g_autofree char *path = g_build_filename (home, FILE_NAME, NULL);
  g_autofree char *text = NULL;
  g_autofree char *found = NULL;
  g_autoptr (VeilJsonDoc) doc = NULL;
  char *parts[N_PARTS] = { NULL };
  GStatBuf info = { 0 };
  gsize length = 0;
  VeilTrust trust;

  if (g_lstat (path, &info) != 0 && (errno == ENOENT || errno == ENOTDIR))
    return VEIL_TRUST_FIRST;
  if (S_ISREG (info.st_mode) && info.st_size <= MAX_BYTES && g_file_get_contents (path, &text, &length, NULL))
    doc = veil_json_doc_new (text, length, NULL);
  get_parts (session, parts);
  found = describe_differences (doc != NULL ? veil_json_doc_get_root (doc) : NULL, parts);
  trust = *found == '\0' ? VEIL_TRUST_SAME : doc == NULL ? VEIL_TRUST_BROKEN : VEIL_TRUST_CHANGED;
  for (guint i = 0; i < N_PARTS; i++)
    g_free (parts[i]);
  if (differences != NULL)
    *differences = g_steal_pointer (&found);
  return trust;
}

gboolean
veil_trust_set (const char *home, const VeilSession *session, GError **error)
{
  g_autofree char *path = g_build_filename (home, FILE_NAME, NULL);
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);
  g_autoptr (GBytes) text = NULL;
  g_autoptr (GError) cause = NULL;
  char *parts[N_PARTS];

  get_parts (session, parts);
  veil_json_writer_begin_object (writer);
  for (guint i = 0; i < N_PARTS; i++)
    {
      veil_json_writer_key (writer, keys[i]);
      veil_json_writer_string (writer, parts[i]);
      g_free (parts[i]);
    }
  veil_json_writer_end_object (writer);
  text = veil_json_writer_finish (writer);
  if (g_mkdir_with_parents (home, 0700) == 0 &&
      g_file_set_contents_full (path, g_bytes_get_data (text, NULL), (gssize) g_bytes_get_size (text),
                                G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600, &cause))
    return TRUE;
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE, "%s cannot be written: %s", path,
               cause != NULL ? cause->message : g_strerror (errno));
  return FALSE;
}
