/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* og-veil key: what callers of the endpoint must have. Never on the command line, which other processes can read. */
#include "cli.h"

#include "api-key-store.h"
#include "running.h"
#include "secret.h"
#include "settings-file.h"
#include "terminal.h"
#include "veil-error.h"

#include <glib/gi18n.h>
#include <string.h>

static void
on_ready (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

static gboolean
save (const VeilSettings *settings, const char *key, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  veil_api_key_save_async (settings->session_store, settings->home, key, VEIL_STORE_MAY_PROMPT, NULL, on_ready, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return veil_api_key_save_finish (result, error);
}

static GVariant *
set_required (GVariant *old, gpointer required, GError **error)
{
  return g_variant_new_boolean (required != NULL);
}

/* A running server takes the change of the settings as news of the key, too. */
static gboolean
require (const VeilSettings *settings, gboolean required, GError **error)
{
  return veil_settings_file_change (settings, "require-api-key", set_required, GINT_TO_POINTER (required), error);
}

static char *
ask_for_key (GError **error)
{
  char *key = veil_terminal_ask_secret (_ ("API key (it stays invisible): "), VEIL_API_KEY_MAX_LENGTH);
  const char *wrong = key != NULL ? veil_api_key_check (key) : NULL;

  if (key == NULL)
    g_set_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT,
                 _ ("No key was given, and nothing is changed; `og-veil key --help` tells more"));
  else if (wrong != NULL)
    /* Translators: a sentence says what is wrong, as in "An API key has at least 8 characters" */
    g_set_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT, _ ("%s; nothing is changed, `og-veil key --help` tells more"),
                 wrong);
  else
    return key;
  veil_secret_free (key);
  return NULL;
}

static char *
load (const VeilSettings *settings)
{
  g_autoptr (GAsyncResult) result = NULL;

  veil_api_key_load_async (settings->session_store, settings->home, VEIL_STORE_MAY_PROMPT, NULL, on_ready, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return veil_api_key_load_finish (result, NULL);
}

/* Both or neither: a key that the server is not told of would be another one with its next start. */
static gboolean
save_and_require (const VeilSettings *settings, const char *key, GError **error)
{
  char *former = load (settings);
  gboolean saved = save (settings, key, error);
  gboolean done = saved && require (settings, TRUE, error);

  if (saved && !done)
    save (settings, former, NULL);
  veil_secret_free (former);
  return done;
}

static VeilExit
set (const VeilSettings *settings)
{
  g_autoptr (GError) error = NULL;
  char *key = ask_for_key (&error);
  gboolean done = key != NULL && save_and_require (settings, key, &error);

  veil_secret_free (key);
  if (!done)
    return veil_cli_fail (error);
  g_print (_ ("The endpoint requires this key from now on\n"));
  if (settings->api_key != NULL)
    g_printerr (_ ("og-veil: OG_VEIL_API_KEY is set here; a server that is started with it requires that key instead\n"));
  return VEIL_EXIT_OK;
}

static VeilExit
clear (const VeilSettings *settings)
{
  g_autoptr (GError) error = NULL;

  if (!require (settings, FALSE, &error) || !save (settings, NULL, &error))
    return veil_cli_fail (error);
  g_print (_ ("The endpoint requires no key from now on\n"));
  return VEIL_EXIT_OK;
}

static VeilExit
show (const VeilSettings *settings)
{
  g_autoptr (GError) error = NULL;
  char *key = veil_running_load_key (settings, TRUE, &error);

  if (error != NULL)
    return veil_cli_fail (error);
  if (key == NULL)
    {
      g_printerr (_ ("og-veil: There is no API key; set one with `og-veil key set`\n"));
      return VEIL_EXIT_FAILURE;
    }
  g_print ("%s\n", key);
  veil_secret_free (key);
  return VEIL_EXIT_OK;
}

VeilExit
veil_command_key (int argc, char **argv)
{
  static const char *const flags[] = { "home", "session-store", NULL };
  g_autoptr (VeilSettings) settings = veil_cli_parse ("key", NULL, flags, &argc, &argv);

  if (settings == NULL)
    return VEIL_EXIT_USAGE;
  if (argc == 2 && g_str_equal (argv[1], "set"))
    return set (settings);
  if (argc == 2 && g_str_equal (argv[1], "clear"))
    return clear (settings);
  if (argc == 2 && g_str_equal (argv[1], "show"))
    return show (settings);
  return veil_cli_fail_usage (_ ("key takes \"set\", \"clear\" or \"show\""));
}
