/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What menu-bus.c sees of a menu. */
#pragma once

#include "menu-item.h"
#include "tray-dbus.h"
#include "tray-menu.h"

G_BEGIN_DECLS

struct _VeilTrayMenu
{
  GObject       parent;
  GMenuModel   *menu;
  GActionGroup *actions;
  char         *prefix;
  GPtrArray    *models; /* every one below menu, watched */
  VeilMenuItem *tree;
  GHashTable   *index; /* numbers to items of tree */
  gint32        next;  /* the next new number */
  guint         revision;
  guint         shown_revision; /* the last one that anybody read */
  guint         update_source;
  VeilDBusMenu *skeleton;
};

/* Makes the skeleton's methods those of @self. */
void veil_tray_menu_connect (VeilTrayMenu *self);
/* Takes up now what has changed. */
void veil_tray_menu_update (VeilTrayMenu *self);

G_END_DECLS
