/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The settings that are kept: a key file in the home (settings.ini, group "veil") whose keys, types and ranges the GSettings schema ai.opengradient.Veil
 * says. All front ends share it. A file that is not wholly right is an error, never partly believed: a pin that went unread would
 * let any enclave build in.
 *
 * Simulated enclaves exist in their sandbox alone, and no longer than it. What is chosen of them (tee-id and pcr-pins of settings that are the
 * sandbox's) is therefore kept apart, in sandbox.ini, whatever becomes of the program, and the next sandbox begins without it. */
#pragma once

#include "settings.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* New string: the settings file in the home. */
char         *veil_settings_file_get_path (const VeilSettings *settings);

/* New string: where the choice of enclaves is kept instead; NULL outside the sandbox. */
char         *veil_settings_file_get_choice_path (const VeilSettings *settings);

/* Makes them those of a sandbox that begins: nothing is chosen but by flags and variables. What an earlier one left behind in the home is to be removed by
 * whoever runs it, with veil_settings_file_erase_choice(). */
void          veil_settings_begin_sandbox (VeilSettings *settings);
void          veil_settings_file_erase_choice (const char *home);

/* A copy of @settings with what the file says filled in where neither flag nor variable set something; without a file, the defaults. VEIL_ERROR_STORE
 * or VEIL_ERROR_INVALID_ARGUMENT, which names the file and what is wrong in it. */
VeilSettings *veil_settings_file_resolve (const VeilSettings *settings, GError **error);

/* The same for a program that runs: %NULL without an error if there is no file or nothing in it, which an editor, or whoever puts another file in
 * place, may be about to change. */
VeilSettings *veil_settings_file_resolve_again (const VeilSettings *settings, GError **error);

/* A copy of the sandbox's with its choice of enclaves as it is kept now. Errors as above. */
VeilSettings *veil_settings_file_resolve_choice (const VeilSettings *settings, GError **error);

/* What the file says for @key (of the type in the schema), or the default. */
GVariant     *veil_settings_file_get (const VeilSettings *settings, const char *key, GError **error);

/**
 * VeilSettingsFileFunc:
 * @old: what is there
 *
 * Returns: (transfer full): what is to be there; %NULL to leave it, with @error set if that is one
 */
typedef GVariant *(*VeilSettingsFileFunc) (GVariant *old, gpointer user_data, GError **error);

/* Changes one key, alone among all writers; the rest of the file stays. Done when this returns %TRUE. */
gboolean      veil_settings_file_change (const VeilSettings *settings, const char *key, VeilSettingsFileFunc func, gpointer user_data,
                                         GError **error);

/* Watches the file of a running program: */
typedef struct _VeilSettingsWatch VeilSettingsWatch;

/* @settings as resolved. */
VeilSettingsWatch  *veil_settings_watch_new (const VeilSettings *settings);
void                veil_settings_watch_free (VeilSettingsWatch *self);
/* One stat; reads the file if it is another one than before. %TRUE if there may be news. A file that cannot be used, or is gone, or empty (an editor may
 * be about to write it) is logged, and what was known stays. */
gboolean            veil_settings_watch_look (VeilSettingsWatch *self);
const VeilSettings *veil_settings_watch_get (VeilSettingsWatch *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilSettingsWatch, veil_settings_watch_free)

G_END_DECLS
