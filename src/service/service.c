/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "service.h"

#include "chat-run.h"
#include "fetch.h"
#include "network.h"
#include "settings-file.h"
#include "veil-error.h"

struct _VeilService
{
  GObject parent;

  VeilSettings *settings;   /* owned; that the endpoint starts with */
  VeilSettingsWatch *watch; /* owned; NULL without a home */
  SoupSession *http;        /* owned */
  VeilSession *session;     /* owned; NULL: signed out */
  VeilNetwork *network;     /* owned; NULL unless the session is fit to serve */
  VeilServer *server;       /* owned; set while the endpoint is up */

  guint64 verified;
  guint64 refused;
  guint64 failed;
};

static void backend_init (VeilBackendInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (VeilService, veil_service, G_TYPE_OBJECT, G_IMPLEMENT_INTERFACE (VEIL_TYPE_BACKEND, backend_init))

static void
drop_network (VeilService *self)
{
  if (self->network != NULL)
    veil_network_retire (self->network);
  g_clear_object (&self->network);
}

static void
veil_service_dispose (GObject *object)
{
  VeilService *self = VEIL_SERVICE (object);

  veil_service_stop (self);
  drop_network (self);
  G_OBJECT_CLASS (veil_service_parent_class)->dispose (object);
}

static void
veil_service_finalize (GObject *object)
{
  VeilService *self = VEIL_SERVICE (object);

  g_clear_pointer (&self->session, veil_session_unref);
  g_object_unref (self->http);
  g_clear_pointer (&self->watch, veil_settings_watch_free);
  veil_settings_free (self->settings);
  G_OBJECT_CLASS (veil_service_parent_class)->finalize (object);
}

static void
veil_service_class_init (VeilServiceClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = veil_service_dispose;
  object_class->finalize = veil_service_finalize;
}

static void
veil_service_init (VeilService *self)
{
  self->http = veil_fetch_session_new ();
}

VeilService *
veil_service_new (const VeilSettings *settings)
{
  VeilService *self = g_object_new (VEIL_TYPE_SERVICE, NULL);

  self->settings = veil_settings_copy (settings);
  if (settings->home != NULL)
    self->watch = veil_settings_watch_new (settings);
  return self;
}

static const VeilSettings *
get_settings (VeilService *self)
{
  return self->watch != NULL ? veil_settings_watch_get (self->watch) : self->settings;
}

static void
on_choosing (VeilNetwork *network, VeilService *self)
{
  gboolean news = self->watch != NULL && veil_settings_watch_look (self->watch);

  if (news && self->network != NULL)
    veil_network_set_settings (self->network, get_settings (self));
  /* One that only ends its requests hears of nothing else. */
  if (network != self->network)
    veil_network_set_settings (network, get_settings (self));
}

void
veil_service_set_session (VeilService *self, VeilSession *session)
{
  if (session == self->session)
    return;
  drop_network (self);
  g_clear_pointer (&self->session, veil_session_unref);
  if (session == NULL)
    return;
  self->session = veil_session_ref (session);
  if (!veil_session_check_can_serve (session, NULL))
    return;
  self->network = veil_network_new (self->http, session, get_settings (self));
  g_signal_connect_object (self->network, "choosing", G_CALLBACK (on_choosing), self, 0);
  if (self->server != NULL)
    veil_network_refresh (self->network);
}

VeilSession *
veil_service_get_session (VeilService *self)
{
  return self->session;
}

static void
load_models (VeilService *self)
{
  g_autofree char *path = veil_settings_find_models ();
  g_autoptr (GError) error = NULL;

  if (!veil_server_load_models (self->server, path, &error))
    g_warning ("/v1/models lists nothing: %s", error->message);
}

gboolean
veil_service_start (VeilService *self, GError **error)
{
  g_return_val_if_fail (self->server == NULL, FALSE);

  if (self->settings->require_api_key && self->settings->api_key == NULL)
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT,
                   "The settings require an API key and there is none; let OG_VEIL_API_KEY hold one, or set require-api-key=false");
      return FALSE;
    }
  self->server = veil_server_new (VEIL_BACKEND (self));
  veil_server_set_api_key (self->server, self->settings->api_key);
  load_models (self);
  if (!veil_server_listen (self->server, self->settings->host, self->settings->port, error))
    {
      g_clear_object (&self->server);
      return FALSE;
    }
  if (self->network != NULL)
    veil_network_refresh (self->network);
  return TRUE;
}

void
veil_service_stop (VeilService *self)
{
  if (self->server == NULL)
    return;
  veil_server_stop (self->server);
  g_clear_object (&self->server);
}

VeilServer *
veil_service_get_server (VeilService *self)
{
  return self->server;
}

static void
count (VeilService *self, const GError *error)
{
  if (error == NULL)
    self->verified++;
  else if (error->domain == VEIL_ERROR && veil_error_code_is_verification (error->code))
    self->refused++;
  else if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    self->failed++;
}

static void
chat_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  VeilChatAnswer *answer = veil_chat_run_finish (VEIL_NETWORK (source), result, &error);

  count (g_task_get_source_object (task), error);
  if (answer == NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, answer, (GDestroyNotify) veil_chat_answer_unref);
}

/* Why there is no network. */
static GError *
why_not_signed_in (VeilService *self)
{
  g_autoptr (GError) error = NULL;

  if (self->session == NULL || veil_session_check_can_serve (self->session, &error))
    return g_error_new_literal (VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN, "Nobody is signed in: run `og-veil login`");
  return g_error_new (VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN, "%s: run `og-veil login`", error->message);
}

static void
veil_service_chat_async (VeilBackend *backend, VeilChatRequest *request, GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data)
{
  VeilService *self = VEIL_SERVICE (backend);
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, veil_service_chat_async);
  if (self->network == NULL)
    {
      self->failed++;
      g_task_return_error (task, why_not_signed_in (self));
      return;
    }
  veil_chat_run_async (self->network, request, cancellable, chat_done, g_object_ref (task));
}

static VeilChatAnswer *
veil_service_chat_finish (VeilBackend *backend, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, backend), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
veil_service_get_health (VeilBackend *backend, VeilBackendHealth *health)
{
  VeilService *self = VEIL_SERVICE (backend);
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilTee) tee = NULL;

  health->status = "not_signed_in";
  health->tee_id = health->tee_endpoint = NULL;
  health->sandbox = self->session != NULL && self->session->sandbox;
  health->verified = self->verified;
  health->refused = self->refused;
  health->failed = self->failed;
  if (self->network == NULL)
    return;
  tee = veil_network_peek (self->network, &error);
  if (tee != NULL)
    {
      health->tee_id = g_strdup (tee->id);
      health->tee_endpoint = g_strdup (tee->endpoint);
    }
  if (error == NULL)
    health->status = "ok";
  else
    health->status = g_error_matches (error, VEIL_ERROR, VEIL_ERROR_REGISTRY) ? "registry_unreachable" : "no_tee";
}

static void
backend_init (VeilBackendInterface *iface)
{
  iface->chat_async = veil_service_chat_async;
  iface->chat_finish = veil_service_chat_finish;
  iface->get_health = veil_service_get_health;
}
