/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "attest-dialog.h"

#include "attest-fetch.h"
#include "direction.h"
#include "explain.h"

#include <adwaita.h>
#include <glib/gi18n.h>

typedef struct
{
  GtkWindow *parent;         /* owned */
  VeilFront *front;          /* owned */
  VeilTee *tee;              /* owned */
  GtkWidget *dialog;         /* owned; the one that shows what came of it */
  GCancellable *cancellable; /* owned */
} Attest;

static void
attest_free (gpointer data)
{
  Attest *attest = data;

  g_clear_object (&attest->dialog); /* before what it stands before */
  g_clear_object (&attest->parent);
  g_object_unref (attest->front);
  veil_tee_unref (attest->tee);
  g_object_unref (attest->cancellable);
  g_free (attest);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Attest, attest_free)

static GtkWidget *
build_row (const VeilAttestReport *report, VeilAttestCheck check)
{
  GtkWidget *row = adw_action_row_new ();
  gboolean passed = report->states[check] == VEIL_CHECK_PASSED, failed = report->states[check] == VEIL_CHECK_FAILED;
  GtkWidget *icon = gtk_image_new_from_icon_name (passed   ? "emblem-ok-symbolic"
                                                  : failed ? "window-close-symbolic"
                                                           : "list-remove-symbolic");

  gtk_widget_add_css_class (icon, passed ? "success" : failed ? "error" : "dim-label");
  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), veil_attest_check_get_title (check));
  adw_action_row_set_title_lines (ADW_ACTION_ROW (row), 0);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), failed && report->errors[check] != NULL
                                                         ? report->errors[check]->message
                                                         : veil_explain_check_state (report->states[check]));
  adw_action_row_set_subtitle_lines (ADW_ACTION_ROW (row), 0);
  adw_action_row_add_prefix (ADW_ACTION_ROW (row), icon);
  return row;
}

static GtkWidget *
build_report (const VeilAttestReport *report)
{
  GtkWidget *list = gtk_list_box_new ();
  GtkWidget *scroller = gtk_scrolled_window_new ();

  gtk_list_box_set_selection_mode (GTK_LIST_BOX (list), GTK_SELECTION_NONE);
  gtk_widget_add_css_class (list, "boxed-list");
  gtk_accessible_update_property (GTK_ACCESSIBLE (list), GTK_ACCESSIBLE_PROPERTY_LABEL, _ ("Checks"), -1);
  for (VeilAttestCheck check = 0; check < VEIL_N_ATTEST_CHECKS; check++)
    if (veil_attest_report_applies (report, check))
      gtk_list_box_append (GTK_LIST_BOX (list), build_row (report, check));
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), list);
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroller), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_propagate_natural_height (GTK_SCROLLED_WINDOW (scroller), TRUE);
  gtk_scrolled_window_set_max_content_height (GTK_SCROLLED_WINDOW (scroller), 420);
  return scroller;
}

static void
on_report (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Attest) attest = user_data;
  AdwMessageDialog *dialog = ADW_MESSAGE_DIALOG (attest->dialog);
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilAttestReport) report = veil_attest_fetch_finish (result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  adw_message_dialog_set_response_label (dialog, "close", _ ("_Close"));
  if (report == NULL)
    {
      adw_message_dialog_set_heading (dialog, _ ("The Enclave Could Not Be Asked"));
      adw_message_dialog_set_body (dialog, error->message);
      adw_message_dialog_set_extra_child (dialog, NULL);
      return;
    }
  if (!veil_attest_report_holds (report))
    adw_message_dialog_set_heading (dialog, _ ("The Attestation Does Not Hold"));
  else
    adw_message_dialog_set_heading (dialog, report->sandbox ? _ ("All Checks Passed, in the Sandbox") : _ ("Attested"));
  adw_message_dialog_set_body (dialog, report->sandbox ? _ ("Simulated enclaves vouch for nothing: this is no attestation.") : "");
  adw_message_dialog_set_extra_child (dialog, build_report (report));
}

static void
on_closed (AdwMessageDialog *dialog, const char *response, GCancellable *cancellable)
{
  g_cancellable_cancel (cancellable);
}

static void
start (Attest *attest)
{
  VeilSession *session = veil_service_get_session (veil_front_get_service (attest->front));
  const VeilSettings *settings = veil_front_get_settings (attest->front);
  GtkWidget *spinner = gtk_spinner_new ();

  gtk_spinner_start (GTK_SPINNER (spinner));
  attest->dialog = g_object_ref_sink (adw_message_dialog_new (attest->parent, _ ("Asking the Enclave…"), NULL));
  adw_message_dialog_add_response (ADW_MESSAGE_DIALOG (attest->dialog), "close", _ ("_Cancel"));
  adw_message_dialog_set_extra_child (ADW_MESSAGE_DIALOG (attest->dialog), spinner);
  g_signal_connect_object (attest->dialog, "response", G_CALLBACK (on_closed), attest->cancellable, 0);
  gtk_window_present (GTK_WINDOW (attest->dialog));
  veil_attest_fetch_async (attest->tee, (const char *const *) settings->pcr_pins,
                           session != NULL && session->sandbox ? session->sandbox_root : NULL, attest->cancellable, on_report,
                           attest);
}

static void
on_response (AdwMessageDialog *dialog, const char *response, gpointer user_data)
{
  Attest **attest = user_data;

  if (g_str_equal (response, "ask"))
    start (g_steal_pointer (attest));
}

static void
question_free (gpointer data, GClosure *closure)
{
  Attest **attest = data;

  g_clear_pointer (attest, attest_free);
  g_free (attest);
}

void
veil_attest_dialog_ask (GtkWidget *widget, VeilFront *front, VeilTee *tee)
{
  GtkWindow *parent = GTK_WINDOW (gtk_widget_get_root (widget));
  GtkWidget *dialog = adw_message_dialog_new (parent, _ ("Ask the Enclave Itself?"), NULL);
  Attest **attest = g_new0 (Attest *, 1);
  g_autofree char *endpoint = veil_direction_isolate (tee->endpoint);

  *attest = g_new0 (Attest, 1);
  (*attest)->parent = g_object_ref (parent);
  (*attest)->front = g_object_ref (front);
  (*attest)->tee = veil_tee_ref (tee);
  (*attest)->cancellable = g_cancellable_new ();
  adw_message_dialog_format_body (ADW_MESSAGE_DIALOG (dialog),
                                  _ ("This contacts %s directly, and shows it this computer's network address, which no prompt "
                                     "ever does. Nothing else is sent."),
                                  endpoint);
  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog), "cancel", _ ("_Cancel"), "ask", _ ("_Ask It"), NULL);
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "ask", ADW_RESPONSE_SUGGESTED);
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "cancel");
  g_signal_connect_data (dialog, "response", G_CALLBACK (on_response), attest, question_free, 0);
  gtk_window_present (GTK_WINDOW (dialog));
}
