/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "export.h"

#include "receipt.h"

#include <glib/gi18n.h>

typedef struct
{
  GtkWidget *widget;            /* owned */
  GtkFileChooserNative *dialog; /* owned */
  GBytes *text;                 /* owned */
} Export;

static void
export_free (Export *export)
{
  g_object_unref (export->widget);
  g_clear_object (&export->dialog);
  g_bytes_unref (export->text);
  g_free (export);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Export, export_free)

static void
say (GtkWidget *widget, const char *text)
{
  gtk_widget_activate_action (widget, "win.toast", "s", text);
}

static void
on_written (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Export) export = user_data;
  g_autoptr (GError) error = NULL;

  if (g_file_replace_contents_finish (G_FILE (source), result, NULL, &error))
    say (export->widget, _ ("Receipt exported"));
  else
    say (export->widget, error->message);
}

static void
on_response (GtkNativeDialog *dialog, int response, gpointer user_data)
{
  g_autoptr (Export) export = user_data;
  g_autoptr (GFile) file = NULL;

  gtk_native_dialog_hide (dialog);
  if (response != GTK_RESPONSE_ACCEPT)
    return;
  file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
  g_clear_object (&export->dialog); /* hidden, it is still among the windows */
  g_file_replace_contents_bytes_async (file, export->text, NULL, FALSE, G_FILE_CREATE_REPLACE_DESTINATION, NULL, on_written,
                                       export);
  g_steal_pointer (&export);
}

void
veil_export_receipt (GtkWidget *widget, VeilRecord *record)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilReceipt) receipt = veil_receipt_new_from_record (record, &error);
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_local (veil_record_get_time (record) / G_USEC_PER_SEC);
  g_autofree char *name = time != NULL ? g_date_time_format (time, "veil-receipt-%Y%m%d-%H%M%S.json") : NULL;
  Export *export;

  if (receipt == NULL)
    {
      say (widget, error->message);
      return;
    }
  export = g_new0 (Export, 1);
  export->widget = g_object_ref (widget);
  export->text = veil_receipt_to_bytes (receipt);
  export->dialog = gtk_file_chooser_native_new (_ ("Export Receipt"), GTK_WINDOW (gtk_widget_get_root (widget)),
                                                GTK_FILE_CHOOSER_ACTION_SAVE, _ ("_Export"), _ ("_Cancel"));
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (export->dialog), TRUE);
  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (export->dialog), name != NULL ? name : "veil-receipt.json");
  g_signal_connect (export->dialog, "response", G_CALLBACK (on_response), export);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (export->dialog));
}
