/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "settings-file.h"

#include "config.h"
#include "veil-error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define SCHEMA "ai.opengradient.Veil"
#define GROUP "veil"
#define MAX_BYTES (1024 * 1024)

char *
veil_settings_file_get_path (const VeilSettings *settings)
{
  return g_build_filename (settings->home, "settings.ini", NULL);
}

char *
veil_settings_file_get_choice_path (const VeilSettings *settings)
{
  return settings->sandbox ? g_build_filename (settings->home, "sandbox.ini", NULL) : NULL;
}

void
veil_settings_file_erase_choice (const char *home)
{
  g_autofree char *path = g_build_filename (home, "sandbox.ini", NULL);

  if (g_unlink (path) != 0 && errno != ENOENT && errno != ENOTDIR)
    g_message ("What was chosen in an earlier sandbox stays: %s: %s", path, g_strerror (errno));
}

void
veil_settings_begin_sandbox (VeilSettings *settings)
{
  settings->sandbox = TRUE;
  veil_settings_forget_choice (settings);
}

static gboolean G_GNUC_PRINTF (2, 3) refuse (GError **error, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  if (error != NULL)
    *error = g_error_new_valist (VEIL_ERROR, VEIL_ERROR_STORE, format, args);
  va_end (args);
  return FALSE;
}

/* From GSETTINGS_SCHEMA_DIR (an uninstalled build), the system, or where this build installs. */
static GSettingsSchema *
find_schema (GError **error)
{
  GSettingsSchemaSource *common = g_settings_schema_source_get_default ();
  g_autoptr (GSettingsSchemaSource) own = NULL;
  GSettingsSchema *schema = common != NULL ? g_settings_schema_source_lookup (common, SCHEMA, TRUE) : NULL;

  if (schema != NULL)
    return schema;
  own = g_settings_schema_source_new_from_directory (VEIL_SCHEMADIR, NULL, FALSE, NULL);
  if (own != NULL)
    schema = g_settings_schema_source_lookup (own, SCHEMA, FALSE);
  if (schema == NULL)
    g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE,
                 _ ("The settings schema %s is not found in %s; install Veil again, or let GSETTINGS_SCHEMA_DIR name its folder"),
                 SCHEMA, VEIL_SCHEMADIR);
  return schema;
}

/* A link that leads nowhere is a file that cannot be read: the pins in it must not count as none. */
static gboolean
is_missing (const char *path)
{
  GStatBuf info;

  return g_lstat (path, &info) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

/* What the key file reader passes over without a word: a key that stands there twice, and one that is for a language. */
static gboolean
check_lines (const char *text, const char *path, GError **error)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; lines[i] != NULL; i++)
    {
      char *key = g_strstrip (lines[i]);
      char *end = strchr (key, '=');
      g_autofree char *why = NULL;

      if (end == NULL || *key == '#' || *key == '[')
        continue;
      *end = '\0';
      g_strchomp (key);
      if (strchr (key, '[') != NULL)
        why = g_strdup_printf (_ ("there is no setting \"%s\"; correct it, or remove the line"), key);
      else if (!g_hash_table_add (seen, key))
        why = g_strdup_printf (_ ("it says twice what \"%s\" is; remove one of the lines"), key);
      if (why != NULL)
        return refuse (error, _ ("The settings file %s cannot be read: %s"), path, why);
    }
  return TRUE;
}

/* NULL with an error; %TRUE in @missing if there is no file, which is none. That its home is no folder is for those to say who need one. */
static GKeyFile *
load (const char *path, gboolean *missing, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *text = NULL;
  g_autoptr (GError) local_error = NULL;
  GStatBuf info;
  gsize length = 0;

  *missing = is_missing (path);
  if (*missing)
    return g_steal_pointer (&file);
  /* Not a pipe, which could hold us for ever. */
  if (g_stat (path, &info) == 0 && (!S_ISREG (info.st_mode) || info.st_size > MAX_BYTES))
    refuse (error, _ ("The settings file %s cannot be read: %s"), path, _ ("it is not a file of settings; move it away"));
  else if (!g_file_get_contents (path, &text, &length, &local_error))
    refuse (error, _ ("The settings file %s cannot be read: %s"), path, local_error->message);
  else if (!g_utf8_validate_len (text, length, NULL))
    refuse (error, _ ("The settings file %s cannot be read: %s"), path, _ ("it is not UTF-8 text; correct it, or move it away"));
  else if (length > 0 && !g_key_file_load_from_data (file, text, length, G_KEY_FILE_KEEP_COMMENTS, &local_error))
    {
      g_autofree char *why = g_strdup_printf (_ ("%s; correct it, or move it away"), local_error->message);

      refuse (error, _ ("The settings file %s cannot be read: %s"), path, why);
    }
  else if (check_lines (text, path, error))
    return g_steal_pointer (&file);
  return NULL;
}

