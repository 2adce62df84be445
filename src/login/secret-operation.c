/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "secret-operation.h"

#include "secret-item.h"
#include "translate.h"
#include "veil-error.h"

static void
drop_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
operation_clear (gpointer data)
{
  VeilSecretOperation *self = data;

  g_clear_pointer (&self->text, g_bytes_unref);
  g_clear_pointer (&self->attributes, g_hash_table_unref);
  g_clear_object (&self->service);
  g_clear_list (&self->locked, g_object_unref);
  g_clear_object (&self->item);
  g_clear_object (&self->inner);
}

VeilSecretOperation *
veil_secret_operation_ref (VeilSecretOperation *self)
{
  return g_rc_box_acquire (self);
}

void
veil_secret_operation_unref (VeilSecretOperation *self)
{
  g_rc_box_release_full (self, operation_clear);
}

GTask *
veil_secret_operation_end (VeilSecretOperation *self)
{
  drop_source (&self->timer);
  drop_source (&self->cancelled);
  g_cancellable_cancel (self->inner);
  return g_steal_pointer (&self->task);
}

void
veil_secret_operation_end_with (VeilSecretOperation *self, GError *error)
{
  g_autoptr (GTask) task = veil_secret_operation_end (self);

  g_task_return_error (task, error);
}

/* @message: what happened, and what to do first. */
static void
end_with_message (VeilSecretOperation *self, const char *message)
{
  /* TRANSLATORS: two sentences: what happened and what to do, and what can be done otherwise */
  veil_secret_operation_end_with (self, g_error_new (VEIL_ERROR, VEIL_ERROR_STORE, _ ("%s. %s"), message,
                                                     _ (self->item_kind->otherwise)));
}

void
veil_secret_operation_end_locked (VeilSecretOperation *self)
{
  end_with_message (self, _ ("The keyring is locked: unlock it"));
}

void
veil_secret_operation_fail (VeilSecretOperation *self, GError *cause)
{
  g_autoptr (GError) error = cause;

  if (g_error_matches (error, SECRET_ERROR, SECRET_ERROR_IS_LOCKED) || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      veil_secret_operation_end_locked (self);
      return;
    }
  g_dbus_error_strip_remote_error (error);
  veil_secret_operation_end_with (self,
                                  g_error_new (VEIL_ERROR, VEIL_ERROR_STORE, _ ("No keyring can be reached (%s): start one. %s"),
                                               error->message, _ (self->item_kind->otherwise)));
}

static gboolean
on_timer (gpointer data)
{
  g_autoptr (VeilSecretOperation) self = veil_secret_operation_ref (data);

  if (self->prompting)
    veil_secret_operation_end_locked (self);
  else
    end_with_message (self, _ ("The keyring does not answer: restart it"));
  return G_SOURCE_REMOVE;
}

void
veil_secret_operation_set_timer (VeilSecretOperation *self, gboolean prompting)
{
  drop_source (&self->timer);
  self->prompting = prompting;
  self->timer = g_timeout_source_new (prompting ? self->prompt_ms : self->answer_ms);
  g_source_set_callback (self->timer, on_timer, self, NULL);
  g_source_attach (self->timer, g_task_get_context (self->task));
}

static gboolean
on_cancelled (GCancellable *cancellable, gpointer data)
{
  g_autoptr (VeilSecretOperation) self = veil_secret_operation_ref (data);

  veil_secret_operation_end_with (self,
                                  g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, _ ("The keyring is no longer wanted")));
  return G_SOURCE_REMOVE;
}

VeilSecretOperation *
veil_secret_operation_new (VeilSecretKind kind, GTask *task, VeilStorePrompt prompt, guint answer_ms, guint prompt_ms)
{
  VeilSecretOperation *self = g_rc_box_new0 (VeilSecretOperation);
  GCancellable *cancellable = g_task_get_cancellable (task);

  self->task = task;
  self->kind = kind;
  self->prompt = prompt;
  self->answer_ms = answer_ms;
  self->prompt_ms = prompt_ms;
  self->inner = g_cancellable_new ();
  if (cancellable != NULL)
    {
      self->cancelled = g_cancellable_source_new (cancellable);
      g_source_set_callback (self->cancelled, G_SOURCE_FUNC (on_cancelled), self, NULL);
      g_source_attach (self->cancelled, g_task_get_context (task));
    }
  veil_secret_operation_set_timer (self, FALSE);
  return self;
}
