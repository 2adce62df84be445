/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The enclave builds that a person lets be used, as the settings keep them: a(ss), hash and label of each. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define VEIL_PIN_MAX_LABEL 200

/* "0x" and 64 lower-case digits from any spelling, in a new string. VEIL_ERROR_INVALID_ARGUMENT. */
char    *veil_pin_read_hash (const char *text, GError **error);
/* Up to VEIL_PIN_MAX_LABEL bytes of text in one line. VEIL_ERROR_INVALID_ARGUMENT. */
gboolean veil_pin_check_label (const char *label, GError **error);

/* @hash as veil_pin_read_hash() gives it. New floating values. @label: NULL leaves it as it was; a pin that is there already gets the label. */
GVariant *veil_pins_add (GVariant *pins, const char *hash, const char *label);
GVariant *veil_pins_remove (GVariant *pins, const char *hash);

G_END_DECLS
