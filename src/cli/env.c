/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* og-veil env: the lines for `eval "$(og-veil env)"`. */
#include "cli.h"

#include "running.h"
#include "serve.h"

#include <glib/gi18n.h>

VeilExit
veil_command_env (int argc, char **argv)
{
  static const char *const flags[] = { "home", "host", "port", NULL };
  g_autoptr (VeilSettings) settings = veil_cli_parse ("env", NULL, flags, &argc, &argv);
  g_autofree char *url = NULL;
  g_autofree char *show = NULL;
  g_autoptr (GError) error = NULL;

  if (settings == NULL)
    return VEIL_EXIT_USAGE;
  if (argc > 1)
    return veil_cli_fail_usage (_ ("%s takes no argument \"%s\""), "env", argv[1]);
  url = veil_running_get_url (settings, &error);
  if (url == NULL)
    return veil_cli_fail (error);
  /* The key is never printed: the shell has it already, or asks for it when it gets there. Without one, SDKs still want some value. */
  show = veil_serve_command (settings, "key show");
  g_print ("export OPENAI_BASE_URL=%s\n", url);
  if (settings->api_key != NULL)
    g_print ("export OPENAI_API_KEY=\"$OG_VEIL_API_KEY\"\n");
  else if (settings->require_api_key)
    g_print ("export OPENAI_API_KEY=\"$(%s)\"\n", show);
  else
    g_print ("export OPENAI_API_KEY=veil\n");
  return VEIL_EXIT_OK;
}
