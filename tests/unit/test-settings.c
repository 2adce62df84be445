/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "settings.h"

#include "veil-error.h"

#include <string.h>

#define HASH "AbCdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789"
#define HASH_NORMAL "0xabcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789"

static const char *const variables[] = { "OG_VEIL_HOME",
                                         "OG_VEIL_HOST",
                                         "OG_VEIL_PORT",
                                         "OG_VEIL_TEE_ID",
                                         "OG_VEIL_EXPECTED_PCR_HASH",
                                         "OG_VEIL_TEE_REFRESH_INTERVAL",
                                         "OG_VEIL_ANSWER_TIMEOUT",
                                         "OG_VEIL_SESSION_STORE",
                                         "OG_VEIL_API_KEY" };

static void
clear_environment (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (variables); i++)
    g_unsetenv (variables[i]);
}

static VeilSettings *
settings_new (void)
{
  g_autoptr (GError) error = NULL;
  VeilSettings *settings = veil_settings_new (&error);

  g_assert_no_error (error);
  return settings;
}

static void
set_flag (VeilSettings *settings, const char *flag, const char *a, const char *b)
{
  const char *values[] = { a, b, NULL };
  g_autoptr (GError) error = NULL;

  veil_settings_set_flag (settings, flag, values, &error);
  g_assert_no_error (error);
}

static void
test_defaults (void)
{
  g_autoptr (VeilSettings) settings = NULL;
  g_autofree char *home = g_build_filename (g_get_user_data_dir (), "veil", NULL);

  clear_environment ();
  settings = settings_new ();
  g_assert_cmpstr (settings->home, ==, home);
  g_assert_cmpstr (settings->host, ==, "127.0.0.1");
  g_assert_cmpuint (settings->port, ==, 11434);
  g_assert_null (settings->tee_id);
  g_assert_cmpuint (g_strv_length (settings->pcr_pins), ==, 0);
  g_assert_cmpuint (settings->refresh_interval, ==, 300);
  g_assert_null (settings->api_key);
  g_assert_cmpstr (settings->session_store, ==, "keyring");
}

static void
test_precedence (void)
{
  g_autoptr (VeilSettings) settings = NULL;
  g_autofree char *path = NULL;

  clear_environment ();
  g_setenv ("OG_VEIL_HOME", "/one", TRUE);
  g_setenv ("OG_VEIL_HOST", "::1", TRUE);
  g_setenv ("OG_VEIL_PORT", "1", TRUE);
  g_setenv ("OG_VEIL_TEE_ID", HASH, TRUE);
  g_setenv ("OG_VEIL_EXPECTED_PCR_HASH", "0x" HASH ", " HASH, TRUE);
  g_setenv ("OG_VEIL_TEE_REFRESH_INTERVAL", "0", TRUE);
  g_setenv ("OG_VEIL_SESSION_STORE", "file", TRUE);
  g_setenv ("OG_VEIL_API_KEY", "a-secret-key", TRUE);
  settings = settings_new ();
  g_assert_cmpstr (settings->host, ==, "::1");
  g_assert_cmpuint (settings->port, ==, 1);
  g_assert_cmpstr (settings->tee_id, ==, HASH_NORMAL);
  g_assert_cmpuint (g_strv_length (settings->pcr_pins), ==, 2);
  g_assert_cmpstr (settings->pcr_pins[0], ==, HASH_NORMAL);
  g_assert_cmpstr (settings->pcr_pins[1], ==, HASH_NORMAL);
  g_assert_cmpuint (settings->refresh_interval, ==, 0);
  g_assert_cmpstr (settings->session_store, ==, "file");
  g_assert_cmpstr (settings->api_key, ==, "a-secret-key");
  path = veil_settings_get_session_path (settings);
  g_assert_cmpstr (path, ==, "/one/session.json");

  set_flag (settings, "home", "/two", NULL);
  set_flag (settings, "port", "2", "3");
  set_flag (settings, "answer-timeout", "7", NULL);
  set_flag (settings, "tee-id", "auto", NULL);
  set_flag (settings, "expected-pcr", HASH, NULL);
  g_assert_cmpstr (settings->home, ==, "/two");
  g_assert_cmpuint (settings->port, ==, 3);
  g_assert_cmpuint (settings->answer_timeout, ==, 7);
  g_assert_null (settings->tee_id);
  g_assert_cmpuint (g_strv_length (settings->pcr_pins), ==, 1);
  clear_environment ();
}

