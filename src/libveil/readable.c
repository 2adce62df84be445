/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "readable.h"

static GQuark
table_quark (void)
{
  return g_quark_from_static_string ("veil-readable-table");
}

static GParamSpec *
build_spec (const VeilReadable *entry)
{
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  switch (entry->kind)
    {
    case VEIL_READABLE_BOOLEAN:
      return g_param_spec_boolean (entry->name, NULL, NULL, FALSE, flags);
    case VEIL_READABLE_UINT:
      return g_param_spec_uint (entry->name, NULL, NULL, 0, G_MAXUINT, 0, flags);
    case VEIL_READABLE_INT64:
      return g_param_spec_int64 (entry->name, NULL, NULL, G_MININT64, G_MAXINT64, 0, flags);
    case VEIL_READABLE_BYTES:
      return g_param_spec_boxed (entry->name, NULL, NULL, G_TYPE_BYTES, flags);
    case VEIL_READABLE_STRV:
      return g_param_spec_boxed (entry->name, NULL, NULL, G_TYPE_STRV, flags);
    case VEIL_READABLE_OBJECT:
      return g_param_spec_object (entry->name, NULL, NULL, entry->type (), flags);
    case VEIL_READABLE_STRING:
    default:
      return g_param_spec_string (entry->name, NULL, NULL, NULL, flags);
    }
}

static void
get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  const VeilReadable *table = g_type_get_qdata (pspec->owner_type, table_quark ());
  const VeilReadable *entry = &table[id - 1];

  switch (entry->kind)
    {
    case VEIL_READABLE_BOOLEAN:
      g_value_set_boolean (value, ((gboolean (*) (gpointer)) entry->get) (object));
      break;
    case VEIL_READABLE_UINT:
      g_value_set_uint (value, ((guint (*) (gpointer)) entry->get) (object));
      break;
    case VEIL_READABLE_INT64:
      g_value_set_int64 (value, ((gint64 (*) (gpointer)) entry->get) (object));
      break;
    case VEIL_READABLE_BYTES:
    case VEIL_READABLE_STRV:
      g_value_set_boxed (value, ((gconstpointer (*) (gpointer)) entry->get) (object));
      break;
    case VEIL_READABLE_OBJECT:
      g_value_set_object (value, ((gpointer (*) (gpointer)) entry->get) (object));
      break;
    case VEIL_READABLE_STRING:
    default:
      g_value_set_string (value, ((const char *(*) (gpointer)) entry->get) (object));
      break;
    }
}

void
veil_readable_install (GObjectClass *klass, const VeilReadable *table)
{
  g_type_set_qdata (G_OBJECT_CLASS_TYPE (klass), table_quark (), (gpointer) table);
  klass->get_property = get_property;
  for (guint i = 0; table[i].name != NULL; i++)
    g_object_class_install_property (klass, i + 1, build_spec (&table[i]));
}
