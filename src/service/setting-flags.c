/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "setting-flags.h"

#include <glib/gi18n.h>

/* How each setting reads in help texts. All take one value; the repeatable ones take several. */
static const struct
{
  const char *flag;
  const char *value;
  const char *help;
} setting_help[] = {
  { "home", "DIR", N_ ("Folder for settings and session (several identities: several homes)") },
  { "host", "ADDRESS", N_ ("Address to listen on; one that is not loopback needs OG_VEIL_API_KEY") },
  { "port", "PORT", N_ ("Port to listen on; 0 is any free one") },
  { "tee-id", "ID", N_ ("Use this enclave or none (\"auto\" chooses)") },
  { "expected-pcr", "HASH", N_ ("Use only enclaves with this PCR hash; may be given several times") },
  { "refresh-interval", "SECONDS", N_ ("How often to read the registry; 0 is never") },
  { "answer-timeout", "SECONDS", N_ ("How long an answer may take; 0 is 5 minutes, and 10 for streams") },
  { "app-url", "URL", N_ ("Where the sign-in page is (default https://chat.opengradient.ai)") },
  { "session-store", "STORE", N_ ("Where the session is kept: \"keyring\" or \"file\"") },
};

#define N_SETTINGS G_N_ELEMENTS (setting_help)

struct _VeilSettingFlags
{
  GArray *entries;           /* owned, of GOptionEntry */
  char **values[N_SETTINGS]; /* owned */
};

VeilSettingFlags *
veil_setting_flags_new (const char *const *flags)
{
  VeilSettingFlags *self = g_new0 (VeilSettingFlags, 1);

  self->entries = g_array_new (TRUE, TRUE, sizeof (GOptionEntry));
  for (guint i = 0; i < N_SETTINGS; i++)
    {
      /* File names are bytes: any name can be given in any locale. */
      gboolean is_file = g_str_equal (setting_help[i].flag, "home");
      GOptionEntry entry = { setting_help[i].flag,
                             0,
                             0,
                             is_file ? G_OPTION_ARG_FILENAME_ARRAY : G_OPTION_ARG_STRING_ARRAY,
                             &self->values[i],
                             setting_help[i].help,
                             setting_help[i].value };

      if (g_strv_contains (flags, entry.long_name))
        g_array_append_val (self->entries, entry);
    }
  return self;
}

void
veil_setting_flags_free (VeilSettingFlags *self)
{
  for (guint i = 0; i < N_SETTINGS; i++)
    g_strfreev (self->values[i]);
  g_array_unref (self->entries);
  g_free (self);
}

void
veil_setting_flags_append_to (VeilSettingFlags *self, GArray *entries)
{
  g_array_append_vals (entries, self->entries->data, self->entries->len);
}

gboolean
veil_setting_flags_apply (VeilSettingFlags *self, VeilSettings *settings, GError **error)
{
  for (guint i = 0; i < N_SETTINGS; i++)
    if (self->values[i] != NULL &&
        !veil_settings_set_flag (settings, setting_help[i].flag, (const char *const *) self->values[i], error))
      return FALSE;
  return TRUE;
}
