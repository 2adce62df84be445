/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What can be set, resolved: flags over environment over defaults (product.md section 2; saved settings come between with the settings file). */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  char   *home;             /* owned */
  char   *host;             /* owned */
  guint16 port;             /* 0 is any free one */
  char   *tee_id;           /* owned; 0x + 64 digits, or NULL for automatic */
  GStrv   pcr_pins;         /* owned; 0x + 64 digits each; empty is any */
  guint   refresh_interval; /* seconds, 0 is off */
  char   *api_key;          /* owned, secret; NULL is none */
  char   *session_store;    /* owned; "keyring" or "file" */
} VeilSettings;

/* Defaults, then the environment. VEIL_ERROR_INVALID_ARGUMENT names the variable. */
VeilSettings *veil_settings_new (GError **error);
void          veil_settings_free (VeilSettings *self);

/* One value by its flag name without dashes ("port", "tee-id", "expected-pcr"); VEIL_ERROR_INVALID_ARGUMENT names the flag and the reason. */
gboolean      veil_settings_set (VeilSettings *self, const char *flag, const char *value, GError **error);

/* New string: the session file in the home. */
char         *veil_settings_get_session_path (const VeilSettings *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilSettings, veil_settings_free)

G_END_DECLS
