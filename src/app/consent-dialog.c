/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "consent-dialog.h"

#include "direction.h"

#include <adwaita.h>
#include <glib/gi18n.h>

#define NAME "veil-consent-dialog"

typedef struct
{
  VeilConsentFunc func;
  gpointer user_data;
} Question;

static void
answer (Question *question, gboolean consent)
{
  VeilConsentFunc func = g_steal_pointer (&question->func);

  if (func != NULL)
    func (consent, question->user_data);
}

static void
on_response (AdwMessageDialog *dialog, const char *response, gpointer user_data)
{
  answer (user_data, g_str_equal (response, "trust"));
}

/* A dialog that went without an answer was not consented to. */
static void
question_free (gpointer data, GClosure *closure)
{
  answer (data, FALSE);
  g_free (data);
}

/* A line each: what, the old value, the new one. */
static GtkWidget *
build_differences (const char *differences)
{
  GtkWidget *label = gtk_label_new (NULL);
  g_auto (GStrv) lines = g_strsplit (differences, "\n", -1);
  g_autoptr (GString) text = g_string_new (NULL);
  /* A line that only has an address would be read from the left to the right in any language. */
  const char *arrow = gtk_widget_get_default_direction () == GTK_TEXT_DIR_RTL ? "\u200f←" : "→";

  for (guint i = 0; lines[i] != NULL; i++)
    {
      g_auto (GStrv) sides = g_strsplit (g_strstrip (lines[i]), " -> ", 2);
      g_autofree char *other = sides[0] != NULL && sides[1] != NULL ? veil_direction_isolate (sides[1]) : NULL;

      if (other != NULL)
        g_string_append_printf (text, "%s%s\n%s %s", text->len > 0 ? "\n\n" : "", sides[0], arrow, other);
    }
  gtk_label_set_label (GTK_LABEL (label), text->str);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_selectable (GTK_LABEL (label), TRUE);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_add_css_class (label, "card");
  gtk_widget_add_css_class (label, "answer");
  return label;
}

void
veil_consent_dialog_ask (GtkWidget *widget, const char *differences, VeilConsentFunc func, gpointer user_data)
{
  GtkWidget *dialog = adw_message_dialog_new (GTK_WINDOW (gtk_widget_get_root (widget)), _ ("Trust Another Network?"), NULL);
  Question *question = g_new0 (Question, 1);

  gtk_widget_set_name (dialog, NAME);
  question->func = func;
  question->user_data = user_data;
  adw_message_dialog_set_body (
      ADW_MESSAGE_DIALOG (dialog),
      _ ("This login is for another network than the one you trust. Whoever runs it decides which enclaves get your prompts."));
  adw_message_dialog_set_extra_child (ADW_MESSAGE_DIALOG (dialog), build_differences (differences));
  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog), "cancel", _ ("_Cancel"), "trust", _ ("_Trust It"), NULL);
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "trust", ADW_RESPONSE_DESTRUCTIVE);
  adw_message_dialog_set_default_response (ADW_MESSAGE_DIALOG (dialog), "cancel");
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "cancel");
  g_signal_connect_data (dialog, "response", G_CALLBACK (on_response), question, question_free, 0);
  gtk_window_present (GTK_WINDOW (dialog));
}

void
veil_consent_dialog_explain_store (GtkWidget *widget, const char *reason)
{
  GtkWidget *dialog = adw_message_dialog_new (GTK_WINDOW (gtk_widget_get_root (widget)), _ ("Signed In until You Quit"), NULL);

  gtk_widget_set_name (dialog, NAME);
  adw_message_dialog_format_body (
      ADW_MESSAGE_DIALOG (dialog),
      _ ("The session could not be kept, so you will have to sign in again the next time. %s\n\nA "
         "keyring such as GNOME Keyring or KeePassXC keeps it; `--session-store file` keeps it in a file."),
      reason);
  adw_message_dialog_add_response (ADW_MESSAGE_DIALOG (dialog), "close", _ ("_Understood"));
  gtk_window_present (GTK_WINDOW (dialog));
}

gboolean
veil_consent_dialog_is (GtkWindow *window)
{
  return g_str_equal (gtk_widget_get_name (GTK_WIDGET (window)), NAME);
}
