/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The settings file by its functions; tests/e2e/test_settings.py has the commands and a running server. */
#include "settings-file.h"

#include "veil-error.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define HASH "0xabcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789"

static const char *const keys[] = {
  "host", "port", "tee-id", "pcr-pins", "refresh-interval", "answer-timeout", "require-api-key", "history", "session-store"
};

static char *home;

static VeilSettings *
new_settings (void)
{
  g_autoptr (GError) error = NULL;
  VeilSettings *settings = veil_settings_new (&error);
  const char *const values[] = { home, NULL };

  g_assert_no_error (error);
  veil_settings_set_flag (settings, "home", values, &error);
  g_assert_no_error (error);
  return settings;
}

static void
write_file (const char *text)
{
  g_autoptr (VeilSettings) settings = new_settings ();
  g_autofree char *path = veil_settings_file_get_path (settings);
  g_autoptr (GError) error = NULL;

  if (text == NULL)
    g_unlink (path);
  else
    g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
}

static VeilSettings *
resolve (void)
{
  g_autoptr (VeilSettings) settings = new_settings ();
  g_autoptr (GError) error = NULL;
  VeilSettings *resolved = veil_settings_file_resolve (settings, &error);

  g_assert_no_error (error);
  return resolved;
}

static void
assert_same (const VeilSettings *a, const VeilSettings *b)
{
  g_assert_cmpstr (a->host, ==, b->host);
  g_assert_cmpuint (a->port, ==, b->port);
  g_assert_cmpstr (a->tee_id, ==, b->tee_id);
  g_assert_cmpuint (g_strv_length (a->pcr_pins), ==, g_strv_length (b->pcr_pins));
  g_assert_cmpuint (a->refresh_interval, ==, b->refresh_interval);
  g_assert_cmpuint (a->answer_timeout, ==, b->answer_timeout);
  g_assert_cmpint (a->require_api_key, ==, b->require_api_key);
  g_assert_cmpint (a->history, ==, b->history);
  g_assert_cmpstr (a->session_store, ==, b->session_store);
}

/* Who edits the file is told what the key may be, not what GVariant is. */
static void
test_wrong_values (void)
{
  static const char *const lines[][2] = {
    { "port=65536", "port in %s must be a whole number from 0 to 65535" },
    { "port='a'", "port in %s must be a whole number from 0 to 65535" },
    { "refresh-interval=604801", "refresh-interval in %s must be a whole number from 0 to 604800" },
    { "answer-timeout=-1", "answer-timeout in %s must be a whole number from 0 to 3600" },
    { "require-api-key=1", "require-api-key in %s must be true or false" },
    { "history=maybe", "history in %s must be true or false" },
    { "host=127.0.0.1", "host in %s must be text between quotes, as in 'text'" },
    { "session-store='disk'", "session-store in %s must be 'keyring' or 'file'" },
    { "session-store=file", "session-store in %s must be 'keyring' or 'file'" },
    { "pcr-pins=['a']", "pcr-pins in %s must be a list of hashes with labels, as in [('0x…', 'audited'), ('0x…', '')]" },
  };
  g_autoptr (VeilSettings) settings = new_settings ();
  g_autofree char *path = veil_settings_file_get_path (settings);

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    {
      g_autofree char *text = g_strconcat ("[veil]\n", lines[i][0], "\n", NULL);
      g_auto (GStrv) parts = g_strsplit (lines[i][1], "%s", 2);
      g_autofree char *expected = g_strconcat (parts[0], path, parts[1], NULL);
      g_autoptr (GError) error = NULL;

      write_file (text);
      g_assert_null (veil_settings_file_resolve (settings, &error));
      g_assert_error (error, VEIL_ERROR, VEIL_ERROR_STORE);
      g_assert_cmpstr (error->message, ==, expected);
    }
  write_file (NULL);
}

/* The schema's defaults are the program's, and every key of the schema is one that the program reads. */
static void
test_defaults (void)
{
  g_autoptr (VeilSettings) plain = new_settings ();
  g_autoptr (GString) text = g_string_new ("[veil]\n");

  write_file (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) value = veil_settings_file_get (plain, keys[i], &error);
      g_autofree char *printed = NULL;

      g_assert_no_error (error);
      printed = g_variant_print (value, FALSE);
      g_string_append_printf (text, "%s=%s\n", keys[i], printed);
    }
  write_file (text->str);
  g_autoptr (VeilSettings) resolved = resolve ();
  assert_same (plain, resolved);
}

