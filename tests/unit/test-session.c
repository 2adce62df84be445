/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "session-file.h"
#include "session.h"
#include "veil-error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKEN "eyJhbGciOi.SECRETTOKEN.sig-_x"
#define ADDRESS "0x703cB174AEadB35D611858369B4b1111dC9Abda6"

#define CONFIG(rest)                                                         \
  "{\"app_env\":\"production\",\"supabase_url\":\"https://"                  \
  "auth.example.com\",\"supabase_anon_key\":\"anon\",\"chat_api_base_url\":" \
  "\"https://relay.example.com/\"" rest "}"
#define BUNDLE(rest, config) "{\"type\":\"opengradient-cli-auth\",\"access_token\":\"" TOKEN "\"" rest ",\"config\":" config "}"
#define REGISTRY ",\"tee_registry_rpc_url\":\"http://127.0.0.1:8545\",\"tee_registry_address\":\"" ADDRESS "\""

static VeilSession *
read_bundle (const char *text, GError **error)
{
  return veil_session_new_from_bundle (text, strlen (text), 1000, error);
}

static VeilSession *
read_good (const char *text)
{
  g_autoptr (GError) error = NULL;
  VeilSession *session = read_bundle (text, &error);

  g_assert_no_error (error);
  g_assert_nonnull (session);
  return session;
}

static void
assert_refused (const char *text, const char *named)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (read_bundle (text, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_BUNDLE);
  if (strstr (error->message, named) == NULL)
    g_error ("“%s” does not name %s (%s)", error->message, named, text);
  g_assert_null (strstr (error->message, "SECRET"));
}

static void
test_whole (void)
{
  g_autoptr (VeilSession) session = NULL;

  session =
      read_good (BUNDLE (",\"refresh_token\":\"refresh-1\",\"token_type\":\"Bearer\",\"expires_at\":1900000000,\"expires_in\":3600,"
                         "\"user\":{\"id\":\"u-1\",\"email\":\"zoë@example.com\",\"is_anonymous\":false},\"further\":[1,2]",
                         CONFIG (REGISTRY ",\"tee_registry_tee_type\":1")));
  g_assert_cmpstr (session->access_token, ==, TOKEN);
  g_assert_cmpstr (session->refresh_token, ==, "refresh-1");
  g_assert_cmpint (session->expires_at, ==, 1900000000);
  g_assert_cmpstr (session->user_id, ==, "u-1");
  g_assert_cmpstr (session->email, ==, "zoë@example.com");
  g_assert_cmpstr (session->app_env, ==, "production");
  g_assert_cmpstr (session->supabase_url, ==, "https://auth.example.com");
  g_assert_cmpstr (session->supabase_anon_key, ==, "anon");
  g_assert_cmpstr (session->relay_url, ==, "https://relay.example.com");
  g_assert_cmpstr (session->registry_rpc_url, ==, "http://127.0.0.1:8545");
  g_assert_cmpstr (session->registry_address, ==, "0x703cb174aeadb35d611858369b4b1111dc9abda6");
  g_assert_cmpuint (session->registry_tee_type, ==, 1);
  g_assert_false (session->sandbox);
  g_assert_true (veil_session_check_can_serve (session, NULL));
}

static void
test_least (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilSession) session = read_good (
      BUNDLE (",\"refresh_token\":null,\"token_type\":null,\"expires_at\":null,\"expires_in\":3600,\"user\":null",
              "{\"supabase_url\":\"https://a.example\",\"supabase_anon_key\":\"k\",\"chat_api_base_url\":\"https://b.example\"}"));

  g_assert_null (session->refresh_token);
  g_assert_cmpint (session->expires_at, ==, 4600);
  g_assert_null (session->email);
  g_assert_null (session->registry_rpc_url);
  g_assert_cmpuint (session->registry_tee_type, ==, 0);
  g_assert_false (veil_session_check_can_serve (session, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_BUNDLE);
  g_assert_nonnull (strstr (error->message, "tee_registry_rpc_url"));
}

static void
test_no_address (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilSession) session = read_good (BUNDLE ("", CONFIG (",\"tee_registry_rpc_url\":\"https://rpc.example\"")));

  g_assert_cmpint (session->expires_at, ==, 0);
  g_assert_false (veil_session_check_can_serve (session, &error));
  g_assert_nonnull (strstr (error->message, "tee_registry_address"));
}

