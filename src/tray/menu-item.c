/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "menu-item.h"

#include <string.h>

#define MAX_DEPTH 16 /* of sections and submenus in each other */
#define MAX_ITEMS 2000

typedef struct
{
  GActionGroup *actions;
  const char *prefix;
  GPtrArray *models;
  guint n_items;
} Builder;

static void add_model (Builder *builder, VeilMenuItem *parent, GMenuModel *model, guint depth);

static VeilMenuItem *
item_new (void)
{
  VeilMenuItem *item = g_new0 (VeilMenuItem, 1);

  item->properties = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) g_variant_unref);
  item->children = g_ptr_array_new_with_free_func ((GDestroyNotify) veil_menu_item_free);
  return item;
}

void
veil_menu_item_free (VeilMenuItem *item)
{
  g_free (item->key);
  g_hash_table_unref (item->properties);
  g_free (item->action);
  g_clear_pointer (&item->target, g_variant_unref);
  g_ptr_array_unref (item->children);
  g_free (item);
}

/* @name is static. */
static void
set (VeilMenuItem *item, const char *name, GVariant *value)
{
  g_hash_table_insert (item->properties, (gpointer) name, g_variant_ref_sink (value));
}

/* With a separator before it where a section ends or begins. */
static VeilMenuItem *
append (Builder *builder, VeilMenuItem *parent, char *key)
{
  VeilMenuItem *item;

  if (parent->separate && parent->children->len > 0)
    {
      VeilMenuItem *separator = item_new ();

      separator->key = g_strdup ("separator");
      set (separator, "type", g_variant_new_string ("separator"));
      g_ptr_array_add (parent->children, separator);
      builder->n_items++;
    }
  parent->separate = FALSE;
  item = item_new ();
  item->key = key;
  g_ptr_array_add (parent->children, item);
  builder->n_items++;
  return item;
}

static void
set_label (VeilMenuItem *item, GMenuModel *model, int index)
{
  g_autofree char *label = NULL;

  if (g_menu_model_get_item_attribute (model, index, G_MENU_ATTRIBUTE_LABEL, "s", &label))
    set (item, "label", g_variant_new_string (label));
}

static void
set_icon (VeilMenuItem *item, GMenuModel *model, int index)
{
  g_autoptr (GVariant) serialized = g_menu_model_get_item_attribute_value (model, index, G_MENU_ATTRIBUTE_ICON, NULL);
  g_autoptr (GIcon) icon = serialized != NULL ? g_icon_deserialize (serialized) : NULL;

  if (icon != NULL && G_IS_THEMED_ICON (icon))
    set (item, "icon-name", g_variant_new_string (g_themed_icon_get_names (G_THEMED_ICON (icon))[0]));
}

/* A boolean state makes a check mark, a state like the target a radio item, as in GTK's menus. */
static void
set_toggle (VeilMenuItem *item, GVariant *state)
{
  const char *type;
  gboolean on;

  if (state == NULL)
    return;
  if (item->target != NULL)
    {
      type = "radio";
      on = g_variant_equal (state, item->target);
    }
  else if (g_variant_is_of_type (state, G_VARIANT_TYPE_BOOLEAN))
    {
      type = "checkmark";
      on = g_variant_get_boolean (state);
    }
  else
    return;
  set (item, "toggle-type", g_variant_new_string (type));
  set (item, "toggle-state", g_variant_new_int32 (on ? 1 : 0));
}

/* Does the group have this action, and does it take this target? */
static gboolean
query (GActionGroup *actions, const char *name, GVariant *target, gboolean *enabled, GVariant **state)
{
  const GVariantType *type;

  *enabled = FALSE;
  if (!g_action_group_query_action (actions, name, enabled, &type, NULL, NULL, state))
    return FALSE;
  if ((type == NULL) != (target == NULL) || (type != NULL && !g_variant_is_of_type (target, type)))
    *enabled = FALSE;
  return TRUE;
}

/* "hidden-when", as in GTK's menus. */
static gboolean
is_hidden (GMenuModel *model, int index, gboolean found, gboolean enabled)
{
  g_autofree char *when = NULL;

  if (!g_menu_model_get_item_attribute (model, index, "hidden-when", "s", &when))
    return FALSE;
  return (strcmp (when, "action-missing") == 0 && !found) || (strcmp (when, "action-disabled") == 0 && !enabled);
}

