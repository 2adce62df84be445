/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "service.h"

#include "chat-run.h"
#include "endpoint.h"
#include "fetch.h"
#include "history.h"
#include "network.h"
#include "settings-file.h"
#include "veil-error.h"

#include <glib/gi18n.h>

#define TELL_AGAIN_S 2
/* Of five seconds that the whole program may take to end: */
#define DRAIN_PATIENCE_MS 4000 /* for requests that run */
#define CLOSE_PATIENCE_MS 4500 /* for them and a renewal */

struct _VeilService
{
  GObject parent;

  VeilSettings *settings;    /* owned; that the endpoint starts with */
  VeilSettingsWatch *watch;  /* owned; NULL without a home */
  SoupSession *http;         /* owned */
  VeilAccount *account;      /* owned; made with the settings */
  VeilNetwork *network;      /* owned; NULL unless the session is fit to serve */
  VeilRecordList *records;   /* owned */
  VeilHistory *history;      /* owned; NULL unless the settings want one and the endpoint was started */
  VeilServer *server;        /* owned; set while the endpoint is up */
  VeilEndpoint *endpoint;    /* owned */
  GFileMonitor *monitors[2]; /* owned; of the settings file, and of the sandbox's choice; NULL where there is none */
  VeilInstance *instance;    /* not owned; may be NULL */
  GSource *telling;          /* owned; of another attempt to tell it; NULL: it knows */

  guint64 verified;
  guint64 refused;
  guint64 failed;
};

