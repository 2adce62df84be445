/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "session.h"

#include "fetch.h"
#include "hex.h"
#include "json-writer.h"
#include "secret.h"
#include "translate.h"
#include "veil-error.h"

#include <string.h>

#define BUNDLE_TYPE "opengradient-cli-auth"
#define MAX_TOKEN (16 * 1024)
#define MAX_URL 2048
#define MAX_NAME 512
#define MAX_TIME G_GINT64_CONSTANT (253402300799) /* the last second of the year 9999 */
#define MAX_LIFETIME (10 * 366 * 24 * 3600)

static gboolean G_GNUC_PRINTF (2, 3) refuse (GError **error, const char *format, ...)
{
  g_autofree char *reason = NULL;
  va_list args;

  va_start (args, format);
  reason = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_BUNDLE, _ ("The login bundle cannot be used: %s"), reason);
  return FALSE;
}

/* Printable characters without white space, so that a header or URL made of it says what it seems to say. */
static gboolean
is_visible_ascii (const char *text, gsize length)
{
  for (gsize i = 0; i < length; i++)
    if (text[i] < 0x21 || text[i] > 0x7e)
      return FALSE;
  return TRUE;
}

/* A member that is a string without NUL of at most @max bytes. Absent, null and "" give NULL in @out. */
static gboolean
read_string (const VeilJson *object, const char *key, const char *field, gsize max, const char **out, GError **error)
{
  const VeilJson *value = veil_json_get_member (object, key);
  const char *text;
  gsize length;

  *out = NULL;
  if (veil_json_get_type (value) == VEIL_JSON_NULL)
    return TRUE;
  text = veil_json_get_string (value, &length);
  if (text == NULL)
    return refuse (error, _ ("“%s” is not a string"), field);
  if (length > max)
    return refuse (error, _ ("“%s” is too long"), field);
  if (memchr (text, '\0', length) != NULL || !veil_json_string_is_utf8 (value))
    return refuse (error, _ ("“%s” holds characters that do not belong there"), field);
  if (length > 0)
    *out = text;
  return TRUE;
}

static gboolean
read_ascii (const VeilJson *object, const char *key, const char *field, gboolean required, gsize max, char **out, GError **error)
{
  const char *text;

  if (!read_string (object, key, field, max, &text, error))
    return FALSE;
  if (text == NULL)
    return required ? refuse (error, _ ("“%s” is missing"), field) : TRUE;
  if (!is_visible_ascii (text, strlen (text)))
    return refuse (error, _ ("“%s” holds spaces or characters other than visible ASCII"), field);
  *out = g_strdup (text);
  return TRUE;
}

/* Names are for people to read: no control characters, which could draw a terminal or a log line anew. */
static gboolean
read_name (const VeilJson *object, const char *key, const char *field, char **out, GError **error)
{
  const char *text;

  if (!read_string (object, key, field, MAX_NAME, &text, error))
    return FALSE;
  for (const char *c = text; c != NULL && *c != '\0'; c = g_utf8_next_char (c))
    if (!g_unichar_isprint (g_utf8_get_char (c)))
      return refuse (error, _ ("“%s” holds characters that do not belong there"), field);
  *out = g_strdup (text);
  return TRUE;
}

static gboolean
read_url (const VeilJson *object, const char *key, const char *field, gboolean required, char **out, GError **error)
{
  g_autofree char *name = g_strdup_printf ("“%s”", field);
  g_autoptr (GError) local_error = NULL;
  gsize length;

  if (!read_ascii (object, key, field, required, MAX_URL, out, error))
    return FALSE;
  if (*out == NULL)
    return TRUE;
  if (!veil_fetch_check_url (*out, name, &local_error))
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_BUNDLE, _ ("The login bundle cannot be used: %s"), local_error->message);
      return FALSE;
    }
  if (strchr (*out, '?') != NULL)
    return refuse (error, _ ("“%s” has a query, and paths are to be added to it"), field);
  for (length = strlen (*out); length > 0 && (*out)[length - 1] == '/'; length--)
    (*out)[length - 1] = '\0';
  return TRUE;
}

static gboolean
read_integer (const VeilJson *object, const char *key, gint64 max, gboolean *given, gint64 *out, GError **error)
{
  const VeilJson *value = veil_json_get_member (object, key);
  guint64 number;

  *given = veil_json_get_type (value) != VEIL_JSON_NULL;
  if (!*given)
    return TRUE;
  if (!veil_json_get_uint64 (value, &number) || number > (guint64) max)
    return refuse (error, _ ("“%s” is not a whole number in range"), key);
  *out = (gint64) number;
  return TRUE;
}

