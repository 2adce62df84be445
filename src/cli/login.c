/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* og-veil login --manual and logout. */
#include "cli.h"

#include "secret.h"
#include "session-file.h"
#include "veil-error.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const char *const flags[] = { "home", "session-store", NULL };

/* The pasted bundle: all of standard input, or one line of a terminal. */
static GByteArray *
read_bundle (GError **error)
{
  GByteArray *text = g_byte_array_new ();
  gboolean line_only = isatty (STDIN_FILENO);
  char piece[4096];
  gssize n;

  while ((n = read (STDIN_FILENO, piece, sizeof piece)) != 0)
    {
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          g_set_error (error, VEIL_ERROR, VEIL_ERROR_BUNDLE, "Standard input cannot be read: %s", g_strerror (errno));
          break;
        }
      veil_secret_byte_array_append (text, piece, n);
      if (text->len > VEIL_SESSION_MAX_BYTES)
        {
          g_set_error (error, VEIL_ERROR, VEIL_ERROR_BUNDLE,
                       "This is too long for a login bundle; copy the code from the page again");
          break;
        }
      if (line_only && memchr (piece, '\n', n) != NULL)
        break;
    }
  veil_secret_wipe (piece, sizeof piece);
  if (*error != NULL)
    g_clear_pointer (&text, veil_secret_byte_array_unref);
  return text;
}

static gboolean
sign_in (const VeilSettings *settings, GError **error)
{
  g_autofree char *path = veil_settings_get_session_path (settings);
  g_autoptr (VeilSession) session = NULL;
  GByteArray *text;

  if (isatty (STDIN_FILENO))
    g_printerr ("Paste the code that the sign-in page shows, then press Enter:\n");
  text = read_bundle (error);
  if (text == NULL)
    return FALSE;
  session = veil_session_new_from_bundle ((const char *) text->data, text->len, g_get_real_time () / G_USEC_PER_SEC, error);
  veil_secret_byte_array_unref (text);
  if (session == NULL || !veil_session_check_can_serve (session, error) || !veil_session_file_save (path, session, error))
    return FALSE;
  g_print ("signed in%s%s; the session is kept in %s\n", session->email != NULL ? " as " : "",
           session->email != NULL ? session->email : "", path);
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
