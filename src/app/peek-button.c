/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "peek-button.h"

#include <glib/gi18n.h>

static gboolean
is_peek_button (GtkWidget *widget)
{
  const char *icon = GTK_IS_BUTTON (widget) ? gtk_button_get_icon_name (GTK_BUTTON (widget)) : NULL;

  return icon != NULL && g_str_has_prefix (icon, "view-");
}

static void
name_inside (GtkWidget *widget)
{
  if (is_peek_button (widget))
    gtk_accessible_update_property (GTK_ACCESSIBLE (widget), GTK_ACCESSIBLE_PROPERTY_LABEL, _ ("Show or Hide What Is Typed"), -1);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child))
    name_inside (child);
}

void
veil_peek_button_name (AdwPasswordEntryRow *row)
{
  name_inside (GTK_WIDGET (row));
}