static void
add_action (Builder *builder, VeilMenuItem *parent, GMenuModel *model, int index, const char *detailed)
{
  g_autoptr (GVariant) target = g_menu_model_get_item_attribute_value (model, index, G_MENU_ATTRIBUTE_TARGET, NULL);
  g_autofree char *text = target != NULL ? g_variant_print (target, TRUE) : NULL;
  g_autoptr (GVariant) state = NULL;
  gsize length = strlen (builder->prefix);
  gboolean found = FALSE, enabled = FALSE;
  const char *name = NULL;
  VeilMenuItem *item;

  if (strncmp (detailed, builder->prefix, length) == 0 && detailed[length] == '.')
    name = detailed + length + 1;
  if (name != NULL)
    found = query (builder->actions, name, target, &enabled, &state);
  if (is_hidden (model, index, found, enabled))
    return;
  item = append (builder, parent, g_strdup_printf ("action %s %s", detailed, text != NULL ? text : ""));
  item->action = g_strdup (name);
  item->target = g_steal_pointer (&target);
  set_label (item, model, index);
  set_icon (item, model, index);
  set_toggle (item, state);
  if (!enabled)
    set (item, "enabled", g_variant_new_boolean (FALSE));
}

/* What nobody can click: a line of text. */
static void
add_text (Builder *builder, VeilMenuItem *parent, GMenuModel *model, int index)
{
  VeilMenuItem *item = append (builder, parent, g_strdup ("text"));

  set_label (item, model, index);
  set_icon (item, model, index);
  set (item, "enabled", g_variant_new_boolean (FALSE));
}

static void
add_item (Builder *builder, VeilMenuItem *parent, GMenuModel *model, int index, guint depth)
{
  g_autoptr (GMenuModel) section = g_menu_model_get_item_link (model, index, G_MENU_LINK_SECTION);
  g_autoptr (GMenuModel) submenu = g_menu_model_get_item_link (model, index, G_MENU_LINK_SUBMENU);
  g_autofree char *action = NULL;
  g_autofree char *label = NULL;

  if (section != NULL)
    {
      parent->separate = TRUE;
      if (g_menu_model_get_item_attribute (model, index, G_MENU_ATTRIBUTE_LABEL, "s", &label))
        add_text (builder, parent, model, index);
      add_model (builder, parent, section, depth + 1);
      parent->separate = TRUE;
    }
  else if (submenu != NULL)
    {
      VeilMenuItem *item = append (builder, parent, g_strdup ("submenu"));

      set_label (item, model, index);
      set_icon (item, model, index);
      set (item, "children-display", g_variant_new_string ("submenu"));
      add_model (builder, item, submenu, depth + 1);
    }
  else if (g_menu_model_get_item_attribute (model, index, G_MENU_ATTRIBUTE_ACTION, "s", &action))
    add_action (builder, parent, model, index, action);
  else
    add_text (builder, parent, model, index);
}

static void
add_model (Builder *builder, VeilMenuItem *parent, GMenuModel *model, guint depth)
{
  int n_items;

  if (depth > MAX_DEPTH)
    return;
  g_ptr_array_add (builder->models, g_object_ref (model));
  n_items = g_menu_model_get_n_items (model);
  for (int i = 0; i < n_items && builder->n_items < MAX_ITEMS; i++)
    add_item (builder, parent, model, i, depth);
}

VeilMenuItem *
veil_menu_item_new_tree (GMenuModel *menu, GActionGroup *actions, const char *prefix, GPtrArray *models)
{
  Builder builder = { .actions = actions, .prefix = prefix, .models = models };
  VeilMenuItem *root = item_new ();

  root->key = g_strdup ("root");
  set (root, "children-display", g_variant_new_string ("submenu"));
  add_model (&builder, root, menu, 0);
  return root;
}

static gint32
take_number (gint32 *next)
{
  gint32 number = *next;

  *next = number == G_MAXINT32 ? 1 : number + 1;
  return number;
}

/* The children by key; of those with one key each by its place among them. */
static GHashTable *
index_children (VeilMenuItem *parent)
{
  g_autoptr (GHashTable) counts = g_hash_table_new (g_str_hash, g_str_equal);
  GHashTable *children = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; parent != NULL && i < parent->children->len; i++)
    {
      VeilMenuItem *child = g_ptr_array_index (parent->children, i);
      guint count = GPOINTER_TO_UINT (g_hash_table_lookup (counts, child->key));

      g_hash_table_insert (counts, child->key, GUINT_TO_POINTER (count + 1));
      g_hash_table_insert (children, g_strdup_printf ("%u %s", count, child->key), child);
    }
  return children;
}

