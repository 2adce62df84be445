/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "front.h"

#include "error-details.h"
#include "port-probe.h"
#include "sandbox-process.h"
#include "session-commit.h"
#include "settings-file.h"

#include <glib/gi18n.h>
#include <signal.h>

/* Requests may end a hundred times a second; nobody reads as fast. */
#define PAUSE_MS 50
/* Who is asked to end has five seconds for it, and a little. */
#define TAKEOVER_S 15
#define TAKEOVER_STEP_MS 200

struct _VeilFront
{
  GObject parent;

  VeilSettings *settings;      /* owned; as the program began */
  VeilService *service;        /* owned */
  VeilSandboxProcess *sandbox; /* owned; NULL outside the sandbox, and while it comes up */
  GCancellable *starting;      /* owned; of the sandbox that comes up, or NULL */
  gboolean in_sandbox;
  gboolean on;
  gboolean fleeting; /* the session could not be kept */
  gboolean stopped;
  guint16 port;             /* where it served last; 0: nowhere yet */
  GError *problem;          /* owned */
  GCancellable *naming;     /* owned; while it is asked who has the port, or NULL */
  VeilInstance *instance;   /* owned; while it is on, outside tests without a home */
  VeilInstanceInfo *holder; /* owned; who serves in this home already, or NULL */
  GSource *takeover;        /* owned; while that one is waited for */
  gint64 takeover_end;      /* monotonic */
  GSource *pause;           /* owned; a "changed" is on its way */
};

G_DEFINE_FINAL_TYPE (VeilFront, veil_front, G_TYPE_OBJECT)

enum
{
  CHANGED,
  SERVICE_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
drop_pause (VeilFront *self)
{
  if (self->pause == NULL)
    return;
  g_source_destroy (self->pause);
  g_clear_pointer (&self->pause, g_source_unref);
}

static void
emit_changed (VeilFront *self)
{
  drop_pause (self);
  if (!self->stopped)
    g_signal_emit (self, signals[CHANGED], 0);
}

static gboolean
on_pause (gpointer data)
{
  g_autoptr (VeilFront) self = g_object_ref (data);

  emit_changed (self);
  return G_SOURCE_REMOVE;
}

static void
on_service_changed (VeilService *service, VeilFront *self)
{
  if (self->pause != NULL)
    return;
  self->pause = g_timeout_source_new (PAUSE_MS);
  g_source_set_callback (self->pause, on_pause, self, NULL);
  g_source_attach (self->pause, g_main_context_get_thread_default ());
}

static void
release_instance (VeilFront *self)
{
  if (self->service != NULL)
    veil_service_set_instance (self->service, NULL);
  g_clear_pointer (&self->instance, veil_instance_release);
}

static void
stop_takeover (VeilFront *self)
{
  if (self->takeover == NULL)
    return;
  g_source_destroy (self->takeover);
  g_clear_pointer (&self->takeover, g_source_unref);
}

/* For the next time: those who were told the address find it there. */
static void
note_port (VeilFront *self)
{
  VeilServer *server = veil_service_get_server (self->service);

  if (server != NULL)
    self->port = veil_server_get_port (server);
}

static void
close_service (VeilFront *self)
{
  if (self->service == NULL)
    return;
  note_port (self);
  release_instance (self);
  g_signal_handlers_disconnect_by_data (self->service, self);
  veil_service_stop (self->service);
  g_clear_object (&self->service);
}

static void
close_sandbox (VeilFront *self)
{
  g_cancellable_cancel (self->starting);
  g_clear_object (&self->starting);
  if (self->sandbox == NULL)
    return;
  g_signal_handlers_disconnect_by_data (self->sandbox, self);
  veil_sandbox_process_stop (self->sandbox);
  g_clear_object (&self->sandbox);
}

static void
on_holder_named (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilFront) self = user_data;
  GError *named = veil_port_name_holder_finish (result, NULL);

  if (named == NULL || self->naming == NULL || g_task_get_cancellable (G_TASK (result)) != self->naming)
    {
      g_clear_error (&named);
      return;
    }
  g_clear_object (&self->naming);
  g_clear_error (&self->problem);
  self->problem = named;
  emit_changed (self);
}

/* With whoever is asked about it. */
static void
clear_problem (VeilFront *self)
{
  g_cancellable_cancel (self->naming);
  g_clear_object (&self->naming);
  g_clear_error (&self->problem);
}