static void
test_sandbox (void)
{
  g_autoptr (VeilSession) session =
      read_good (BUNDLE ("", "{\"app_env\":\"sandbox\",\"supabase_url\":\"http://localhost:1\",\"supabase_anon_key\":\"k\","
                             "\"chat_api_base_url\":\"http://[::1]:3/base/\"}"));

  g_assert_true (session->sandbox);
  g_assert_cmpstr (session->relay_url, ==, "http://[::1]:3/base");
}

#define ROOT "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"
#define SANDBOX_CONFIG(app_env, rest)                                                                 \
  "{\"app_env\":\"" app_env "\",\"supabase_url\":\"http://localhost:1\",\"supabase_anon_key\":\"k\"," \
  "\"chat_api_base_url\":\"http://localhost:2\"" rest "}"

/* Kept by the store and by renewals; and by nobody outside the sandbox, where AWS's root counts. */
static void
test_sandbox_root (void)
{
  static const guint8 expected[32] = { 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa,
                                       0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x00, 0x11, 0x22, 0x33, 0x44, 0x55,
                                       0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff };
  static const char renewal[] = "{\"access_token\":\"other\"}";
  g_autoptr (VeilSession) session =
      read_good (BUNDLE ("", SANDBOX_CONFIG ("sandbox", ",\"sandbox_attestation_root\":\"0x" ROOT "\"")));
  g_autoptr (VeilSession) without = read_good (BUNDLE ("", SANDBOX_CONFIG ("sandbox", "")));
  g_autoptr (VeilSession) outside =
      read_good (BUNDLE ("", SANDBOX_CONFIG ("production", ",\"sandbox_attestation_root\":\"" ROOT "\"")));
  g_autoptr (VeilSession) odd = read_good (BUNDLE ("", SANDBOX_CONFIG ("production", ",\"sandbox_attestation_root\":7")));
  g_autoptr (VeilSession) renewed = veil_session_new_refreshed (session, renewal, strlen (renewal), 1, NULL);
  g_autoptr (GBytes) stored = veil_session_to_bundle (renewed);
  g_autoptr (VeilSession) again =
      veil_session_new_from_bundle (g_bytes_get_data (stored, NULL), g_bytes_get_size (stored), 0, NULL);

  g_assert_cmpmem (g_bytes_get_data (session->sandbox_root, NULL), g_bytes_get_size (session->sandbox_root), expected, 32);
  g_assert_true (g_bytes_equal (session->sandbox_root, again->sandbox_root));
  g_assert_null (without->sandbox_root);
  g_assert_null (outside->sandbox_root);
  g_assert_null (odd->sandbox_root);
  assert_refused (BUNDLE ("", SANDBOX_CONFIG ("sandbox", ",\"sandbox_attestation_root\":\"12\"")),
                  "config.sandbox_attestation_root");
  assert_refused (BUNDLE ("", SANDBOX_CONFIG ("sandbox", ",\"sandbox_attestation_root\":7")), "config.sandbox_attestation_root");
  assert_refused (BUNDLE ("", SANDBOX_CONFIG ("sandbox", ",\"sandbox_attestation_root\":\"" ROOT "00\"")),
                  "config.sandbox_attestation_root");
}

/* Somebody else's tokens do not go under this user's name; and an answer that reads two ways is none. */
static void
test_refreshed_user (void)
{
  static const char *const good[] = { "", ",\"user\":null", ",\"user\":{\"email\":\"x@y\"}", ",\"user\":{\"id\":null}",
                                      ",\"user\":{\"id\":\"me\",\"more\":{\"id\":\"you\"}}" };
  static const char *const bad[] = { ",\"user\":{\"id\":\"you\"}", ",\"user\":{\"id\":\"\"}", ",\"user\":{\"id\":7}",
                                     ",\"access_token\":\"b\"" };
  g_autoptr (VeilSession) session = read_good (BUNDLE (",\"user\":{\"id\":\"me\"}", CONFIG (REGISTRY)));
  g_autoptr (VeilSession) nameless = read_good (BUNDLE ("", CONFIG (REGISTRY)));

  for (guint i = 0; i < G_N_ELEMENTS (good) + G_N_ELEMENTS (bad); i++)
    {
      const gboolean wanted = i < G_N_ELEMENTS (good);
      g_autofree char *text = g_strdup_printf ("{\"access_token\":\"a\"%s}", wanted ? good[i] : bad[i - G_N_ELEMENTS (good)]);
      g_autoptr (GError) error = NULL;
      VeilSession *renewed = veil_session_new_refreshed (session, text, strlen (text), 1, &error);

      g_assert_cmpint (renewed != NULL, ==, wanted);
      if (wanted)
        g_assert_cmpstr (renewed->user_id, ==, "me");
      else
        g_assert_error (error, VEIL_ERROR, VEIL_ERROR_BUNDLE);
      g_clear_pointer (&renewed, veil_session_unref);
    }
  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *text = g_strdup_printf ("{\"access_token\":\"a\"%s}", bad[i]);
      g_autoptr (VeilSession) renewed = veil_session_new_refreshed (nameless, text, strlen (text), 1, NULL);

      g_assert_nonnull (renewed);
    }
}

