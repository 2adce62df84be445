/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "secret-store.h"

#include "secret-operation.h"
#include "veil-error.h"

#define ANSWER_MS 10000
#define PROMPT_MS 60000

struct _VeilSecretStore
{
  GObject parent;

  char *home; /* owned */
  guint answer_ms;
  guint prompt_ms;
};

static void iface_init (VeilTokenStoreInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (VeilSecretStore, veil_secret_store, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (VEIL_TYPE_TOKEN_STORE, iface_init))

/* GNOME Keyring does not find a locked item by its schema's name, so that is not searched for. */
static const SecretSchema schema = {
  "ai.opengradient.Veil.Session",
  SECRET_SCHEMA_DONT_MATCH_NAME,
  { { "application", SECRET_SCHEMA_ATTRIBUTE_STRING }, { "home", SECRET_SCHEMA_ATTRIBUTE_STRING }, { NULL, 0 } },
};

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
  g_autoptr (GBytes) bundle = veil_session_to_bundle (self->session);
  gsize length;
  const char *text = g_bytes_get_data (bundle, &length);
  g_autoptr (SecretValue) value = secret_value_new (text, (gssize) length, "application/json");

  veil_secret_operation_set_timer (self, self->prompt == VEIL_STORE_MAY_PROMPT);
  secret_service_store (self->service, &schema, self->attributes, SECRET_COLLECTION_DEFAULT, "Veil session", value, self->inner,
                        on_done, veil_secret_operation_ref (self));
}

static void
take (VeilSecretOperation *self, SecretValue *value)
{
  g_autoptr (GError) error = NULL;
  VeilSession *session;
  gsize length = 0;
  const char *text = value != NULL ? secret_value_get (value, &length) : NULL;

  session = veil_session_new_from_bundle (text, length, g_get_real_time () / G_USEC_PER_SEC, &error);
  if (session == NULL)
    {
      veil_secret_operation_end_with (self, g_error_new (VEIL_ERROR, VEIL_ERROR_BUNDLE,
                                                         "What the keyring holds is no usable session (%s): sign in again",
                                                         error->message));
      return;
    }
  g_autoptr (GTask) task = veil_secret_operation_end (self);
  g_task_return_pointer (task, session, (GDestroyNotify) veil_session_unref);
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
  secret_service_clear (self->service, &schema, self->attributes, self->inner, on_done, veil_secret_operation_ref (self));
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
    veil_secret_operation_end_with (self, g_error_new_literal (VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN,
                                                               "Nobody is signed in: run `og-veil login`"));
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
      secret_service_search (self->service, &schema, self->attributes,
                             self->kind == VEIL_SECRET_CLEAR ? SECRET_SEARCH_ALL : SECRET_SEARCH_NONE, self->inner, on_found,
                             veil_secret_operation_ref (self));
    }
}

static void
begin (VeilTokenStore *store, VeilSecretKind kind, VeilSession *session, VeilStorePrompt prompt, GCancellable *cancellable,
       GAsyncReadyCallback callback, gpointer user_data)
{
  VeilSecretStore *secrets = VEIL_SECRET_STORE (store);
  GTask *task = g_task_new (store, cancellable, callback, user_data);
  g_autoptr (VeilSecretOperation) self = NULL;

  g_task_set_source_tag (task, begin);
  self = veil_secret_operation_new (kind, task, prompt, secrets->answer_ms, secrets->prompt_ms);
  self->session = session != NULL ? veil_session_ref (session) : NULL;
  self->attributes = secret_attributes_build (&schema, "application", "ai.opengradient.Veil", "home", secrets->home, NULL);
  /* Not the shared one: a service that was restarted is found again. */
  secret_service_open (SECRET_TYPE_SERVICE, NULL, SECRET_SERVICE_OPEN_SESSION, self->inner, on_service,
                       veil_secret_operation_ref (self));
}

static void
load_async (VeilTokenStore *store, VeilStorePrompt prompt, GCancellable *cancellable, GAsyncReadyCallback callback,
            gpointer user_data)
{
  begin (store, VEIL_SECRET_LOAD, NULL, prompt, cancellable, callback, user_data);
}

static void
save_async (VeilTokenStore *store, VeilSession *session, VeilStorePrompt prompt, GCancellable *cancellable,
            GAsyncReadyCallback callback, gpointer user_data)
{
  begin (store, VEIL_SECRET_SAVE, session, prompt, cancellable, callback, user_data);
}

static void
clear_async (VeilTokenStore *store, VeilStorePrompt prompt, GCancellable *cancellable, GAsyncReadyCallback callback,
             gpointer user_data)
{
  begin (store, VEIL_SECRET_CLEAR, NULL, prompt, cancellable, callback, user_data);
}

static char *
describe (VeilTokenStore *store)
{
  return g_strdup ("the keyring");
}

static void
iface_init (VeilTokenStoreInterface *iface)
{
  iface->load_async = load_async;
  iface->save_async = save_async;
  iface->clear_async = clear_async;
  iface->describe = describe;
}

static void
veil_secret_store_finalize (GObject *object)
{
  g_free (VEIL_SECRET_STORE (object)->home);
  G_OBJECT_CLASS (veil_secret_store_parent_class)->finalize (object);
}

static void
veil_secret_store_class_init (VeilSecretStoreClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_secret_store_finalize;
}

static void
veil_secret_store_init (VeilSecretStore *self)
{
  self->answer_ms = ANSWER_MS;
  self->prompt_ms = PROMPT_MS;
}

VeilTokenStore *
veil_secret_store_new (const char *home)
{
  VeilSecretStore *self = g_object_new (VEIL_TYPE_SECRET_STORE, NULL);

  self->home = g_strdup (home);
  return VEIL_TOKEN_STORE (self);
}

void
veil_secret_store_set_limits (VeilSecretStore *self, guint answer_ms, guint prompt_ms)
{
  self->answer_ms = answer_ms;
  self->prompt_ms = prompt_ms;
}
