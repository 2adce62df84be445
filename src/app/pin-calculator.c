/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "pin-calculator.h"

#include "hex.h"
#include "measurements.h"
#include "window.h"

#include <glib/gi18n.h>

#define N_PCRS 3

struct _VeilPinCalculator
{
  AdwWindow parent;

  GCancellable *cancellable;     /* owned; of the file that is read */
  GtkFileChooserNative *chooser; /* owned; NULL until a file is asked for */
  char *hash;                    /* owned; NULL: not computed */

  AdwEntryRow *pcr0;
  AdwEntryRow *pcr1;
  AdwEntryRow *pcr2;
  AdwActionRow *result_row;
  GtkLabel *problem;
  GtkWidget *use;
};

G_DEFINE_FINAL_TYPE (VeilPinCalculator, veil_pin_calculator, ADW_TYPE_WINDOW)

enum
{
  COMPUTED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
show_problem (VeilPinCalculator *self, const char *text)
{
  gtk_label_set_label (self->problem, text != NULL ? text : "");
  gtk_widget_set_visible (GTK_WIDGET (self->problem), text != NULL);
}

static void
show_hash (VeilPinCalculator *self)
{
  adw_action_row_set_subtitle (self->result_row, self->hash != NULL ? self->hash : _ ("Fill in all three, or open their file"));
  gtk_widget_set_sensitive (self->use, self->hash != NULL);
}

/* Says what is wrong with the first that is; nothing yet of those that are empty. */
static void
on_edited (VeilPinCalculator *self)
{
  AdwEntryRow *const rows[N_PCRS] = { self->pcr0, self->pcr1, self->pcr2 };
  VeilMeasurements measurements;
  guint good = 0;
  g_autoptr (GError) problem = NULL;

  for (guint i = 0; i < N_PCRS; i++)
    {
      g_autofree char *text = g_strstrip (g_strdup (gtk_editable_get_text (GTK_EDITABLE (rows[i]))));
      g_autoptr (GError) error = NULL;

      if (veil_measurements_set (&measurements, i, text, &error))
        good++;
      if (error == NULL || *text == '\0')
        gtk_widget_remove_css_class (GTK_WIDGET (rows[i]), "error");
      else
        {
          gtk_widget_add_css_class (GTK_WIDGET (rows[i]), "error");
          if (problem == NULL)
            problem = g_steal_pointer (&error);
        }
    }
  g_free (self->hash);
  self->hash = good == N_PCRS ? veil_measurements_get_hash (&measurements) : NULL;
  show_problem (self, problem != NULL ? problem->message : NULL);
  show_hash (self);
}

static void
show_measurements (VeilPinCalculator *self, const VeilMeasurements *measurements)
{
  AdwEntryRow *const rows[N_PCRS] = { self->pcr0, self->pcr1, self->pcr2 };

  for (guint i = 0; i < N_PCRS; i++)
    {
      g_autofree char *text = veil_hex_encode_0x (measurements->pcrs + i * VEIL_ATTESTATION_PCR_SIZE, VEIL_ATTESTATION_PCR_SIZE);

      gtk_editable_set_text (GTK_EDITABLE (rows[i]), text + strlen ("0x"));
    }
}

/* The text is freed with the stream. */
static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilPinCalculator) self = user_data;
  const char *text = g_object_get_data (source, "text");
  VeilMeasurements measurements;
  gsize length = 0;
  g_autoptr (GError) error = NULL;

  if (g_input_stream_read_all_finish (G_INPUT_STREAM (source), result, &length, &error) &&
      veil_measurements_read (&measurements, text, length, &error))
    show_measurements (self, &measurements);
  else if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    show_problem (self, error->message);
}

/* One byte more than may be, however large or endless the file is. */
static void
on_opened (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilPinCalculator) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GFileInputStream) stream = g_file_read_finish (G_FILE (source), result, &error);
  char *text;

  if (stream != NULL)
    {
      text = g_malloc (VEIL_MEASUREMENTS_MAX_BYTES + 1);
      g_object_set_data_full (G_OBJECT (stream), "text", text, g_free);
      g_input_stream_read_all_async (G_INPUT_STREAM (stream), text, VEIL_MEASUREMENTS_MAX_BYTES + 1, G_PRIORITY_DEFAULT,
                                     self->cancellable, on_read, g_object_ref (self));
    }
  else if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    show_problem (self, error->message);
}

