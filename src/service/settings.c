/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "settings.h"

#include "api-key-store.h"
#include "config.h"
#include "fetch.h"
#include "hex.h"
#include "login-listener.h"
#include "secret.h"
#include "veil-error.h"

#include <gio/gio.h>
#include <glib/gi18n.h>

#include <stdio.h>
#include <string.h>

#define MAX_REFRESH_INTERVAL (7 * 24 * 3600)
#define MAX_ANSWER_TIMEOUT 3600

/* @name is how the person wrote it ("--port", "OG_VEIL_PORT"), for the message. */
typedef gboolean (*SettingFunc) (VeilSettings *self, const char *name, const char *value, GError **error);

static gboolean G_GNUC_PRINTF (2, 3) refuse (GError **error, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  if (error != NULL)
    *error = g_error_new_valist (VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT, format, args);
  va_end (args);
  return FALSE;
}

static gboolean
set_home (VeilSettings *self, const char *name, const char *value, GError **error)
{
  if (*value == '\0')
    return refuse (error, _ ("%s must name a folder"), name);
  g_free (self->home);
  self->home = g_canonicalize_filename (value, NULL);
  return TRUE;
}

static gboolean
set_host (VeilSettings *self, const char *name, const char *value, GError **error)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (value);

  if (address == NULL && g_strcmp0 (value, "localhost") != 0)
    return refuse (error, _ ("%s must be an IP address or \"localhost\""), name);
  g_free (self->host);
  self->host = g_strdup (value);
  return TRUE;
}

static gboolean
set_port (VeilSettings *self, const char *name, const char *value, GError **error)
{
  guint64 port;

  if (!g_ascii_string_to_unsigned (value, 10, 0, G_MAXUINT16, &port, NULL))
    return refuse (error, _ ("%s must be a number from 0 to 65535 (0 is any free port)"), name);
  self->port = port;
  return TRUE;
}

/* "0x" and 64 lower-case digits from any accepted spelling, or NULL. */
static char *
normalise_hash (const char *value)
{
  guint8 hash[32];

  return veil_hex_decode (value, hash, sizeof hash) ? veil_hex_encode_0x (hash, sizeof hash) : NULL;
}

static gboolean
set_tee_id (VeilSettings *self, const char *name, const char *value, GError **error)
{
  g_autofree char *tee_id = NULL;

  if (g_strcmp0 (value, "auto") != 0)
    {
      tee_id = normalise_hash (value);
      if (tee_id == NULL)
        return refuse (error, _ ("%s must be a TEE id, 64 hexadecimal digits with or without 0x, or \"auto\""), name);
    }
  g_free (self->tee_id);
  self->tee_id = g_steal_pointer (&tee_id);
  return TRUE;
}

/* All at once: a settings file has room for thousands. */
static gboolean
set_pcr_pins (VeilSettings *self, const char *name, const char *const *values, GError **error)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (; *values != NULL; values++)
    {
      g_autofree char *hash = normalise_hash (*values);

      if (hash == NULL)
        return refuse (error, _ ("%s must be a PCR hash, 64 hexadecimal digits with or without 0x"), name);
      g_strv_builder_add (builder, hash);
    }
  g_strfreev (self->pcr_pins);
  self->pcr_pins = g_strv_builder_end (builder);
  return TRUE;
}

static gboolean
set_refresh_interval (VeilSettings *self, const char *name, const char *value, GError **error)
{
  guint64 seconds;

  if (!g_ascii_string_to_unsigned (value, 10, 0, MAX_REFRESH_INTERVAL, &seconds, NULL))
    return refuse (error, _ ("%s must be a number of seconds up to a week (0 switches the refresh off)"), name);
  self->refresh_interval = seconds;
  return TRUE;
}

static gboolean
set_answer_timeout (VeilSettings *self, const char *name, const char *value, GError **error)
{
  guint64 seconds;

  if (!g_ascii_string_to_unsigned (value, 10, 0, MAX_ANSWER_TIMEOUT, &seconds, NULL))
    return refuse (error, _ ("%s must be a number of seconds up to an hour (0 is 5 minutes, and 10 for streams)"), name);
  self->answer_timeout = seconds;
  return TRUE;
}

static gboolean
set_api_key (VeilSettings *self, const char *name, const char *value, GError **error)
{
  const char *wrong = veil_api_key_check (value);

  if (wrong != NULL)
    return refuse (error, _ ("%s cannot be used: %s"), name, wrong);
  veil_secret_free (self->api_key);
  self->api_key = g_strdup (value);
  return TRUE;
}

static gboolean
set_session_store (VeilSettings *self, const char *name, const char *value, GError **error)
{
  if (g_strcmp0 (value, "keyring") != 0 && g_strcmp0 (value, "file") != 0)
    return refuse (error, _ ("%s must be \"keyring\" or \"file\""), name);
  g_free (self->session_store);
  self->session_store = g_strdup (value);
  return TRUE;
}

