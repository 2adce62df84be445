/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "secret-store.h"

#include "secret.h"
#include "veil-error.h"

#include <libsecret/secret.h>

#define ANSWER_MS 10000
#define PROMPT_MS 60000
#define USE_A_FILE "or keep the session in a file with --session-store file"

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

typedef enum
{
  LOAD,
  SAVE,
  CLEAR
} Kind;

/* One operation. It answers once; what libsecret still has under way then is cancelled and comes to nothing. Each call that is under way
 * holds a reference. */
typedef struct
{
  GTask *task; /* owned; NULL once answered */
  Kind kind;
  VeilStorePrompt prompt;
  VeilSession *session;   /* owned; SAVE */
  GHashTable *attributes; /* owned */
  SecretService *service; /* owned */
  SecretItem *item;       /* owned */
  GCancellable *inner;    /* owned; of the call under way */
  GSource *timer;         /* owned */
  GSource *cancelled;     /* owned */
  gboolean prompting;
} Operation;

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
  Operation *self = data;

  g_clear_pointer (&self->session, veil_session_unref);
  g_clear_pointer (&self->attributes, g_hash_table_unref);
  g_clear_object (&self->service);
  g_clear_object (&self->item);
  g_clear_object (&self->inner);
}

static void
operation_unref (Operation *self)
{
  g_rc_box_release_full (self, operation_clear);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Operation, operation_unref)

/* Takes over @error. Returns the task to be answered with success if there is none. */
static GTask *
end (Operation *self, GError *error)
{
  GTask *task = g_steal_pointer (&self->task);

  drop_source (&self->timer);
  drop_source (&self->cancelled);
  g_cancellable_cancel (self->inner);
  if (error == NULL)
    return task;
  g_task_return_error (task, error);
  g_object_unref (task);
  return NULL;
}

static void
end_well (Operation *self)
{
  g_autoptr (GTask) task = end (self, NULL);

  g_task_return_boolean (task, TRUE);
}

static void
fail (Operation *self, const char *message)
{
  end (self, g_error_new_literal (VEIL_ERROR, VEIL_ERROR_STORE, message));
}

static void
fail_locked (Operation *self)
{
  fail (self, "The keyring is locked: unlock it, " USE_A_FILE);
}

/* Why a call came to nothing. */
static void
fail_with (Operation *self, GError *error)
{
  g_autoptr (GError) cause = error;

  if (g_error_matches (cause, SECRET_ERROR, SECRET_ERROR_IS_LOCKED) || g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      fail_locked (self);
      return;
    }
  g_dbus_error_strip_remote_error (cause);
  end (self, g_error_new (VEIL_ERROR, VEIL_ERROR_STORE, "No keyring can be reached (%s): start one, " USE_A_FILE, cause->message));
}

static gboolean
on_timer (gpointer data)
{
  g_autoptr (Operation) self = g_rc_box_acquire (data);

  if (self->prompting)
    fail_locked (self);
  else
    fail (self, "The keyring does not answer: restart it, " USE_A_FILE);
  return G_SOURCE_REMOVE;
}

static void
set_timer (Operation *self, gboolean prompting)
{
  VeilSecretStore *store = g_task_get_source_object (self->task);

  drop_source (&self->timer);
  self->prompting = prompting;
  self->timer = g_timeout_source_new (prompting ? store->prompt_ms : store->answer_ms);
  g_source_set_callback (self->timer, on_timer, self, NULL);
  g_source_attach (self->timer, g_task_get_context (self->task));
}

static gboolean
on_cancelled (GCancellable *cancellable, gpointer data)
{
  g_autoptr (Operation) self = g_rc_box_acquire (data);

  end (self, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "The keyring is no longer wanted"));
  return G_SOURCE_REMOVE;
}

static void
on_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Operation) self = user_data;
  GError *error = NULL;

  if (self->kind == SAVE)
    secret_service_store_finish (self->service, result, &error);
  else
    secret_service_clear_finish (self->service, result, &error);
  if (self->task == NULL)
    g_clear_error (&error);
  else if (error != NULL)
    fail_with (self, error);
  else
    end_well (self);
}

static void
save (Operation *self)
{
  g_autoptr (GBytes) bundle = veil_session_to_bundle (self->session);
  gsize length;
  const char *text = g_bytes_get_data (bundle, &length);
  g_autoptr (SecretValue) value = secret_value_new (text, (gssize) length, "application/json");

  set_timer (self, self->prompt == VEIL_STORE_MAY_PROMPT);
  secret_service_store (self->service, &schema, self->attributes, SECRET_COLLECTION_DEFAULT, "Veil session", value, self->inner,
                        on_done, g_rc_box_acquire (self));
}

static void
take (Operation *self, SecretValue *value)
{
  g_autoptr (GError) error = NULL;
  VeilSession *session;
  gsize length = 0;
  const char *text = value != NULL ? secret_value_get (value, &length) : NULL;

  session = veil_session_new_from_bundle (text, length, g_get_real_time () / G_USEC_PER_SEC, &error);
  if (session == NULL)
    {
      end (self, g_error_new (VEIL_ERROR, VEIL_ERROR_BUNDLE, "What the keyring holds is no usable session (%s): sign in again",
                              error->message));
      return;
    }
  g_autoptr (GTask) task = end (self, NULL);
  g_task_return_pointer (task, session, (GDestroyNotify) veil_session_unref);
}

