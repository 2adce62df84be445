/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "complete.h"

#include "instance.h"
#include "settings-file.h"

#include <string.h>

#define LISTING_MS 3000 /* nobody waits longer for what may come next */

/* The settings of the home that the words name, or NULL: completion says nothing about what is wrong. */
static VeilSettings *
load_settings (const char *home)
{
  const char *const values[] = { home, NULL };
  g_autoptr (VeilSettings) settings = veil_settings_new (NULL);
  g_autoptr (VeilInstanceInfo) running = NULL;

  if (settings == NULL || (home != NULL && !veil_settings_set_flag (settings, "home", values, NULL)))
    return NULL;
  running = veil_instance_find (settings->home, NULL);
  settings->sandbox = running != NULL && running->sandbox;
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
on_listed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

static gboolean
on_too_late (gpointer process)
{
  g_subprocess_force_exit (process);
  return G_SOURCE_CONTINUE;
}

/* What `og-veil tees --json` prints; NULL if nobody runs in the home, for then the keyring might have to be unlocked, or it
 * takes too long. */
static VeilJsonDoc *
list_tees (const VeilSettings *settings)
{
  g_autoptr (VeilInstanceInfo) running = veil_instance_find (settings->home, NULL);
  g_autoptr (GSubprocess) process = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GBytes) text = NULL;
  guint timer;

  if (running == NULL)
    return NULL;
  process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, NULL, "/proc/self/exe", "tees",
                              "--json", "--home", settings->home, NULL);
  if (process == NULL)
    return NULL;
  timer = g_timeout_add (LISTING_MS, on_too_late, process);
  g_subprocess_communicate_async (process, NULL, NULL, on_listed, (gpointer) &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (timer);
  if (!g_subprocess_communicate_finish (process, result, &text, NULL, NULL) || text == NULL || g_bytes_get_size (text) == 0)
    return NULL;
  return veil_json_doc_new (g_bytes_get_data (text, NULL), g_bytes_get_size (text), NULL);
}

/* @member: of the objects of the array @array. */
static void
print_listed (const VeilSettings *settings, const char *prefix, const char *array, const char *member, const char *description)
{
  g_autoptr (VeilJsonDoc) doc = list_tees (settings);
  const VeilJson *rows = doc != NULL ? veil_json_get_member (veil_json_doc_get_root (doc), array) : NULL;

  for (guint i = 0; rows != NULL && i < veil_json_get_size (rows); i++)
    {
      const VeilJson *row = veil_json_get_element (rows, i);
      const char *value = veil_json_get_string (veil_json_get_member (row, member), NULL);
      const char *about = veil_json_get_string (veil_json_get_member (row, description), NULL);
      g_autofree char *printable = veil_cli_printable (about != NULL ? about : "");

      if (value != NULL)
        g_print ("%s%s\t%s\n", prefix, value, g_strdelimit (printable, "\n\t", ' '));
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
    {
      print_pins (settings, prefix);
      print_listed (settings, prefix, "builds", "pcr_hash", "version");
    }
  else if (strcmp (name, "ID") == 0 && (settings = load_settings (home)) != NULL)
    print_listed (settings, prefix, "tees", "tee_id", "endpoint");
}
