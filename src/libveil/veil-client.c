/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "veil-client.h"

#include "enclave-source.h"
#include "fetch.h"
#include "readable.h"
#include "relay-client.h"
#include "relay-error.h"
#include "retry.h"
#include "translate.h"
#include "veil-error.h"
#include "wrap.h"

#include <string.h>

struct _VeilClient
{
  GObject parent;

  SoupSession *http;            /* owned */
  VeilRegistryClient *registry; /* owned */
  VeilChooser *chooser;         /* owned */
  VeilEnclaveSource *source;    /* owned */
  VeilRelayClient *relay;       /* owned */
  VeilBundle *bundle;           /* owned; may be NULL */
  char *relay_url;              /* owned */
  guint answer_timeout;
  VeilPlace place;
};

G_DEFINE_FINAL_TYPE (VeilClient, veil_client, G_TYPE_OBJECT)

/* FALSE for the empty one that g_object_new() makes when others call it: nothing was read or verified for it. */
static gboolean
is_made (VeilClient *self)
{
  return VEIL_IS_CLIENT (self) && self->source != NULL;
}

#define MAX_ANSWER_TIMEOUT (24 * 3600)

enum
{
  AUTHORIZE,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static const VeilReadable readable[] = {
  { "relay-url", VEIL_READABLE_STRING, G_CALLBACK (veil_client_get_relay_url) },
  { "registry", VEIL_READABLE_OBJECT, G_CALLBACK (veil_client_get_registry), veil_registry_client_get_type },
  { "chooser", VEIL_READABLE_OBJECT, G_CALLBACK (veil_client_get_chooser), veil_chooser_get_type },
  { "refresh-interval", VEIL_READABLE_UINT, G_CALLBACK (veil_client_get_refresh_interval) },
  { "answer-timeout", VEIL_READABLE_UINT, G_CALLBACK (veil_client_get_answer_timeout) },
  { NULL },
};

static void
veil_client_finalize (GObject *object)
{
  VeilClient *self = VEIL_CLIENT (object);

  g_clear_object (&self->source);
  g_clear_object (&self->relay);
  g_clear_object (&self->chooser);
  g_clear_object (&self->registry);
  g_clear_object (&self->http);
  g_clear_object (&self->bundle);
  g_free (self->relay_url);
  veil_place_clear (&self->place);
  G_OBJECT_CLASS (veil_client_parent_class)->finalize (object);
}

static void
veil_client_class_init (VeilClientClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_client_finalize;
  veil_readable_install (G_OBJECT_CLASS (klass), readable);
  signals[AUTHORIZE] = g_signal_new ("authorize", VEIL_TYPE_CLIENT, G_SIGNAL_RUN_LAST, 0, g_signal_accumulator_true_handled, NULL,
                                     NULL, G_TYPE_BOOLEAN, 1, VEIL_TYPE_AUTHORIZATION);
}

static void
veil_client_init (VeilClient *self)
{
  veil_place_init (&self->place);
}

static VeilClient *
build (const char *relay_url, VeilRegistryClient *registry)
{
  VeilClient *self = g_object_new (VEIL_TYPE_CLIENT, NULL);
  gsize length = strlen (relay_url);

  while (length > 0 && relay_url[length - 1] == '/')
    length--;
  self->relay_url = g_strndup (relay_url, length);
  self->registry = g_object_ref (registry);
  self->http = veil_fetch_session_new ();
  self->chooser = veil_chooser_new ();
  self->source = veil_enclave_source_new (registry, self->chooser);
  self->relay = veil_relay_client_new (self->http, self->relay_url, NULL);
  veil_relay_client_set_sandbox (self->relay, veil_registry_client_get_sandbox (registry));
  return self;
}

VeilClient *
veil_client_new (const char *relay_url, VeilRegistryClient *registry, GError **error)
{
  g_return_val_if_fail (relay_url != NULL && veil_registry_client_is_made (registry), NULL);
  g_return_val_if_fail (veil_place_is_here (veil_registry_client_get_place (registry)), NULL);
  if (!veil_fetch_check_url (relay_url, _ ("The relay's address"), error))
    return NULL;
  if (strchr (relay_url, '?') == NULL)
    return build (relay_url, registry);
  g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_INVALID_ARGUMENT,
                       _ ("The relay's address has a query, and a path is to be added to it"));
  return NULL;
}

