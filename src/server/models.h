/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The list behind /v1/models: a file that ships with the program. A convenience; the gateway decides what it serves. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _VeilModels VeilModels;

VeilModels *veil_models_new (void);                                   /* empty */
VeilModels *veil_models_new_from_file (const char *path, GError **error); /* VEIL_ERROR_INVALID_ARGUMENT, VEIL_ERROR_INVALID_JSON */
void        veil_models_free (VeilModels *self);

/* {"object":"list","data":[…]} */
GBytes     *veil_models_list_to_bytes (VeilModels *self);
/* One of them, by its name or "provider/name"; NULL if there is no such model. */
GBytes     *veil_models_one_to_bytes (VeilModels *self, const char *id);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilModels, veil_models_free)

G_END_DECLS