/* One Veil serves in a home. */
static gboolean
acquire_instance (VeilFront *self)
{
  const VeilInstanceInfo info = { .program = (char *) "veil", .sandbox = self->in_sandbox };

  g_clear_pointer (&self->holder, veil_instance_info_free);
  if (self->instance != NULL)
    return TRUE;
  self->instance = veil_instance_acquire (self->settings->home, &info, &self->holder, &self->problem);
  if (self->instance == NULL && self->holder != NULL)
    {
      g_autofree char *url = veil_instance_info_get_url (self->holder);

      /* Translators: a program's name, its process number, and its address */
      self->problem =
          g_error_new (VEIL_ERROR, VEIL_ERROR_LISTEN, _ ("%s (process %d) serves already, at %s"), self->holder->program,
                       (int) self->holder->pid, url != NULL ? url : _ ("an address that it has not told yet"));
    }
  return self->instance != NULL;
}

/* Without a session the endpoint still runs, and tells each caller how to sign in. */
static void
start_endpoint (VeilFront *self)
{
  clear_problem (self);
  if (!self->on || self->starting != NULL || veil_service_get_server (self->service) != NULL || !acquire_instance (self))
    return;
  veil_service_set_instance (self->service, self->instance);
  veil_service_prefer_port (self->service, self->port);
  if (veil_service_start (self->service, &self->problem))
    return;
  release_instance (self);
  if (veil_error_get_taken (self->problem) == NULL)
    return;
  self->naming = g_cancellable_new ();
  veil_port_name_holder_async (self->problem, self->naming, on_holder_named, g_object_ref (self));
}

static void
open_service (VeilFront *self, VeilSession *session)
{
  g_autoptr (VeilSettings) settings = veil_settings_copy (self->settings);

  if (self->in_sandbox)
    veil_settings_begin_sandbox (settings);
  close_service (self);
  self->service = veil_service_new (settings);
  g_signal_connect_object (self->service, "changed", G_CALLBACK (on_service_changed), self, 0);
  if (session != NULL)
    veil_service_set_session (self->service, session);
  else if (!self->in_sandbox)
    veil_service_open_account (self->service);
  g_signal_emit (self, signals[SERVICE_CHANGED], 0);
}

static void
fail_sandbox (VeilFront *self, GError *error)
{
  close_sandbox (self);
  open_service (self, NULL);
  clear_problem (self);
  self->problem = error;
  emit_changed (self);
}

static void
on_sandbox_ended (VeilSandboxProcess *sandbox, VeilFront *self)
{
  fail_sandbox (self,
                g_error_new_literal (VEIL_ERROR, VEIL_ERROR_SANDBOX, _ ("The sandbox ended; switch Veil on to start it again")));
}

static void
on_sandbox_started (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilFront) self = user_data;
  GError *error = NULL;
  g_autoptr (VeilSandboxProcess) sandbox = veil_sandbox_process_start_finish (result, &error);

  /* Left again, or ended, while it came up. */
  if (self->stopped || self->starting == NULL || g_task_get_cancellable (G_TASK (result)) != self->starting)
    {
      if (sandbox != NULL)
        veil_sandbox_process_stop (sandbox);
      g_clear_error (&error);
      return;
    }
  g_clear_object (&self->starting);
  if (sandbox == NULL)
    {
      fail_sandbox (self, error);
      return;
    }
  self->sandbox = g_steal_pointer (&sandbox);
  g_signal_connect_object (self->sandbox, "ended", G_CALLBACK (on_sandbox_ended), self, 0);
  open_service (self, veil_sandbox_process_get_session (self->sandbox));
  start_endpoint (self);
  emit_changed (self);
}

/* Simulated enclaves end with their sandbox; that of another Veil in this home is not ours. */
static void
erase_choice (VeilFront *self)
{
  g_autoptr (VeilInstanceInfo) running = self->settings->home != NULL ? veil_instance_find (self->settings->home, NULL) : NULL;

  if (self->settings->home != NULL && (running == NULL || !running->sandbox))
    veil_settings_file_erase_choice (self->settings->home);
}

static void
start_sandbox (VeilFront *self)
{
  if (self->starting != NULL || self->sandbox != NULL)
    return;
  erase_choice (self);
  clear_problem (self);
  self->starting = g_cancellable_new ();
  veil_sandbox_process_start_async (self->starting, on_sandbox_started, g_object_ref (self));
}