/* @choice: of the choice of enclaves alone. */
static gboolean
check_groups (GKeyFile *file, GSettingsSchema *schema, gboolean choice, const char *path, GError **error)
{
  g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);
  g_auto (GStrv) keys = g_key_file_get_keys (file, GROUP, NULL, NULL);

  for (guint i = 0; groups[i] != NULL; i++)
    if (!g_str_equal (groups[i], GROUP))
      {
        g_autofree char *why = g_strdup_printf (_ ("it has a group [%s] where only [%s] is known"), groups[i], GROUP);

        return refuse (error, _ ("The settings file %s cannot be read: %s"), path, why);
      }
  for (guint i = 0; keys != NULL && keys[i] != NULL; i++)
    if (!g_settings_schema_has_key (schema, keys[i]) || (choice && !veil_settings_is_choice (keys[i])))
      {
        g_autofree char *why = g_strdup_printf (_ ("there is no setting \"%s\"; correct it, or remove the line"), keys[i]);

        return refuse (error, _ ("The settings file %s cannot be read: %s"), path, why);
      }
  return TRUE;
}

/* What a key may be, in words. New string. */
static char *
describe_values (GSettingsSchemaKey *key)
{
  const GVariantType *type = g_settings_schema_key_get_value_type (key);
  g_autoptr (GVariant) range = g_settings_schema_key_get_range (key);
  g_autoptr (GVariant) values = NULL;
  const char *kind;

  g_variant_get (range, "(&sv)", &kind, &values);
  if (g_str_equal (kind, "enum"))
    {
      g_autofree const char **names = g_variant_get_strv (values, NULL);
      /* TRANSLATORS: between two values, of which one is wanted; the quotation marks must stay */
      g_autofree char *joined = g_strjoinv (_ ("' or '"), (char **) names);

      return g_strdup_printf ("'%s'", joined);
    }
  if (g_str_equal (kind, "range"))
    {
      g_autoptr (GVariant) min = g_variant_get_child_value (values, 0);
      g_autoptr (GVariant) max = g_variant_get_child_value (values, 1);
      g_autofree char *from = g_variant_print (min, FALSE);
      g_autofree char *to = g_variant_print (max, FALSE);

      return g_strdup_printf (_ ("a whole number from %s to %s"), from, to);
    }
  if (g_variant_type_equal (type, G_VARIANT_TYPE_BOOLEAN))
    return g_strdup (_ ("true or false"));
  if (g_variant_type_equal (type, G_VARIANT_TYPE_UINT16))
    return g_strdup_printf (_ ("a whole number from %s to %s"), "0", "65535");
  if (g_variant_type_equal (type, G_VARIANT_TYPE_STRING))
    return g_strdup (_ ("text between quotes, as in 'text'"));
  return g_strdup (_ ("a list of hashes with labels, as in [('0x…', 'audited'), ('0x…', '')]"));
}

/* The value of one key, checked against the schema; NULL without an error if the file does not have it. */
static GVariant *
read_value (GKeyFile *file, GSettingsSchema *schema, const char *name, const char *path, GError **error)
{
  g_autoptr (GSettingsSchemaKey) key = g_settings_schema_get_key (schema, name);
  g_autofree char *text = g_key_file_get_value (file, GROUP, name, NULL);
  g_autoptr (GVariant) value = NULL;
  g_autofree char *wanted = NULL;

  if (text == NULL)
    return NULL;
  value = g_variant_parse (g_settings_schema_key_get_value_type (key), text, NULL, NULL, NULL);
  if (value != NULL && g_settings_schema_key_range_check (key, value))
    return g_steal_pointer (&value);
  wanted = describe_values (key);
  /* TRANSLATORS: a setting, a file, and "true or false" or the like */
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_STORE, _ ("%s in %s must be %s"), name, path, wanted);
  return NULL;
}

