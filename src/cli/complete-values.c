/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "complete.h"

#include "settings-file.h"

#include <string.h>

/* The settings of the home that the words name, or NULL: completion says nothing about what is wrong. */
static VeilSettings *
load_settings (const char *home)
{
  const char *const values[] = { home, NULL };
  g_autoptr (VeilSettings) settings = veil_settings_new (NULL);

  if (settings == NULL || (home != NULL && !veil_settings_set_flag (settings, "home", values, NULL)))
    return NULL;
  return veil_settings_file_resolve (settings, NULL);
}

static void
print_models (const char *prefix)
{
  g_autofree char *path = veil_settings_find_models ();
  g_autofree char *text = NULL;
  g_autoptr (VeilJsonDoc) doc = NULL;
  const VeilJson *models;
  gsize length;

  if (!g_file_get_contents (path, &text, &length, NULL) || (doc = veil_json_doc_new (text, length, NULL)) == NULL)
    return;
  models = veil_json_get_member (veil_json_doc_get_root (doc), "models");
  for (guint i = 0; i < veil_json_get_size (models); i++)
    {
      const VeilJson *model = veil_json_get_element (models, i);
      const char *id = veil_json_get_string (veil_json_get_member (model, "id"), NULL);
      const char *provider = veil_json_get_string (veil_json_get_member (model, "provider"), NULL);

      if (id != NULL)
        g_print ("%s%s\t%s\n", prefix, id, provider != NULL ? provider : "");
    }
}

static void
print_pins (const VeilSettings *settings, const char *prefix)
{
  g_autoptr (GVariant) pins = veil_settings_file_get (settings, "pcr-pins", NULL);
  GVariantIter iter;
  const char *hash, *label;

  if (pins == NULL)
    return;
  g_variant_iter_init (&iter, pins);
  while (g_variant_iter_next (&iter, "(&s&s)", &hash, &label))
    {
      g_autofree char *printable = veil_cli_printable (label);

      g_print ("%s%s\t%s\n", prefix, hash, g_strdelimit (printable, "\n\t", ' '));
    }
}

static void
print_fixed (const char *prefix, const char *const *values)
{
  for (; *values != NULL; values++)
    g_print ("%s%s\t\n", prefix, *values);
}

void
veil_complete_values (const char *name, const char *prefix, const char *home)
{
  static const char *const stores[] = { "keyring", "file", NULL };
  static const char *const addresses[] = { "127.0.0.1", "::1", "localhost", NULL };
  g_autoptr (VeilSettings) settings = NULL;

  if (strcmp (name, "DIR") == 0)
    g_print (":directories\n");
  else if (strcmp (name, "FILE") == 0)
    g_print (":files\n");
  else if (strcmp (name, "STORE") == 0)
    print_fixed (prefix, stores);
  else if (strcmp (name, "ADDRESS") == 0)
    print_fixed (prefix, addresses);
  else if (strcmp (name, "NAME") == 0)
    print_models (prefix);
  else if (strcmp (name, "HASH") == 0 && (settings = load_settings (home)) != NULL)
    print_pins (settings, prefix);
}
