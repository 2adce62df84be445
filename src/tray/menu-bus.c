/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The methods of com.canonical.dbusmenu. GDBus has checked the types of what comes in; numbers and lengths are checked here. */
#include "config.h"

#include "tray-menu-private.h"

#include <string.h>

#define MAX_NAMES 100 /* of properties in one question: menus know about twenty */
#define MAX_IDS 10000 /* in one question: several times the longest menu */

/* TRUE if the caller was told that it asked too much. */
static gboolean
refuse_length (GDBusMethodInvocation *invocation, const char *what, gsize length, gsize most)
{
  if (length <= most)
    return FALSE;
  g_dbus_method_invocation_return_error (invocation, G_DBUS_ERROR, G_DBUS_ERROR_LIMITS_EXCEEDED,
                                         "%" G_GSIZE_FORMAT " %s in one call: at most %" G_GSIZE_FORMAT " are answered", length,
                                         what, most);
  return TRUE;
}

/* The item, or the caller was told that there is none. */
static VeilMenuItem *
find (VeilTrayMenu *self, GDBusMethodInvocation *invocation, gint32 id)
{
  VeilMenuItem *item = g_hash_table_lookup (self->index, GINT_TO_POINTER (id));

  if (item == NULL)
    g_dbus_method_invocation_return_error (invocation, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS, "The menu has no item %d", id);
  return item;
}

/* A set of @names; NULL, which is all of them, for none. */
static GHashTable *
make_set (const char *const *names)
{
  GHashTable *set;

  if (names[0] == NULL)
    return NULL;
  set = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; names[i] != NULL; i++)
    g_hash_table_add (set, (gpointer) names[i]);
  return set;
}

