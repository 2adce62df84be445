/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* og-veil update: how this installation is updated, and doing it where that needs no privilege. */
#include "cli.h"

#include "installation.h"
#include "veil-error.h"

#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <unistd.h>

/* Shows it and runs it in @folder; what it says goes where ours goes. */
static gboolean
run (const char *folder, const char *const *argv, GError **error)
{
  g_autofree char *shown = g_strjoinv (" ", (char **) argv);
  g_autoptr (GError) local_error = NULL;
  int status;

  g_print ("+ %s\n", shown);
  if (g_spawn_sync (folder, (char **) argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL, NULL, NULL,
                    &status, &local_error) &&
      g_spawn_check_wait_status (status, &local_error))
    return TRUE;
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_INTERNAL, _ ("`%s` in %s did not work (%s); what it printed says why"), shown, folder,
               local_error->message);
  return FALSE;
}

static gboolean
belongs_to_us (const char *folder)
{
  GStatBuf info;

  return g_stat (folder, &info) == 0 && info.st_uid == geteuid ();
}

static VeilExit
update_clone (const VeilInstallation *installation, gboolean dry_run)
{
  const char *const pull[] = { "git", "pull", "--ff-only", NULL };
  const char *const build[] = { "ninja", "-C", installation->build, NULL };
  const char *const install[] = { "meson", "install", "-C", installation->build, "--quiet", NULL };
  const char *const *make = installation->installs ? install : build;
  g_autofree char *made = g_strjoinv (" ", (char **) make);
  g_autoptr (GError) error = NULL;

  g_print (_ ("Veil was built from source in %s. To update it there:\n\n  git pull --ff-only && %s\n\n"), installation->clone,
           made);
  if (dry_run)
    return VEIL_EXIT_OK;
  if (geteuid () == 0 || !belongs_to_us (installation->clone))
    {
      g_print (_ ("Do that as the owner of the clone: nothing is run as root, nor in somebody else's folder.\n"));
      return VEIL_EXIT_OK;
    }
  if (!run (installation->clone, pull, &error) || !run (installation->clone, make, &error))
    return veil_cli_fail (error);
  g_print (_ ("Veil is up to date; what runs already goes on with the version it was started with.\n"));
  return VEIL_EXIT_OK;
}

VeilExit
veil_command_update (int argc, char **argv)
{
  static const char *const flags[] = { NULL };
  gboolean dry_run = FALSE;
  const GOptionEntry entries[] = {
    { "dry-run", 'n', 0, G_OPTION_ARG_NONE, &dry_run, N_ ("Only say how"), NULL },
    { NULL },
  };
  g_autoptr (VeilSettings) settings = veil_cli_parse ("update", entries, flags, &argc, &argv);
  g_autoptr (VeilInstallation) installation = NULL;

  if (settings == NULL)
    return VEIL_EXIT_USAGE;
  if (argc > 1)
    return veil_cli_fail_usage (_ ("%s takes no argument \"%s\""), "update", argv[1]);
  installation = veil_installation_find ();
  switch (installation->kind)
    {
    case VEIL_INSTALLED_FROM_CLONE:
      return update_clone (installation, dry_run);
    case VEIL_INSTALLED_BY_FLATPAK:
      g_print (_ ("Veil is installed as a Flatpak. To update it, outside of it:\n\n  %s\n"), installation->command);
      break;
    case VEIL_INSTALLED_BY_PACKAGE:
      g_print (_ ("Veil is the package \"%s\" of this system. To update it:\n\n  %s\n"), installation->package,
               installation->command);
      break;
    case VEIL_INSTALLED_BY_HAND:
    default:
      g_print (_ ("%s belongs to no package. To update it, in the folder it was built in:\n\n  %s\n"), installation->program,
               installation->command);
      break;
    }
  return VEIL_EXIT_OK;
}
