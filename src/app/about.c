/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "about.h"

#include "application.h"
#include "config.h"

#include <glib/gi18n.h>

void
veil_about_show (GtkWindow *parent)
{
  adw_show_about_window (
      parent, "application-name", "Veil", "application-icon", VEIL_APPLICATION_ID, "version", VEIL_VERSION, "developer-name",
      _ ("The Veil authors"), "copyright", "© The Veil authors", "license-type", GTK_LICENSE_APACHE_2_0, "comments",
      _ ("Private and verified inference for any program that speaks the OpenAI API.\n\nThe relay knows who you are, the "
         "enclave knows what you asked, nobody knows both; and nothing unverified reaches your programs."),
      /* Translators: your names, one a line */
      "translator-credits", _ ("translator-credits"), NULL);
}
