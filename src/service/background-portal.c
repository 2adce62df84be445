/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "background-portal.h"

#include "veil-error.h"

#include <glib/gi18n.h>

#define PORTAL_NAME "org.freedesktop.portal.Desktop"
#define PORTAL_PATH "/org/freedesktop/portal/desktop"
#define BACKGROUND "org.freedesktop.portal.Background"
#define REQUEST "org.freedesktop.portal.Request"
#define GRANTED 0
#define MAX_EARLY 16

/* One question to the portal. It ends once: with the portal's response, its end, or the caller's. Whatever may still call back
 * holds a reference. */
typedef struct
{
  GTask *task;  /* owned; NULL once it ended */
  char *reason; /* owned */
  gboolean autostart;
  GStrv command;               /* owned */
  GDBusConnection *connection; /* owned */
  char *handle;                /* owned; the request's object path: as expected, then as the portal says */
  GHashTable *early;           /* owned; responses by path that came before the portal said which is ours; NULL afterwards */
  guint response;              /* signal subscription */
  guint watch;                 /* of the portal's name */
  GSource *cancelled;          /* owned */
  gboolean granted_background;
  gboolean granted_autostart;
} Question;

/* What was granted; the task's result. */
typedef struct
{
  gboolean background;
  gboolean autostart;
} Grant;

static void
question_clear (gpointer data)
{
  Question *self = data;

  g_free (self->reason);
  g_strfreev (self->command);
  g_clear_object (&self->connection);
  g_free (self->handle);
  g_clear_pointer (&self->early, g_hash_table_unref);
}

static void
question_unref (gpointer self)
{
  g_rc_box_release_full (self, question_clear);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Question, question_unref)

gboolean
veil_background_portal_is_needed (void)
{
  return g_file_test ("/.flatpak-info", G_FILE_TEST_EXISTS) || g_strcmp0 (g_getenv ("GTK_USE_PORTAL"), "1") == 0;
}

/* Takes over @error; NULL is success. */
static void
end (Question *self, GError *error)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);
  Grant *grant;

  if (self->cancelled != NULL)
    g_source_destroy (self->cancelled);
  g_clear_pointer (&self->cancelled, g_source_unref);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    {
      grant = g_new0 (Grant, 1);
      grant->background = self->granted_background;
      grant->autostart = self->granted_autostart;
      g_task_return_pointer (task, grant, g_free);
    }
  /* Each holds a reference. */
  g_clear_handle_id (&self->watch, g_bus_unwatch_name);
  if (self->response != 0)
    g_dbus_connection_signal_unsubscribe (self->connection, self->response);
  self->response = 0;
}

static void
fail (Question *self, const char *message)
{
  end (self, g_error_new_literal (VEIL_ERROR, VEIL_ERROR_STORE, message));
}

static void
take_response (Question *self, GVariant *parameters)
{
  g_autoptr (GVariant) results = NULL;
  guint response;

  g_variant_get (parameters, "(u@a{sv})", &response, &results);
  g_variant_lookup (results, "background", "b", &self->granted_background);
  g_variant_lookup (results, "autostart", "b", &self->granted_autostart);
  if (response == GRANTED)
    end (self, NULL);
  else
    fail (self, _ ("The desktop did not let Veil run in the background; its settings for applications can change that"));
}

/* Of any request of this process. */
static void
on_response (GDBusConnection *connection, const char *sender, const char *path, const char *interface, const char *signal,
             GVariant *parameters, gpointer user_data)
{
  g_autoptr (Question) self = g_rc_box_acquire (user_data);

  if (self->task == NULL || !g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(ua{sv})")))
    return;
  if (self->early == NULL && g_str_equal (path, self->handle))
    take_response (self, parameters);
  else if (self->early != NULL && g_hash_table_size (self->early) < MAX_EARLY)
    g_hash_table_replace (self->early, g_strdup (path), g_variant_ref (parameters));
}

static void
on_portal_gone (GDBusConnection *connection, const char *name, gpointer user_data)
{
  g_autoptr (Question) self = g_rc_box_acquire (user_data);

  if (self->task != NULL)
    fail (self, _ ("The desktop's portal ended before it answered whether Veil may run in the background; try again"));
}

static void
end_cancelled (Question *self)
{
  if (self->task != NULL)
    end (self, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, _ ("Nobody waits for the desktop's answer any more")));
}

static void
on_withdrawn (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Question) self = user_data;

  g_dbus_connection_flush_finish (G_DBUS_CONNECTION (source), result, NULL);
  end_cancelled (self);
}

/* The person is not to answer what nobody waits for. A connection that nobody holds any more, or a process that ends, takes with it
 * what is not yet written, so the question ends only then. */
