/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "trial-view.h"

#include "api-key-store.h"
#include "record.h"
#include "secret.h"
#include "trial.h"
#include "window.h"

#include <glib/gi18n.h>
#include <string.h>

/* Bytes: a label lays out all of its text at once, and the endpoint is served by the same thread. */
#define MAX_SHOWN 4096

struct _VeilTrialView
{
  AdwPreferencesGroup parent;

  VeilFront *front;          /* owned */
  GCancellable *cancellable; /* owned; of the question under way, or NULL */

  AdwEntryRow *prompt;
  GtkWidget *send;
  GtkWidget *stop;
  GtkWidget *result;
  GtkSpinner *spinner;
  GtkImage *icon;
  GtkLabel *state;
  GtkLabel *text;
  GtkLabel *tee;
};

G_DEFINE_FINAL_TYPE (VeilTrialView, veil_trial_view, ADW_TYPE_PREFERENCES_GROUP)

static void
update (VeilTrialView *self)
{
  gboolean on = self->front != NULL && veil_front_get_state (self->front) == VEIL_FRONT_ON;
  gboolean busy = self->cancellable != NULL;
  gboolean asked = *gtk_editable_get_text (GTK_EDITABLE (self->prompt)) != '\0';

  gtk_widget_set_visible (self->send, !busy);
  gtk_widget_set_visible (self->stop, busy);
  gtk_widget_set_sensitive (self->send, on && asked);
  gtk_spinner_set_spinning (self->spinner, busy);
  gtk_widget_set_visible (GTK_WIDGET (self->spinner), busy);
  gtk_widget_set_visible (GTK_WIDGET (self->icon), !busy);
}

static char *
shorten (const char *text)
{
  gboolean whole = strlen (text) <= MAX_SHOWN;
  g_autofree char *shown = veil_record_cut_text (text, MAX_SHOWN);

  if (whole)
    return g_steal_pointer (&shown);
  /* Translators: %s is the beginning of an answer */
  return g_strdup_printf (_ ("%s…\n\n(The answer is longer; programs get all of it.)"), shown);
}

static void
show (VeilTrialView *self, const char *style, const char *icon, const char *state, const char *text, const char *tee)
{
  static const char *const styles[] = { "success", "warning", "error" };
  g_autofree char *shown = text != NULL ? shorten (text) : NULL;

  for (guint i = 0; i < G_N_ELEMENTS (styles); i++)
    {
      gtk_widget_remove_css_class (GTK_WIDGET (self->state), styles[i]);
      gtk_widget_remove_css_class (GTK_WIDGET (self->icon), styles[i]);
    }
  if (style != NULL)
    {
      gtk_widget_add_css_class (GTK_WIDGET (self->state), style);
      gtk_widget_add_css_class (GTK_WIDGET (self->icon), style);
    }
  gtk_image_set_from_icon_name (self->icon, icon);
  gtk_label_set_label (self->state, state);
  gtk_label_set_label (self->text, shown != NULL ? shown : "");
  gtk_widget_set_visible (GTK_WIDGET (self->text), text != NULL);
  gtk_label_set_label (self->tee, tee != NULL ? tee : "");
  gtk_widget_set_visible (GTK_WIDGET (self->tee), tee != NULL);
  gtk_widget_set_visible (self->result, TRUE);
}

static void
show_trial (VeilTrialView *self, const VeilTrial *trial)
{
  g_autofree char *tee = NULL;

  switch (trial->outcome)
    {
    case VEIL_TRIAL_VERIFIED:
      /* Translators: %s is the id of an enclave */
      tee = g_strdup_printf (_ ("Enclave %s"), trial->tee_id);
      show (self, trial->sandbox ? "warning" : "success", "emblem-ok-symbolic",
            trial->sandbox ? _ ("Verified (sandbox: simulated, not attested)") : _ ("Verified"), trial->text, tee);
      break;
    case VEIL_TRIAL_REFUSED:
      show (self, "error", "dialog-error-symbolic", _ ("Refused: the answer was not verified"), trial->text, NULL);
      break;
    case VEIL_TRIAL_FAILED:
    default:
      show (self, "warning", "dialog-warning-symbolic", _ ("No answer"), trial->text, NULL);
      break;
    }
}

