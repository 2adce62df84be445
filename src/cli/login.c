/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* og-veil login --manual and logout. */
#include "cli.h"

#include "paste.h"
#include "session-file.h"
#include "veil-error.h"

static const char *const flags[] = { "home", "session-store", NULL };

static gboolean
sign_in (const VeilSettings *settings, GError **error)
{
  g_autofree char *path = veil_settings_get_session_path (settings);
  g_autofree char *shown = g_filename_display_name (path);
  g_autoptr (VeilSession) session = NULL;
  g_autoptr (GBytes) text =
      veil_cli_read_paste ("Paste the code that the sign-in page shows (it stays invisible; Ctrl-C gives up):",
                           VEIL_SESSION_MAX_BYTES, error);
  gsize length;
  const char *data;

  if (text == NULL)
    return FALSE;
  data = g_bytes_get_data (text, &length);
  session = veil_session_new_from_bundle (length > 0 ? data : "", length, g_get_real_time () / G_USEC_PER_SEC, error);
  if (session == NULL || !veil_session_check_can_serve (session, error) || !veil_session_file_save (path, session, error))
    return FALSE;
  g_print ("signed in%s%s; the session is kept in %s\n", session->email != NULL ? " as " : "",
           session->email != NULL ? session->email : "", shown);
  g_print ("relay    %s\nregistry %s, contract %s\n", session->relay_url, session->registry_rpc_url, session->registry_address);
  return TRUE;
}

VeilExit
veil_command_login (int argc, char **argv)
{
  gboolean manual = FALSE;
  const GOptionEntry entries[] = {
    { "manual", 0, 0, G_OPTION_ARG_NONE, &manual, "Read the pasted bundle from standard input", NULL },
    { NULL },
  };
  g_autoptr (VeilSettings) settings = veil_cli_parse ("login", NULL, entries, flags, &argc, &argv);
  g_autoptr (GError) error = NULL;

  if (settings == NULL)
    return VEIL_EXIT_USAGE;
  if (argc > 1)
    return veil_cli_fail_usage ("login takes no argument \"%s\"", argv[1]);
  if (!manual)
    return veil_cli_fail_usage ("signing in through the browser is not supported yet; use `og-veil login --manual`");
  if (!g_str_equal (settings->session_store, "file"))
    return veil_cli_fail_usage ("the keyring is not supported yet; use `--session-store file`");
  return sign_in (settings, &error) ? VEIL_EXIT_OK : veil_cli_fail (error);
}

VeilExit
veil_command_logout (int argc, char **argv)
{
  g_autoptr (VeilSettings) settings = veil_cli_parse ("logout", NULL, NULL, flags, &argc, &argv);
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;

  if (settings == NULL)
    return VEIL_EXIT_USAGE;
  if (argc > 1)
    return veil_cli_fail_usage ("logout takes no argument \"%s\"", argv[1]);
  path = veil_settings_get_session_path (settings);
  if (!veil_session_file_clear (path, &error))
    return veil_cli_fail (error);
  g_print ("signed out\n");
  return VEIL_EXIT_OK;
}