static void
test_round_trip (void)
{
  g_autoptr (VeilSession) first = read_good (BUNDLE (",\"refresh_token\":\"r\",\"expires_at\":5,\"user\":{\"email\":\"a@b\"}",
                                                     CONFIG (REGISTRY ",\"tee_registry_tee_type\":255")));
  g_autoptr (GBytes) once = veil_session_to_bundle (first);
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilSession) second = NULL;
  g_autoptr (GBytes) twice = NULL;

  second = veil_session_new_from_bundle (g_bytes_get_data (once, NULL), g_bytes_get_size (once), 0, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (second->access_token, ==, TOKEN);
  g_assert_cmpint (second->expires_at, ==, 5);
  g_assert_cmpuint (second->registry_tee_type, ==, 255);
  twice = veil_session_to_bundle (second);
  g_assert_true (g_bytes_equal (once, twice));
}

static const struct
{
  const char *text;
  const char *named;
} refused[] = {
  { "", "not JSON" },
  { "{\"type\":\"opengradient-cli-auth\"", "not JSON" },
  { "[]", "object" },
  { "{}", "type" },
  { "{\"type\":\"other\",\"access_token\":\"SECRET\"}", "type" },
  { "{\"type\":\"opengradient-cli-auth\"}", "access_token" },
  { "{\"type\":\"opengradient-cli-auth\",\"access_token\":\"\"}", "access_token" },
  { "{\"type\":\"opengradient-cli-auth\",\"access_token\":[\"SECRET\"]}", "access_token" },
  { "{\"type\":\"opengradient-cli-auth\",\"access_token\":\"SECRET\\r\\nX-Evil: 1\"}", "access_token" },
  { "{\"type\":\"opengradient-cli-auth\",\"access_token\":\"SECRET SECRET\"}", "access_token" },
  { "{\"type\":\"opengradient-cli-auth\",\"access_token\":\"SECRET\\u0000SECRET\"}", "access_token" },
  { "{\"type\":\"opengradient-cli-auth\",\"access_token\":\"SECRETé\"}", "access_token" },
  { BUNDLE (",\"refresh_token\":7", CONFIG ("")), "refresh_token" },
  { BUNDLE (",\"refresh_token\":\"SECRET\\n\"", CONFIG ("")), "refresh_token" },
  { BUNDLE (",\"token_type\":\"mac\"", CONFIG ("")), "token_type" },
  { BUNDLE (",\"token_type\":true", CONFIG ("")), "token_type" },
  { BUNDLE (",\"expires_at\":\"1900000000\"", CONFIG ("")), "expires_at" },
  { BUNDLE (",\"expires_at\":1.5", CONFIG ("")), "expires_at" },
  { BUNDLE (",\"expires_at\":-1", CONFIG ("")), "expires_at" },
  { BUNDLE (",\"expires_at\":1900000000000", CONFIG ("")), "expires_at" },
  { BUNDLE (",\"expires_at\":18446744073709551616", CONFIG ("")), "expires_at" },
  { BUNDLE (",\"expires_in\":9223372036854775807", CONFIG ("")), "expires_in" },
  { BUNDLE (",\"user\":\"me\"", CONFIG ("")), "user" },
  { BUNDLE (",\"user\":{\"email\":\"a\\u001b[2Jb\"}", CONFIG ("")), "user.email" },
  { BUNDLE (",\"user\":{\"email\":\"\\u202egro.elpmaxe\"}", CONFIG ("")), "user.email" },
  { BUNDLE (",\"user\":{\"id\":\"\\ud800\"}", CONFIG ("")), "user.id" },
  { "{\"type\":\"opengradient-cli-auth\",\"access_token\":\"SECRET\"}", "config" },
  { BUNDLE ("", "[]"), "config" },
  { BUNDLE ("", "{\"supabase_anon_key\":\"k\",\"chat_api_base_url\":\"https://b.example\"}"), "config.supabase_url" },
  { BUNDLE ("", "{\"supabase_url\":\"https://a.example\",\"chat_api_base_url\":\"https://b.example\"}"),
    "config.supabase_anon_key" },
  { BUNDLE ("", "{\"supabase_url\":\"https://a.example\",\"supabase_anon_key\":\"k\"}"), "config.chat_api_base_url" },
  { BUNDLE ("", "{\"supabase_url\":\"http://a.example\",\"supabase_anon_key\":\"k\",\"chat_api_base_url\":\"https://b.example\"}"),
    "config.supabase_url" },
  { BUNDLE ("", "{\"supabase_url\":\"https://a.example\",\"supabase_anon_key\":\"k\",\"chat_api_base_url\":\"http://10.0.0.1\"}"),
    "config.chat_api_base_url" },
  { BUNDLE (
        "",
        "{\"supabase_url\":\"https://a.example\",\"supabase_anon_key\":\"k\",\"chat_api_base_url\":\"https://b.example/?a=b\"}"),
    "config.chat_api_base_url" },
  { BUNDLE (
        "",
        "{\"supabase_url\":\"https://a.example\",\"supabase_anon_key\":\"k\",\"chat_api_base_url\":\"https://u:p@b.example/\"}"),
    "config.chat_api_base_url" },
  { BUNDLE ("",
            "{\"supabase_url\":\"https://a.example\",\"supabase_anon_key\":\"k\",\"chat_api_base_url\":\"https://b.example/ x\"}"),
    "config.chat_api_base_url" },
  { BUNDLE ("", CONFIG (",\"tee_registry_rpc_url\":\"ftp://rpc.example\"")), "config.tee_registry_rpc_url" },
  { BUNDLE ("", CONFIG (",\"tee_registry_rpc_url\":1")), "config.tee_registry_rpc_url" },
  { BUNDLE ("", CONFIG (",\"tee_registry_address\":\"0x1234\"")), "config.tee_registry_address" },
  { BUNDLE ("", CONFIG (",\"tee_registry_address\":\"703cB174AEadB35D611858369B4b1111dC9Abda6\"")), "config.tee_registry_address" },
  { BUNDLE ("", CONFIG (",\"tee_registry_address\":\"0x703cB174AEadB35D611858369B4b1111dC9Abdag\"")),
    "config.tee_registry_address" },
  { BUNDLE ("", CONFIG (",\"tee_registry_tee_type\":256")), "config.tee_registry_tee_type" },
  { BUNDLE ("", CONFIG (",\"tee_registry_tee_type\":\"0\"")), "config.tee_registry_tee_type" },
  { BUNDLE ("", CONFIG (",\"app_env\":\"sandbox\"")), "twice" },
};

