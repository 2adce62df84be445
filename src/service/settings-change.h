/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Changes of the settings file from a main loop: the file is locked and written through to the disk in another thread. */
#pragma once

#include "pins.h"
#include "settings.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* @value: (transfer floating): of the type that the schema says for @key. Errors as veil_settings_file_change(). */
void     veil_settings_change_async (const VeilSettings *settings, const char *key, GVariant *value, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data);

/* @hash as veil_pin_read_hash() gives it. @label: NULL leaves it as it was. Adding what is there already changes its label. */
void     veil_pin_add_async (const VeilSettings *settings, const char *hash, const char *label, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data);
/* That it is not there is fine. */
void     veil_pin_remove_async (const VeilSettings *settings, const char *hash, GCancellable *cancellable, GAsyncReadyCallback callback,
                                gpointer user_data);

/* For all of them. */
gboolean veil_settings_change_finish (GAsyncResult *result, GError **error);

G_END_DECLS