static gboolean
read_expiry (VeilSession *self, const VeilJson *bundle, gint64 now, GError **error)
{
  gint64 lifetime = 0;
  gboolean given;
  gboolean lifetime_given;

  if (!read_integer (bundle, "expires_at", MAX_TIME, &given, &self->expires_at, error) ||
      !read_integer (bundle, "expires_in", MAX_LIFETIME, &lifetime_given, &lifetime, error))
    return FALSE;
  if (!given && lifetime_given)
    self->expires_at = now + lifetime;
  return TRUE;
}

static gboolean
read_tokens (VeilSession *self, const VeilJson *bundle, GError **error)
{
  const VeilJson *token_type = veil_json_get_member (bundle, "token_type");
  const char *text = veil_json_get_string (token_type, NULL);

  if (!veil_json_equals (veil_json_get_member (bundle, "type"), BUNDLE_TYPE))
    return refuse (error, _ ("“%s” is not “%s”"), "type", BUNDLE_TYPE);
  if (veil_json_get_type (token_type) != VEIL_JSON_NULL && (text == NULL || g_ascii_strcasecmp (text, "bearer") != 0))
    return refuse (error, _ ("“%s” is not “%s”"), "token_type", "bearer");
  return read_ascii (bundle, "access_token", "access_token", TRUE, MAX_TOKEN, &self->access_token, error) &&
         read_ascii (bundle, "refresh_token", "refresh_token", FALSE, MAX_TOKEN, &self->refresh_token, error);
}

static gboolean
read_user (VeilSession *self, const VeilJson *user, GError **error)
{
  if (veil_json_get_type (user) == VEIL_JSON_NULL)
    return TRUE;
  if (!veil_json_is (user, VEIL_JSON_OBJECT))
    return refuse (error, _ ("“%s” is not an object"), "user");
  return read_name (user, "id", "user.id", &self->user_id, error) && read_name (user, "email", "user.email", &self->email, error);
}

static gboolean
read_registry (VeilSession *self, const VeilJson *config, GError **error)
{
  const VeilJson *tee_type = veil_json_get_member (config, "tee_registry_tee_type");
  g_autofree char *address = NULL;
  guint8 bytes[20];
  guint64 number = 0;

  if (!read_url (config, "tee_registry_rpc_url", "config.tee_registry_rpc_url", FALSE, &self->registry_rpc_url, error) ||
      !read_ascii (config, "tee_registry_address", "config.tee_registry_address", FALSE, MAX_NAME, &address, error))
    return FALSE;
  if (address != NULL)
    {
      if (!g_str_has_prefix (address, "0x") || !veil_hex_decode (address, bytes, sizeof bytes))
        return refuse (error, _ ("“%s” is not 0x and 40 hexadecimal digits"), "config.tee_registry_address");
      self->registry_address = veil_hex_encode_0x (bytes, sizeof bytes);
    }
  if (veil_json_get_type (tee_type) != VEIL_JSON_NULL && (!veil_json_get_uint64 (tee_type, &number) || number > G_MAXUINT8))
    return refuse (error, _ ("“%s” is not a whole number from 0 to 255"), "config.tee_registry_tee_type");
  self->registry_tee_type = (guint8) number;
  return TRUE;
}

/* Not looked at in a bundle of any other network: AWS's root counts there, whatever a bundle says. */
static gboolean
read_sandbox_root (VeilSession *self, const VeilJson *config, GError **error)
{
  g_autofree char *text = NULL;
  guint8 root[32];

  if (!self->sandbox)
    return TRUE;
  if (!read_ascii (config, "sandbox_attestation_root", "config.sandbox_attestation_root", FALSE, MAX_NAME, &text, error))
    return FALSE;
  if (text != NULL && !veil_hex_decode (text, root, sizeof root))
    return refuse (error, _ ("“%s” is not 64 hexadecimal digits"), "config.sandbox_attestation_root");
  if (text != NULL)
    self->sandbox_root = g_bytes_new (root, sizeof root);
  return TRUE;
}

static gboolean
read_config (VeilSession *self, const VeilJson *config, GError **error)
{
  if (!veil_json_is (config, VEIL_JSON_OBJECT))
    return refuse (error, _ ("“%s” is missing or not an object"), "config");
  if (!read_name (config, "app_env", "config.app_env", &self->app_env, error) ||
      !read_url (config, "supabase_url", "config.supabase_url", TRUE, &self->supabase_url, error) ||
      !read_ascii (config, "supabase_anon_key", "config.supabase_anon_key", TRUE, MAX_TOKEN, &self->supabase_anon_key, error) ||
      !read_url (config, "chat_api_base_url", "config.chat_api_base_url", TRUE, &self->relay_url, error) ||
      !read_registry (self, config, error))
    return FALSE;
  self->sandbox = g_strcmp0 (self->app_env, "sandbox") == 0;
  return read_sandbox_root (self, config, error);
}

