/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "endpoint.h"

#include "instance.h"
#include "veil-error.h"

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
        "Port %u is taken by the Veil of the home %s (pid %d); stop that with `og-veil stop --home`, or choose another port "
        "with --port",
        settings->port, home, (int) other->pid);
  else
    g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}

gboolean
veil_endpoint_open (VeilServer *server, const VeilSettings *settings, GError **error)
{
  if (settings->require_api_key && settings->api_key == NULL)
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT,
                   "The settings require an API key and there is none; let OG_VEIL_API_KEY hold one, or set require-api-key=false");
      return FALSE;
    }
  veil_server_set_api_key (server, settings->api_key);
  return listen_there (server, settings, error);
}

gboolean
veil_endpoint_follow (VeilServer *server, const VeilSettings *before, const VeilSettings *now)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *url = NULL;

  if (g_str_equal (before->host, now->host) && before->port == now->port)
    return FALSE;
  if (!veil_server_move (server, now->host, now->port, &error))
    {
      url = veil_settings_make_url (veil_server_get_host (server), veil_server_get_port (server));
      g_warning ("The new address cannot be had, so %s stays: %s", url, error->message);
      return FALSE;
    }
  url = veil_settings_make_url (now->host, veil_server_get_port (server));
  g_message ("Now listening on %s", url);
  return TRUE;
}