static gboolean
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  g_autoptr (Question) self = g_rc_box_acquire (user_data);

  if (self->handle == NULL)
    {
      end_cancelled (self);
      return G_SOURCE_REMOVE;
    }
  g_dbus_connection_call (self->connection, PORTAL_NAME, self->handle, REQUEST, "Close", NULL, NULL,
                          G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, NULL, NULL);
  g_dbus_connection_flush (self->connection, NULL, on_withdrawn, g_rc_box_acquire (self));
  return G_SOURCE_REMOVE;
}

static void
on_asked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Question) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  g_autoptr (GHashTable) early = NULL;
  GVariant *response;

  if (self->task == NULL)
    return;
  if (reply == NULL)
    {
      g_autofree char *message = NULL;

      g_dbus_error_strip_remote_error (error);
      message = g_strdup_printf (_ ("The desktop's portal, which decides what runs in the background, cannot be asked (%s); "
                                    "start Veil at login with the desktop's own settings"),
                                 error->message);
      fail (self, message);
      return;
    }
  /* Portals older than the handle token choose it themselves. */
  g_free (self->handle);
  g_variant_get (reply, "(o)", &self->handle);
  early = g_steal_pointer (&self->early);
  if ((response = g_hash_table_lookup (early, self->handle)) != NULL)
    {
      take_response (self, response);
      return;
    }
  self->watch = g_bus_watch_name_on_connection (self->connection, PORTAL_NAME, G_BUS_NAME_WATCHER_FLAGS_NONE, NULL, on_portal_gone,
                                                g_rc_box_acquire (self), question_unref);
}

static void
ask (Question *self)
{
  g_autofree char *token = g_strdup_printf ("veil%08x%08x", g_random_int (), g_random_int ());
  g_autofree char *sender = g_strdup (g_dbus_connection_get_unique_name (self->connection) + 1);
  GVariantBuilder options;

  self->handle = g_strdup_printf (PORTAL_PATH "/request/%s/%s", g_strdelimit (sender, ".", '_'), token);
  self->early = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_variant_unref);
  self->response =
      g_dbus_connection_signal_subscribe (self->connection, PORTAL_NAME, REQUEST, "Response", NULL, NULL, G_DBUS_SIGNAL_FLAGS_NONE,
                                          on_response, g_rc_box_acquire (self), question_unref);
  g_variant_builder_init (&options, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&options, "{sv}", "handle_token", g_variant_new_string (token));
  g_variant_builder_add (&options, "{sv}", "reason", g_variant_new_string (self->reason));
  g_variant_builder_add (&options, "{sv}", "autostart", g_variant_new_boolean (self->autostart));
  g_variant_builder_add (&options, "{sv}", "commandline", g_variant_new_strv ((const char *const *) self->command, -1));
  g_variant_builder_add (&options, "{sv}", "dbus-activatable", g_variant_new_boolean (FALSE));
  g_dbus_connection_call (self->connection, PORTAL_NAME, PORTAL_PATH, BACKGROUND, "RequestBackground",
                          g_variant_new ("(sa{sv})", "", &options), G_VARIANT_TYPE ("(o)"), G_DBUS_CALL_FLAGS_NONE, -1, NULL,
                          on_asked, g_rc_box_acquire (self));
}

static void
on_bus (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Question) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *message = NULL;

  self->connection = g_bus_get_finish (result, &error);
  if (self->task == NULL)
    return;
  if (self->connection != NULL)
    {
      ask (self);
      return;
    }
  message = g_strdup_printf (_ ("There is no session bus on which the desktop could be asked whether Veil may start at login: %s"),
                             error->message);
  fail (self, message);
}

void
veil_background_portal_request_async (const char *reason, gboolean autostart, const char *const *command, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (Question) self = g_rc_box_new0 (Question);

  self->task = g_task_new (NULL, cancellable, callback, user_data);
  g_task_set_source_tag (self->task, veil_background_portal_request_async);
  self->reason = g_strdup (reason);
  self->autostart = autostart;
  self->command = g_strdupv ((char **) command);
  if (cancellable != NULL)
    {
      self->cancelled = g_cancellable_source_new (cancellable);
      g_source_set_callback (self->cancelled, G_SOURCE_FUNC (on_cancelled), g_rc_box_acquire (self), question_unref);
      g_source_attach (self->cancelled, g_task_get_context (self->task));
    }
  g_bus_get (G_BUS_TYPE_SESSION, cancellable, on_bus, g_rc_box_acquire (self));
}

gboolean
veil_background_portal_request_finish (GAsyncResult *result, gboolean *background, gboolean *autostart, GError **error)
{
  g_autofree Grant *grant = NULL;

  g_return_val_if_fail (g_async_result_is_tagged (result, veil_background_portal_request_async), FALSE);
  grant = g_task_propagate_pointer (G_TASK (result), error);
  if (grant == NULL)
    return FALSE;
  *background = grant->background;
  *autostart = grant->autostart;
  return TRUE;
}