VeilSession *
veil_session_new_from_bundle (const char *text, gsize length, gint64 now, GError **error)
{
  g_autoptr (VeilSession) self = NULL;
  g_autoptr (VeilJsonDoc) doc = NULL;
  g_autoptr (GError) local_error = NULL;
  const VeilJson *bundle;

  if (length > VEIL_SESSION_MAX_BYTES)
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_BUNDLE, _ ("The login bundle is larger than %d KiB: it is not one"),
                   VEIL_SESSION_MAX_BYTES / 1024);
      return NULL;
    }
  doc = veil_json_doc_new (text, length, &local_error);
  if (doc == NULL)
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_BUNDLE, _ ("The login bundle is not JSON; copy all of it, braces included (%s)"),
                   local_error->message);
      return NULL;
    }
  bundle = veil_json_doc_get_root (doc);
  if (!veil_json_is (bundle, VEIL_JSON_OBJECT) || veil_json_doc_has_duplicate_keys (doc))
    {
      g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_BUNDLE,
                           veil_json_is (bundle, VEIL_JSON_OBJECT)
                               ? _ ("The login bundle has a key twice and reads two ways: it is not trusted")
                               : _ ("The login bundle is not a JSON object"));
      return NULL;
    }

  self = g_atomic_rc_box_new0 (VeilSession);
  if (!read_tokens (self, bundle, error) || !read_expiry (self, bundle, now, error) ||
      !read_user (self, veil_json_get_member (bundle, "user"), error) ||
      !read_config (self, veil_json_get_member (bundle, "config"), error))
    return NULL;
  return g_steal_pointer (&self);
}

static void
copy_identity (VeilSession *self, const VeilSession *old)
{
  self->user_id = g_strdup (old->user_id);
  self->email = g_strdup (old->email);
  self->app_env = g_strdup (old->app_env);
  self->supabase_url = g_strdup (old->supabase_url);
  self->supabase_anon_key = g_strdup (old->supabase_anon_key);
  self->relay_url = g_strdup (old->relay_url);
  self->registry_rpc_url = g_strdup (old->registry_rpc_url);
  self->registry_address = g_strdup (old->registry_address);
  self->registry_tee_type = old->registry_tee_type;
  self->sandbox = old->sandbox;
  self->sandbox_root = old->sandbox_root != NULL ? g_bytes_ref (old->sandbox_root) : NULL;
}

static gboolean
read_new_tokens (VeilSession *self, const VeilJson *answer, gint64 now, GError **error)
{
  gint64 at = 0, lifetime = 0;
  gboolean at_given, lifetime_given;

  if (!read_ascii (answer, "access_token", "access_token", TRUE, MAX_TOKEN, &self->access_token, error) ||
      !read_ascii (answer, "refresh_token", "refresh_token", FALSE, MAX_TOKEN, &self->refresh_token, error) ||
      !read_integer (answer, "expires_at", MAX_TIME, &at_given, &at, error) ||
      !read_integer (answer, "expires_in", MAX_LIFETIME, &lifetime_given, &lifetime, error))
    return FALSE;
  self->expires_at = lifetime_given ? now + lifetime : at;
  return TRUE;
}

/* Supabase's answer names the user. Tokens of somebody else would go under this one's name. */
static gboolean
is_of_another_user (const VeilSession *old, const VeilJson *answer)
{
  const VeilJson *id = veil_json_get_member (veil_json_get_member (answer, "user"), "id");

  return old->user_id != NULL && veil_json_get_type (id) != VEIL_JSON_NULL && !veil_json_equals (id, old->user_id);
}

VeilSession *
veil_session_new_refreshed (const VeilSession *old, const char *text, gsize length, gint64 now, GError **error)
{
  g_autoptr (VeilSession) self = g_atomic_rc_box_new0 (VeilSession);
  g_autoptr (VeilJsonDoc) doc = length <= VEIL_SESSION_MAX_BYTES ? veil_json_doc_new (text, length, NULL) : NULL;
  const VeilJson *answer = doc != NULL ? veil_json_doc_get_root (doc) : NULL;
  g_autoptr (GError) reason = NULL;

  copy_identity (self, old);
  if (!veil_json_is (answer, VEIL_JSON_OBJECT))
    g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_BUNDLE, _ ("the answer is not a JSON object"));
  else if (veil_json_doc_has_duplicate_keys (doc))
    g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_BUNDLE, _ ("the answer has a key twice and reads two ways"));
  else if (is_of_another_user (old, answer))
    g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_BUNDLE, _ ("the answer is for another user"));
  else if (!read_new_tokens (self, answer, now, &reason))
    g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_BUNDLE, _ ("the answer does not hold the new tokens as it should"));
  else
    {
      if (self->refresh_token == NULL)
        self->refresh_token = g_strdup (old->refresh_token);
      return g_steal_pointer (&self);
    }
  return NULL;
}

