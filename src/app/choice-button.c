/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "choice-button.h"

struct _VeilChoiceButton
{
  GtkCheckButton parent;
};

G_DEFINE_FINAL_TYPE (VeilChoiceButton, veil_choice_button, GTK_TYPE_CHECK_BUTTON)

/* The Tab key comes by all of a group: of arrow keys, with which GTK goes from one to the next, a list makes its own use. */
static gboolean
veil_choice_button_focus (GtkWidget *widget, GtkDirectionType direction)
{
  return !gtk_widget_is_focus (widget) && gtk_widget_grab_focus (widget);
}

static void
veil_choice_button_class_init (VeilChoiceButtonClass *klass)
{
  GTK_WIDGET_CLASS (klass)->focus = veil_choice_button_focus;
}

static void
veil_choice_button_init (VeilChoiceButton *self)
{
}