/* Without @trial and @error somebody stopped it. */
static void
end (VeilTrialView *self, const VeilTrial *trial, const GError *error)
{
  g_clear_object (&self->cancellable);
  if (self->front == NULL)
    return;
  update (self);
  if (trial != NULL)
    show_trial (self, trial);
  else if (error == NULL || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    show (self, NULL, "process-stop-symbolic", _ ("Stopped"), NULL, NULL);
  else
    show (self, "warning", "dialog-warning-symbolic", _ ("No answer"), error->message, NULL);
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilTrialView) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilTrial) trial = veil_trial_finish (result, &error);

  end (self, trial, error);
}

static void
ask (VeilTrialView *self, const char *key)
{
  g_autofree char *url = veil_front_get_url (self->front);

  veil_trial_async (url, key, VEIL_TRIAL_DEFAULT_MODEL, gtk_editable_get_text (GTK_EDITABLE (self->prompt)), self->cancellable,
                    on_answer, g_object_ref (self));
}

/* Without a key the endpoint says what is wrong. */
static void
on_key (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilTrialView) self = user_data;
  char *key = veil_api_key_load_finish (result, NULL);

  if (self->front != NULL && veil_front_get_state (self->front) == VEIL_FRONT_ON && !g_cancellable_is_cancelled (self->cancellable))
    ask (self, key);
  else
    end (self, NULL, NULL);
  veil_secret_free (key);
}

static void
on_send (VeilTrialView *self)
{
  const VeilSettings *settings = veil_front_get_settings (self->front);

  if (self->cancellable != NULL || *gtk_editable_get_text (GTK_EDITABLE (self->prompt)) == '\0' ||
      veil_front_get_state (self->front) != VEIL_FRONT_ON)
    return;
  self->cancellable = g_cancellable_new ();
  update (self);
  show (self, NULL, NULL, _ ("Waiting for a verified answer…"), NULL, NULL);
  if (settings->require_api_key && settings->api_key == NULL)
    veil_api_key_load_async (settings->session_store, settings->home, VEIL_STORE_MAY_PROMPT, self->cancellable, on_key,
                             g_object_ref (self));
  else
    ask (self, settings->api_key);
}

static void
on_stop (VeilTrialView *self)
{
  g_cancellable_cancel (self->cancellable);
}

static void
on_prompt_changed (VeilTrialView *self)
{
  update (self);
}

static void
veil_trial_view_dispose (GObject *object)
{
  VeilTrialView *self = VEIL_TRIAL_VIEW (object);

  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->front);
  gtk_widget_dispose_template (GTK_WIDGET (self), VEIL_TYPE_TRIAL_VIEW);
  G_OBJECT_CLASS (veil_trial_view_parent_class)->dispose (object);
}

static void
veil_trial_view_class_init (VeilTrialViewClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = veil_trial_view_dispose;
  gtk_widget_class_set_template_from_resource (widget_class, VEIL_RESOURCES "/trial-view.ui");
  gtk_widget_class_bind_template_child (widget_class, VeilTrialView, prompt);
  gtk_widget_class_bind_template_child (widget_class, VeilTrialView, send);
  gtk_widget_class_bind_template_child (widget_class, VeilTrialView, stop);
  gtk_widget_class_bind_template_child (widget_class, VeilTrialView, result);
  gtk_widget_class_bind_template_child (widget_class, VeilTrialView, spinner);
  gtk_widget_class_bind_template_child (widget_class, VeilTrialView, icon);
  gtk_widget_class_bind_template_child (widget_class, VeilTrialView, state);
  gtk_widget_class_bind_template_child (widget_class, VeilTrialView, text);
  gtk_widget_class_bind_template_child (widget_class, VeilTrialView, tee);
  gtk_widget_class_bind_template_callback (widget_class, on_send);
  gtk_widget_class_bind_template_callback (widget_class, on_stop);
  gtk_widget_class_bind_template_callback (widget_class, on_prompt_changed);
}

static void
veil_trial_view_init (VeilTrialView *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  update (self);
}

void
veil_trial_view_set_front (VeilTrialView *self, VeilFront *front)
{
  self->front = g_object_ref (front);
  g_signal_connect_object (front, "changed", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  update (self);
}
