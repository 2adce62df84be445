/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A GMenuModel and its actions as a menu that other programs show (com.canonical.dbusmenu): labels with mnemonics, check and radio items from the
 * actions' state, submenus, sections, sensitivity, icon names and "hidden-when" as in GTK's menus. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define VEIL_TYPE_TRAY_MENU (veil_tray_menu_get_type ())
G_DECLARE_FINAL_TYPE (VeilTrayMenu, veil_tray_menu, VEIL, TRAY_MENU, GObject)

/* @prefix: what names the group in the menu's actions, "app" for "app.quit" */
VeilTrayMenu *veil_tray_menu_new (GMenuModel *menu, GActionGroup *actions, const char *prefix);

/* Where icons are that no installed theme has (nullable), and which way the language of the labels is read. */
void          veil_tray_menu_set_icon_path (VeilTrayMenu *self, const char *path);
void          veil_tray_menu_set_right_to_left (VeilTrayMenu *self, gboolean right_to_left);

/* New string: @text, which may come from outside, as a label that shows it: no mnemonics, no control characters, one line of a bearable length. */
char         *veil_tray_menu_escape (const char *text);

gboolean      veil_tray_menu_export (VeilTrayMenu *self, GDBusConnection *bus, const char *path, GError **error);
void          veil_tray_menu_unexport (VeilTrayMenu *self);

G_END_DECLS
