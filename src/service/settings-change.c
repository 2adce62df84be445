/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "settings-change.h"

#include "settings-file.h"

typedef struct
{
  VeilSettings *settings; /* owned */
  char *key;              /* owned */
  VeilSettingsFileFunc func;
  GVariant *value; /* owned; NULL for pins */
  char *hash;      /* owned; NULL but for pins, as is the next */
  char *label;     /* owned; may be NULL */
} Change;

static void
change_free (gpointer data)
{
  Change *change = data;

  veil_settings_free (change->settings);
  g_free (change->key);
  g_clear_pointer (&change->value, g_variant_unref);
  g_free (change->hash);
  g_free (change->label);
  g_free (change);
}

static void
write_change (GTask *task, gpointer source, gpointer task_data, GCancellable *cancellable)
{
  Change *change = task_data;
  GError *error = NULL;

  if (veil_settings_file_change (change->settings, change->key, change->func, change, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
start (const VeilSettings *settings, Change *change, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);

  g_task_set_source_tag (task, veil_settings_change_async);
  change->settings = veil_settings_copy (settings);
  g_task_set_task_data (task, change, change_free);
  g_task_run_in_thread (task, write_change);
}

static GVariant *
set_value (GVariant *old, gpointer user_data, GError **error)
{
  Change *change = user_data;

  return g_variant_equal (old, change->value) ? NULL : g_variant_ref (change->value);
}

void
veil_settings_change_async (const VeilSettings *settings, const char *key, GVariant *value, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  Change *change = g_new0 (Change, 1);

  change->key = g_strdup (key);
  change->func = set_value;
  change->value = g_variant_ref_sink (value);
  start (settings, change, cancellable, callback, user_data);
}

gboolean
veil_settings_change_finish (GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

static GVariant *
add_pin (GVariant *old, gpointer user_data, GError **error)
{
  Change *change = user_data;

  return veil_pins_add (old, change->hash, change->label);
}

static GVariant *
remove_pin (GVariant *old, gpointer user_data, GError **error)
{
  Change *change = user_data;

  return veil_pins_remove (old, change->hash);
}

static void
change_pins (const VeilSettings *settings, VeilSettingsFileFunc func, const char *hash, const char *label,
             GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  Change *change = g_new0 (Change, 1);

  change->key = g_strdup ("pcr-pins");
  change->func = func;
  change->hash = g_strdup (hash);
  change->label = g_strdup (label);
  start (settings, change, cancellable, callback, user_data);
}

void
veil_pin_add_async (const VeilSettings *settings, const char *hash, const char *label, GCancellable *cancellable,
                    GAsyncReadyCallback callback, gpointer user_data)
{
  change_pins (settings, add_pin, hash, label, cancellable, callback, user_data);
}

void
veil_pin_remove_async (const VeilSettings *settings, const char *hash, GCancellable *cancellable, GAsyncReadyCallback callback,
                       gpointer user_data)
{
  change_pins (settings, remove_pin, hash, NULL, cancellable, callback, user_data);
}
