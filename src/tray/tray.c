/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "tray.h"

#include "tray-dbus.h"

#include <string.h>

#define ITEM_PATH "/StatusNotifierItem" /* where hosts look under a bus name */
#define MENU_PATH "/StatusNotifierItem/Menu"
#define WATCHER "org.kde.StatusNotifierWatcher"
#define WATCHER_PATH "/StatusNotifierWatcher"
#define RETRIES 5 /* a second apart: a panel may own its name before it answers */
#define MAX_TOKEN 1024

struct _VeilTray
{
  GObject parent;
  GDBusConnection *bus;
  VeilTrayMenu *menu; /* from start to stop */
  VeilDBusStatusItem *item;
  VeilDBusStatusWatcher *watcher;
  GCancellable *cancellable;
  char *token;
  guint grace_source;
  guint retry_source;
  guint retries;
  gboolean registered; /* with the watcher that is there now */
  gboolean host;       /* that watcher knows a panel */
  gboolean hosted;     /* both, as last told */
  gboolean ever_hosted;
};

G_DEFINE_FINAL_TYPE (VeilTray, veil_tray, G_TYPE_OBJECT)

enum
{
  PROP_HOSTED = 1,
  N_PROPS
};

enum
{
  ACTIVATE,
  SECONDARY_ACTIVATE,
  SCROLL,
  NO_HOST,
  N_SIGNALS
};

static GParamSpec *props[N_PROPS];
static guint signals[N_SIGNALS];

static void register_item (VeilTray *self);

static void
update_hosted (VeilTray *self)
{
  gboolean hosted = self->registered && self->host;

  if (hosted == self->hosted)
    return;
  self->hosted = hosted;
  if (hosted)
    {
      self->ever_hosted = TRUE;
      g_clear_handle_id (&self->grace_source, g_source_remove);
    }
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_HOSTED]);
}

static gboolean
on_retry (gpointer user_data)
{
  VeilTray *self = user_data;

  self->retry_source = 0;
  register_item (self);
  return G_SOURCE_REMOVE;
}

static void
on_registered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilTray) self = user_data;
  g_autoptr (GError) error = NULL;

  self->registered =
      veil_dbus_status_watcher_call_register_status_notifier_item_finish (VEIL_DBUS_STATUS_WATCHER (source), result, &error);
  if (!self->registered && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_info ("The tray did not take the icon: %s", error->message);
      if (self->retries++ < RETRIES && self->retry_source == 0)
        self->retry_source = g_timeout_add_seconds (1, on_retry, self);
    }
  update_hosted (self);
}

static void
register_item (VeilTray *self)
{
  veil_dbus_status_watcher_call_register_status_notifier_item (self->watcher, g_dbus_connection_get_unique_name (self->bus),
                                                               self->cancellable, on_registered, g_object_ref (self));
}

static void
set_host (VeilTray *self, gboolean host)
{
  self->host = host;
  update_hosted (self);
}

static void
on_host_registered (VeilTray *self)
{
  set_host (self, TRUE);
}

/* There may be others. */
static void
on_host_unregistered (VeilTray *self)
{
  set_host (self, veil_dbus_status_watcher_get_is_status_notifier_host_registered (self->watcher));
}

/* A watcher comes, goes, or another takes its place: each knows nothing of us. */
static void
on_watcher_owner (VeilTray *self)
{
  g_autofree char *owner = g_dbus_proxy_get_name_owner (G_DBUS_PROXY (self->watcher));

  g_clear_handle_id (&self->retry_source, g_source_remove);
  self->retries = 0;
  self->registered = FALSE;
  set_host (self, owner != NULL && veil_dbus_status_watcher_get_is_status_notifier_host_registered (self->watcher));
  if (owner != NULL)
    register_item (self);
}