static gboolean
set_require_api_key (VeilSettings *self, const char *name, const char *value, GError **error)
{
  if (g_strcmp0 (value, "true") != 0 && g_strcmp0 (value, "false") != 0)
    return refuse (error, _ ("%s must be true or false"), name);
  self->require_api_key = g_strcmp0 (value, "true") == 0;
  return TRUE;
}

static gboolean
set_history (VeilSettings *self, const char *name, const char *value, GError **error)
{
  if (g_strcmp0 (value, "true") != 0 && g_strcmp0 (value, "false") != 0)
    return refuse (error, _ ("%s must be true or false"), name);
  self->history = g_strcmp0 (value, "true") == 0;
  return TRUE;
}

static gboolean
set_app_url (VeilSettings *self, const char *name, const char *value, GError **error)
{
  if (!veil_fetch_check_url (value, NULL, NULL) || strchr (value, '?') != NULL)
    return refuse (error, _ ("%s must be an https address (or http on loopback) without user, query or fragment"), name);
  g_free (self->app_url);
  self->app_url = g_strdup (value);
  return TRUE;
}

static const struct
{
  const char *flag;     /* NULL: none, because arguments are visible to other processes */
  const char *variable; /* NULL: none */
  const char *key;      /* in the settings file; NULL: none */
  const char *fallback; /* NULL: nothing */
  SettingFunc set;      /* NULL: the pins, which take several values */
} settings_table[] = {
  { "home", "OG_VEIL_HOME", NULL, NULL, set_home },
  { "host", "OG_VEIL_HOST", "host", "127.0.0.1", set_host },
  { "port", "OG_VEIL_PORT", "port", "11434", set_port },
  { "tee-id", "OG_VEIL_TEE_ID", "tee-id", "auto", set_tee_id },
  { "expected-pcr", "OG_VEIL_EXPECTED_PCR_HASH", "pcr-pins", NULL, NULL },
  { "refresh-interval", "OG_VEIL_TEE_REFRESH_INTERVAL", "refresh-interval", "300", set_refresh_interval },
  { "answer-timeout", "OG_VEIL_ANSWER_TIMEOUT", "answer-timeout", "0", set_answer_timeout },
  { "session-store", "OG_VEIL_SESSION_STORE", "session-store", "keyring", set_session_store },
  { "app-url", "OG_VEIL_APP_URL", "app-url", VEIL_LOGIN_DEFAULT_APP_URL, set_app_url },
  { NULL, "OG_VEIL_API_KEY", NULL, NULL, set_api_key },
  { NULL, NULL, "require-api-key", "false", set_require_api_key },
  { NULL, NULL, "history", "false", set_history },
};

/* @values replace what was there. Pins given closer by do not add to the ones from further away. */
static gboolean
set_values (VeilSettings *self, guint index, const char *name, const char *const *values, GError **error)
{
  if (settings_table[index].set == NULL)
    return set_pcr_pins (self, name, values, error);
  for (; *values != NULL; values++)
    if (!settings_table[index].set (self, name, *values, error))
      return FALSE;
  return TRUE;
}

static void
set_fallback (VeilSettings *self, guint index)
{
  const char *const values[] = { settings_table[index].fallback, NULL };

  set_values (self, index, settings_table[index].key, values, NULL);
}

static gboolean
set_variable (VeilSettings *self, guint index, const char *value, GError **error)
{
  /* Several pins in one variable are separated by commas. */
  gboolean several = settings_table[index].set == NULL;
  g_auto (GStrv) values = g_strsplit (value, ",", several ? -1 : 1);

  for (guint i = 0; several && values[i] != NULL; i++)
    g_strstrip (values[i]);
  self->given |= 1u << index;
  return set_values (self, index, settings_table[index].variable, (const char *const *) values, error);
}

