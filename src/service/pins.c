/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "pins.h"

#include "hex.h"
#include "tee.h"
#include "veil-error.h"

#include <glib/gi18n.h>
#include <string.h>

char *
veil_pin_read_hash (const char *text, GError **error)
{
  g_autofree char *stripped = g_strstrip (g_strdup (text));
  guint8 bytes[32];

  if (veil_hex_decode (stripped, bytes, sizeof bytes))
    return veil_hex_encode_0x (bytes, sizeof bytes);
  g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT,
                       _ ("A PCR hash has 64 hexadecimal digits, with or without 0x"));
  return NULL;
}

gboolean
veil_pin_check_label (const char *label, GError **error)
{
  if (g_utf8_validate (label, -1, NULL) && strlen (label) <= VEIL_PIN_MAX_LABEL && veil_tee_is_plain_text (label))
    return TRUE;
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT, _ ("A label is up to %d bytes of text in one line"),
               VEIL_PIN_MAX_LABEL);
  return FALSE;
}

static gboolean
is_same (const char *written, const char *hash)
{
  g_autofree char *normal = veil_pin_read_hash (written, NULL);

  return g_strcmp0 (normal, hash) == 0;
}

GVariant *
veil_pins_add (GVariant *pins, const char *hash, const char *label)
{
  GVariantBuilder builder;
  GVariantIter iter;
  const char *old_hash, *old_label;
  gboolean known = FALSE;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(ss)"));
  g_variant_iter_init (&iter, pins);
  while (g_variant_iter_next (&iter, "(&s&s)", &old_hash, &old_label))
    {
      gboolean same = is_same (old_hash, hash);

      g_variant_builder_add (&builder, "(ss)", old_hash, same && label != NULL ? label : old_label);
      known |= same;
    }
  if (!known)
    g_variant_builder_add (&builder, "(ss)", hash, label != NULL ? label : "");
  return g_variant_builder_end (&builder);
}

GVariant *
veil_pins_remove (GVariant *pins, const char *hash)
{
  GVariantBuilder builder;
  GVariantIter iter;
  const char *old_hash, *old_label;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(ss)"));
  g_variant_iter_init (&iter, pins);
  while (g_variant_iter_next (&iter, "(&s&s)", &old_hash, &old_label))
    if (!is_same (old_hash, hash))
      g_variant_builder_add (&builder, "(ss)", old_hash, old_label);
  return g_variant_builder_end (&builder);
}