static void
test_refused (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    assert_refused (refused[i].text, refused[i].named);
}

static void
test_too_large (void)
{
  const char *head = "{\"type\":\"opengradient-cli-auth\",\"access_token\":\"";
  g_autofree char *filler = g_strnfill (VEIL_SESSION_MAX_BYTES, ' ');
  g_autofree char *padded = g_strconcat (BUNDLE ("", CONFIG ("")), filler, NULL);
  g_autofree char *token = g_strnfill (16 * 1024 + 1, 'a');
  g_autofree char *long_token = g_strconcat (head, token, "\"}", NULL);

  assert_refused (padded, "KiB");
  assert_refused (long_token, "access_token");
}

/* --- the file --- */

typedef struct
{
  char *folder;
  char *path;
  VeilSession *session;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  fixture->folder = g_dir_make_tmp ("veil-session-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->path = g_build_filename (fixture->folder, "home", "veil", "session.json", NULL);
  fixture->session = read_good (BUNDLE (",\"expires_at\":1900000000", CONFIG (REGISTRY)));
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *child = g_build_filename (path, name, NULL);

      remove_tree (child);
    }
  g_assert_cmpint (g_remove (path), ==, 0);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  remove_tree (fixture->folder);
  veil_session_unref (fixture->session);
  g_free (fixture->path);
  g_free (fixture->folder);
}