static void backend_init (VeilBackendInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (VeilService, veil_service, G_TYPE_OBJECT, G_IMPLEMENT_INTERFACE (VEIL_TYPE_BACKEND, backend_init))

enum
{
  CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
emit_changed (VeilService *self)
{
  g_signal_emit (self, signals[CHANGED], 0);
}

static void
drop_network (VeilService *self)
{
  if (self->network != NULL)
    veil_network_retire (self->network);
  g_clear_object (&self->network);
}

static void
stop_telling (VeilService *self)
{
  if (self->telling != NULL)
    g_source_destroy (self->telling);
  g_clear_pointer (&self->telling, g_source_unref);
}

static void
veil_service_dispose (GObject *object)
{
  VeilService *self = VEIL_SERVICE (object);

  veil_service_stop (self);
  stop_telling (self);
  for (guint i = 0; i < G_N_ELEMENTS (self->monitors); i++)
    g_clear_object (&self->monitors[i]);
  if (self->account != NULL)
    veil_account_stop (self->account);
  drop_network (self);
  g_clear_pointer (&self->history, veil_history_free);
  G_OBJECT_CLASS (veil_service_parent_class)->dispose (object);
}

static void
veil_service_finalize (GObject *object)
{
  VeilService *self = VEIL_SERVICE (object);

  g_clear_object (&self->account);
  g_object_unref (self->http);
  g_object_unref (self->records);
  g_clear_pointer (&self->watch, veil_settings_watch_free);
  veil_settings_free (self->settings);
  veil_endpoint_free (self->endpoint);
  G_OBJECT_CLASS (veil_service_parent_class)->finalize (object);
}

static void
veil_service_class_init (VeilServiceClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = veil_service_dispose;
  object_class->finalize = veil_service_finalize;
  signals[CHANGED] = g_signal_new ("changed", VEIL_TYPE_SERVICE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
veil_service_init (VeilService *self)
{
  self->http = veil_fetch_session_new ();
  self->endpoint = veil_endpoint_new ();
  self->records = veil_record_list_new (0);
}

static const VeilSettings *
get_settings (VeilService *self)
{
  return self->watch != NULL ? veil_settings_watch_get (self->watch) : self->settings;
}

static void tell_instance (VeilService *self);

/* What was kept goes when it is no longer wanted, whoever switched it off and when. */
static void
update_history (VeilService *self)
{
  g_autofree char *path = self->settings->home != NULL ? veil_settings_get_history_path (self->settings) : NULL;
  gboolean wanted = path != NULL && get_settings (self)->history;

  if (wanted && self->history == NULL)
    self->history = veil_history_new (path, self->records);
  else if (path != NULL && !wanted)
    {
      g_clear_pointer (&self->history, veil_history_free);
      veil_history_erase (path);
    }
}

static gboolean
look_at_settings (VeilService *self)
{
  gboolean news = self->watch != NULL && veil_settings_watch_look (self->watch);

  if (news && veil_endpoint_follow (self->endpoint, get_settings (self)))
    tell_instance (self);
  if (news && (self->server != NULL || self->history != NULL))
    update_history (self);
  if (news && self->network != NULL)
    veil_network_set_settings (self->network, get_settings (self));
  return news;
}

void
veil_service_reload (VeilService *self)
{
  if (look_at_settings (self))
    emit_changed (self);
}

static void
on_choosing (VeilNetwork *network, VeilService *self)
{
  veil_service_reload (self);
  /* One that only ends its requests hears of nothing else. */
  if (network != self->network)
    veil_network_set_settings (network, get_settings (self));
}

static gboolean
try_to_tell (VeilService *self, GError **error)
{
  const char *host = self->server != NULL ? veil_server_get_host (self->server) : NULL;
  guint16 port = self->server != NULL ? veil_server_get_port (self->server) : 0;

  return self->instance == NULL || (veil_instance_set_address (self->instance, host, port, error) &&
                                    veil_instance_set_session (self->instance, veil_account_get_session (self->account), error));
}

static gboolean
on_telling (gpointer data)
{
  VeilService *self = data;

  if (!try_to_tell (self, NULL))
    return G_SOURCE_CONTINUE;
  stop_telling (self);
  return G_SOURCE_REMOVE;
}

/* Not worth ending for: who looks sees what was true before, until the disk has room again. */
static void
tell_instance (VeilService *self)
{
  g_autoptr (GError) error = NULL;
  gboolean known = self->telling != NULL;

  stop_telling (self);
  if (try_to_tell (self, &error))
    return;
  if (!known)
    g_message ("Other commands are not told of this yet: %s", error->message);
  self->telling = g_timeout_source_new_seconds (TELL_AGAIN_S);
  g_source_set_callback (self->telling, on_telling, self, NULL);
  g_source_attach (self->telling, g_main_context_get_thread_default ());
}

void
veil_service_retry_address (VeilService *self)
{
  if (!veil_endpoint_retry (self->endpoint))
    return;
  tell_instance (self);
  emit_changed (self);
}

void
veil_service_set_instance (VeilService *self, VeilInstance *instance)
{
  self->instance = instance;
  tell_instance (self);
}

/* The same network with other tokens stays: what is known of its enclaves is still true. */
static void
take_session (VeilService *self, VeilSession *session)
{
  if (session != NULL && self->network != NULL && veil_network_set_session (self->network, session))
    return;
  drop_network (self);
  if (session == NULL || !veil_session_check_can_serve (session, NULL))
    return;
  self->network = veil_network_new (self->http, session, get_settings (self));
  g_signal_connect_object (self->network, "choosing", G_CALLBACK (on_choosing), self, 0);
  g_signal_connect_object (self->network, "changed", G_CALLBACK (emit_changed), self, G_CONNECT_SWAPPED);
  if (self->server != NULL)
    veil_network_refresh (self->network);
}

static void
on_account_changed (VeilAccount *account, VeilService *self)
{
  tell_instance (self);
  take_session (self, veil_account_get_session (account));
  emit_changed (self);
}

/* Requests look at the files themselves: an address has to be followed, and what is shown has to be true, without any. */
static void
watch_settings (VeilService *self)
{
  g_autofree char *path = veil_settings_file_get_path (self->settings);
  g_autofree char *choice = veil_settings_file_get_choice_path (self->settings);
  const char *const paths[] = { path, choice };

  self->watch = veil_settings_watch_new (self->settings);
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autoptr (GFile) file = paths[i] != NULL ? g_file_new_for_path (paths[i]) : NULL;

      self->monitors[i] = file != NULL ? g_file_monitor_file (file, G_FILE_MONITOR_WATCH_MOVES, NULL, NULL) : NULL;
      if (self->monitors[i] != NULL)
        g_signal_connect_object (self->monitors[i], "changed", G_CALLBACK (veil_service_reload), self, G_CONNECT_SWAPPED);
    }
}

VeilService *
veil_service_new (const VeilSettings *settings)
{
  VeilService *self = g_object_new (VEIL_TYPE_SERVICE, NULL);

  self->settings = veil_settings_copy (settings);
  if (settings->home != NULL)
    watch_settings (self);
  self->account = veil_account_new (self->http, settings);
  g_signal_connect_object (self->account, "changed", G_CALLBACK (on_account_changed), self, 0);
  return self;
}

void
veil_service_open_account (VeilService *self)
{
  veil_account_open (self->account);
}

void
veil_service_set_session (VeilService *self, VeilSession *session)
{
  if (session != veil_account_get_session (self->account))
    veil_account_set_session (self->account, session);
}

VeilSession *
veil_service_get_session (VeilService *self)
{
  return veil_account_get_session (self->account);
}

VeilAccount *
veil_service_get_account (VeilService *self)
{
  return self->account;
}

VeilNetwork *
veil_service_get_network (VeilService *self)
{
  return self->network;
}

const VeilSettings *
veil_service_get_settings (VeilService *self)
{
  look_at_settings (self);
  return get_settings (self);
}

static void
load_models (VeilService *self)
{
  g_autofree char *path = veil_settings_find_models ();
  g_autoptr (GError) error = NULL;

  if (!veil_server_load_models (self->server, path, &error))
    g_warning ("/v1/models lists nothing: %s", error->message);
}

void
veil_service_load_key_async (VeilService *self, GAsyncReadyCallback callback, gpointer user_data)
{
  look_at_settings (self);
  veil_endpoint_load_key_async (self->endpoint, get_settings (self), callback, user_data);
}

gboolean
veil_service_load_key_finish (VeilService *self, GAsyncResult *result, GError **error)
{
  return veil_endpoint_load_key_finish (self->endpoint, result, error);
}

gboolean
veil_service_listen (VeilService *self, GError **error)
{
  g_return_val_if_fail (self->server == NULL, FALSE);

  look_at_settings (self);
  self->server = veil_server_new (VEIL_BACKEND (self));
  veil_server_set_records (self->server, self->records);
  if (veil_endpoint_open (self->endpoint, self->server, get_settings (self), error))
    return TRUE;
  g_clear_object (&self->server);
  return FALSE;
}

void
veil_service_begin (VeilService *self)
{
  load_models (self);
  tell_instance (self);
  update_history (self);
  if (self->network != NULL)
    veil_network_refresh (self->network);
  emit_changed (self);
}

gboolean
veil_service_start (VeilService *self, GError **error)
{
  if (!veil_service_listen (self, error))
    return FALSE;
  veil_service_begin (self);
  return TRUE;
}

void
veil_service_prefer_port (VeilService *self, guint16 port)
{
  veil_endpoint_prefer_port (self->endpoint, port);
}

void
veil_service_stop (VeilService *self)
{
  if (self->server == NULL)
    return;
  veil_endpoint_close (self->endpoint);
  veil_server_stop (self->server);
  g_clear_object (&self->server);
  tell_instance (self);
  emit_changed (self);
}

typedef struct
{
  gint64 begun;        /* monotonic */
  GCancellable *hurry; /* owned; may be NULL */
} Stop;

static void
stop_free (gpointer data)
{
  Stop *stop = data;

  g_clear_object (&stop->hurry);
  g_free (stop);
}

static void
on_account_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;

  veil_account_close_finish (VEIL_ACCOUNT (source), result);
  g_task_return_boolean (task, TRUE);
}

static void
close_account (VeilService *self, GTask *task)
{
  Stop *stop = g_task_get_task_data (task);
  gint64 left = CLOSE_PATIENCE_MS - (g_get_monotonic_time () - stop->begun) / G_TIME_SPAN_MILLISECOND;

  veil_service_stop (self);
  veil_account_close_async (self->account, (guint) MAX (left, 0), stop->hurry, on_account_closed, g_object_ref (task));
}

static void
on_drained (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;

  veil_server_drain_finish (VEIL_SERVER (source), result);
  close_account (g_task_get_source_object (task), task);
}

void
veil_service_stop_async (VeilService *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  Stop *stop = g_new0 (Stop, 1);

  g_task_set_source_tag (task, veil_service_stop_async);
  stop->begun = g_get_monotonic_time ();
  stop->hurry = cancellable != NULL ? g_object_ref (cancellable) : NULL;
  g_task_set_task_data (task, stop, stop_free);
  if (self->server != NULL)
    veil_server_drain_async (self->server, DRAIN_PATIENCE_MS, cancellable, on_drained, g_object_ref (task));
  else
    close_account (self, task);
}

void
veil_service_stop_finish (VeilService *self, GAsyncResult *result)
{
  g_return_if_fail (g_task_is_valid (result, self));
  g_task_propagate_boolean (G_TASK (result), NULL);
}

VeilServer *
veil_service_get_server (VeilService *self)
{
  return self->server;
}

VeilRecordList *
veil_service_get_records (VeilService *self)
{
  return self->records;
}

static void
count (VeilService *self, const GError *error)
{
  if (error == NULL)
    self->verified++;
  else if (error->domain == VEIL_ERROR && veil_error_is_verification (error->code))
    self->refused++;
  else if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    self->failed++;
  emit_changed (self);
}

/* One request of a caller's, which may be sent a second time with a renewed session. */
typedef struct
{
  VeilChatRequest *request; /* owned */
  VeilRecord *record;       /* owned; may be NULL */
  VeilSession *session;     /* owned; with which it was sent */
  GError *refusal;          /* owned; of the first time */
} Chat;

static void
chat_free (gpointer data)
{
  Chat *chat = data;

  veil_chat_request_unref (chat->request);
  g_clear_object (&chat->record);
  g_clear_pointer (&chat->session, veil_session_unref);
  g_clear_error (&chat->refusal);
  g_free (chat);
}

static void
fail (GTask *task, GError *error)
{
  count (g_task_get_source_object (task), error);
  g_task_return_error (task, error);
}

static void session_ready (GObject *source, GAsyncResult *result, gpointer user_data);

/* 401 alone, and only once: nothing has run, and a renewed session may be accepted. */
static gboolean
may_renew (const Chat *chat, const GError *error)
{
  return chat->refusal == NULL && chat->session->refresh_token != NULL &&
         g_error_matches (error, VEIL_ERROR, VEIL_ERROR_SESSION_REFUSED) &&
         veil_error_get_status (error) == SOUP_STATUS_UNAUTHORIZED;
}

static void
chat_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VeilService *self = g_task_get_source_object (task);
  Chat *chat = g_task_get_task_data (task);
  GError *error = NULL;
  VeilChatAnswer *answer = veil_chat_run_finish (VEIL_NETWORK (source), result, &error);

  if (answer != NULL)
    {
      count (self, NULL);
      g_task_return_pointer (task, answer, (GDestroyNotify) veil_chat_answer_unref);
    }
  else if (may_renew (chat, error))
    {
      chat->refusal = error;
      veil_account_get_async (self->account, chat->session->access_token, g_task_get_cancellable (task), session_ready,
                              g_object_ref (task));
    }
  else
    fail (task, error);
}

/* Why there is no network. */
static GError *
why_not_signed_in (VeilService *self)
{
  VeilSession *session = veil_account_get_session (self->account);
  g_autoptr (GError) error = NULL;

  if (veil_account_get_problem (self->account) != NULL)
    return g_error_copy (veil_account_get_problem (self->account));
  if (session == NULL || veil_session_check_can_serve (session, &error))
    return g_error_new_literal (VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN, _ ("Nobody is signed in: run `og-veil login`"));
  return g_error_new (VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN, _ ("%s: run `og-veil login`"), error->message);
}

static void
session_ready (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VeilService *self = g_task_get_source_object (task);
  Chat *chat = g_task_get_task_data (task);
  GError *error = NULL;

  g_clear_pointer (&chat->session, veil_session_unref);
  chat->session = veil_account_get_finish (self->account, result, &error);
  if (chat->session == NULL)
    fail (task, error);
  else if (self->network == NULL)
    fail (task, why_not_signed_in (self));
  /* Signed in elsewhere meanwhile: its tokens are for its relay alone. */
  else if (!veil_session_has_same_network (chat->session, veil_network_get_session (self->network)))
    fail (task, g_error_new_literal (VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN,
                                     _ ("The account was changed just now; send the request again")));
  else
    veil_chat_run_async (self->network, chat->session, chat->request, chat->record, g_task_get_cancellable (task), chat_done,
                         g_object_ref (task));
}

static void
veil_service_chat_async (VeilBackend *backend, VeilChatRequest *request, VeilRecord *record, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data)
{
  VeilService *self = VEIL_SERVICE (backend);
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);
  Chat *chat = g_new0 (Chat, 1);

  g_task_set_source_tag (task, veil_service_chat_async);
  chat->request = veil_chat_request_ref (request);
  chat->record = record != NULL ? g_object_ref (record) : NULL;
  g_task_set_task_data (task, chat, chat_free);
  veil_account_get_async (self->account, NULL, cancellable, session_ready, g_object_ref (task));
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
  VeilSession *session = veil_account_get_session (self->account);
  g_autoptr (GError) error = NULL;
  g_autoptr (VeilTee) tee = NULL;

  health->status = "not_signed_in";
  health->tee_id = health->tee_endpoint = health->tee_pcr_hash = NULL;
  health->sandbox = session != NULL && session->sandbox;
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
      health->tee_pcr_hash = g_strdup (tee->pcr_hash);
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
