/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* An icon in the tray, with a menu (org.kde.StatusNotifierItem). It registers by the bus name that every connection has, so that a sandbox need only let it talk to
 * org.kde.StatusNotifierWatcher, and again whenever a panel comes back. */
#pragma once

#include "tray-menu.h"

G_BEGIN_DECLS

#define VEIL_TYPE_TRAY (veil_tray_get_type ())
G_DECLARE_FINAL_TYPE (VeilTray, veil_tray, VEIL, TRAY, GObject)

/**
 * VeilTray:hosted:
 *
 * Whether some panel shows the icon now.
 *
 * Signals:
 *
 * "activate" (const char *token): the icon was clicked, or its menu wanted by a panel that cannot show it. @token (nullable) lets a
 *   window take the focus (xdg-activation).
 * "secondary-activate" (const char *token): the middle button
 * "scroll" (int delta, gboolean vertical)
 * "no-host": once, when for the grace time no panel has shown the icon and none ever had before
 */

/* @id: of the application. @icon_path: (nullable): a folder of icons that no installed theme has. */
VeilTray *veil_tray_new (GDBusConnection *bus, const char *id, const char *icon_path);

void      veil_tray_set_title (VeilTray *self, const char *title);
/* @description: what it shows, for those who do not see it */
void      veil_tray_set_icon (VeilTray *self, const char *icon, const char *description);
void      veil_tray_set_tooltip (VeilTray *self, const char *title, const char *text);
/* Panels may make the icon stand out while it needs attention. */
void      veil_tray_set_attention (VeilTray *self, gboolean attention);

/* Puts the item on the bus and registers it whenever there is somebody to register it with. @grace_ms: see "no-host". */
gboolean  veil_tray_start (VeilTray *self, VeilTrayMenu *menu, guint grace_ms, GError **error);
/* Takes the icon away. */
void      veil_tray_stop (VeilTray *self);

gboolean  veil_tray_get_hosted (VeilTray *self);

G_END_DECLS