static void
test_values (void)
{
  g_autoptr (VeilSettings) resolved = NULL;

  write_file ("[veil]\nhost='::1'\nport=1\ntee-id='" HASH "'\npcr-pins=[('" HASH "', 'a'), ('" HASH "', '')]\nrefresh-interval=2\n"
              "answer-timeout=3\nrequire-api-key=true\nhistory=true\nsession-store='file'\n");
  resolved = resolve ();
  g_assert_cmpstr (resolved->host, ==, "::1");
  g_assert_cmpuint (resolved->port, ==, 1);
  g_assert_cmpstr (resolved->tee_id, ==, HASH);
  g_assert_cmpuint (g_strv_length (resolved->pcr_pins), ==, 2);
  g_assert_cmpuint (resolved->refresh_interval, ==, 2);
  g_assert_cmpuint (resolved->answer_timeout, ==, 3);
  g_assert_true (resolved->require_api_key);
  g_assert_true (resolved->history);
  g_assert_cmpstr (resolved->session_store, ==, "file");
}

/* What is taken out of the file is as by default again; what a flag said stays. */
static void
test_resolve_again (void)
{
  g_autoptr (VeilSettings) settings = new_settings ();
  g_autoptr (VeilSettings) first = NULL;
  g_autoptr (VeilSettings) second = NULL;
  const char *const values[] = { "7", NULL };
  g_autoptr (GError) error = NULL;

  veil_settings_set_flag (settings, "refresh-interval", values, NULL);
  write_file ("[veil]\nport=1\nrefresh-interval=2\n");
  first = veil_settings_file_resolve (settings, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (first->port, ==, 1);
  g_assert_cmpuint (first->refresh_interval, ==, 7);
  write_file ("[veil]\nhost='::1'\n");
  second = veil_settings_file_resolve (first, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (second->port, ==, 11434);
  g_assert_cmpuint (second->refresh_interval, ==, 7);
  g_assert_cmpstr (second->host, ==, "::1");

  /* A value that is not used has to be right all the same. */
  write_file ("[veil]\nrefresh-interval=9999999\n");
  g_assert_null (veil_settings_file_resolve (settings, &error));
  g_assert_error (error, VEIL_ERROR, VEIL_ERROR_STORE);
}

static GVariant *
set_port (GVariant *old, gpointer user_data, GError **error)
{
  return g_variant_new_uint16 (GPOINTER_TO_UINT (user_data));
}

static GVariant *
change_nothing (GVariant *old, gpointer user_data, GError **error)
{
  return NULL;
}

static void
test_change (void)
{
  g_autoptr (VeilSettings) settings = new_settings ();
  g_autofree char *path = veil_settings_file_get_path (settings);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  write_file ("# mine\n[veil]\nhost='::1'\n");
  g_assert_true (veil_settings_file_change (settings, "port", set_port, GUINT_TO_POINTER (5), &error));
  g_assert_no_error (error);
  g_assert_true (veil_settings_file_change (settings, "port", change_nothing, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_nonnull (strstr (text, "port=5"));
  g_assert_nonnull (strstr (text, "host='::1'"));
}

static GVariant *
set_anything (GVariant *old, gpointer user_data, GError **error)
{
  return g_variant_new_parsed (user_data);
}

/* What would keep the next start from reading the file does not get into it, whoever asks. */
static void
test_change_to_nonsense (void)
{
  static const struct
  {
    const char *key, *value;
  } bad[] = { { "tee-id", "'nonsense'" },    { "tee-id", "42" },
              { "tee-id", "true" },          { "port", "'8080'" },
              { "pcr-pins", "[('x', '')]" }, { "session-store", "'elsewhere'" } };
  g_autoptr (VeilSettings) settings = new_settings ();
  g_autofree char *path = veil_settings_file_get_path (settings);

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *text = NULL;
      g_autoptr (GError) error = NULL;

      write_file ("[veil]\nhost='::1'\n");
      g_assert_false (veil_settings_file_change (settings, bad[i].key, set_anything, (gpointer) bad[i].value, &error));
      g_assert_nonnull (error);
      g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
      g_assert_cmpstr (text, ==, "[veil]\nhost='::1'\n");
    }
}

static void
test_watch (void)
{
  g_autoptr (VeilSettings) settings = new_settings ();
  g_autoptr (VeilSettingsWatch) watch = NULL;

  write_file (NULL);
  watch = veil_settings_watch_new (settings);
  g_assert_false (veil_settings_watch_look (watch));
  write_file ("[veil]\nport=1\n");
  g_assert_true (veil_settings_watch_look (watch));
  g_assert_false (veil_settings_watch_look (watch));
  g_assert_cmpuint (veil_settings_watch_get (watch)->port, ==, 1);
  write_file ("[veil]\nport=66000\n");
  g_assert_false (veil_settings_watch_look (watch));
  g_assert_cmpuint (veil_settings_watch_get (watch)->port, ==, 1);
  write_file ("");
  g_assert_false (veil_settings_watch_look (watch));
  write_file (NULL);
  g_assert_false (veil_settings_watch_look (watch));
  g_assert_cmpuint (veil_settings_watch_get (watch)->port, ==, 1);
  write_file ("# port=2\n\n");
  g_assert_false (veil_settings_watch_look (watch));
  g_assert_cmpuint (veil_settings_watch_get (watch)->port, ==, 1);
  write_file ("[veil]\n");
  g_assert_true (veil_settings_watch_look (watch));
  g_assert_cmpuint (veil_settings_watch_get (watch)->port, ==, 11434);
}

/* The file may go, or be emptied, between the look at it and the reading of it. */
static void
test_nothing_in_it (void)
{
  static const char *const nothing[] = { NULL, "", "\n", "# port=2\n" };
  g_autoptr (VeilSettings) settings = new_settings ();
  g_autoptr (VeilSettings) resolved = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (nothing); i++)
    {
      write_file (nothing[i]);
      g_assert_null (veil_settings_file_resolve_again (settings, &error));
      g_assert_no_error (error);
    }
  write_file ("[veil]\n");
  resolved = veil_settings_file_resolve_again (settings, &error);
  g_assert_no_error (error);
  g_assert_nonnull (resolved);
  write_file (NULL);
}

/* Only the time of the inode tells these two states apart, as after a change of owner or mode. */
static void
test_watch_same_time (void)
{
  g_autoptr (VeilSettings) settings = new_settings ();
  g_autoptr (VeilSettingsWatch) watch = NULL;
  g_autofree char *path = veil_settings_file_get_path (settings);
  struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
  GStatBuf before, after;
  FILE *file;

  write_file ("[veil]\nport=x\n");
  g_assert_cmpint (utimensat (AT_FDCWD, path, times, 0), ==, 0);
  g_assert_cmpint (g_stat (path, &before), ==, 0);
  watch = veil_settings_watch_new (settings);
  g_assert_false (veil_settings_watch_look (watch));
  do
    {
      file = g_fopen (path, "r+");
      g_assert_nonnull (file);
      g_assert_cmpint (fputs ("[veil]\nport=7\n", file), >=, 0);
      g_assert_cmpint (fclose (file), ==, 0);
      g_assert_cmpint (utimensat (AT_FDCWD, path, times, 0), ==, 0);
      g_assert_cmpint (g_stat (path, &after), ==, 0);
    }
  while (memcmp (&before.st_ctim, &after.st_ctim, sizeof before.st_ctim) == 0);
  g_assert_true (before.st_ino == after.st_ino && before.st_size == after.st_size && before.st_mtim.tv_sec == after.st_mtim.tv_sec);
  g_assert_true (veil_settings_watch_look (watch));
  g_assert_cmpuint (veil_settings_watch_get (watch)->port, ==, 7);
  write_file (NULL);
}

int
main (int argc, char **argv)
{
  g_autofree char *lock = NULL;
  int status;

  g_test_init (&argc, &argv, NULL);
  home = g_dir_make_tmp ("veil-settings-XXXXXX", NULL);
  g_test_add_func ("/settings-file/defaults", test_defaults);
  g_test_add_func ("/settings-file/wrong-values", test_wrong_values);
  g_test_add_func ("/settings-file/values", test_values);
  g_test_add_func ("/settings-file/resolve-again", test_resolve_again);
  g_test_add_func ("/settings-file/change", test_change);
  g_test_add_func ("/settings-file/change-to-nonsense", test_change_to_nonsense);
  g_test_add_func ("/settings-file/nothing-in-it", test_nothing_in_it);
  g_test_add_func ("/settings-file/watch", test_watch);
  g_test_add_func ("/settings-file/watch-same-time", test_watch_same_time);
  status = g_test_run ();
  write_file (NULL);
  lock = g_build_filename (home, "settings.lock", NULL);
  g_unlink (lock);
  g_rmdir (home);
  g_free (home);
  return status;
}