static gboolean
on_get_layout (VeilTrayMenu *self, GDBusMethodInvocation *invocation, int parent, int depth, const char *const *names)
{
  g_autoptr (GHashTable) set = NULL;
  VeilMenuItem *item;

  if (refuse_length (invocation, "property names", g_strv_length ((char **) names), MAX_NAMES))
    return G_DBUS_METHOD_INVOCATION_HANDLED;
  if (depth < -1)
    {
      g_dbus_method_invocation_return_error (invocation, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS,
                                             "A recursion depth of %d means nothing: -1 is all levels", depth);
      return G_DBUS_METHOD_INVOCATION_HANDLED;
    }
  item = find (self, invocation, parent);
  if (item == NULL)
    return G_DBUS_METHOD_INVOCATION_HANDLED;
  if (parent == 0)
    self->shown_revision = self->revision;
  set = make_set (names);
  veil_dbus_menu_complete_get_layout (self->skeleton, invocation, self->revision, veil_menu_item_get_layout (item, depth, set));
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* Each item once, however often it is asked for. */
static void
add_properties (VeilTrayMenu *self, gint32 id, GHashTable *seen, GHashTable *names, GVariantBuilder *builder)
{
  VeilMenuItem *item = g_hash_table_lookup (self->index, GINT_TO_POINTER (id));

  if (item != NULL && g_hash_table_add (seen, GINT_TO_POINTER (id)))
    g_variant_builder_add (builder, "(i@a{sv})", id, veil_menu_item_get_properties (item, names));
}

static gboolean
on_get_group_properties (VeilTrayMenu *self, GDBusMethodInvocation *invocation, GVariant *ids, const char *const *names)
{
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a(ia{sv})"));
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  g_autoptr (GHashTable) set = NULL;
  GHashTableIter iter;
  gpointer number;
  const gint32 *list;
  gsize length;

  list = g_variant_get_fixed_array (ids, &length, sizeof *list);
  if (refuse_length (invocation, "items", length, MAX_IDS) ||
      refuse_length (invocation, "property names", g_strv_length ((char **) names), MAX_NAMES))
    return G_DBUS_METHOD_INVOCATION_HANDLED;
  set = make_set (names);
  for (gsize i = 0; i < length; i++)
    add_properties (self, list[i], seen, set, &builder);
  g_hash_table_iter_init (&iter, self->index);
  while (length == 0 && g_hash_table_iter_next (&iter, &number, NULL))
    add_properties (self, GPOINTER_TO_INT (number), seen, set, &builder);
  veil_dbus_menu_complete_get_group_properties (self->skeleton, invocation, g_variant_builder_end (&builder));
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_get_property (VeilTrayMenu *self, GDBusMethodInvocation *invocation, int id, const char *name)
{
  VeilMenuItem *item = find (self, invocation, id);
  g_autoptr (GVariant) value = NULL;

  if (item == NULL)
    return G_DBUS_METHOD_INVOCATION_HANDLED;
  value = veil_menu_item_get_property (item, name);
  if (value == NULL)
    g_dbus_method_invocation_return_error (invocation, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS, "Item %d has no such property", id);
  else
    veil_dbus_menu_complete_get_property (self->skeleton, invocation, g_variant_new_variant (value));
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* The other events ("hovered", "opened", "closed") ask for nothing. */
static void
act (VeilTrayMenu *self, VeilMenuItem *item, const char *event)
{
  if (strcmp (event, "clicked") == 0)
    veil_menu_item_activate (item, self->actions);
}

static gboolean
on_event (VeilTrayMenu *self, GDBusMethodInvocation *invocation, int id, const char *event, GVariant *data, guint timestamp)
{
  VeilMenuItem *item = find (self, invocation, id);

  if (item == NULL)
    return G_DBUS_METHOD_INVOCATION_HANDLED;
  /* Answered first: the action may end the program. */
  veil_dbus_menu_complete_event (self->skeleton, invocation);
  act (self, item, event);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_event_group (VeilTrayMenu *self, GDBusMethodInvocation *invocation, GVariant *events)
{
  GVariantBuilder unknown = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("ai"));
  gsize n_events = g_variant_n_children (events), n_unknown = 0;
  const char *event;
  gint32 id;

  if (refuse_length (invocation, "events", n_events, MAX_IDS))
    return G_DBUS_METHOD_INVOCATION_HANDLED;
  for (gsize i = 0; i < n_events; i++)
    {
      g_variant_get_child (events, i, "(i&s@vu)", &id, &event, NULL, NULL);
      if (g_hash_table_contains (self->index, GINT_TO_POINTER (id)))
        continue;
      g_variant_builder_add (&unknown, "i", id);
      n_unknown++;
    }
  if (n_unknown > 0 && n_unknown == n_events)
    {
      g_variant_builder_clear (&unknown);
      g_dbus_method_invocation_return_error (invocation, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS,
                                             "The menu has none of these items");
      return G_DBUS_METHOD_INVOCATION_HANDLED;
    }
  veil_dbus_menu_complete_event_group (self->skeleton, invocation, g_variant_builder_end (&unknown));
  for (gsize i = 0; i < n_events; i++)
    {
      VeilMenuItem *item;

      g_variant_get_child (events, i, "(i&s@vu)", &id, &event, NULL, NULL);
      item = g_hash_table_lookup (self->index, GINT_TO_POINTER (id));
      if (item != NULL)
        act (self, item, event);
    }
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* Is there a layout that nobody has read yet? */
static gboolean
has_news (VeilTrayMenu *self)
{
  if (self->update_source != 0)
    veil_tray_menu_update (self);
  return self->revision != self->shown_revision;
}

static gboolean
on_about_to_show (VeilTrayMenu *self, GDBusMethodInvocation *invocation, int id)
{
  gboolean news = has_news (self);

  if (find (self, invocation, id) != NULL)
    veil_dbus_menu_complete_about_to_show (self->skeleton, invocation, news);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_about_to_show_group (VeilTrayMenu *self, GDBusMethodInvocation *invocation, GVariant *ids)
{
  gboolean news = has_news (self);
  GVariantBuilder updates = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("ai"));
  GVariantBuilder unknown = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("ai"));
  gsize length, n_unknown = 0;
  const gint32 *list = g_variant_get_fixed_array (ids, &length, sizeof *list);

  if (refuse_length (invocation, "items", length, MAX_IDS))
    return G_DBUS_METHOD_INVOCATION_HANDLED;
  for (gsize i = 0; i < length; i++)
    {
      if (!g_hash_table_contains (self->index, GINT_TO_POINTER (list[i])))
        {
          g_variant_builder_add (&unknown, "i", list[i]);
          n_unknown++;
        }
      else if (news)
        g_variant_builder_add (&updates, "i", list[i]);
    }
  if (n_unknown > 0 && n_unknown == length)
    {
      g_variant_builder_clear (&updates);
      g_variant_builder_clear (&unknown);
      g_dbus_method_invocation_return_error (invocation, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS,
                                             "The menu has none of these items");
      return G_DBUS_METHOD_INVOCATION_HANDLED;
    }
  veil_dbus_menu_complete_about_to_show_group (self->skeleton, invocation, g_variant_builder_end (&updates),
                                               g_variant_builder_end (&unknown));
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* The skeleton is the menu's own, but whoever holds a call may keep it for longer. */
void
veil_tray_menu_connect (VeilTrayMenu *self)
{
  g_signal_connect_object (self->skeleton, "handle-get-layout", G_CALLBACK (on_get_layout), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->skeleton, "handle-get-group-properties", G_CALLBACK (on_get_group_properties), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->skeleton, "handle-get-property", G_CALLBACK (on_get_property), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->skeleton, "handle-event", G_CALLBACK (on_event), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->skeleton, "handle-event-group", G_CALLBACK (on_event_group), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->skeleton, "handle-about-to-show", G_CALLBACK (on_about_to_show), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->skeleton, "handle-about-to-show-group", G_CALLBACK (on_about_to_show_group), self,
                           G_CONNECT_SWAPPED);
}