static void
on_watcher (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (VeilTray) self = user_data;
  g_autoptr (GError) error = NULL;
  VeilDBusStatusWatcher *watcher = veil_dbus_status_watcher_proxy_new_finish (result, &error);

  if (watcher == NULL)
    {
      if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        g_info ("No tray: %s", error->message);
      return;
    }
  if (self->menu == NULL) /* stopped meanwhile */
    {
      g_object_unref (watcher);
      return;
    }
  self->watcher = watcher;
  g_signal_connect_object (watcher, "notify::g-name-owner", G_CALLBACK (on_watcher_owner), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (watcher, "notify::is-status-notifier-host-registered", G_CALLBACK (on_host_unregistered), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (watcher, "status-notifier-host-registered", G_CALLBACK (on_host_registered), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (watcher, "status-notifier-host-unregistered", G_CALLBACK (on_host_unregistered), self,
                           G_CONNECT_SWAPPED);
  on_watcher_owner (self);
}

static gboolean
on_grace_over (gpointer user_data)
{
  VeilTray *self = user_data;

  self->grace_source = 0;
  if (!self->ever_hosted)
    g_signal_emit (self, signals[NO_HOST], 0);
  return G_SOURCE_REMOVE;
}

static void
emit_with_token (VeilTray *self, guint signal)
{
  g_autofree char *token = g_steal_pointer (&self->token);

  g_signal_emit (self, signals[signal], 0, token);
}

static gboolean
on_activate (VeilTray *self, GDBusMethodInvocation *invocation)
{
  veil_dbus_status_item_complete_activate (self->item, invocation);
  emit_with_token (self, ACTIVATE);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* A panel asks so that cannot show the menu itself. */
static gboolean
on_context_menu (VeilTray *self, GDBusMethodInvocation *invocation)
{
  veil_dbus_status_item_complete_context_menu (self->item, invocation);
  emit_with_token (self, ACTIVATE);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_secondary_activate (VeilTray *self, GDBusMethodInvocation *invocation)
{
  veil_dbus_status_item_complete_secondary_activate (self->item, invocation);
  emit_with_token (self, SECONDARY_ACTIVATE);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_scroll (VeilTray *self, GDBusMethodInvocation *invocation, int delta, const char *orientation)
{
  gboolean vertical = g_ascii_strcasecmp (orientation, "vertical") == 0;

  if (!vertical && g_ascii_strcasecmp (orientation, "horizontal") != 0)
    {
      g_dbus_method_invocation_return_error (invocation, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS,
                                             "One scrolls \"vertical\" or \"horizontal\"");
      return G_DBUS_METHOD_INVOCATION_HANDLED;
    }
  veil_dbus_status_item_complete_scroll (self->item, invocation);
  g_signal_emit (self, signals[SCROLL], 0, delta, vertical);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

static gboolean
on_token (VeilTray *self, GDBusMethodInvocation *invocation, const char *token)
{
  if (strlen (token) > MAX_TOKEN)
    {
      g_dbus_method_invocation_return_error (invocation, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS,
                                             "No activation token is that long");
      return G_DBUS_METHOD_INVOCATION_HANDLED;
    }
  g_free (self->token);
  self->token = g_strdup (token);
  veil_dbus_status_item_complete_provide_xdg_activation_token (self->item, invocation);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

gboolean
veil_tray_start (VeilTray *self, VeilTrayMenu *menu, guint grace_ms, GError **error)
{
  g_return_val_if_fail (self->menu == NULL, FALSE);

  veil_tray_menu_set_icon_path (menu, veil_dbus_status_item_get_icon_theme_path (self->item));
  if (!veil_tray_menu_export (menu, self->bus, MENU_PATH, error))
    return FALSE;
  if (!g_dbus_interface_skeleton_export (G_DBUS_INTERFACE_SKELETON (self->item), self->bus, ITEM_PATH, error))
    {
      veil_tray_menu_unexport (menu);
      return FALSE;
    }
  self->menu = g_object_ref (menu);
  self->cancellable = g_cancellable_new ();
  self->grace_source = g_timeout_add (grace_ms, on_grace_over, self);
  veil_dbus_status_watcher_proxy_new (self->bus, G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START, WATCHER, WATCHER_PATH, self->cancellable,
                                      on_watcher, g_object_ref (self));
  return TRUE;
}

void
veil_tray_stop (VeilTray *self)
{
  if (self->menu == NULL)
    return;
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_handle_id (&self->grace_source, g_source_remove);
  g_clear_handle_id (&self->retry_source, g_source_remove);
  if (self->watcher != NULL)
    g_signal_handlers_disconnect_by_data (self->watcher, self);
  g_clear_object (&self->watcher);
  g_dbus_interface_skeleton_unexport (G_DBUS_INTERFACE_SKELETON (self->item));
  veil_tray_menu_unexport (self->menu);
  g_clear_object (&self->menu);
  self->registered = FALSE;
  set_host (self, FALSE);
}

gboolean
veil_tray_get_hosted (VeilTray *self)
{
  return self->hosted;
}

void
veil_tray_set_title (VeilTray *self, const char *title)
{
  if (g_strcmp0 (veil_dbus_status_item_get_title (self->item), title) == 0)
    return;
  veil_dbus_status_item_set_title (self->item, title);
  veil_dbus_status_item_emit_new_title (self->item);
}

void
veil_tray_set_icon (VeilTray *self, const char *icon, const char *description)
{
  if (g_strcmp0 (veil_dbus_status_item_get_icon_name (self->item), icon) == 0 &&
      g_strcmp0 (veil_dbus_status_item_get_icon_accessible_desc (self->item), description) == 0)
    return;
  veil_dbus_status_item_set_icon_name (self->item, icon);
  veil_dbus_status_item_set_icon_accessible_desc (self->item, description);
  veil_dbus_status_item_set_attention_icon_name (self->item, icon);
  veil_dbus_status_item_set_attention_accessible_desc (self->item, description);
  veil_dbus_status_item_emit_new_icon (self->item);
  veil_dbus_status_item_emit_new_attention_icon (self->item);
}

void
veil_tray_set_tooltip (VeilTray *self, const char *title, const char *text)
{
  g_autoptr (GVariant) tooltip = g_variant_ref_sink (g_variant_new ("(sa(iiay)ss)", "", NULL, title, text));

  if (g_variant_equal (veil_dbus_status_item_get_tool_tip (self->item), tooltip))
    return;
  veil_dbus_status_item_set_tool_tip (self->item, tooltip);
  veil_dbus_status_item_emit_new_tool_tip (self->item);
}

/* Never "Passive": panels hide that, and one must be able to switch on again what is off. */
void
veil_tray_set_attention (VeilTray *self, gboolean attention)
{
  const char *status = attention ? "NeedsAttention" : "Active";

  if (g_strcmp0 (veil_dbus_status_item_get_status (self->item), status) == 0)
    return;
  veil_dbus_status_item_set_status (self->item, status);
  veil_dbus_status_item_emit_new_status (self->item, status);
}

VeilTray *
veil_tray_new (GDBusConnection *bus, const char *id, const char *icon_path)
{
  VeilTray *self = g_object_new (VEIL_TYPE_TRAY, NULL);

  self->bus = g_object_ref (bus);
  veil_dbus_status_item_set_id (self->item, id);
  veil_dbus_status_item_set_title (self->item, id);
  veil_dbus_status_item_set_icon_name (self->item, id);
  veil_dbus_status_item_set_attention_icon_name (self->item, id);
  veil_dbus_status_item_set_icon_theme_path (self->item, icon_path != NULL ? icon_path : "");
  return self;
}

static void
veil_tray_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_HOSTED)
    g_value_set_boolean (value, VEIL_TRAY (object)->hosted);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
veil_tray_dispose (GObject *object)
{
  veil_tray_stop (VEIL_TRAY (object));
  G_OBJECT_CLASS (veil_tray_parent_class)->dispose (object);
}

static void
veil_tray_finalize (GObject *object)
{
  VeilTray *self = VEIL_TRAY (object);

  g_object_unref (self->item);
  g_clear_object (&self->bus);
  g_free (self->token);
  G_OBJECT_CLASS (veil_tray_parent_class)->finalize (object);
}

static guint
add_signal (const char *name, guint n_params, GType first, GType second)
{
  return g_signal_new (name, VEIL_TYPE_TRAY, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, n_params, first, second);
}

static void
veil_tray_class_init (VeilTrayClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->get_property = veil_tray_get_property;
  object_class->dispose = veil_tray_dispose;
  object_class->finalize = veil_tray_finalize;
  props[PROP_HOSTED] = g_param_spec_boolean ("hosted", NULL, NULL, FALSE, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, props);
  signals[ACTIVATE] = add_signal ("activate", 1, G_TYPE_STRING, G_TYPE_NONE);
  signals[SECONDARY_ACTIVATE] = add_signal ("secondary-activate", 1, G_TYPE_STRING, G_TYPE_NONE);
  signals[SCROLL] = add_signal ("scroll", 2, G_TYPE_INT, G_TYPE_BOOLEAN);
  signals[NO_HOST] = add_signal ("no-host", 0, G_TYPE_NONE, G_TYPE_NONE);
}

static void
connect (VeilTray *self, const char *signal, GCallback callback)
{
  g_signal_connect_object (self->item, signal, callback, self, G_CONNECT_SWAPPED);
}

static void
veil_tray_init (VeilTray *self)
{
  self->item = veil_dbus_status_item_skeleton_new ();
  veil_dbus_status_item_set_category (self->item, "SystemServices");
  veil_dbus_status_item_set_status (self->item, "Active");
  veil_dbus_status_item_set_icon_accessible_desc (self->item, "");
  veil_dbus_status_item_set_attention_accessible_desc (self->item, "");
  veil_dbus_status_item_set_menu (self->item, MENU_PATH);
  veil_dbus_status_item_set_tool_tip (self->item, g_variant_new ("(sa(iiay)ss)", "", NULL, "", ""));
  connect (self, "handle-activate", G_CALLBACK (on_activate));
  connect (self, "handle-context-menu", G_CALLBACK (on_context_menu));
  connect (self, "handle-secondary-activate", G_CALLBACK (on_secondary_activate));
  connect (self, "handle-scroll", G_CALLBACK (on_scroll));
  connect (self, "handle-provide-xdg-activation-token", G_CALLBACK (on_token));
}
