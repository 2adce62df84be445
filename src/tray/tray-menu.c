/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "tray-menu-private.h"

#define MAX_LABEL 80 /* characters */

G_DEFINE_FINAL_TYPE (VeilTrayMenu, veil_tray_menu, G_TYPE_OBJECT)

static gboolean
on_update (gpointer user_data)
{
  VeilTrayMenu *self = user_data;

  self->update_source = 0;
  veil_tray_menu_update (self);
  return G_SOURCE_REMOVE;
}

/* A change seldom comes alone. */
static void
queue_update (VeilTrayMenu *self)
{
  if (self->update_source == 0)
    self->update_source = g_idle_add (on_update, self);
}

static void
watch_models (VeilTrayMenu *self, GPtrArray *models)
{
  for (guint i = 0; self->models != NULL && i < self->models->len; i++)
    g_signal_handlers_disconnect_by_func (g_ptr_array_index (self->models, i), queue_update, self);
  g_clear_pointer (&self->models, g_ptr_array_unref);
  self->models = models;
  for (guint i = 0; models != NULL && i < models->len; i++)
    g_signal_connect_swapped (g_ptr_array_index (models, i), "items-changed", G_CALLBACK (queue_update), self);
}

/* What @item has (a{sv}) and has no more (as), against what it had. */
static void
compare_properties (const VeilMenuItem *item, const VeilMenuItem *old, GVariantBuilder *updated, GVariantBuilder *removed)
{
  GVariantBuilder added = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  GVariantBuilder gone = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_STRING_ARRAY);
  guint n_added = 0, n_gone = 0;
  GHashTableIter iter;
  const char *name;
  GVariant *value, *before;

  g_hash_table_iter_init (&iter, item->properties);
  while (g_hash_table_iter_next (&iter, (gpointer *) &name, (gpointer *) &value))
    {
      before = g_hash_table_lookup (old->properties, name);
      if (before == NULL || !g_variant_equal (before, value))
        {
          g_variant_builder_add (&added, "{sv}", name, value);
          n_added++;
        }
    }
  g_hash_table_iter_init (&iter, old->properties);
  while (g_hash_table_iter_next (&iter, (gpointer *) &name, NULL))
    if (!g_hash_table_contains (item->properties, name))
      {
        g_variant_builder_add (&gone, "s", name);
        n_gone++;
      }
  if (n_added > 0)
    g_variant_builder_add (updated, "(ia{sv})", item->id, &added);
  else
    g_variant_builder_clear (&added);
  if (n_gone > 0)
    g_variant_builder_add (removed, "(ias)", item->id, &gone);
  else
    g_variant_builder_clear (&gone);
}

/* Tells who shows the menu of properties that changed in items that stay. */
static void
emit_properties (VeilTrayMenu *self, GHashTable *old)
{
  GVariantBuilder updated = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(ia{sv})"));
  GVariantBuilder removed = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(ias)"));
  g_autoptr (GVariant) all_updated = NULL;
  g_autoptr (GVariant) all_removed = NULL;
  GHashTableIter iter;
  gpointer id, item, before;

  g_hash_table_iter_init (&iter, self->index);
  while (g_hash_table_iter_next (&iter, &id, &item))
    if (g_hash_table_lookup_extended (old, id, NULL, &before))
      compare_properties (item, before, &updated, &removed);
  all_updated = g_variant_ref_sink (g_variant_builder_end (&updated));
  all_removed = g_variant_ref_sink (g_variant_builder_end (&removed));
  if (g_variant_n_children (all_updated) > 0 || g_variant_n_children (all_removed) > 0)
    veil_dbus_menu_emit_items_properties_updated (self->skeleton, all_updated, all_removed);
}

void
veil_tray_menu_update (VeilTrayMenu *self)
{
  GPtrArray *models = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (VeilMenuItem) old = g_steal_pointer (&self->tree);
  g_autoptr (GHashTable) old_index = g_steal_pointer (&self->index);

  g_clear_handle_id (&self->update_source, g_source_remove);
  self->tree = veil_menu_item_new_tree (self->menu, self->actions, self->prefix, models);
  watch_models (self, models);
  veil_menu_item_number (self->tree, old, &self->next);
  self->index = veil_menu_item_index (self->tree);
  if (old == NULL)
    return;
  if (!veil_menu_item_same_layout (self->tree, old))
    veil_dbus_menu_emit_layout_updated (self->skeleton, ++self->revision, 0);
  emit_properties (self, old_index);
}