/* A value as the setters of settings.c take it: text, one or (for pins) several. */
static GStrv
to_texts (GVariant *value)
{
  g_autoptr (GStrvBuilder) texts = g_strv_builder_new ();
  g_autofree char *printed = NULL;
  GVariantIter iter;
  const char *hash;

  if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
    g_strv_builder_add (texts, g_variant_get_string (value, NULL));
  else if (g_variant_is_of_type (value, G_VARIANT_TYPE ("a(ss)")))
    {
      g_variant_iter_init (&iter, value);
      while (g_variant_iter_next (&iter, "(&s&s)", &hash, NULL))
        g_strv_builder_add (texts, hash);
    }
  else
    {
      printed = g_variant_print (value, FALSE);
      g_strv_builder_add (texts, printed);
    }
  return g_strv_builder_end (texts);
}

static gboolean
apply (VeilSettings *settings, GKeyFile *file, GSettingsSchema *schema, const char *path, GError **error)
{
  g_auto (GStrv) keys = g_settings_schema_list_keys (schema);

  for (guint i = 0; keys[i] != NULL; i++)
    {
      /* TRANSLATORS: the name of a setting, and a file; the beginning of a sentence */
      g_autofree char *name = g_strdup_printf (_ ("%s in %s"), keys[i], path);
      g_autoptr (GError) local_error = NULL;
      g_autoptr (GVariant) value = read_value (file, schema, keys[i], path, &local_error);
      g_auto (GStrv) texts = value != NULL ? to_texts (value) : NULL;

      if (texts != NULL)
        veil_settings_set_saved (settings, keys[i], name, (const char *const *) texts, &local_error);
      if (local_error != NULL)
        {
          /* Not a matter of how the program was called. */
          g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_STORE, local_error->message);
          return FALSE;
        }
    }
  return TRUE;
}

/* Fills in what a file says; the choice of enclaves, if @choice. The file and its schema, wholly checked; the latter is NULL if there is no file, and none
 * is needed. */
static GKeyFile *
load_checked (VeilSettings *settings, gboolean choice, GSettingsSchema **schema, GError **error)
{
  g_autofree char *path = choice ? veil_settings_file_get_choice_path (settings) : veil_settings_file_get_path (settings);
  g_autoptr (GSettingsSchema) found = NULL;
  g_autoptr (GKeyFile) file = NULL;
  gboolean missing;

  file = load (path, &missing, error);
  if (file == NULL || (!missing && ((found = find_schema (error)) == NULL || !check_groups (file, found, choice, path, error) ||
                                    !apply (settings, file, found, path, error))))
    return NULL;
  if (schema != NULL)
    *schema = g_steal_pointer (&found);
  return g_steal_pointer (&file);
}

VeilSettings *
veil_settings_file_resolve_choice (const VeilSettings *settings, GError **error)
{
  g_autoptr (VeilSettings) copy = veil_settings_copy (settings);
  g_autoptr (GKeyFile) file = NULL;

  veil_settings_forget_choice (copy);
  file = load_checked (copy, TRUE, NULL, error);
  return file != NULL ? g_steal_pointer (&copy) : NULL;
}

/* @some: (out): whether there is anything in the file */
static VeilSettings *
resolve (const VeilSettings *settings, gboolean *some, GError **error)
{
  g_autoptr (VeilSettings) copy = veil_settings_copy (settings);
  g_autoptr (GKeyFile) file = NULL;
  g_autofree char *group = NULL;

  veil_settings_forget_saved (copy);
  file = load_checked (copy, FALSE, NULL, error);
  if (file == NULL)
    return NULL;
  group = g_key_file_get_start_group (file);
  *some = group != NULL;
  return copy->sandbox ? veil_settings_file_resolve_choice (copy, error) : g_steal_pointer (&copy);
}

VeilSettings *
veil_settings_file_resolve (const VeilSettings *settings, GError **error)
{
  gboolean some;

  return resolve (settings, &some, error);
}

VeilSettings *
veil_settings_file_resolve_again (const VeilSettings *settings, GError **error)
{
  gboolean some = TRUE;
  g_autoptr (VeilSettings) resolved = resolve (settings, &some, error);

  return some ? g_steal_pointer (&resolved) : NULL;
}

/* The path, in a new string, of the file that has @key. */
static char *
get_path_of (const VeilSettings *settings, const char *key, gboolean *choice)
{
  *choice = settings->sandbox && veil_settings_is_choice (key);
  return *choice ? veil_settings_file_get_choice_path (settings) : veil_settings_file_get_path (settings);
}