void
veil_front_set_on (VeilFront *self, gboolean on)
{
  /* Switching on what failed is another try. */
  if (self->on == on && self->problem == NULL)
    return;
  self->on = on;
  if (on && self->in_sandbox && self->sandbox == NULL)
    start_sandbox (self);
  else if (on)
    start_endpoint (self);
  else
    {
      stop_takeover (self);
      note_port (self);
      veil_service_stop (self->service);
      release_instance (self);
      clear_problem (self);
      g_clear_pointer (&self->holder, veil_instance_info_free);
    }
  emit_changed (self);
}

gboolean
veil_front_get_on (VeilFront *self)
{
  return self->on;
}

static void
use_account (VeilFront *self)
{
  self->fleeting = FALSE;
  close_sandbox (self);
  open_service (self, NULL);
  start_endpoint (self);
  emit_changed (self);
}

void
veil_front_set_sandbox (VeilFront *self, gboolean sandbox)
{
  if (self->in_sandbox == sandbox)
    return;
  self->in_sandbox = sandbox;
  if (!sandbox)
    {
      use_account (self);
      return;
    }
  self->fleeting = FALSE;
  open_service (self, NULL);
  start_sandbox (self);
  emit_changed (self);
}

gboolean
veil_front_get_sandbox (VeilFront *self)
{
  return self->in_sandbox;
}

void
veil_front_use_session (VeilFront *self, VeilSession *session)
{
  self->in_sandbox = FALSE;
  self->fleeting = TRUE;
  close_sandbox (self);
  open_service (self, session);
  start_endpoint (self);
  emit_changed (self);
}

gboolean
veil_front_get_session_kept (VeilFront *self)
{
  return !self->fleeting;
}

