/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The settings as command line options, the same for all programs. */
#pragma once

#include "settings.h"

G_BEGIN_DECLS

typedef struct _VeilSettingFlags VeilSettingFlags;

/* @flags: names of the settings that are taken as flags ("home", "port"), NULL-terminated. */
VeilSettingFlags *veil_setting_flags_new (const char *const *flags);
/* After the last use of the entries. */
void              veil_setting_flags_free (VeilSettingFlags *self);
/* To options of the program's own, each a GOptionEntry. */
void              veil_setting_flags_append_to (VeilSettingFlags *self, GArray *entries);
/* What was given, into @settings. VEIL_ERROR_INVALID_ARGUMENT names the flag. */
gboolean          veil_setting_flags_apply (VeilSettingFlags *self, VeilSettings *settings, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilSettingFlags, veil_setting_flags_free)

G_END_DECLS
