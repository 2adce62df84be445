/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "build.h"

#include "tee.h"

#define MAX_VERSION 128

VeilBuild *
veil_build_new (const char *pcr_hash, guint8 tee_type)
{
  VeilBuild *self = g_new0 (VeilBuild, 1);

  self->pcr_hash = g_strdup (pcr_hash);
  self->tee_type = tee_type;
  self->approved = TRUE;
  return self;
}

void
veil_build_free (VeilBuild *self)
{
  g_free (self->pcr_hash);
  g_free (self->version);
  g_free (self);
}

void
veil_build_set_version (VeilBuild *self, const guint8 *text, gsize length)
{
  g_autofree char *version = NULL;

  g_clear_pointer (&self->version, g_free);
  if (length == 0 || length > MAX_VERSION || !g_utf8_validate_len ((const char *) text, length, NULL))
    return;
  version = g_strndup ((const char *) text, length);
  if (veil_tee_is_plain_text (version))
    self->version = g_steal_pointer (&version);
}