GVariant *
veil_settings_file_get (const VeilSettings *settings, const char *key, GError **error)
{
  gboolean choice;
  g_autofree char *path = get_path_of (settings, key, &choice);
  g_autoptr (VeilSettings) copy = veil_settings_copy (settings);
  g_autoptr (GSettingsSchema) schema = NULL;
  g_autoptr (GKeyFile) file = load_checked (copy, choice, &schema, error);
  g_autoptr (GSettingsSchemaKey) schema_key = NULL;
  GVariant *value;

  if (file == NULL || (schema == NULL && (schema = find_schema (error)) == NULL))
    return NULL;
  value = read_value (file, schema, key, path, NULL);
  if (value != NULL)
    return value;
  schema_key = g_settings_schema_get_key (schema, key);
  return g_settings_schema_key_get_default_value (schema_key);
}

/* An open file with the lock on it, or -1: a program that reads, changes and writes must be the only one. The kernel lets go when it ends. */
static int
take_lock (const VeilSettings *settings, const char *path, GError **error)
{
  g_autofree char *lock = g_build_filename (settings->home, "settings.lock", NULL);
  int fd;

  if (g_mkdir_with_parents (settings->home, 0700) != 0 || (fd = g_open (lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0)
    {
      refuse (error, _ ("The settings file %s cannot be written: %s"), path, g_strerror (errno));
      return -1;
    }
  while (flock (fd, LOCK_EX) != 0)
    if (errno != EINTR)
      {
        refuse (error, _ ("The settings file %s cannot be written: %s"), path, g_strerror (errno));
        close (fd);
        return -1;
      }
  return fd;
}

/* What is written is what the next start has to read. */
static gboolean
check_value (const VeilSettings *settings, const char *key, GVariant *value, GError **error)
{
  g_autoptr (GSettingsSchema) schema = find_schema (error);
  g_autoptr (GSettingsSchemaKey) schema_key = schema != NULL ? g_settings_schema_get_key (schema, key) : NULL;
  g_autoptr (VeilSettings) copy = veil_settings_copy (settings);
  g_auto (GStrv) texts = NULL;

  if (schema_key == NULL)
    return FALSE;
  if (!g_variant_is_of_type (value, g_settings_schema_key_get_value_type (schema_key)) ||
      !g_settings_schema_key_range_check (schema_key, value))
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT, _ ("%s is outside of what it may be: %s"), key,
                   g_settings_schema_key_get_description (schema_key));
      return FALSE;
    }
  texts = to_texts (value);
  return veil_settings_set_saved (copy, key, key, (const char *const *) texts, error);
}

/* Whole or not at all, also where it is a link or the disk is full: GSettings would empty the old file first then, and without pins any build is used. */
static gboolean
write_value (const VeilSettings *settings, const char *key, GVariant *value, GError **error)
{
  gboolean choice;
  g_autofree char *path = get_path_of (settings, key, &choice);
  g_autoptr (VeilSettings) copy = veil_settings_copy (settings);
  g_autoptr (GKeyFile) file = load_checked (copy, choice, NULL, error);
  g_autofree char *printed = g_variant_print (value, FALSE);
  g_autofree char *target = NULL;
  g_autofree char *text = NULL;
  g_autoptr (GError) local_error = NULL;
  GStatBuf info;
  int mode = 0600;
  gsize length;

  if (file == NULL)
    return FALSE;
  g_key_file_set_value (file, GROUP, key, printed);
  text = g_key_file_to_data (file, &length, NULL);
  if (length > MAX_BYTES)
    return refuse (error, _ ("The settings file %s cannot be written: %s"), path, _ ("it would be too large"));
  target = realpath (path, NULL);
  /* A new file is its owner's alone; who let others read an old one meant it. */
  if (g_stat (path, &info) == 0)
    mode = info.st_mode & 0666;
  return g_file_set_contents_full (target != NULL ? target : path, text, length,
                                   G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, mode, &local_error) ||
         refuse (error, _ ("The settings file %s cannot be written: %s"), path, local_error->message);
}

gboolean
veil_settings_file_change (const VeilSettings *settings, const char *key, VeilSettingsFileFunc func, gpointer user_data,
                           GError **error)
{
  gboolean choice;
  g_autofree char *path = get_path_of (settings, key, &choice);
  int lock = take_lock (settings, path, error);
  g_autoptr (GVariant) old = NULL;
  g_autoptr (GVariant) fresh = NULL;
  g_autoptr (GError) local_error = NULL;

  if (lock < 0)
    return FALSE;
  old = veil_settings_file_get (settings, key, &local_error);
  if (old != NULL)
    fresh = func (old, user_data, &local_error);
  if (fresh != NULL)
    {
      g_variant_ref_sink (fresh);
      if (check_value (settings, key, fresh, &local_error))
        write_value (settings, key, fresh, &local_error);
    }
  close (lock);
  if (local_error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}
