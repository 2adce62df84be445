/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* og-veil models: what the networks' gateways announce. */
#include "cli.h"

#include "json-writer.h"
#include "veil-error.h"

#include <glib/gi18n.h>

static void
print_plain (const VeilJson *models)
{
  for (guint i = 0; i < veil_json_get_size (models); i++)
    {
      const char *id = veil_json_get_string (veil_json_get_member (veil_json_get_element (models, i), "id"), NULL);

      if (id != NULL)
        g_print ("%s\n", id);
    }
}

static void
print_json (const VeilJson *models)
{
  g_autoptr (GBytes) text = veil_json_to_bytes (models, VEIL_JSON_COMPACT);
  gsize length;
  const char *data = g_bytes_get_data (text, &length);

  g_print ("%.*s\n", (int) length, data);
}

VeilExit
veil_command_models (int argc, char **argv)
{
  static const char *const flags[] = { "home", NULL };
  gboolean json = FALSE;
  const GOptionEntry entries[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &json, N_ ("An array of objects with id, provider and kind"), NULL },
    { NULL },
  };
  g_autoptr (VeilSettings) settings = veil_cli_parse ("models", entries, flags, &argc, &argv);
  g_autofree char *path = veil_settings_find_models ();
  g_autofree char *text = NULL;
  g_autoptr (VeilJsonDoc) doc = NULL;
  g_autoptr (GError) error = NULL;
  const VeilJson *models;
  gsize length;

  if (settings == NULL)
    return VEIL_EXIT_USAGE;
  if (argc > 1)
    return veil_cli_fail_usage (_ ("%s takes no argument \"%s\""), "models", argv[1]);
  if (!g_file_get_contents (path, &text, &length, &error) || (doc = veil_json_doc_new (text, length, &error)) == NULL)
    {
      g_prefix_error (&error, _ ("The list of models cannot be read: "));
      return veil_cli_fail (error);
    }
  models = veil_json_get_member (veil_json_doc_get_root (doc), "models");
  if (json)
    print_json (models);
  else
    print_plain (models);
  return VEIL_EXIT_OK;
}