VeilClient *
veil_client_new_for_bundle (VeilBundle *bundle, GError **error)
{
  g_autoptr (VeilRegistryClient) registry = NULL;
  VeilClient *self;

  g_return_val_if_fail (veil_bundle_is_made (bundle), NULL);
  registry = veil_registry_client_new_for_bundle (bundle, error);
  if (registry == NULL)
    return NULL;
  self = build (veil_bundle_get_relay_url (bundle), registry);
  self->bundle = g_object_ref (bundle);
  return self;
}

void
veil_client_set_refresh_interval (VeilClient *self, guint seconds)
{
  g_return_if_fail (is_made (self));
  veil_enclave_source_set_interval (self->source, seconds);
  g_object_notify (G_OBJECT (self), "refresh-interval");
}

void
veil_client_set_answer_timeout (VeilClient *self, guint seconds)
{
  VeilRelayLimits limits = { .single_deadline_ms = seconds * 1000, .stream_deadline_ms = seconds * 1000 };

  g_return_if_fail (is_made (self) && seconds <= MAX_ANSWER_TIMEOUT);
  self->answer_timeout = seconds;
  veil_relay_client_set_limits (self->relay, &limits);
  g_object_notify (G_OBJECT (self), "answer-timeout");
}

static void
chosen_only (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  VeilEnclave *enclave = veil_enclave_source_choose_finish (VEIL_ENCLAVE_SOURCE (source), result, &error);

  if (enclave != NULL)
    g_task_return_pointer (task, enclave, g_object_unref);
  else
    g_task_return_error (task, error);
}

void
veil_client_choose_async (VeilClient *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (is_made (self) && veil_place_is_here (&self->place));
  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, veil_client_choose_async);
  veil_enclave_source_choose_async (self->source, NULL, cancellable, chosen_only, g_object_ref (task));
}

VeilEnclave *
veil_client_choose_finish (VeilClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self) && g_async_result_is_tagged (result, veil_client_choose_async), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* One request on its way. */
typedef struct
{
  VeilRequest *request;      /* owned */
  VeilRelayHeaders *headers; /* owned; NULL until it is authorized */
  VeilEnclave *enclave;      /* owned; where it was sent last */
  GError *first;             /* owned; why a second enclave is tried */
  GError *refusal;           /* owned; why it is authorized a second time */
  gint64 asked_at;           /* microseconds since 1970 */
} Sending;

static void
sending_free (gpointer data)
{
  Sending *self = data;

  g_object_unref (self->request);
  g_clear_pointer (&self->headers, veil_relay_headers_unref);
  g_clear_object (&self->enclave);
  g_clear_error (&self->first);
  g_clear_error (&self->refusal);
  g_free (self);
}

static void authorize (GTask *task);
static void choose (GTask *task);

static gboolean
may_authorize_again (VeilClient *self, const Sending *sending, const GError *error)
{
  return sending->refusal == NULL && g_error_matches (error, VEIL_ERROR, VEIL_ERROR_SESSION_REFUSED) &&
         veil_error_get_status (error) == SOUP_STATUS_UNAUTHORIZED &&
         g_signal_has_handler_pending (self, signals[AUTHORIZE], 0, FALSE);
}

/* What the command line's users are told is no advice for the users of a library. */
static void
drop_advice (GError *error)
{
  const char *advice = veil_relay_error_get_login_advice ();

  if (error->domain == VEIL_ERROR && g_str_has_suffix (error->message, advice))
    error->message[strlen (error->message) - strlen (advice)] = '\0';
}

static void
sent (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  VeilClient *self = g_task_get_source_object (task);
  Sending *sending = g_task_get_task_data (task);
  g_autoptr (VeilChatAnswer) answer = NULL;
  GError *error = NULL;

  answer = veil_relay_client_send_finish (VEIL_RELAY_CLIENT (source), result, &error);
  veil_enclave_source_report (self->source, sending->enclave, error);
  if (answer != NULL)
    {
      g_task_return_pointer (task, veil_answer_new_for_chat_answer (answer, sending->request, sending->asked_at), g_object_unref);
      return;
    }
  drop_advice (error);
  if (may_authorize_again (self, sending, error))
    {
      sending->refusal = error;
      authorize (task);
    }
  else if (sending->first == NULL && veil_retry_elsewhere (error))
    {
      sending->first = error;
      choose (task);
    }
  else
    g_task_return_error (task, error);
}

static void
post (GTask *task)
{
  VeilClient *self = g_task_get_source_object (task);
  Sending *sending = g_task_get_task_data (task);

  veil_relay_client_send_with_headers_async (self->relay, veil_enclave_get_tee (sending->enclave),
                                             veil_request_get_chat_request (sending->request), sending->headers,
                                             g_task_get_cancellable (task), sent, g_object_ref (task));
}

