/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "veil-registry-client.h"

#include "fetch.h"
#include "readable.h"
#include "translate.h"
#include "veil-error.h"
#include "wrap.h"

struct _VeilRegistryClient
{
  GObject parent;

  SoupSession *http;      /* owned */
  VeilRegistry *registry; /* owned */
  guint tee_type;
  GBytes *sandbox_root; /* owned; NULL but for the sandbox */
  gboolean sandbox;
  VeilPlace place;
};

G_DEFINE_FINAL_TYPE (VeilRegistryClient, veil_registry_client, G_TYPE_OBJECT)

gboolean
veil_registry_client_is_made (VeilRegistryClient *self)
{
  return VEIL_IS_REGISTRY_CLIENT (self) && self->registry != NULL;
}

static const VeilReadable readable[] = {
  { "url", VEIL_READABLE_STRING, G_CALLBACK (veil_registry_client_get_url) },
  { "address", VEIL_READABLE_STRING, G_CALLBACK (veil_registry_client_get_address) },
  { "tee-type", VEIL_READABLE_UINT, G_CALLBACK (veil_registry_client_get_tee_type) },
  { "sandbox", VEIL_READABLE_BOOLEAN, G_CALLBACK (veil_registry_client_get_sandbox) },
  { NULL },
};

static void
veil_registry_client_finalize (GObject *object)
{
  VeilRegistryClient *self = VEIL_REGISTRY_CLIENT (object);

  g_clear_object (&self->registry);
  g_clear_object (&self->http);
  g_clear_pointer (&self->sandbox_root, g_bytes_unref);
  veil_place_clear (&self->place);
  G_OBJECT_CLASS (veil_registry_client_parent_class)->finalize (object);
}

static void
veil_registry_client_class_init (VeilRegistryClientClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_registry_client_finalize;
  veil_readable_install (G_OBJECT_CLASS (klass), readable);
}

static void
veil_registry_client_init (VeilRegistryClient *self)
{
  veil_place_init (&self->place);
}

/* @address: normalized. */
static VeilRegistryClient *
build (const char *url, const char *address, guint8 tee_type)
{
  VeilRegistryClient *self = g_object_new (VEIL_TYPE_REGISTRY_CLIENT, NULL);

  self->http = veil_fetch_session_new ();
  self->registry = veil_registry_new (self->http, url, address, tee_type);
  self->tee_type = tee_type;
  return self;
}

VeilRegistryClient *
veil_registry_client_new (const char *url, const char *address, guint tee_type, GError **error)
{
  g_autofree char *contract = NULL;

  g_return_val_if_fail (url != NULL && address != NULL, NULL);
  if (!veil_fetch_check_url (url, _ ("The registry's address"), error))
    return NULL;
  contract = veil_wrap_normalize_hex (address, 20, _ ("The address of the registry contract"), error);
  if (contract == NULL)
    return NULL;
  if (tee_type <= G_MAXUINT8)
    return build (url, contract, (guint8) tee_type);
  g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT, _ ("The TEE type is not a number from 0 to 255"));
  return NULL;
}

VeilRegistryClient *
veil_registry_client_new_for_bundle (VeilBundle *bundle, GError **error)
{
  VeilRegistryClient *self;
  VeilSession *session;

  g_return_val_if_fail (veil_bundle_is_made (bundle), NULL);
  session = veil_bundle_get_session (bundle);
  if (!veil_session_check_can_serve (session, error))
    return NULL;
  self = build (session->registry_rpc_url, session->registry_address, session->registry_tee_type);
  self->sandbox = session->sandbox;
  self->sandbox_root = session->sandbox_root != NULL ? g_bytes_ref (session->sandbox_root) : NULL;
  return self;
}

const VeilPlace *
veil_registry_client_get_place (VeilRegistryClient *self)
{
  return &self->place;
}

VeilRegistry *
veil_registry_client_get_registry (VeilRegistryClient *self)
{
  return self->registry;
}

GPtrArray *
veil_registry_client_wrap_tees (VeilRegistryClient *self, GPtrArray *tees)
{
  GPtrArray *enclaves = g_ptr_array_new_full (tees->len, g_object_unref);

  for (guint i = 0; i < tees->len; i++)
    g_ptr_array_add (enclaves, veil_enclave_new_for_tee (g_ptr_array_index (tees, i), self->sandbox, self->sandbox_root));
  return enclaves;
}

static void
fetched (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GPtrArray) tees = NULL;
  GError *error = NULL;

  tees = veil_registry_fetch_finish (VEIL_REGISTRY (source), result, &error);
  if (tees == NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, veil_registry_client_wrap_tees (g_task_get_source_object (task), tees),
                           (GDestroyNotify) g_ptr_array_unref);
}

void
veil_registry_client_fetch_async (VeilRegistryClient *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (veil_registry_client_is_made (self) && veil_place_is_here (&self->place));
  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, veil_registry_client_fetch_async);
  veil_registry_fetch_async (self->registry, cancellable, fetched, g_object_ref (task));
}

GPtrArray *
veil_registry_client_fetch_finish (VeilRegistryClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self) && g_async_result_is_tagged (result, veil_registry_client_fetch_async),
                        NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
fetched_builds (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  const VeilTee *tee = g_task_get_task_data (task);
  g_autoptr (GPtrArray) builds = NULL;
  GError *error = NULL;
  char *version = NULL;

  builds = veil_registry_fetch_builds_finish (VEIL_REGISTRY (source), result, &error);
  if (builds == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  for (guint i = 0; i < builds->len && version == NULL; i++)
    {
      const VeilBuild *build = g_ptr_array_index (builds, i);

      if (g_str_equal (build->pcr_hash, tee->pcr_hash))
        version = g_strdup (build->version);
    }
  g_task_return_pointer (task, version, g_free);
}

void
veil_registry_client_fetch_version_async (VeilRegistryClient *self, VeilEnclave *enclave, GCancellable *cancellable,
                                          GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GPtrArray) tees = NULL;
  g_autoptr (GTask) task = NULL;
  VeilTee *tee;

  g_return_if_fail (veil_registry_client_is_made (self) && veil_place_is_here (&self->place) && veil_enclave_is_made (enclave));
  tee = veil_enclave_get_tee (enclave);
  tees = g_ptr_array_new ();
  g_ptr_array_add (tees, tee);
  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, veil_registry_client_fetch_version_async);
  g_task_set_task_data (task, veil_tee_ref (tee), (GDestroyNotify) veil_tee_unref);
  veil_registry_fetch_builds_async (self->registry, tees, cancellable, fetched_builds, g_object_ref (task));
}

char *
veil_registry_client_fetch_version_finish (VeilRegistryClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self) &&
                            g_async_result_is_tagged (result, veil_registry_client_fetch_version_async),
                        NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

const char *
veil_registry_client_get_url (VeilRegistryClient *self)
{
  g_return_val_if_fail (veil_registry_client_is_made (self), NULL);
  return veil_registry_get_rpc_url (self->registry);
}

const char *
veil_registry_client_get_address (VeilRegistryClient *self)
{
  g_return_val_if_fail (veil_registry_client_is_made (self), NULL);
  return veil_registry_get_address (self->registry);
}

guint
veil_registry_client_get_tee_type (VeilRegistryClient *self)
{
  g_return_val_if_fail (veil_registry_client_is_made (self), 0);
  return self->tee_type;
}

gboolean
veil_registry_client_get_sandbox (VeilRegistryClient *self)
{
  g_return_val_if_fail (veil_registry_client_is_made (self), FALSE);
  return self->sandbox;
}
