/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* An enclave build that the registry approves, named by its PCR hash (protocol.md section 1). */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  char    *pcr_hash; /* owned; 0x + 64 digits */
  guint8   tee_type;
  gboolean approved;
  guint64  approved_at; /* seconds since 1970; 0 if unknown */
  char    *version;     /* owned; NULL if unknown, or not text that can be shown */
} VeilBuild;

/* An approved one whose version is not known. */
VeilBuild *veil_build_new (const char *pcr_hash, guint8 tee_type);
void       veil_build_free (VeilBuild *self);
void       veil_build_set_version (VeilBuild *self, const guint8 *text, gsize length);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilBuild, veil_build_free)

G_END_DECLS