static void
on_secret (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Operation) self = user_data;
  g_autoptr (SecretValue) value = NULL;
  GError *error = NULL;

  secret_item_load_secret_finish (SECRET_ITEM (source), result, &error);
  if (self->task == NULL)
    g_clear_error (&error);
  else if (error != NULL)
    fail_with (self, error);
  else
    {
      value = secret_item_get_secret (SECRET_ITEM (source));
      take (self, value);
    }
}

static void
read_item (Operation *self)
{
  set_timer (self, FALSE);
  secret_item_load_secret (self->item, self->inner, on_secret, g_rc_box_acquire (self));
}

static void
on_unlocked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Operation) self = user_data;
  GError *error = NULL;
  gint n = secret_service_unlock_finish (SECRET_SERVICE (source), result, NULL, &error);

  if (self->task == NULL)
    g_clear_error (&error);
  else if (error != NULL)
    fail_with (self, error);
  else if (n < 1)
    fail_locked (self);
  else
    read_item (self);
}

/* The service deletes what is unlocked and says nothing of the rest. */
static void
clear_found (Operation *self, GList *items)
{
  GList *locked = NULL;

  for (GList *item = items; item != NULL; item = item->next)
    if (secret_item_get_locked (item->data))
      locked = g_list_prepend (locked, item->data);
  if (locked == NULL)
    {
      set_timer (self, self->prompt == VEIL_STORE_MAY_PROMPT);
      secret_service_clear (self->service, &schema, self->attributes, self->inner, on_done, g_rc_box_acquire (self));
    }
  else
    fail_locked (self);
  g_list_free (locked);
}

static void
on_found (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Operation) self = user_data;
  GError *error = NULL;
  g_autolist (SecretItem) items = secret_service_search_finish (SECRET_SERVICE (source), result, &error);

  if (self->task == NULL)
    {
      g_clear_error (&error);
      return;
    }
  if (error != NULL)
    {
      fail_with (self, error);
      return;
    }
  if (self->kind == CLEAR)
    {
      clear_found (self, items);
      return;
    }
  if (items == NULL)
    {
      end (self, g_error_new_literal (VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN, "Nobody is signed in: run `og-veil login`"));
      return;
    }
  self->item = g_object_ref (items->data);
  if (!secret_item_get_locked (self->item))
    read_item (self);
  else if (self->prompt == VEIL_STORE_QUIET)
    fail_locked (self);
  else
    {
      GList one = { .data = self->item };

      set_timer (self, TRUE);
      secret_service_unlock (self->service, &one, self->inner, on_unlocked, g_rc_box_acquire (self));
    }
}

static void
on_service (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Operation) self = user_data;
  GError *error = NULL;

  self->service = secret_service_open_finish (result, &error);
  if (self->task == NULL)
    g_clear_error (&error);
  else if (error != NULL)
    fail_with (self, error);
  else if (self->kind == SAVE)
    save (self);
  else
    {
      set_timer (self, FALSE);
      secret_service_search (self->service, &schema, self->attributes, self->kind == CLEAR ? SECRET_SEARCH_ALL : SECRET_SEARCH_NONE,
                             self->inner, on_found, g_rc_box_acquire (self));
    }
}

static void
begin (VeilTokenStore *store, Kind kind, VeilSession *session, VeilStorePrompt prompt, GCancellable *cancellable,
       GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (Operation) self = g_rc_box_new0 (Operation);

  self->task = g_task_new (store, cancellable, callback, user_data);
  g_task_set_source_tag (self->task, begin);
  self->kind = kind;
  self->prompt = prompt;
  self->session = session != NULL ? veil_session_ref (session) : NULL;
  self->inner = g_cancellable_new ();
  self->attributes =
      secret_attributes_build (&schema, "application", "ai.opengradient.Veil", "home", VEIL_SECRET_STORE (store)->home, NULL);
  if (cancellable != NULL)
    {
      self->cancelled = g_cancellable_source_new (cancellable);
      g_source_set_callback (self->cancelled, G_SOURCE_FUNC (on_cancelled), self, NULL);
      g_source_attach (self->cancelled, g_task_get_context (self->task));
    }
  set_timer (self, FALSE);
  /* Not the shared one: a service that was restarted is found again. */
  secret_service_open (SECRET_TYPE_SERVICE, NULL, SECRET_SERVICE_OPEN_SESSION, self->inner, on_service, g_rc_box_acquire (self));
}

static void
load_async (VeilTokenStore *store, VeilStorePrompt prompt, GCancellable *cancellable, GAsyncReadyCallback callback,
            gpointer user_data)
{
  begin (store, LOAD, NULL, prompt, cancellable, callback, user_data);
}

static void
save_async (VeilTokenStore *store, VeilSession *session, VeilStorePrompt prompt, GCancellable *cancellable,
            GAsyncReadyCallback callback, gpointer user_data)
{
  begin (store, SAVE, session, prompt, cancellable, callback, user_data);
}

static void
clear_async (VeilTokenStore *store, VeilStorePrompt prompt, GCancellable *cancellable, GAsyncReadyCallback callback,
             gpointer user_data)
{
  begin (store, CLEAR, NULL, prompt, cancellable, callback, user_data);
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
