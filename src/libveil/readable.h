/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Read-only properties from a table: each is what a getter gives. */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

typedef enum
{
  VEIL_READABLE_STRING,  /* const char *() */
  VEIL_READABLE_BOOLEAN, /* gboolean () */
  VEIL_READABLE_UINT,    /* guint () */
  VEIL_READABLE_INT64,   /* gint64 () */
  VEIL_READABLE_BYTES,   /* GBytes *(), transfer none */
  VEIL_READABLE_STRV,    /* const char *const *(), transfer none */
  VEIL_READABLE_OBJECT,  /* gpointer (), transfer none */
} VeilReadableKind;

typedef struct
{
  const char      *name;
  VeilReadableKind kind;
  GCallback        get;
  GType          (*type) (void); /* of an object */
} VeilReadable;

/* Gives @klass the properties of @table (static, ends with a NULL name). */
void veil_readable_install (GObjectClass *klass, const VeilReadable *table);

G_END_DECLS