void
veil_tray_menu_set_icon_path (VeilTrayMenu *self, const char *path)
{
  const char *const paths[] = { path, NULL };

  veil_dbus_menu_set_icon_theme_path (self->skeleton, paths);
}

void
veil_tray_menu_set_right_to_left (VeilTrayMenu *self, gboolean right_to_left)
{
  veil_dbus_menu_set_text_direction (self->skeleton, right_to_left ? "rtl" : "ltr");
}

char *
veil_tray_menu_escape (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *label = g_string_new (NULL);
  guint length = 0;

  for (const char *next = valid; *next != '\0'; next = g_utf8_next_char (next))
    {
      gunichar c = g_utf8_get_char (next);
      GUnicodeType type = g_unichar_type (c);

      if (++length > MAX_LABEL)
        {
          g_string_append (label, "…");
          break;
        }
      if (c == '_')
        g_string_append (label, "__");
      else if (type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT || type == G_UNICODE_LINE_SEPARATOR ||
               type == G_UNICODE_PARAGRAPH_SEPARATOR)
        g_string_append_c (label, ' ');
      else
        g_string_append_unichar (label, c);
    }
  return g_string_free (label, FALSE);
}

gboolean
veil_tray_menu_export (VeilTrayMenu *self, GDBusConnection *bus, const char *path, GError **error)
{
  return g_dbus_interface_skeleton_export (G_DBUS_INTERFACE_SKELETON (self->skeleton), bus, path, error);
}

void
veil_tray_menu_unexport (VeilTrayMenu *self)
{
  if (g_dbus_interface_skeleton_get_connection (G_DBUS_INTERFACE_SKELETON (self->skeleton)) != NULL)
    g_dbus_interface_skeleton_unexport (G_DBUS_INTERFACE_SKELETON (self->skeleton));
}

VeilTrayMenu *
veil_tray_menu_new (GMenuModel *menu, GActionGroup *actions, const char *prefix)
{
  static const char *const signals[] = { "action-added", "action-removed", "action-enabled-changed", "action-state-changed" };
  VeilTrayMenu *self = g_object_new (VEIL_TYPE_TRAY_MENU, NULL);

  self->menu = g_object_ref (menu);
  self->actions = g_object_ref (actions);
  self->prefix = g_strdup (prefix);
  for (guint i = 0; i < G_N_ELEMENTS (signals); i++)
    g_signal_connect_object (actions, signals[i], G_CALLBACK (queue_update), self, G_CONNECT_SWAPPED);
  veil_tray_menu_update (self);
  return self;
}

static void
veil_tray_menu_dispose (GObject *object)
{
  VeilTrayMenu *self = VEIL_TRAY_MENU (object);

  veil_tray_menu_unexport (self);
  watch_models (self, NULL);
  g_clear_handle_id (&self->update_source, g_source_remove);
  g_clear_pointer (&self->index, g_hash_table_unref);
  g_clear_pointer (&self->tree, veil_menu_item_free);
  g_clear_object (&self->menu);
  g_clear_object (&self->actions);
  G_OBJECT_CLASS (veil_tray_menu_parent_class)->dispose (object);
}

static void
veil_tray_menu_finalize (GObject *object)
{
  VeilTrayMenu *self = VEIL_TRAY_MENU (object);

  g_object_unref (self->skeleton);
  g_free (self->prefix);
  G_OBJECT_CLASS (veil_tray_menu_parent_class)->finalize (object);
}

static void
veil_tray_menu_class_init (VeilTrayMenuClass *class)
{
  G_OBJECT_CLASS (class)->dispose = veil_tray_menu_dispose;
  G_OBJECT_CLASS (class)->finalize = veil_tray_menu_finalize;
}

static void
veil_tray_menu_init (VeilTrayMenu *self)
{
  static const char *const none[] = { NULL };

  self->next = 1;
  self->revision = 1;
  self->skeleton = veil_dbus_menu_skeleton_new ();
  veil_dbus_menu_set_version (self->skeleton, 3);
  veil_dbus_menu_set_status (self->skeleton, "normal");
  veil_dbus_menu_set_text_direction (self->skeleton, "ltr");
  veil_dbus_menu_set_icon_theme_path (self->skeleton, none);
  veil_tray_menu_connect (self);
}
