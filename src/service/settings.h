/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What can be set, resolved: flags over environment over the settings file over defaults (product.md section 2). */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  char   *home;             /* owned; absolute */
  char   *host;             /* owned; an IP address or "localhost" */
  guint16 port;             /* 0 is any free one */
  char   *tee_id;           /* owned; 0x + 64 digits, or NULL for automatic */
  GStrv   pcr_pins;         /* owned; 0x + 64 digits each; empty is any */
  guint   refresh_interval; /* seconds, 0 is off */
  guint   answer_timeout;   /* seconds for a whole answer; 0: 5 minutes for single answers, 10 for streams */
  char   *api_key;          /* owned, secret; NULL is none */
  gboolean history;         /* records of requests outlast the program */
  gboolean require_api_key; /* an endpoint without a key is not to be */
  char   *session_store;    /* owned; "keyring" or "file" */
  char   *app_url;          /* owned; where the sign-in page is */
  gboolean sandbox;         /* of the simulated network, which has an own choice of enclaves: see settings-file.h */
  guint   given;            /* bits: what a flag or the environment has set, and a settings file therefore cannot */
  guint   flagged;          /* bits: what a flag has set */
} VeilSettings;

/* Defaults, then the environment; see settings-file.h for what lies between. VEIL_ERROR_INVALID_ARGUMENT names the variable and says what it must be. */
VeilSettings *veil_settings_new (GError **error);
VeilSettings *veil_settings_copy (const VeilSettings *self);
void          veil_settings_free (VeilSettings *self); /* wipes */

/**
 * veil_settings_set_flag:
 * @flag: its name without dashes ("port", "tee-id", "expected-pcr")
 * @values: every value that was given for it, in order; where one is meant the last wins
 *
 * Returns: %TRUE, or %FALSE with %VEIL_ERROR_INVALID_ARGUMENT naming the flag and the reason.
 */
gboolean      veil_settings_set_flag (VeilSettings *self, const char *flag, const char *const *values, GError **error);

gboolean      veil_settings_has_flag (const VeilSettings *self, const char *flag);

/* TRUE if a flag or the environment has set @key, so that the settings file cannot. */
gboolean      veil_settings_is_given (const VeilSettings *self, const char *key);

/* TRUE if an endpoint asks for a key, be it one that is kept elsewhere. */
gboolean      veil_settings_wants_key (const VeilSettings *self);

/* For settings-file.c: everything that no flag or variable set is as by default again; or of that the choice of enclaves alone. */
void          veil_settings_forget_saved (VeilSettings *self);
void          veil_settings_forget_choice (VeilSettings *self);
/* TRUE if @key is of the choice of enclaves, of which each network has its own. */
gboolean      veil_settings_is_choice (const char *key);
/* A value of the settings file under @key; no effect but the check if a flag or variable set it. @name is for the message. */
gboolean      veil_settings_set_saved (VeilSettings *self, const char *key, const char *name, const char *const *values, GError **error);

/* New string: where records of requests are kept if the person wants that. */
char         *veil_settings_get_history_path (const VeilSettings *self);

/* New string: the session file in the home. */
char         *veil_settings_get_session_path (const VeilSettings *self);

/* New string: where clients on this machine reach the endpoint, "http://HOST:PORT/v1". */
char         *veil_settings_get_url (const VeilSettings *self, guint16 port);
char         *veil_settings_make_url (const char *host, guint16 port);

/* New string: the models file that ships with the program (VEIL_MODELS_FILE names another, for an uninstalled build). */
char         *veil_settings_find_models (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilSettings, veil_settings_free)

G_END_DECLS
