/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "installation.h"

#include <string.h>

/* In the order in which they are asked: another system's manager may be installed beside the system's own. */
static const struct
{
  const char *question[5]; /* who owns the file whose path follows; answered on the first line */
  const char *tool;        /* that updates; NULL: always there with the manager */
  const char *update;      /* what a person types, before the package's name */
} managers[] = {
  { { "dpkg-query", "-S", NULL }, NULL, "sudo apt update && sudo apt install --only-upgrade" },
  { { "rpm", "-qf", "--queryformat", "%{NAME}\\n", NULL }, "dnf", "sudo dnf upgrade" },
  { { "rpm", "-qf", "--queryformat", "%{NAME}\\n", NULL }, "zypper", "sudo zypper update" },
  { { "pacman", "-Qqo", NULL }, NULL, "sudo pacman -Syu" },
};

static gboolean
is_there (const char *tool)
{
  g_autofree char *path = g_find_program_in_path (tool);

  return path != NULL;
}

/* The package's name from "veil:amd64, other: /usr/bin/og-veil" or "veil"; NULL if the answer is something else. */
static char *
read_package (const char *answer)
{
  gsize length = strspn (answer, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+._-");

  if (length == 0 || length > 200 || *answer == '-' || strchr (":,\n", answer[length]) == NULL)
    return NULL;
  return g_strndup (answer, length);
}

static char *
ask_manager (const char *const *question, const char *path)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) argv = NULL;
  g_autofree char *answer = NULL;
  int status;

  g_strv_builder_addv (builder, (const char **) question);
  g_strv_builder_add (builder, path);
  argv = g_strv_builder_end (builder);
  if (!g_spawn_sync (NULL, argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &answer, NULL, &status,
                     NULL) ||
      !g_spawn_check_wait_status (status, NULL))
    return NULL;
  return read_package (answer);
}

static gboolean
find_package (VeilInstallation *self)
{
  for (guint i = 0; i < G_N_ELEMENTS (managers); i++)
    {
      if (!is_there (managers[i].question[0]) || (managers[i].tool != NULL && !is_there (managers[i].tool)))
        continue;
      self->package = ask_manager (managers[i].question, self->program);
      if (self->package == NULL)
        continue;
      self->kind = VEIL_INSTALLED_BY_PACKAGE;
      self->command = g_strdup_printf ("%s %s", managers[i].update, self->package);
      return TRUE;
    }
  return FALSE;
}

static gboolean
holds (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static gboolean
is_clone (const char *folder)
{
  return holds (folder, ".git") && holds (folder, "meson.build") && holds (folder, "build-aux/run") &&
         holds (folder, "data/ai.opengradient.Veil.gschema.xml");
}

/* In a clone, build-aux/run installs from _build/run into _build/root; other builds run where they were built. */
static gboolean
find_clone (VeilInstallation *self)
{
  g_autofree char *folder = g_path_get_dirname (self->program);
  g_autofree char *build = NULL;

  while (!is_clone (folder))
    {
      char *parent;

      if (build == NULL && holds (folder, "build.ninja"))
        build = g_strdup (folder);
      parent = g_path_get_dirname (folder);
      if (g_str_equal (parent, folder))
        {
          g_free (parent);
          return FALSE;
        }
      g_free (folder);
      folder = parent;
    }
  if (build == NULL)
    {
      self->installs = TRUE;
      build = g_build_filename (folder, "_build", "run", NULL);
      if (!holds (build, "build.ninja"))
        return FALSE;
    }
  self->kind = VEIL_INSTALLED_FROM_CLONE;
  self->clone = g_steal_pointer (&folder);
  self->build = g_steal_pointer (&build);
  return TRUE;
}

VeilInstallation *
veil_installation_find (void)
{
  g_autoptr (VeilInstallation) self = g_new0 (VeilInstallation, 1);

  self->program = g_file_read_link ("/proc/self/exe", NULL);
  if (self->program == NULL)
    self->program = g_strdup ("og-veil");
  if (g_getenv ("FLATPAK_ID") != NULL || g_file_test ("/.flatpak-info", G_FILE_TEST_EXISTS))
    {
      self->kind = VEIL_INSTALLED_BY_FLATPAK;
      self->command = g_strdup ("flatpak update ai.opengradient.Veil");
    }
  else if (!find_package (self) && !find_clone (self))
    {
      self->kind = VEIL_INSTALLED_BY_HAND;
      self->command = g_strdup ("git pull --ff-only && meson install -C BUILD");
    }
  return g_steal_pointer (&self);
}

void
veil_installation_free (VeilInstallation *self)
{
  if (self == NULL)
    return;
  g_free (self->program);
  g_free (self->package);
  g_free (self->command);
  g_free (self->clone);
  g_free (self->build);
  g_free (self);
}