/* The API key as a service manager hands it over (systemd's LoadCredential=api-key:…), if there is none in the environment, which others may see. */
static gboolean
set_credential (VeilSettings *self, GError **error)
{
  const char *folder = g_getenv ("CREDENTIALS_DIRECTORY");
  g_autofree char *path = folder != NULL && self->api_key == NULL ? g_build_filename (folder, "api-key", NULL) : NULL;
  g_autofree char *name = NULL;
  char text[VEIL_API_KEY_MAX_LENGTH + 2] = "";
  gboolean good;
  FILE *file;

  if (path == NULL || !g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  name = g_strdup_printf (_ ("The API key in %s"), path);
  file = g_file_test (path, G_FILE_TEST_IS_REGULAR) ? fopen (path, "re") : NULL;
  if (file == NULL)
    return refuse (error, _ ("%s cannot be read"), name);
  text[fread (text, 1, sizeof text - 1, file)] = '\0';
  fclose (file);
  good = strlen (text) <= VEIL_API_KEY_MAX_LENGTH ? set_api_key (self, name, g_strchomp (text), error)
                                                  : refuse (error, _ ("%s is too long"), name);
  veil_secret_wipe (text, sizeof text);
  return good;
}

VeilSettings *
veil_settings_new (GError **error)
{
  g_autoptr (VeilSettings) self = g_new0 (VeilSettings, 1);

  self->home = g_build_filename (g_get_user_data_dir (), "veil", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (settings_table); i++)
    {
      const char *variable = settings_table[i].variable;
      const char *value = variable != NULL ? g_getenv (variable) : NULL;

      if (settings_table[i].key != NULL)
        set_fallback (self, i);
      /* An empty variable is how a shell unsets one in passing. */
      if (value != NULL && *value != '\0' && !set_variable (self, i, value, error))
        return NULL;
    }
  if (!set_credential (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

VeilSettings *
veil_settings_copy (const VeilSettings *self)
{
  VeilSettings *copy = g_memdup2 (self, sizeof *self);

  copy->home = g_strdup (self->home);
  copy->host = g_strdup (self->host);
  copy->tee_id = g_strdup (self->tee_id);
  copy->pcr_pins = g_strdupv (self->pcr_pins);
  copy->api_key = g_strdup (self->api_key);
  copy->session_store = g_strdup (self->session_store);
  copy->app_url = g_strdup (self->app_url);
  return copy;
}

void
veil_settings_free (VeilSettings *self)
{
  if (self == NULL)
    return;
  g_free (self->home);
  g_free (self->host);
  g_free (self->tee_id);
  g_strfreev (self->pcr_pins);
  veil_secret_free (self->api_key);
  g_free (self->session_store);
  g_free (self->app_url);
  g_free (self);
}

gboolean
veil_settings_set_flag (VeilSettings *self, const char *flag, const char *const *values, GError **error)
{
  g_autofree char *name = g_strconcat ("--", flag, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (settings_table); i++)
    {
      if (g_strcmp0 (settings_table[i].flag, flag) != 0)
        continue;
      self->given |= 1u << i;
      self->flagged |= 1u << i;
      return set_values (self, i, name, values, error);
    }
  return refuse (error, _ ("%s is not a setting"), name);
}

gboolean
veil_settings_has_flag (const VeilSettings *self, const char *flag)
{
  for (guint i = 0; i < G_N_ELEMENTS (settings_table); i++)
    if (g_strcmp0 (settings_table[i].flag, flag) == 0)
      return (self->flagged & 1u << i) != 0;
  return FALSE;
}

gboolean
veil_settings_is_given (const VeilSettings *self, const char *key)
{
  for (guint i = 0; i < G_N_ELEMENTS (settings_table); i++)
    if (g_strcmp0 (settings_table[i].key, key) == 0)
      return (self->given & 1u << i) != 0;
  return FALSE;
}

gboolean
veil_settings_wants_key (const VeilSettings *self)
{
  return self->api_key != NULL || self->require_api_key;
}

gboolean
veil_settings_is_choice (const char *key)
{
  return g_strcmp0 (key, "tee-id") == 0 || g_strcmp0 (key, "pcr-pins") == 0;
}

static void
forget (VeilSettings *self, gboolean choice_alone)
{
  for (guint i = 0; i < G_N_ELEMENTS (settings_table); i++)
    if (settings_table[i].key != NULL && (self->given & 1u << i) == 0 &&
        (!choice_alone || veil_settings_is_choice (settings_table[i].key)))
      set_fallback (self, i);
}

void
veil_settings_forget_saved (VeilSettings *self)
{
  forget (self, FALSE);
}

void
veil_settings_forget_choice (VeilSettings *self)
{
  forget (self, TRUE);
}

gboolean
veil_settings_set_saved (VeilSettings *self, const char *key, const char *name, const char *const *values, GError **error)
{
  g_autoptr (VeilSettings) ignored = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (settings_table); i++)
    if (g_strcmp0 (settings_table[i].key, key) == 0)
      {
        /* What a flag or a variable overrides must be right all the same. */
        gboolean overridden = (self->given & 1u << i) != 0;

        if (overridden)
          ignored = veil_settings_copy (self);
        return set_values (overridden ? ignored : self, i, name, values, error);
      }
  return refuse (error, _ ("%s is not a setting"), name);
}

char *
veil_settings_get_history_path (const VeilSettings *self)
{
  return g_build_filename (self->home, "history.jsonl", NULL);
}

char *
veil_settings_get_session_path (const VeilSettings *self)
{
  return g_build_filename (self->home, "session.json", NULL);
}

char *
veil_settings_make_url (const char *host, guint16 port)
{
  /* "Any address" is where to listen, not where to connect. */
  if (g_str_equal (host, "0.0.0.0"))
    host = "127.0.0.1";
  else if (g_str_equal (host, "::"))
    host = "::1";
  return g_strdup_printf (strchr (host, ':') != NULL ? "http://[%s]:%u/v1" : "http://%s:%u/v1", host, port);
}

char *
veil_settings_get_url (const VeilSettings *self, guint16 port)
{
  return veil_settings_make_url (self->host, port);
}

char *
veil_settings_find_models (void)
{
  const char *given = g_getenv ("VEIL_MODELS_FILE");

  return g_strdup (given != NULL ? given : VEIL_PKGDATADIR "/models.json");
}
