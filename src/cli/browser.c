/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "browser.h"

#include <glib/gi18n.h>

static void
complain (void)
{
  g_printerr (
      _ ("No browser could be opened: visit the address above with one on this machine, or use `og-veil login --manual`.\n"));
}

static void
on_portal (GObject *source, GAsyncResult *result, gpointer user_data)
{
  if (!g_app_info_launch_default_for_uri_finish (result, NULL))
    complain ();
}

static void
on_ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  if (!g_subprocess_wait_check_finish (G_SUBPROCESS (source), result, NULL))
    complain ();
}

void
veil_browser_open (const char *url)
{
  g_autoptr (GSubprocessLauncher) launcher = NULL;
  g_autoptr (GSubprocess) process = NULL;

  if (!g_file_test ("/.flatpak-info", G_FILE_TEST_EXISTS))
    {
      launcher = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
      g_subprocess_launcher_unsetenv (launcher, "OG_VEIL_API_KEY");
      process = g_subprocess_launcher_spawn (launcher, NULL, "xdg-open", url, NULL);
    }
  if (process != NULL)
    g_subprocess_wait_check_async (process, NULL, on_ended, NULL);
  else
    g_app_info_launch_default_for_uri_async (url, NULL, NULL, on_portal, NULL);
}
