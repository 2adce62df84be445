/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The items of a GMenuModel as com.canonical.dbusmenu sees them: numbered, sections turned into separators, each with its properties. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _VeilMenuItem VeilMenuItem;
struct _VeilMenuItem
{
  gint32      id;         /* 0 is the menu itself */
  char       *key;        /* owned; what it is, among its siblings: a number stays with this as long as the item is there */
  GHashTable *properties; /* owned; names to GVariants, without those that have their default value */
  char       *action;     /* owned; its name in the group, or NULL */
  GVariant   *target;     /* owned, nullable */
  GPtrArray  *children;   /* owned items */
  gboolean    separate;   /* while building: a separator belongs before the next child */
};

/**
 * veil_menu_item_new_tree:
 * @prefix: what names the group in the menu's actions, "app" for "app.quit"
 * @models: filled with every model that was read, to be watched
 *
 * No deeper and no longer than a menu can be read, whatever @menu says. No numbers yet.
 */
VeilMenuItem *veil_menu_item_new_tree (GMenuModel *menu, GActionGroup *actions, const char *prefix, GPtrArray *models);
void          veil_menu_item_free (VeilMenuItem *item);

/* Gives the items of @tree the numbers they had in @old (nullable), and new ones from @next on to those that were not there: a click on what is gone
 * never acts on what has come in its place. */
void          veil_menu_item_number (VeilMenuItem *tree, VeilMenuItem *old, gint32 *next);

/* New table of all items below and with @tree, by number. */
GHashTable   *veil_menu_item_index (VeilMenuItem *tree);
/* Same numbers in the same places? */
gboolean      veil_menu_item_same_layout (const VeilMenuItem *a, const VeilMenuItem *b);

/* (transfer full) (nullable): the value, the default where the item has none of its own; NULL for what is no property of menus */
GVariant     *veil_menu_item_get_property (const VeilMenuItem *item, const char *name);
/* Floating, a{sv}: those in @names (a set), or all for NULL. */
GVariant     *veil_menu_item_get_properties (const VeilMenuItem *item, GHashTable *names);
/* Floating, (ia{sv}av): @depth levels of children, -1 for all. */
GVariant     *veil_menu_item_get_layout (const VeilMenuItem *item, gint32 depth, GHashTable *names);

/* A click, if the item may be clicked now. */
void          veil_menu_item_activate (const VeilMenuItem *item, GActionGroup *actions);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilMenuItem, veil_menu_item_free)

G_END_DECLS
