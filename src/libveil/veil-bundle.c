/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "veil-bundle.h"

#include "readable.h"
#include "wrap.h"

#include <string.h>

struct _VeilBundle
{
  GObject parent;

  VeilSession *session; /* owned */
};

G_DEFINE_FINAL_TYPE (VeilBundle, veil_bundle, G_TYPE_OBJECT)

gboolean
veil_bundle_is_made (VeilBundle *self)
{
  return VEIL_IS_BUNDLE (self) && self->session != NULL;
}

static const VeilReadable readable[] = {
  { "relay-url", VEIL_READABLE_STRING, G_CALLBACK (veil_bundle_get_relay_url) },
  { "registry-url", VEIL_READABLE_STRING, G_CALLBACK (veil_bundle_get_registry_url) },
  { "registry-address", VEIL_READABLE_STRING, G_CALLBACK (veil_bundle_get_registry_address) },
  { "tee-type", VEIL_READABLE_UINT, G_CALLBACK (veil_bundle_get_tee_type) },
  { "email", VEIL_READABLE_STRING, G_CALLBACK (veil_bundle_get_email) },
  { "expires-at", VEIL_READABLE_INT64, G_CALLBACK (veil_bundle_get_expires_at) },
  { "sandbox", VEIL_READABLE_BOOLEAN, G_CALLBACK (veil_bundle_get_sandbox) },
  { NULL },
};

static void
veil_bundle_finalize (GObject *object)
{
  g_clear_pointer (&VEIL_BUNDLE (object)->session, veil_session_unref);
  G_OBJECT_CLASS (veil_bundle_parent_class)->finalize (object);
}

static void
veil_bundle_class_init (VeilBundleClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_bundle_finalize;
  veil_readable_install (G_OBJECT_CLASS (klass), readable);
}

static void
veil_bundle_init (VeilBundle *self)
{
}

VeilBundle *
veil_bundle_new (const char *json, GError **error)
{
  VeilSession *session;
  VeilBundle *self;

  g_return_val_if_fail (json != NULL, NULL);
  session = veil_session_new_from_bundle (json, strlen (json), g_get_real_time () / G_USEC_PER_SEC, error);
  if (session == NULL)
    return NULL;
  self = g_object_new (VEIL_TYPE_BUNDLE, NULL);
  self->session = session;
  return self;
}

VeilSession *
veil_bundle_get_session (VeilBundle *self)
{
  return self->session;
}

const char *
veil_bundle_get_relay_url (VeilBundle *self)
{
  g_return_val_if_fail (veil_bundle_is_made (self), NULL);
  return self->session->relay_url;
}

const char *
veil_bundle_get_registry_url (VeilBundle *self)
{
  g_return_val_if_fail (veil_bundle_is_made (self), NULL);
  return self->session->registry_rpc_url;
}

const char *
veil_bundle_get_registry_address (VeilBundle *self)
{
  g_return_val_if_fail (veil_bundle_is_made (self), NULL);
  return self->session->registry_address;
}

guint
veil_bundle_get_tee_type (VeilBundle *self)
{
  g_return_val_if_fail (veil_bundle_is_made (self), 0);
  return self->session->registry_tee_type;
}

const char *
veil_bundle_get_email (VeilBundle *self)
{
  g_return_val_if_fail (veil_bundle_is_made (self), NULL);
  return self->session->email;
}

gint64
veil_bundle_get_expires_at (VeilBundle *self)
{
  g_return_val_if_fail (veil_bundle_is_made (self), 0);
  return self->session->expires_at;
}

gboolean
veil_bundle_get_sandbox (VeilBundle *self)
{
  g_return_val_if_fail (veil_bundle_is_made (self), FALSE);
  return self->session->sandbox;
}

const char *
veil_bundle_get_access_token (VeilBundle *self)
{
  g_return_val_if_fail (veil_bundle_is_made (self), NULL);
  return self->session->access_token;
}
