/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* og-veil login and logout. */
#include "cli.h"

#include "sign-in.h"
#include "veil-error.h"

#include <glib/gi18n.h>

typedef struct
{
  gboolean manual;
  gboolean no_browser;
  gboolean import;
  gboolean trust_new;
} Options;

/* A keyring that cannot be used is better noticed before the person has signed in than after. */
static gboolean
look_into_store (VeilTokenStore *store, gboolean *first, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  VeilSession *session = veil_sign_in_load (store, &local_error);

  g_clear_pointer (&session, veil_session_unref);
  *first = g_error_matches (local_error, VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN);
  if (!g_error_matches (local_error, VEIL_ERROR, VEIL_ERROR_STORE))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local_error));
  g_prefix_error (
      error,
      _ ("The session could not be kept, so signing in now would not last (`og-veil serve -f --login` signs in for one run): "));
  return FALSE;
}

static VeilSession *
get_session (const VeilSettings *settings, const Options *options, gboolean first, GError **error)
{
  VeilSession *session = NULL;
  g_autoptr (GError) local_error = NULL;

  if (options->import || (first && !options->manual))
    session = veil_sign_in_with_python (options->import, &local_error);
  if (local_error != NULL)
    g_propagate_error (error, g_steal_pointer (&local_error));
  else if (session == NULL && options->manual)
    session = veil_sign_in_with_paste (error);
  else if (session == NULL)
    session = veil_sign_in_with_browser (settings, !options->no_browser, error);
  return session;
}

static gboolean
sign_in (const VeilSettings *settings, const Options *options, GError **error)
{
  g_autoptr (VeilTokenStore) store = veil_token_store_new (settings->session_store, settings->home);
  g_autofree char *where = veil_token_store_describe (store);
  g_autoptr (VeilSession) session = NULL;
  gboolean first = TRUE;

  /* A file that is no session is replaced. */
  if (!g_str_equal (settings->session_store, "file") && !look_into_store (store, &first, error))
    return FALSE;
  if (g_str_equal (settings->session_store, "file"))
    first = !g_file_test (where, G_FILE_TEST_EXISTS);
  session = get_session (settings, options, first, error);
  if (session == NULL || !veil_sign_in_commit (settings, store, session, options->trust_new, error))
    return FALSE;
  veil_sign_in_print (session, where);
  return TRUE;
}

VeilExit
veil_command_login (int argc, char **argv)
{
  static const char *const flags[] = { "home", "session-store", "app-url", NULL };
  Options options = { FALSE };
  const GOptionEntry entries[] = {
    { "no-browser", 0, 0, G_OPTION_ARG_NONE, &options.no_browser,
      N_ ("Print the address of the sign-in page instead of opening it"), NULL },
    { "manual", 0, 0, G_OPTION_ARG_NONE, &options.manual, N_ ("Read the pasted bundle from standard input"), NULL },
    { "import", 0, 0, G_OPTION_ARG_NONE, &options.import, N_ ("Take over the session of the Python client"), NULL },
    { "trust-new-network", 0, 0, G_OPTION_ARG_NONE, &options.trust_new,
      N_ ("Consent to a relay or registry other than that of the first sign-in"), NULL },
    { NULL },
  };
  g_autoptr (VeilSettings) settings = veil_cli_parse ("login", entries, flags, &argc, &argv);
  g_autoptr (GError) error = NULL;

  if (settings == NULL)
    return VEIL_EXIT_USAGE;
  if (argc > 1)
    return veil_cli_fail_usage (_ ("%s takes no argument \"%s\""), "login", argv[1]);
  if (options.manual + options.no_browser + options.import > 1)
    return veil_cli_fail_usage (_ ("--manual, --no-browser and --import are different ways to sign in; choose one"));
  return sign_in (settings, &options, &error) ? VEIL_EXIT_OK : veil_cli_fail (error);
}

VeilExit
veil_command_logout (int argc, char **argv)
{
  static const char *const flags[] = { "home", "session-store", NULL };
  g_autoptr (VeilSettings) settings = veil_cli_parse ("logout", NULL, flags, &argc, &argv);
  g_autoptr (VeilTokenStore) store = NULL;
  g_autoptr (GError) error = NULL;

  if (settings == NULL)
    return VEIL_EXIT_USAGE;
  if (argc > 1)
    return veil_cli_fail_usage (_ ("%s takes no argument \"%s\""), "logout", argv[1]);
  store = veil_token_store_new (settings->session_store, settings->home);
  if (!veil_sign_in_commit (settings, store, NULL, FALSE, &error))
    return veil_cli_fail (error);
  g_print (_ ("signed out\n"));
  return VEIL_EXIT_OK;
}
