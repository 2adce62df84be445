/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "endpoint.h"

#include "api-key-store.h"
#include "instance.h"
#include "secret.h"
#include "veil-error.h"

#include <glib/gi18n.h>

struct _VeilEndpoint
{
  VeilServer *server;     /* owned; NULL while it does not serve */
  VeilSettings *settings; /* owned; that it follows; NULL likewise */
  char *stored_key;       /* owned, secret; NULL until there is one */
  char *nobody_s_key;     /* owned, secret; what is required while the one that is required is not known */
  GCancellable *loading;  /* owned; of the reading under way, or NULL */
  guint16 preferred_port; /* of any; 0: none */
  gboolean unmet;         /* what is set could not be had, and the server is where it was */
};

/* The homes that a person who gives none has. */
static VeilInstanceInfo *
find_other_veil (const VeilSettings *settings, char **home)
{
  g_autoptr (VeilSettings) plain = veil_settings_new (NULL);
  g_autofree char *standard = g_build_filename (g_get_user_data_dir (), "veil", NULL);
  const char *const homes[] = { plain != NULL ? plain->home : NULL, standard };

  for (guint i = 0; i < G_N_ELEMENTS (homes); i++)
    {
      g_autoptr (VeilInstanceInfo) info = NULL;

      if (homes[i] == NULL || g_strcmp0 (homes[i], settings->home) == 0)
        continue;
      info = veil_instance_find (homes[i], NULL);
      if (info == NULL || info->port != settings->port)
        continue;
      *home = g_strdup (homes[i]);
      return g_steal_pointer (&info);
    }
  return NULL;
}

static gboolean
listen_there (VeilServer *server, const VeilSettings *settings, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  g_autoptr (VeilInstanceInfo) other = NULL;
  g_autofree char *home = NULL;

  if (veil_server_listen (server, settings->host, settings->port, &local_error))
    return TRUE;
  if (settings->port != 0)
    other = find_other_veil (settings, &home);
  if (other != NULL)
    g_set_error (
        error, VEIL_ERROR, VEIL_ERROR_LISTEN,
        _ ("Port %u is taken by the Veil of the home %s (pid %d); stop that with `og-veil stop --home`, or choose another port "
           "with --port"),
        settings->port, home, (int) other->pid);
  else
    g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}

/* Those who were told the address of the run before are to find this one. */
static gboolean
listen_again (VeilServer *server, const VeilSettings *settings, guint16 port)
{
  if (settings->port != 0 || port == 0)
    return FALSE;
  if (veil_server_listen (server, settings->host, port, NULL))
    return TRUE;
  g_warning ("Port %u, which it had before, cannot be had again, so it takes any other", port);
  return FALSE;
}

/* --- the key --- */

static const char *
get_key (VeilEndpoint *self, const VeilSettings *settings)
{
  if (settings->api_key != NULL || !settings->require_api_key)
    return settings->api_key;
  return self->stored_key != NULL ? self->stored_key : self->nobody_s_key;
}

/* An address that others can reach keeps the key that it has: what it is to have then cannot be had. */
static void
set_key (VeilEndpoint *self)
{
  const char *key = get_key (self, self->settings);

  if (self->server == NULL)
    return;
  if (key != NULL || veil_server_is_local (self->server))
    veil_server_set_api_key (self->server, key);
  else
    g_warning ("%s can be reached from other machines, so the API key stays required", veil_server_get_host (self->server));
}

static void
on_key (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VeilEndpoint *self = g_task_get_task_data (task);
  GError *error = NULL;
  char *key = veil_api_key_load_finish (result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_task_return_error (task, error);
      return;
    }
  /* A store that cannot be read for now does not change the key. */
  if (error == NULL)
    {
      veil_secret_free (self->stored_key);
      self->stored_key = key;
    }
  if (error == NULL && key == NULL)
    error =
        g_error_new (VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT,
                     _ ("The settings require an API key and there is none; set one with `og-veil key set`, let OG_VEIL_API_KEY "
                        "hold it, or set require-api-key=false"));
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
}

