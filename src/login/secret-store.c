/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "secret-store.h"

#include "secret-item.h"
#include "translate.h"
#include "veil-error.h"

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
take (GTask *task, const char *text, gsize length)
{
  g_autoptr (GError) error = NULL;
  VeilSession *session;

  if (text == NULL)
    {
      g_task_return_new_error (task, VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN, _ ("Nobody is signed in: run `og-veil login`"));
      return;
    }
  session = veil_session_new_from_bundle (text, length, g_get_real_time () / G_USEC_PER_SEC, &error);
  if (session != NULL)
    g_task_return_pointer (task, session, (GDestroyNotify) veil_session_unref);
  else
    g_task_return_new_error (task, VEIL_ERROR, VEIL_ERROR_BUNDLE,
                             _ ("What the keyring holds is no usable session (%s): sign in again"), error->message);
}

static const VeilSecretItemKind session_kind = {
  .schema = &schema,
  .application = "ai.opengradient.Veil",
  .label = N_ ("Veil session"),
  .content_type = "application/json",
  .otherwise = N_ ("Otherwise keep the session in a file with --session-store file"),
  .take = take,
};

static void
begin (VeilTokenStore *store, VeilSecretKind kind, VeilSession *session, VeilStorePrompt prompt, GCancellable *cancellable,
       GAsyncReadyCallback callback, gpointer user_data)
{
  VeilSecretStore *self = VEIL_SECRET_STORE (store);
  GTask *task = g_task_new (store, cancellable, callback, user_data);
  g_autoptr (GBytes) bundle = session != NULL ? veil_session_to_bundle (session) : NULL;

  g_task_set_source_tag (task, begin);
  veil_secret_item_begin (&session_kind, self->home, kind, task, bundle, prompt, self->answer_ms, self->prompt_ms);
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
  return g_strdup (_ ("the keyring"));
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
  self->answer_ms = VEIL_SECRET_ANSWER_MS;
  self->prompt_ms = VEIL_SECRET_PROMPT_MS;
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