static void
number_children (VeilMenuItem *parent, VeilMenuItem *old, gint32 *next)
{
  g_autoptr (GHashTable) before = index_children (old);
  g_autoptr (GHashTable) counts = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < parent->children->len; i++)
    {
      VeilMenuItem *child = g_ptr_array_index (parent->children, i);
      guint count = GPOINTER_TO_UINT (g_hash_table_lookup (counts, child->key));
      g_autofree char *key = g_strdup_printf ("%u %s", count, child->key);
      VeilMenuItem *same = g_hash_table_lookup (before, key);

      g_hash_table_insert (counts, child->key, GUINT_TO_POINTER (count + 1));
      child->id = same != NULL ? same->id : take_number (next);
      number_children (child, same, next);
    }
}

void
veil_menu_item_number (VeilMenuItem *tree, VeilMenuItem *old, gint32 *next)
{
  number_children (tree, old, next);
}

static void
index_item (GHashTable *index, VeilMenuItem *item)
{
  g_hash_table_insert (index, GINT_TO_POINTER (item->id), item);
  for (guint i = 0; i < item->children->len; i++)
    index_item (index, g_ptr_array_index (item->children, i));
}

GHashTable *
veil_menu_item_index (VeilMenuItem *tree)
{
  GHashTable *index = g_hash_table_new (NULL, NULL);

  index_item (index, tree);
  return index;
}

gboolean
veil_menu_item_same_layout (const VeilMenuItem *a, const VeilMenuItem *b)
{
  if (a->id != b->id || a->children->len != b->children->len)
    return FALSE;
  for (guint i = 0; i < a->children->len; i++)
    if (!veil_menu_item_same_layout (g_ptr_array_index (a->children, i), g_ptr_array_index (b->children, i)))
      return FALSE;
  return TRUE;
}

static GVariant *
get_default (const char *name)
{
  static const struct
  {
    const char *name;
    const char *value;
  } defaults[] = { { "type", "'standard'" }, { "label", "''" },       { "enabled", "true" },    { "visible", "true" },
                   { "icon-name", "''" },    { "toggle-type", "''" }, { "toggle-state", "-1" }, { "children-display", "''" } };

  for (guint i = 0; i < G_N_ELEMENTS (defaults); i++)
    if (strcmp (name, defaults[i].name) == 0)
      return g_variant_new_parsed (defaults[i].value);
  return NULL;
}

GVariant *
veil_menu_item_get_property (const VeilMenuItem *item, const char *name)
{
  GVariant *value = g_hash_table_lookup (item->properties, name);

  if (value != NULL)
    return g_variant_ref (value);
  value = get_default (name);
  return value != NULL ? g_variant_ref_sink (value) : NULL;
}

GVariant *
veil_menu_item_get_properties (const VeilMenuItem *item, GHashTable *names)
{
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  GHashTableIter iter;
  const char *name;
  GVariant *value;

  g_hash_table_iter_init (&iter, item->properties);
  while (g_hash_table_iter_next (&iter, (gpointer *) &name, (gpointer *) &value))
    if (names == NULL || g_hash_table_contains (names, name))
      g_variant_builder_add (&builder, "{sv}", name, value);
  return g_variant_builder_end (&builder);
}

GVariant *
veil_menu_item_get_layout (const VeilMenuItem *item, gint32 depth, GHashTable *names)
{
  GVariantBuilder children = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("av"));

  for (guint i = 0; depth != 0 && i < item->children->len; i++)
    g_variant_builder_add (&children, "v",
                           veil_menu_item_get_layout (g_ptr_array_index (item->children, i), depth < 0 ? depth : depth - 1, names));
  return g_variant_new ("(i@a{sv}@av)", item->id, veil_menu_item_get_properties (item, names), g_variant_builder_end (&children));
}

void
veil_menu_item_activate (const VeilMenuItem *item, GActionGroup *actions)
{
  g_autoptr (GVariant) state = NULL;
  gboolean enabled;

  if (item->action != NULL && query (actions, item->action, item->target, &enabled, &state) && enabled)
    g_action_group_activate_action (actions, item->action, item->target);
}
