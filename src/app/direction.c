/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "direction.h"

#include "config.h"

#include <string.h>

#define FIELD "\nLanguage: "
#define ISOLATE "\u2066" /* left to right, up to */
#define END_ISOLATE "\u2069"

/* From the head of the catalogue that is in use; NULL: there is none, and the texts are the English ones. */
static char *
get_language (void)
{
  const char *head = g_dgettext (GETTEXT_PACKAGE, "");
  const char *field = strstr (head, FIELD);

  return field != NULL ? g_strndup (field + strlen (FIELD), strcspn (field + strlen (FIELD), "\n")) : NULL;
}

static gboolean
is_right_to_left (const char *sample)
{
  gunichar first = g_utf8_get_char (sample);
  GUnicodeScript script = g_unichar_get_script (first);

  return script == G_UNICODE_SCRIPT_ARABIC || script == G_UNICODE_SCRIPT_HEBREW || script == G_UNICODE_SCRIPT_SYRIAC ||
         script == G_UNICODE_SCRIPT_THAANA || script == G_UNICODE_SCRIPT_NKO || script == G_UNICODE_SCRIPT_ADLAM;
}

void
veil_direction_set (void)
{
  g_autofree char *name = get_language ();
  PangoLanguage *language = pango_language_from_string (name);

  if (name != NULL)
    gtk_widget_set_default_direction (is_right_to_left (pango_language_get_sample_string (language)) ? GTK_TEXT_DIR_RTL
                                                                                                     : GTK_TEXT_DIR_LTR);
}

char *
veil_direction_isolate (const char *text)
{
  if (gtk_widget_get_default_direction () != GTK_TEXT_DIR_RTL)
    return g_strdup (text);
  return g_strconcat (ISOLATE, text, END_ISOLATE, NULL);
}