static void
test_empty_variable_is_unset (void)
{
  g_autoptr (VeilSettings) settings = NULL;

  clear_environment ();
  g_setenv ("OG_VEIL_PORT", "", TRUE);
  settings = settings_new ();
  g_assert_cmpuint (settings->port, ==, 11434);
  clear_environment ();
}

static void
test_bad_values (void)
{
  static const struct
  {
    const char *flag;
    const char *variable;
    const char *value;
  } bad[] = {
    { "port", "OG_VEIL_PORT", "65536" },
    { "port", "OG_VEIL_PORT", "-1" },
    { "port", "OG_VEIL_PORT", "80x" },
    { "host", "OG_VEIL_HOST", "example.org" },
    { "host", "OG_VEIL_HOST", "127.0.0.1:80" },
    { "tee-id", "OG_VEIL_TEE_ID", "0x12" },
    { "tee-id", "OG_VEIL_TEE_ID", HASH "0" },
    { "expected-pcr", "OG_VEIL_EXPECTED_PCR_HASH", "x" HASH },
    { "expected-pcr", "OG_VEIL_EXPECTED_PCR_HASH", HASH "," },
    { "refresh-interval", "OG_VEIL_TEE_REFRESH_INTERVAL", "5m" },
    { "answer-timeout", "OG_VEIL_ANSWER_TIMEOUT", "3601" },
    { "session-store", "OG_VEIL_SESSION_STORE", "disk" },
    { NULL, "OG_VEIL_API_KEY", "short" },
    { NULL, "OG_VEIL_API_KEY", "with a space" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (VeilSettings) settings = NULL;
      g_autoptr (GError) from_variable = NULL;
      g_autoptr (GError) from_flag = NULL;
      const char *values[] = { bad[i].value, NULL };

      clear_environment ();
      g_setenv (bad[i].variable, bad[i].value, TRUE);
      g_test_message ("%s=%s", bad[i].variable, bad[i].value);
      g_assert_null (veil_settings_new (&from_variable));
      g_assert_error (from_variable, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT);
      g_assert_nonnull (strstr (from_variable->message, bad[i].variable));
      clear_environment ();
      if (bad[i].flag == NULL)
        {
          /* A secret must not be repeated in a message that may end in a log. */
          g_assert_null (strstr (from_variable->message, bad[i].value));
          continue;
        }
      settings = settings_new ();
      g_assert_false (veil_settings_set_flag (settings, bad[i].flag, values, &from_flag));
      g_assert_error (from_flag, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT);
      g_assert_nonnull (strstr (from_flag->message, bad[i].flag));
    }
}

static void
test_url (void)
{
  static const char *const urls[][2] = {
    { "127.0.0.1", "http://127.0.0.1:8/v1" }, { "::1", "http://[::1]:8/v1" }, { "localhost", "http://localhost:8/v1" },
    { "0.0.0.0", "http://127.0.0.1:8/v1" },   { "::", "http://[::1]:8/v1" },
  };
  g_autoptr (VeilSettings) settings = NULL;

  clear_environment ();
  settings = settings_new ();
  for (guint i = 0; i < G_N_ELEMENTS (urls); i++)
    {
      g_autofree char *url = NULL;

      set_flag (settings, "host", urls[i][0], NULL);
      url = veil_settings_get_url (settings, 8);
      g_assert_cmpstr (url, ==, urls[i][1]);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/settings/defaults", test_defaults);
  g_test_add_func ("/settings/precedence", test_precedence);
  g_test_add_func ("/settings/empty-variable-is-unset", test_empty_variable_is_unset);
  g_test_add_func ("/settings/bad-values", test_bad_values);
  g_test_add_func ("/settings/url", test_url);
  return g_test_run ();
}
