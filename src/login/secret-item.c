/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "secret-item.h"

#include "secret-operation.h"
#include "translate.h"
#include "veil-error.h"

static void
end_well (VeilSecretOperation *self)
{
  g_autoptr (GTask) task = veil_secret_operation_end (self);

  g_task_return_boolean (task, TRUE);
}

static void
on_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilSecretOperation) self = user_data;
  GError *error = NULL;

  if (self->kind == VEIL_SECRET_SAVE)
    secret_service_store_finish (self->service, result, &error);
  else
    secret_service_clear_finish (self->service, result, &error);
  if (self->task == NULL)
    g_clear_error (&error);
  else if (error != NULL)
    veil_secret_operation_fail (self, error);
  else
    end_well (self);
}

static void
save (VeilSecretOperation *self)
{
  gsize length;
  const char *text = g_bytes_get_data (self->text, &length);
  g_autoptr (SecretValue) value = secret_value_new (text, (gssize) length, self->item_kind->content_type);

  veil_secret_operation_set_timer (self, self->prompt == VEIL_STORE_MAY_PROMPT);
  secret_service_store (self->service, self->item_kind->schema, self->attributes, SECRET_COLLECTION_DEFAULT,
                        _ (self->item_kind->label), value, self->inner, on_done, veil_secret_operation_ref (self));
}

static void
take (VeilSecretOperation *self, SecretValue *value)
{
  gsize length = 0;
  const char *text = value != NULL ? secret_value_get (value, &length) : NULL;
  g_autoptr (GTask) task = veil_secret_operation_end (self);

  self->item_kind->take (task, text, length);
}

static void
on_secret (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilSecretOperation) self = user_data;
  g_autoptr (SecretValue) value = NULL;
  GError *error = NULL;

  secret_item_load_secret_finish (SECRET_ITEM (source), result, &error);
  if (self->task == NULL)
    g_clear_error (&error);
  else if (error != NULL)
    veil_secret_operation_fail (self, error);
  else
    {
      value = secret_item_get_secret (SECRET_ITEM (source));
      take (self, value);
    }
}

static void
read_item (VeilSecretOperation *self)
{
  veil_secret_operation_set_timer (self, FALSE);
  secret_item_load_secret (self->item, self->inner, on_secret, veil_secret_operation_ref (self));
}

static void
clear_items (VeilSecretOperation *self)
{
  veil_secret_operation_set_timer (self, self->prompt == VEIL_STORE_MAY_PROMPT);
  secret_service_clear (self->service, self->item_kind->schema, self->attributes, self->inner, on_done,
                        veil_secret_operation_ref (self));
}

static void
on_unlocked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilSecretOperation) self = user_data;
  GError *error = NULL;
  gint n = secret_service_unlock_finish (SECRET_SERVICE (source), result, NULL, &error);

  if (self->task == NULL)
    g_clear_error (&error);
  else if (error != NULL)
    veil_secret_operation_fail (self, error);
  else if (n < 0 || (guint) n < g_list_length (self->locked))
    veil_secret_operation_end_locked (self);
  else if (self->kind == VEIL_SECRET_CLEAR)
    clear_items (self);
  else
    read_item (self);
}

/* What is needed of @items, before anything is done with it: the service deletes what is unlocked and says nothing of the rest. */
static void
unlock (VeilSecretOperation *self, GList *items)
{
  for (GList *item = items; item != NULL; item = item->next)
    if (secret_item_get_locked (item->data))
      self->locked = g_list_prepend (self->locked, g_object_ref (item->data));
  if (self->locked == NULL && self->kind == VEIL_SECRET_CLEAR)
    clear_items (self);
  else if (self->locked == NULL)
    read_item (self);
  else if (self->prompt == VEIL_STORE_QUIET)
    veil_secret_operation_end_locked (self);
  else
    {
      veil_secret_operation_set_timer (self, TRUE);
      secret_service_unlock (self->service, self->locked, self->inner, on_unlocked, veil_secret_operation_ref (self));
    }
}

static void
on_found (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilSecretOperation) self = user_data;
  GError *error = NULL;
  g_autolist (SecretItem) items = secret_service_search_finish (SECRET_SERVICE (source), result, &error);

  if (self->task == NULL)
    g_clear_error (&error);
  else if (error != NULL)
    veil_secret_operation_fail (self, error);
  else if (self->kind == VEIL_SECRET_CLEAR)
    unlock (self, items);
  else if (items == NULL)
    {
      g_autoptr (GTask) task = veil_secret_operation_end (self);

      self->item_kind->take (task, NULL, 0);
    }
  else
    {
      GList one = { .data = items->data };

      self->item = g_object_ref (items->data);
      unlock (self, &one);
    }
}

static void
on_service (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilSecretOperation) self = user_data;
  GError *error = NULL;

  self->service = secret_service_open_finish (result, &error);
  if (self->task == NULL)
    g_clear_error (&error);
  else if (error != NULL)
    veil_secret_operation_fail (self, error);
  else if (self->kind == VEIL_SECRET_SAVE)
    save (self);
  else
    {
      veil_secret_operation_set_timer (self, FALSE);
      secret_service_search (self->service, self->item_kind->schema, self->attributes,
                             self->kind == VEIL_SECRET_CLEAR ? SECRET_SEARCH_ALL : SECRET_SEARCH_NONE, self->inner, on_found,
                             veil_secret_operation_ref (self));
    }
}

void
veil_secret_item_begin (const VeilSecretItemKind *kind, const char *home, VeilSecretKind what, GTask *task, GBytes *text,
                        VeilStorePrompt prompt, guint answer_ms, guint prompt_ms)
{
  g_autoptr (VeilSecretOperation) self = veil_secret_operation_new (what, task, prompt, answer_ms, prompt_ms);

  self->item_kind = kind;
  self->text = text != NULL ? g_bytes_ref (text) : NULL;
  self->attributes = secret_attributes_build (kind->schema, "application", kind->application, "home", home, NULL);
  /* Not the shared one: a service that was restarted is found again. */
  secret_service_open (SECRET_TYPE_SERVICE, NULL, SECRET_SERVICE_OPEN_SESSION, self->inner, on_service,
                       veil_secret_operation_ref (self));
}
