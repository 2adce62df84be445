/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "wrap.h"

#include "hex.h"
#include "translate.h"
#include "veil-error.h"

#define MAX_HEX_BYTES 64

char *
veil_wrap_normalize_hex (const char *text, gsize length, const char *what, GError **error)
{
  guint8 bytes[MAX_HEX_BYTES];

  g_assert (length <= sizeof bytes);
  if (veil_hex_decode (text, bytes, length))
    return veil_hex_encode_0x (bytes, length);
  /* TRANSLATORS: the first is "The PCR hash" or the like */
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT, _ ("%s is not %zu hexadecimal digits"), what, 2 * length);
  return NULL;
}

GStrv
veil_wrap_normalize_pins (const char *const *pcr_hashes, GError **error)
{
  g_autoptr (GStrvBuilder) pins = g_strv_builder_new ();

  for (guint i = 0; pcr_hashes != NULL && pcr_hashes[i] != NULL; i++)
    {
      g_autofree char *pin = veil_wrap_normalize_hex (pcr_hashes[i], 32, _ ("The PCR hash"), error);

      if (pin == NULL)
        return NULL;
      g_strv_builder_add (pins, pin);
    }
  return g_strv_builder_end (pins);
}

char *
veil_wrap_bytes_to_string (GBytes *bytes)
{
  gsize length;
  const char *data = g_bytes_get_data (bytes, &length);
  char *text = g_strndup (length > 0 ? data : "", length);

  g_bytes_unref (bytes);
  return text;
}

void
veil_place_init (VeilPlace *self)
{
  self->thread = g_thread_self ();
  self->context = g_main_context_ref_thread_default ();
}

void
veil_place_clear (VeilPlace *self)
{
  g_clear_pointer (&self->context, g_main_context_unref);
}

gboolean
veil_place_is_here (const VeilPlace *self)
{
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();

  return self->thread == g_thread_self () && self->context == context;
}
