/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Where this program came from, and so how it is updated. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  VEIL_INSTALLED_BY_FLATPAK,
  VEIL_INSTALLED_BY_PACKAGE, /* of the distribution */
  VEIL_INSTALLED_FROM_CLONE, /* built in a clone of the repository, and still there */
  VEIL_INSTALLED_BY_HAND,    /* anything else */
} VeilInstallationKind;

typedef struct
{
  VeilInstallationKind kind;
  char *program; /* owned; this program's file, links followed */
  char *package; /* owned; of PACKAGE */
  char *command; /* owned; what a person types to update: not of CLONE */
  char *clone;   /* owned; of CLONE: its folder */
  char *build;   /* owned; of CLONE: the build folder in it */
  gboolean installs; /* of CLONE: the program was installed from the build folder into the clone, and does not run in it */
} VeilInstallation;

/* Asks the package managers that are there, which changes nothing and needs no privilege. Blocks meanwhile. */
VeilInstallation *veil_installation_find (void);
void              veil_installation_free (VeilInstallation *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilInstallation, veil_installation_free)

G_END_DECLS
