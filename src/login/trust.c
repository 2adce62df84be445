/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "trust.h"

#include "hex.h"
#include "json-writer.h"
#include "translate.h"
#include "veil-error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "trust.json"
#define MAX_BYTES 65536

enum
{
  RELAY,
  REGISTRY,
  CONTRACT,
  TEE_TYPE,
  AUTH,
  ROOT,
  N_PARTS
};

static const char *const keys[N_PARTS] = { "relay", "registry", "contract", "tee_type", "auth", "root" };
/* TRANSLATORS: parts of a network, in a list of what changed, as in "relay: https://a -> https://b" */
static const char *const names[N_PARTS] = { N_ ("relay"),    N_ ("registry"),       N_ ("contract"),
                                            N_ ("TEE type"), N_ ("sign-in server"), N_ ("attestation") };

#define AWS_ROOT "AWS"

/* Who vouches for enclaves: a bundle that says that it is the sandbox's brings a root of its own. New string. */
static char *
describe_root (const VeilSession *session)
{
  g_autofree char *root = NULL;

  if (!session->sandbox)
    return g_strdup (AWS_ROOT);
  if (session->sandbox_root != NULL)
    root = veil_hex_encode_0x (g_bytes_get_data (session->sandbox_root, NULL), g_bytes_get_size (session->sandbox_root));
  return g_strdup_printf ("sandbox %s", root != NULL ? root : "without a root");
}

static void
get_parts (const VeilSession *session, char *parts[static N_PARTS])
{
  parts[RELAY] = g_strdup (session->relay_url);
  parts[REGISTRY] = g_strdup (session->registry_rpc_url != NULL ? session->registry_rpc_url : "");
  parts[CONTRACT] = g_strdup (session->registry_address != NULL ? session->registry_address : "");
  parts[TEE_TYPE] = g_strdup_printf ("%u", session->registry_tee_type);
  parts[AUTH] = g_strdup (session->supabase_url);
  parts[ROOT] = describe_root (session);
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

/* A file of before it counted: any sign-in server joins what is trusted, and of those who vouch for enclaves the one that there ought to be. */
static gboolean
may_be_missing (guint part, const char *now)
{
  return part == AUTH || (part == ROOT && g_str_equal (now, AWS_ROOT));
}

/* @incomplete: (out): a file of before the sign-in server or the root counted. */
static char *
describe_differences (const VeilJson *trusted, char *parts[static N_PARTS], gboolean *incomplete)
{
  GString *text = g_string_new (NULL);

  *incomplete = FALSE;
  for (guint i = 0; i < N_PARTS; i++)
    {
      const VeilJson *value = veil_json_get_member (trusted, keys[i]);
      const char *old = veil_json_get_string (value, NULL);
      g_autofree char *clean = printable (old != NULL ? old : "?");

      if (trusted != NULL && value == NULL && may_be_missing (i, parts[i]))
        *incomplete = TRUE;
      else if (g_strcmp0 (old, parts[i]) != 0)
        g_string_append_printf (text, "  %s: %s -> %s\n", _ (names[i]), clean, parts[i]);
    }
  return g_string_free (text, FALSE);
}

/* Whoever can write the file decides whom to trust. New string: what is wrong with it and what to do; NULL: nothing. */
static char *
find_problem (int fd, const char *path)
{
  struct stat info;

  if (fd < 0 || fstat (fd, &info) != 0)
    return g_strdup_printf (_ ("%s cannot be read (%s); make it readable, or remove it if you know why"), path, g_strerror (errno));
  if (!S_ISREG (info.st_mode) || info.st_size > MAX_BYTES)
    return g_strdup_printf (_ ("%s is not the file that Veil wrote; remove it if you know why"), path);
  if (info.st_uid != geteuid ())
    return g_strdup_printf (_ ("%s belongs to another user, who can change it; look at it, and make it yours or remove it"), path);
  if ((info.st_mode & 022) != 0)
    return g_strdup_printf (_ ("%s can be changed by other users (mode %04o); look at it, and run chmod 600 on it"), path,
                            (guint) info.st_mode & 07777);
  return NULL;
}

/* At most MAX_BYTES of it. */
static VeilJsonDoc *
read_doc (int fd, const char *path, char **problem)
{
  g_autofree char *text = g_malloc (MAX_BYTES);
  gsize length = 0;
  gssize n = 0;
  VeilJsonDoc *doc;

  *problem = find_problem (fd, path);
  if (*problem != NULL)
    return NULL;
  while (length < MAX_BYTES && ((n = read (fd, text + length, MAX_BYTES - length)) > 0 || (n < 0 && errno == EINTR)))
    length += (gsize) MAX (n, 0);
  doc = veil_json_doc_new (text, length, NULL);
  if (n >= 0 && doc != NULL && veil_json_is (veil_json_doc_get_root (doc), VEIL_JSON_OBJECT) &&
      !veil_json_doc_has_duplicate_keys (doc))
    return doc;
  *problem = g_strdup_printf (_ ("%s is not the file that Veil wrote; remove it if you know why"), path);
  g_clear_pointer (&doc, veil_json_doc_unref);
  return NULL;
}

VeilTrust
veil_trust_check (const char *home, const VeilSession *session, char **differences)
{
  g_autofree char *path = g_build_filename (home, FILE_NAME, NULL);
  g_autofree char *problem = NULL;
  g_autofree char *found = NULL;
  g_autoptr (VeilJsonDoc) doc = NULL;
  char *parts[N_PARTS] = { NULL };
  gboolean incomplete;
  VeilTrust trust;
  /* Non-blocking, or a pipe of that name would hold us for ever. */
  int fd = open (path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

  if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
    return VEIL_TRUST_FIRST;
  doc = read_doc (fd, path, &problem);
  if (fd >= 0)
    close (fd);
  get_parts (session, parts);
  found = describe_differences (doc != NULL ? veil_json_doc_get_root (doc) : NULL, parts, &incomplete);
  if (doc == NULL)
    trust = VEIL_TRUST_BROKEN;
  else if (*found != '\0')
    trust = VEIL_TRUST_CHANGED;
  else
    trust = incomplete ? VEIL_TRUST_FIRST : VEIL_TRUST_SAME;
  for (guint i = 0; i < N_PARTS; i++)
    g_free (parts[i]);
  if (differences != NULL && problem != NULL)
    *differences = g_strdup_printf ("  %s: %s\n%s", _ ("trust"), problem, found);
  else if (differences != NULL)
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
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE, _ ("%s cannot be written: %s"), path,
               cause != NULL ? cause->message : g_strerror (errno));
  return FALSE;
}
