/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "welcome-page.h"

#include "window.h"

struct _VeilWelcomePage
{
  AdwBin parent;

  VeilFront *front; /* owned */
};

G_DEFINE_FINAL_TYPE (VeilWelcomePage, veil_welcome_page, ADW_TYPE_BIN)

static void
veil_welcome_page_dispose (GObject *object)
{
  VeilWelcomePage *self = VEIL_WELCOME_PAGE (object);

  g_clear_object (&self->front);
  gtk_widget_dispose_template (GTK_WIDGET (self), VEIL_TYPE_WELCOME_PAGE);
  G_OBJECT_CLASS (veil_welcome_page_parent_class)->dispose (object);
}

static void
veil_welcome_page_class_init (VeilWelcomePageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = veil_welcome_page_dispose;
  gtk_widget_class_set_template_from_resource (widget_class, VEIL_RESOURCES "/welcome-page.ui");
}

static void
veil_welcome_page_init (VeilWelcomePage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
veil_welcome_page_set_front (VeilWelcomePage *self, VeilFront *front)
{
  self->front = g_object_ref (front);
}