static void
save (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;

  veil_session_file_save (fixture->path, fixture->session, &error);
  g_assert_no_error (error);
}

static void
assert_not_loaded (const char *path, int code, const char *named)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (veil_session_file_load (path, &error));
  g_assert_error (error, VEIL_ERROR, code);
  if (strstr (error->message, named) == NULL)
    g_error ("“%s” does not say “%s”", error->message, named);
  g_assert_null (strstr (error->message, "SECRET"));
}

static guint
count_files (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

static void
test_file (Fixture *fixture, gconstpointer data)
{
  g_autofree char *folder = g_path_get_dirname (fixture->path);
  mode_t umask_before = umask (0);
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilSession) loaded = NULL;
  struct stat info;

  assert_not_loaded (fixture->path, VEIL_ERROR_NOT_SIGNED_IN, "og-veil login");
  save (fixture);
  save (fixture);
  umask (umask_before);
  g_assert_cmpint (stat (fixture->path, &info), ==, 0);
  g_assert_cmpuint (info.st_mode & 07777, ==, 0600);
  g_assert_cmpint (stat (folder, &info), ==, 0);
  g_assert_cmpuint (info.st_mode & 07777, ==, 0700);
  g_assert_cmpuint (count_files (folder), ==, 1);

  loaded = veil_session_file_load (fixture->path, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (loaded->access_token, ==, TOKEN);
  g_assert_cmpint (loaded->expires_at, ==, 1900000000);

  g_assert_true (veil_session_file_clear (fixture->path, &error));
  g_assert_true (veil_session_file_clear (fixture->path, &error));
  assert_not_loaded (fixture->path, VEIL_ERROR_NOT_SIGNED_IN, "og-veil login");
}

/* Those of a crash amid saving hold tokens, too; what only looks similar is not ours to remove. */
static void
test_file_leftovers (Fixture *fixture, gconstpointer data)
{
  static const char *const kept[] = { "session.json.abc",     "session.json.abcdefg", "session.json.abc-ef", "session.jsonXabcdef",
                                      "xsession.json.abcdef", "session.json.folder",  "session.json.symlnk" };
  g_autofree char *folder = g_path_get_dirname (fixture->path);
  g_autoptr (GError) error = NULL;

  save (fixture);
  for (guint i = 0; i < G_N_ELEMENTS (kept); i++)
    {
      g_autofree char *path = g_build_filename (folder, kept[i], NULL);

      if (g_str_has_suffix (path, "folder"))
        g_assert_cmpint (g_mkdir (path, 0700), ==, 0);
      else if (g_str_has_suffix (path, "symlnk"))
        g_assert_cmpint (symlink (fixture->path, path), ==, 0);
      else
        g_assert_true (g_file_set_contents (path, "mine", -1, NULL));
    }
  for (guint i = 0; i < 3; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s.aB9x%uz", fixture->path, i);

      g_assert_true (g_file_set_contents_full (path, TOKEN, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    }
  g_assert_cmpuint (count_files (folder), ==, 1 + G_N_ELEMENTS (kept) + 3);
  veil_session_file_clear (fixture->path, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (count_files (folder), ==, G_N_ELEMENTS (kept));
  if (geteuid () == 0)
    {
      g_autofree char *foreign = g_strconcat (fixture->path, ".foreig", NULL);

      g_assert_true (g_file_set_contents (foreign, "theirs", -1, NULL));
      g_assert_cmpint (chown (foreign, 12345, -1), ==, 0);
      g_assert_true (veil_session_file_clear (fixture->path, NULL));
      g_assert_true (g_file_test (foreign, G_FILE_TEST_EXISTS));
    }
}

static void
test_file_open_mode (Fixture *fixture, gconstpointer data)
{
  save (fixture);
  g_assert_cmpint (g_chmod (fixture->path, 0640), ==, 0);
  assert_not_loaded (fixture->path, VEIL_ERROR_STORE, "chmod 600");
  g_assert_cmpint (g_chmod (fixture->path, 0602), ==, 0);
  assert_not_loaded (fixture->path, VEIL_ERROR_STORE, "chmod 600");
}

static void
test_file_owner (Fixture *fixture, gconstpointer data)
{
  const char *foreign = "/etc/passwd";

  save (fixture);
  if (geteuid () == 0)
    {
      g_assert_cmpint (chown (fixture->path, 12345, -1), ==, 0);
      foreign = fixture->path;
    }
  assert_not_loaded (foreign, VEIL_ERROR_STORE, "another user");
}

static void
test_file_kinds (Fixture *fixture, gconstpointer data)
{
  g_autofree char *link = g_build_filename (fixture->folder, "link", NULL);
  g_autofree char *pipe = g_build_filename (fixture->folder, "pipe", NULL);
  g_autofree char *large = g_build_filename (fixture->folder, "large", NULL);
  int fd;

  save (fixture);
  g_assert_cmpint (symlink (fixture->path, link), ==, 0);
  assert_not_loaded (link, VEIL_ERROR_STORE, "symbolic link");
  g_assert_cmpint (mkfifo (pipe, 0600), ==, 0);
  assert_not_loaded (pipe, VEIL_ERROR_STORE, "regular file");
  assert_not_loaded (fixture->folder, VEIL_ERROR_STORE, "regular file");

  fd = g_open (large, O_CREAT | O_WRONLY, 0600);
  g_assert_cmpint (ftruncate (fd, VEIL_SESSION_MAX_BYTES + 1), ==, 0);
  g_close (fd, NULL);
  assert_not_loaded (large, VEIL_ERROR_STORE, "too large");
}

/* A link at the place to write is replaced, not written through. */
static void
test_file_replaces_link (Fixture *fixture, gconstpointer data)
{
  g_autofree char *victim = g_build_filename (fixture->folder, "victim", NULL);
  g_autofree char *content = NULL;

  save (fixture);
  g_assert_true (g_file_set_contents (victim, "mine", -1, NULL));
  g_assert_cmpint (g_unlink (fixture->path), ==, 0);
  g_assert_cmpint (symlink (victim, fixture->path), ==, 0);
  save (fixture);
  g_assert_true (g_file_get_contents (victim, &content, NULL, NULL));
  g_assert_cmpstr (content, ==, "mine");
  g_assert_false (g_file_test (fixture->path, G_FILE_TEST_IS_SYMLINK));
}

static void
test_file_content (Fixture *fixture, gconstpointer data)
{
  save (fixture);
  g_assert_true (g_file_set_contents_full (fixture->path, "{\"type\":\"opengradient-cli-auth\",\"access_token\":\"SECRET\"}", -1,
                                           G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL));
  assert_not_loaded (fixture->path, VEIL_ERROR_STORE, "config");
}

/* Nothing is left behind, and what was there stays, when the new file cannot take its place. */
static void
test_file_cannot_save (Fixture *fixture, gconstpointer data)
{
  g_autofree char *taken = g_build_filename (fixture->folder, "taken", NULL);
  g_autofree char *below = g_build_filename (taken, "full", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir_with_parents (below, 0700), ==, 0);
  g_assert_false (veil_session_file_save (taken, fixture->session, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_STORE);
  g_assert_cmpuint (count_files (fixture->folder), ==, 1);
  g_clear_error (&error);
  g_assert_false (veil_session_file_save ("/dev/null/session.json", fixture->session, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_STORE);
}

static void
add (const char *name, void (*func) (Fixture *, gconstpointer))
{
  g_test_add (name, Fixture, NULL, set_up, func, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/session/whole", test_whole);
  g_test_add_func ("/session/least", test_least);
  g_test_add_func ("/session/no-address", test_no_address);
  g_test_add_func ("/session/sandbox", test_sandbox);
  g_test_add_func ("/session/sandbox-root", test_sandbox_root);
  g_test_add_func ("/session/round-trip", test_round_trip);
  g_test_add_func ("/session/refreshed-user", test_refreshed_user);
  g_test_add_func ("/session/refused", test_refused);
  g_test_add_func ("/session/too-large", test_too_large);
  add ("/session-file/round-trip", test_file);
  add ("/session-file/leftovers", test_file_leftovers);
  add ("/session-file/open-mode", test_file_open_mode);
  add ("/session-file/owner", test_file_owner);
  add ("/session-file/kinds", test_file_kinds);
  add ("/session-file/replaces-link", test_file_replaces_link);
  add ("/session-file/content", test_file_content);
  add ("/session-file/cannot-save", test_file_cannot_save);
  return g_test_run ();
}