static void
on_signed_out (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;

  if (veil_session_commit_finish (result, NULL, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

void
veil_front_sign_out_async (VeilFront *self, GAsyncReadyCallback callback, gpointer user_data)
{
  const VeilSettings *settings = veil_front_get_settings (self);
  g_autoptr (VeilTokenStore) store = veil_token_store_new (settings->session_store, settings->home);
  GTask *task = g_task_new (self, NULL, callback, user_data);

  g_task_set_source_tag (task, veil_front_sign_out_async);
  if (self->fleeting)
    {
      /* What the store could not keep is not in it. */
      use_account (self);
      g_task_return_boolean (task, TRUE);
      g_object_unref (task);
      return;
    }
  veil_session_commit_async (settings->home, store, NULL, NULL, NULL, on_signed_out, task);
}

gboolean
veil_front_sign_out_finish (VeilFront *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

VeilFrontState
veil_front_get_state (VeilFront *self)
{
  if (self->takeover != NULL)
    return VEIL_FRONT_STARTING;
  if (self->problem != NULL)
    return VEIL_FRONT_FAILED;
  if (self->starting != NULL)
    return VEIL_FRONT_STARTING;
  return veil_service_get_server (self->service) != NULL ? VEIL_FRONT_ON : VEIL_FRONT_OFF;
}

const VeilInstanceInfo *
veil_front_get_holder (VeilFront *self)
{
  return self->holder;
}

static gboolean
on_takeover (gpointer data)
{
  g_autoptr (VeilFront) self = g_object_ref (data);

  start_endpoint (self);
  if (self->holder != NULL && g_get_monotonic_time () < self->takeover_end)
    return G_SOURCE_CONTINUE;
  stop_takeover (self);
  emit_changed (self);
  return G_SOURCE_REMOVE;
}

void
veil_front_take_over (VeilFront *self)
{
  g_autoptr (VeilInstanceInfo) now = NULL;

  if (self->holder == NULL || self->takeover != NULL)
    return;
  /* It may have ended, and another program may have its number. */
  now = veil_instance_find (self->settings->home, NULL);
  if (now != NULL && now->pid == self->holder->pid && now->born == self->holder->born && veil_instance_info_is_near (now))
    kill (now->pid, SIGTERM);
  self->takeover_end = g_get_monotonic_time () + TAKEOVER_S * G_USEC_PER_SEC;
  self->takeover = g_timeout_source_new (TAKEOVER_STEP_MS);
  g_source_set_callback (self->takeover, on_takeover, self, NULL);
  g_source_attach (self->takeover, g_main_context_get_thread_default ());
  emit_changed (self);
}

const GError *
veil_front_get_problem (VeilFront *self)
{
  return self->problem;
}

VeilService *
veil_front_get_service (VeilFront *self)
{
  return self->service;
}

const VeilSettings *
veil_front_get_settings (VeilFront *self)
{
  return veil_service_get_settings (self->service);
}

void
veil_front_look (VeilFront *self)
{
  veil_service_reload (self->service);
  /* Another address may be free. */
  if (g_error_matches (self->problem, VEIL_ERROR, VEIL_ERROR_LISTEN) && self->takeover == NULL)
    start_endpoint (self);
  emit_changed (self);
}

char *
veil_front_get_url (VeilFront *self)
{
  const VeilSettings *settings = veil_front_get_settings (self);
  VeilServer *server = veil_service_get_server (self->service);
  guint16 port = server != NULL ? veil_server_get_port (server) : settings->port;

  return port != 0 ? veil_settings_get_url (settings, port) : NULL;
}

static char *
describe_counts (const VeilBackendHealth *health)
{
  g_autofree char *verified = NULL;
  g_autofree char *refused = NULL;

  if (health->verified == 0 && health->refused == 0)
    return g_strdup (_ ("On, no requests yet"));
  verified = g_strdup_printf (ngettext ("%lu answer verified", "%lu answers verified", (gulong) health->verified),
                              (gulong) health->verified);
  if (health->refused == 0)
    return g_steal_pointer (&verified);
  refused = g_strdup_printf (ngettext ("%lu refused", "%lu refused", (gulong) health->refused), (gulong) health->refused);
  /* Translators: both are counts, as in "12 answers verified, 1 refused" */
  return g_strdup_printf (_ ("%s, %s"), verified, refused);
}

char *
veil_front_describe (VeilFront *self)
{
  VeilBackendHealth health = { NULL };
  char *text;

  switch (veil_front_get_state (self))
    {
    case VEIL_FRONT_OFF:
      return g_strdup (_ ("Switched off"));
    case VEIL_FRONT_STARTING:
      return g_strdup (self->takeover != NULL ? _ ("Taking over…") : _ ("Starting the sandbox…"));
    case VEIL_FRONT_FAILED:
      return g_strdup (self->problem->message);
    case VEIL_FRONT_ON:
    default:
      break;
    }
  veil_backend_get_health (VEIL_BACKEND (self->service), &health);
  if (g_str_equal (health.status, "not_signed_in"))
    text = g_strdup (_ ("Nobody is signed in"));
  else if (g_str_equal (health.status, "no_tee"))
    text = g_strdup (_ ("No enclave can be used"));
  else if (g_str_equal (health.status, "registry_unreachable"))
    text = g_strdup (_ ("The registry of enclaves cannot be read"));
  else
    text = describe_counts (&health);
  veil_backend_health_clear (&health);
  return text;
}

void
veil_front_stop (VeilFront *self)
{
  self->stopped = TRUE;
  g_cancellable_cancel (self->naming);
  g_clear_object (&self->naming);
  drop_pause (self);
  stop_takeover (self);
  close_sandbox (self);
  if (self->service != NULL)
    veil_service_stop (self->service);
  release_instance (self);
}

static void
on_stopped (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;

  veil_service_stop_finish (VEIL_SERVICE (source), result);
  veil_front_stop (g_task_get_source_object (task));
  g_task_return_boolean (task, TRUE);
}

void
veil_front_stop_async (VeilFront *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);

  g_task_set_source_tag (task, veil_front_stop_async);
  stop_takeover (self);
  veil_service_stop_async (self->service, cancellable, on_stopped, task);
}

void
veil_front_stop_finish (VeilFront *self, GAsyncResult *result)
{
  g_return_if_fail (g_task_is_valid (result, self));
  g_task_propagate_boolean (G_TASK (result), NULL);
}

static void
veil_front_finalize (GObject *object)
{
  VeilFront *self = VEIL_FRONT (object);

  veil_front_stop (self);
  close_service (self);
  clear_problem (self);
  g_clear_pointer (&self->holder, veil_instance_info_free);
  veil_settings_free (self->settings);
  G_OBJECT_CLASS (veil_front_parent_class)->finalize (object);
}

static void
veil_front_class_init (VeilFrontClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_front_finalize;
  signals[CHANGED] = g_signal_new ("changed", VEIL_TYPE_FRONT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[SERVICE_CHANGED] =
      g_signal_new ("service-changed", VEIL_TYPE_FRONT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
veil_front_init (VeilFront *self)
{
}

VeilFront *
veil_front_new (const VeilSettings *settings, gboolean sandbox)
{
  VeilFront *self = g_object_new (VEIL_TYPE_FRONT, NULL);

  self->settings = veil_settings_copy (settings);
  self->in_sandbox = sandbox;
  open_service (self, NULL);
  return self;
}
