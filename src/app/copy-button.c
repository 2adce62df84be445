/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "copy-button.h"

void
veil_copy_button_set_text (GtkButton *button, const char *text)
{
  GtkActionable *actionable = GTK_ACTIONABLE (button);

  if (text == NULL)
    {
      gtk_actionable_set_action_name (actionable, NULL);
      gtk_widget_set_sensitive (GTK_WIDGET (button), FALSE);
      return;
    }
  /* Never an action without its target, which would be a mistake to GTK. */
  gtk_actionable_set_action_target (actionable, "s", text);
  gtk_actionable_set_action_name (actionable, "win.copy");
  gtk_widget_set_sensitive (GTK_WIDGET (button), TRUE);
}