static void
on_chosen (VeilPinCalculator *self, int response)
{
  g_autoptr (GFile) file = response == GTK_RESPONSE_ACCEPT ? gtk_file_chooser_get_file (GTK_FILE_CHOOSER (self->chooser)) : NULL;

  g_clear_object (&self->chooser); /* hidden, it is still among the windows */
  if (file != NULL)
    g_file_read_async (file, G_PRIORITY_DEFAULT, self->cancellable, on_opened, g_object_ref (self));
}

static void
on_open (VeilPinCalculator *self)
{
  if (self->chooser == NULL)
    {
      self->chooser = gtk_file_chooser_native_new (_ ("Open Measurements"), GTK_WINDOW (self), GTK_FILE_CHOOSER_ACTION_OPEN,
                                                   _ ("_Open"), _ ("_Cancel"));
      gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (self->chooser), TRUE);
      g_signal_connect_object (self->chooser, "response", G_CALLBACK (on_chosen), self, G_CONNECT_SWAPPED);
    }
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (self->chooser));
}

static void
on_use (VeilPinCalculator *self)
{
  if (self->hash == NULL)
    return;
  g_signal_emit (self, signals[COMPUTED], 0, self->hash);
  gtk_window_close (GTK_WINDOW (self));
}

/* A file that is slow to open keeps it for longer than what it stands before. */
static gboolean
veil_pin_calculator_close_request (GtkWindow *window)
{
  g_cancellable_cancel (VEIL_PIN_CALCULATOR (window)->cancellable);
  gtk_window_set_transient_for (window, NULL);
  return GTK_WINDOW_CLASS (veil_pin_calculator_parent_class)->close_request (window);
}

static void
veil_pin_calculator_dispose (GObject *object)
{
  VeilPinCalculator *self = VEIL_PIN_CALCULATOR (object);

  g_cancellable_cancel (self->cancellable);
  if (self->chooser != NULL)
    gtk_native_dialog_destroy (GTK_NATIVE_DIALOG (self->chooser));
  g_clear_object (&self->chooser);
  /* Before the template takes it away behind the back of AdwWindow. */
  adw_window_set_content (ADW_WINDOW (self), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), VEIL_TYPE_PIN_CALCULATOR);
  G_OBJECT_CLASS (veil_pin_calculator_parent_class)->dispose (object);
}

static void
veil_pin_calculator_finalize (GObject *object)
{
  VeilPinCalculator *self = VEIL_PIN_CALCULATOR (object);

  g_object_unref (self->cancellable);
  g_free (self->hash);
  G_OBJECT_CLASS (veil_pin_calculator_parent_class)->finalize (object);
}

static void
veil_pin_calculator_class_init (VeilPinCalculatorClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = veil_pin_calculator_dispose;
  G_OBJECT_CLASS (klass)->finalize = veil_pin_calculator_finalize;
  GTK_WINDOW_CLASS (klass)->close_request = veil_pin_calculator_close_request;
  signals[COMPUTED] =
      g_signal_new ("computed", VEIL_TYPE_PIN_CALCULATOR, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  gtk_widget_class_set_template_from_resource (widget_class, VEIL_RESOURCES "/pin-calculator.ui");
  gtk_widget_class_bind_template_child (widget_class, VeilPinCalculator, pcr0);
  gtk_widget_class_bind_template_child (widget_class, VeilPinCalculator, pcr1);
  gtk_widget_class_bind_template_child (widget_class, VeilPinCalculator, pcr2);
  gtk_widget_class_bind_template_child (widget_class, VeilPinCalculator, result_row);
  gtk_widget_class_bind_template_child (widget_class, VeilPinCalculator, problem);
  gtk_widget_class_bind_template_child (widget_class, VeilPinCalculator, use);
  gtk_widget_class_bind_template_callback (widget_class, on_edited);
  gtk_widget_class_bind_template_callback (widget_class, on_open);
  gtk_widget_class_bind_template_callback (widget_class, on_use);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
}

static void
veil_pin_calculator_init (VeilPinCalculator *self)
{
  self->cancellable = g_cancellable_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
  show_hash (self);
}

GtkWidget *
veil_pin_calculator_new (GtkWindow *parent)
{
  return g_object_new (VEIL_TYPE_PIN_CALCULATOR, "transient-for", parent, NULL);
}