void
veil_endpoint_load_key_async (VeilEndpoint *self, const VeilSettings *settings, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_cancellable_cancel (self->loading);
  g_clear_object (&self->loading);
  self->loading = g_cancellable_new ();
  task = g_task_new (NULL, self->loading, callback, user_data);
  g_task_set_source_tag (task, veil_endpoint_load_key_async);
  g_task_set_task_data (task, self, NULL);
  if (settings->api_key != NULL || !settings->require_api_key)
    g_task_return_boolean (task, TRUE);
  else
    veil_api_key_load_async (settings->session_store, settings->home, VEIL_STORE_MAY_PROMPT, self->loading, on_key,
                             g_object_ref (task));
}

gboolean
veil_endpoint_load_key_finish (VeilEndpoint *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
on_key_loaded (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  gboolean loaded = g_task_propagate_boolean (G_TASK (result), &error);
  VeilEndpoint *self = user_data;

  /* Then the endpoint may be gone. */
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (!loaded)
    g_warning ("Whoever asks is refused%s: %s", self->stored_key != NULL ? " unless they have the key from before" : "",
               error->message);
  set_key (self);
}

/* Anew each time: that the settings changed is also how one is told of another key. */
static void
follow_key (VeilEndpoint *self)
{
  set_key (self);
  if (self->settings->require_api_key && self->settings->api_key == NULL)
    veil_endpoint_load_key_async (self, self->settings, on_key_loaded, self);
}

/* --- the endpoint --- */

gboolean
veil_endpoint_open (VeilEndpoint *self, VeilServer *server, const VeilSettings *settings, GError **error)
{
  veil_server_set_api_key (server, get_key (self, settings));
  if (!listen_again (server, settings, self->preferred_port) && !listen_there (server, settings, error))
    return FALSE;
  veil_endpoint_close (self);
  self->server = g_object_ref (server);
  self->settings = veil_settings_copy (settings);
  if (self->stored_key == NULL)
    follow_key (self);
  return TRUE;
}

void
veil_endpoint_prefer_port (VeilEndpoint *self, guint16 port)
{
  self->preferred_port = port;
}

static gboolean
follow_address (VeilEndpoint *self, const VeilSettings *before)
{
  const VeilSettings *now = self->settings;
  g_autoptr (GError) error = NULL;
  g_autofree char *url = NULL;

  if (g_str_equal (before->host, now->host) && before->port == now->port && !self->unmet)
    return FALSE;
  self->unmet = !veil_server_move (self->server, now->host, now->port, &error);
  if (self->unmet)
    {
      url = veil_settings_make_url (veil_server_get_host (self->server), veil_server_get_port (self->server));
      g_warning ("The new address cannot be had, so %s stays: %s", url, error->message);
      return FALSE;
    }
  url = veil_settings_make_url (now->host, veil_server_get_port (self->server));
  g_message ("Now listening on %s", url);
  return TRUE;
}

gboolean
veil_endpoint_follow (VeilEndpoint *self, const VeilSettings *now)
{
  g_autoptr (VeilSettings) before = g_steal_pointer (&self->settings);
  gboolean moved;

  if (self->server == NULL)
    return FALSE;
  self->settings = veil_settings_copy (now);
  /* A key that comes with an address is there first; one that goes with it goes last. */
  if (get_key (self, now) != NULL)
    veil_server_set_api_key (self->server, get_key (self, now));
  moved = follow_address (self, before);
  follow_key (self);
  return moved;
}

gboolean
veil_endpoint_retry (VeilEndpoint *self)
{
  return self->server != NULL && self->unmet && follow_address (self, self->settings);
}

void
veil_endpoint_close (VeilEndpoint *self)
{
  g_cancellable_cancel (self->loading);
  g_clear_object (&self->loading);
  g_clear_object (&self->server);
  g_clear_pointer (&self->settings, veil_settings_free);
  self->unmet = FALSE;
}

VeilEndpoint *
veil_endpoint_new (void)
{
  VeilEndpoint *self = g_new0 (VeilEndpoint, 1);

  self->nobody_s_key = g_uuid_string_random ();
  return self;
}

void
veil_endpoint_free (VeilEndpoint *self)
{
  veil_endpoint_close (self);
  veil_secret_free (self->stored_key);
  veil_secret_free (self->nobody_s_key);
  g_free (self);
}
