/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A list of field names, each once, in order of appearance. The names come from outside: their number and length are bounded. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _VeilNames VeilNames;

VeilNames *veil_names_new (void);
void       veil_names_free (VeilNames *self);

/* Adds @prefix with @name's first bytes. Past the bound, one last entry stands for all others. */
void       veil_names_add (VeilNames *self, const char *prefix, const char *name, gsize length);

/* Returns: (transfer full): never %NULL. */
GStrv      veil_names_to_strv (VeilNames *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilNames, veil_names_free)

G_END_DECLS
