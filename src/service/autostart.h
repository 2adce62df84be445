/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Starting at login (product.md section 7): an autostart entry of the desktop, or, in a Flatpak, the background portal. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* New string: the autostart entry, $XDG_CONFIG_HOME/autostart/ai.opengradient.Veil.desktop. */
char    *veil_autostart_get_path (void);

/* Whether Veil starts at login. A portal does not tell, so what it granted last is kept in @home. Reads one small file. */
gboolean veil_autostart_is_enabled (const char *home);

/**
 * veil_autostart_set_async:
 * @home: the folder for settings
 * @enabled: start at login, or no longer
 * @command: what to start, in words, NULL-terminated: { "veil", "--background", NULL }
 *
 * An entry that is there already keeps what the person or the desktop wrote into it. The portal may ask the person.
 */
void     veil_autostart_set_async (const char *home, gboolean enabled, const char *const *command, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data);

/* TRUE if it is as was wanted. VEIL_ERROR_STORE if the entry cannot be written, there is no portal, or it or the person refused;
 * G_IO_ERROR_CANCELLED. */
gboolean veil_autostart_set_finish (GAsyncResult *result, GError **error);

G_END_DECLS