gboolean
veil_session_has_same_network (const VeilSession *self, const VeilSession *other)
{
  return g_strcmp0 (self->supabase_url, other->supabase_url) == 0 && g_strcmp0 (self->relay_url, other->relay_url) == 0 &&
         g_strcmp0 (self->registry_rpc_url, other->registry_rpc_url) == 0 &&
         g_strcmp0 (self->registry_address, other->registry_address) == 0 && self->registry_tee_type == other->registry_tee_type &&
         self->sandbox == other->sandbox;
}

static gboolean
same_token (const char *a, const char *b)
{
  return a == b || (a != NULL && b != NULL && veil_secret_equal_str (a, b));
}

gboolean
veil_session_equal (const VeilSession *self, const VeilSession *other)
{
  return veil_session_has_same_network (self, other) && g_strcmp0 (self->supabase_anon_key, other->supabase_anon_key) == 0 &&
         g_strcmp0 (self->user_id, other->user_id) == 0 && same_token (self->access_token, other->access_token) &&
         same_token (self->refresh_token, other->refresh_token);
}

VeilSession *
veil_session_ref (VeilSession *self)
{
  return g_atomic_rc_box_acquire (self);
}

static void
clear_session (gpointer data)
{
  VeilSession *self = data;

  veil_secret_free (self->access_token);
  veil_secret_free (self->refresh_token);
  g_free (self->user_id);
  g_free (self->email);
  g_free (self->app_env);
  g_free (self->supabase_url);
  g_free (self->supabase_anon_key);
  g_free (self->relay_url);
  g_free (self->registry_rpc_url);
  g_free (self->registry_address);
  g_clear_pointer (&self->sandbox_root, g_bytes_unref);
}

void
veil_session_unref (VeilSession *self)
{
  g_atomic_rc_box_release_full (self, clear_session);
}

static void
write_member (VeilJsonWriter *writer, const char *key, const char *value)
{
  if (value == NULL)
    return;
  veil_json_writer_key (writer, key);
  veil_json_writer_string (writer, value);
}

static void
write_config (VeilJsonWriter *writer, const VeilSession *self)
{
  veil_json_writer_key (writer, "config");
  veil_json_writer_begin_object (writer);
  write_member (writer, "app_env", self->app_env);
  write_member (writer, "supabase_url", self->supabase_url);
  write_member (writer, "supabase_anon_key", self->supabase_anon_key);
  write_member (writer, "chat_api_base_url", self->relay_url);
  write_member (writer, "tee_registry_rpc_url", self->registry_rpc_url);
  write_member (writer, "tee_registry_address", self->registry_address);
  veil_json_writer_key (writer, "tee_registry_tee_type");
  veil_json_writer_uint (writer, self->registry_tee_type);
  if (self->sandbox_root != NULL)
    {
      g_autofree char *root = veil_hex_encode_0x (g_bytes_get_data (self->sandbox_root, NULL), 32);

      write_member (writer, "sandbox_attestation_root", root);
    }
  veil_json_writer_end_object (writer);
}

GBytes *
veil_session_to_bundle (const VeilSession *self)
{
  VeilJsonWriter *writer = veil_json_writer_new (VEIL_JSON_COMPACT);

  veil_json_writer_begin_object (writer);
  write_member (writer, "type", BUNDLE_TYPE);
  write_member (writer, "token_type", "bearer");
  write_member (writer, "access_token", self->access_token);
  write_member (writer, "refresh_token", self->refresh_token);
  if (self->expires_at != 0)
    {
      veil_json_writer_key (writer, "expires_at");
      veil_json_writer_uint (writer, (guint64) self->expires_at);
    }
  veil_json_writer_key (writer, "user");
  veil_json_writer_begin_object (writer);
  write_member (writer, "id", self->user_id);
  write_member (writer, "email", self->email);
  veil_json_writer_end_object (writer);
  write_config (writer, self);
  veil_json_writer_end_object (writer);
  return veil_json_writer_finish (writer);
}

gboolean
veil_session_check_can_serve (const VeilSession *self, GError **error)
{
  if (self->registry_rpc_url == NULL)
    return refuse (error, _ ("“%s” is missing, so that no enclave can be looked up; sign in again"), "config.tee_registry_rpc_url");
  if (self->registry_address == NULL)
    return refuse (error, _ ("“%s” is missing, so that no enclave can be looked up; sign in again"), "config.tee_registry_address");
  return TRUE;
}