static void
chosen (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Sending *sending = g_task_get_task_data (task);
  g_autoptr (VeilEnclave) enclave = NULL;
  GError *error = NULL;

  enclave = veil_enclave_source_choose_finish (VEIL_ENCLAVE_SOURCE (source), result, &error);
  /* Without another one, why the first did not do says more than why there is no second. */
  if (sending->first != NULL && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) &&
      (enclave == NULL || g_str_equal (veil_enclave_get_id (enclave), veil_enclave_get_id (sending->enclave))))
    {
      g_clear_error (&error);
      g_task_return_error (task, g_steal_pointer (&sending->first));
    }
  else if (enclave == NULL)
    g_task_return_error (task, error);
  else
    {
      g_set_object (&sending->enclave, enclave);
      post (task);
    }
}

static void
choose (GTask *task)
{
  VeilClient *self = g_task_get_source_object (task);
  Sending *sending = g_task_get_task_data (task);

  veil_enclave_source_choose_async (self->source, sending->first != NULL ? sending->enclave : NULL, g_task_get_cancellable (task),
                                    chosen, g_object_ref (task));
}

static void
authorized (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Sending *sending = g_task_get_task_data (task);
  GError *error = NULL;
  VeilRelayHeaders *headers = g_task_propagate_pointer (G_TASK (result), &error);

  if (headers == NULL)
    {
      g_task_return_error (task, error);
      return;
    }
  g_clear_pointer (&sending->headers, veil_relay_headers_unref);
  sending->headers = headers;
  if (sending->enclave != NULL)
    post (task);
  else
    choose (task);
}

/* Nobody has taken the question on. */
static void
authorize_by_bundle (VeilClient *self, GTask *asking, Sending *sending)
{
  if (sending->refusal != NULL)
    g_task_return_error (asking, g_error_copy (sending->refusal));
  else if (self->bundle != NULL)
    g_task_return_pointer (asking, veil_relay_headers_new_bearer (veil_bundle_get_access_token (self->bundle)),
                           (GDestroyNotify) veil_relay_headers_unref);
  else
    g_task_return_new_error (
        asking, VEIL_ERROR, VEIL_ERROR_NOT_SIGNED_IN,
        _ ("Nobody authorizes requests: handle the client's signal “authorize”, or make the client for a login bundle"));
}

static void
authorize (GTask *task)
{
  VeilClient *self = g_task_get_source_object (task);
  Sending *sending = g_task_get_task_data (task);
  g_autoptr (GTask) asking = g_task_new (self, g_task_get_cancellable (task), authorized, g_object_ref (task));
  g_autoptr (VeilAuthorization) authorization = veil_authorization_new (asking, sending->refusal != NULL);
  gboolean taken = FALSE;

  g_signal_emit (self, signals[AUTHORIZE], 0, authorization, &taken);
  if (!taken && veil_authorization_withdraw (authorization))
    authorize_by_bundle (self, asking, sending);
}

void
veil_client_send_async (VeilClient *self, VeilRequest *request, GCancellable *cancellable, GAsyncReadyCallback callback,
                        gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  Sending *sending;

  g_return_if_fail (is_made (self) && veil_place_is_here (&self->place) && veil_request_is_made (request));
  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, veil_client_send_async);
  sending = g_new0 (Sending, 1);
  sending->request = g_object_ref (request);
  sending->asked_at = g_get_real_time ();
  g_task_set_task_data (task, sending, sending_free);
  authorize (task);
}

VeilAnswer *
veil_client_send_finish (VeilClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self) && g_async_result_is_tagged (result, veil_client_send_async), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}

const char *
veil_client_get_relay_url (VeilClient *self)
{
  g_return_val_if_fail (is_made (self), NULL);
  return self->relay_url;
}

VeilRegistryClient *
veil_client_get_registry (VeilClient *self)
{
  g_return_val_if_fail (is_made (self), NULL);
  return self->registry;
}

VeilChooser *
veil_client_get_chooser (VeilClient *self)
{
  g_return_val_if_fail (is_made (self), NULL);
  return self->chooser;
}

guint
veil_client_get_refresh_interval (VeilClient *self)
{
  g_return_val_if_fail (is_made (self), 0);
  return veil_enclave_source_get_interval (self->source);
}

guint
veil_client_get_answer_timeout (VeilClient *self)
{
  g_return_val_if_fail (is_made (self), 0);
  return self->answer_timeout;
}
