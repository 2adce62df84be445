/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "window.h"

#include "connect-page.h"
#include "enclaves-page.h"
#include "requests-page.h"
#include "welcome-page.h"

#include <glib/gi18n.h>

/* Characters. */
#define TOAST_LINE 42
#define TOAST_NARROW_LINE 28
#define TOAST_MIN_LINE 20
#define TOAST_NARROW 480 /* pixels, of the window */
#define TOAST_READ_PER_S 10

struct _VeilWindow
{
  AdwApplicationWindow parent;

  VeilFront *front; /* owned */
  guint revealing;  /* the bar at the bottom is about to follow the title; 0: no */

  GtkStack *stack;
  VeilWelcomePage *welcome;
  AdwViewStack *pages;
  AdwViewSwitcherTitle *switcher_title;
  AdwViewSwitcherBar *switcher_bar;
  GtkMenuButton *menu_button;
  GtkWidget *sandbox_bar;
  AdwToastOverlay *toasts;
  VeilRequestsPage *requests_page;
  VeilEnclavesPage *enclaves_page;
  VeilConnectPage *connect_page;
};

G_DEFINE_FINAL_TYPE (VeilWindow, veil_window, ADW_TYPE_APPLICATION_WINDOW)

static void
on_front_changed (VeilFront *front, VeilWindow *self)
{
  gboolean sandbox = veil_front_get_sandbox (front);
  gboolean inside = sandbox || veil_service_get_session (veil_front_get_service (front)) != NULL;

  gtk_stack_set_visible_child_name (self->stack, inside ? "pages" : "welcome");
  adw_view_switcher_title_set_view_switcher_enabled (self->switcher_title, inside);
  gtk_widget_set_visible (GTK_WIDGET (self->switcher_bar), inside);
  gtk_widget_set_visible (self->sandbox_bar, sandbox);
}

static gboolean
reveal_bar (gpointer data)
{
  VeilWindow *self = data;

  self->revealing = 0;
  adw_view_switcher_bar_set_reveal (self->switcher_bar, adw_view_switcher_title_get_title_visible (self->switcher_title));
  return G_SOURCE_REMOVE;
}

/* Told while sizes are given out. A bar that appears at once, without animations, has none by then, which GTK warns of. */
static void
on_title_visible (VeilWindow *self)
{
  if (self->revealing == 0)
    self->revealing = g_idle_add (reveal_bar, self);
}

static void
on_page (GtkWidget *widget, const char *action, GVariant *parameter)
{
  veil_window_show_page (VEIL_WINDOW (widget), g_variant_get_string (parameter, NULL));
}

static void
on_menu (GtkWidget *widget, const char *action, GVariant *parameter)
{
  gtk_menu_button_popup (VEIL_WINDOW (widget)->menu_button);
}

/* A toast has one line and cuts the rest off, where an error says what to do. How much a line holds is up to the window and the script. */
static GtkWidget *
build_title (const char *text, int length, int line)
{
  GtkWidget *label = gtk_label_new (text);

  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_width_chars (GTK_LABEL (label), MIN (length, TOAST_MIN_LINE));
  gtk_label_set_max_width_chars (GTK_LABEL (label), line);
  gtk_widget_add_css_class (label, "heading");
  return label;
}

AdwToast *
veil_toast_new (GtkWidget *window, const char *text)
{
  g_autofree char *escaped = g_markup_escape_text (text, -1);
  AdwToast *toast = adw_toast_new (escaped);
  glong length = g_utf8_strlen (text, -1);
  int line = gtk_widget_get_width (window) < TOAST_NARROW ? TOAST_NARROW_LINE : TOAST_LINE;

  adw_toast_set_custom_title (toast, build_title (text, (int) MIN (length, line), line));
  adw_toast_set_timeout (toast, (guint) CLAMP (length / TOAST_READ_PER_S, 3, 15));
  return toast;
}

void
veil_toast_name_button (GtkWidget *widget)
{
  const char *icon = GTK_IS_BUTTON (widget) ? gtk_button_get_icon_name (GTK_BUTTON (widget)) : NULL;
  gboolean inside =
      gtk_widget_get_parent (widget) != NULL && g_strcmp0 (gtk_widget_get_css_name (gtk_widget_get_parent (widget)), "toast") == 0;

  if (inside && g_strcmp0 (icon, "window-close-symbolic") == 0)
    gtk_accessible_update_property (GTK_ACCESSIBLE (widget), GTK_ACCESSIBLE_PROPERTY_LABEL, _ ("Close"), -1);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL; child = gtk_widget_get_next_sibling (child))
    veil_toast_name_button (child);
}

/* For what was done without a visible trace: "Copied". */
static void
on_toast (GtkWidget *widget, const char *action, GVariant *parameter)
{
  AdwToast *toast = veil_toast_new (widget, g_variant_get_string (parameter, NULL));

  adw_toast_overlay_add_toast (VEIL_WINDOW (widget)->toasts, toast);
  veil_toast_name_button (widget);
  /* The next one appears by then. */
  g_signal_connect_object (toast, "dismissed", G_CALLBACK (veil_toast_name_button), widget, G_CONNECT_SWAPPED);
}

/* @parameter: what to copy. */
static void
on_copy (GtkWidget *widget, const char *action, GVariant *parameter)
{
  gdk_clipboard_set_text (gtk_widget_get_clipboard (widget), g_variant_get_string (parameter, NULL));
  gtk_widget_activate_action (widget, "win.toast", "s", _ ("Copied"));
}

/* Built when it is asked for, and destroyed when it is closed: GTK 4.8 crashes when a screen reader asks for a window that is no more while another one is hidden. */
static void
on_shortcuts (GtkWidget *widget, const char *action, GVariant *parameter)
{
  g_autoptr (GtkBuilder) builder = gtk_builder_new_from_resource (VEIL_RESOURCES "/help-overlay.ui");
  GtkShortcutsWindow *shortcuts = GTK_SHORTCUTS_WINDOW (gtk_builder_get_object (builder, "help_overlay"));

  gtk_application_window_set_help_overlay (GTK_APPLICATION_WINDOW (widget), shortcuts);
  g_action_map_remove_action (G_ACTION_MAP (widget), "show-help-overlay"); /* it would show one that was closed */
  gtk_window_set_hide_on_close (GTK_WINDOW (shortcuts), FALSE);
  gtk_window_present (GTK_WINDOW (shortcuts));
}

static void
veil_window_dispose (GObject *object)
{
  VeilWindow *self = VEIL_WINDOW (object);

  g_clear_handle_id (&self->revealing, g_source_remove);
  g_clear_object (&self->front);
  gtk_widget_dispose_template (GTK_WIDGET (self), VEIL_TYPE_WINDOW);
  G_OBJECT_CLASS (veil_window_parent_class)->dispose (object);
}

static void
veil_window_class_init (VeilWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = veil_window_dispose;
  g_type_ensure (VEIL_TYPE_WELCOME_PAGE);
  g_type_ensure (VEIL_TYPE_REQUESTS_PAGE);
  g_type_ensure (VEIL_TYPE_ENCLAVES_PAGE);
  g_type_ensure (VEIL_TYPE_CONNECT_PAGE);
  gtk_widget_class_set_template_from_resource (widget_class, VEIL_RESOURCES "/window.ui");
  gtk_widget_class_bind_template_child (widget_class, VeilWindow, stack);
  gtk_widget_class_bind_template_child (widget_class, VeilWindow, welcome);
  gtk_widget_class_bind_template_child (widget_class, VeilWindow, pages);
  gtk_widget_class_bind_template_child (widget_class, VeilWindow, switcher_title);
  gtk_widget_class_bind_template_child (widget_class, VeilWindow, switcher_bar);
  gtk_widget_class_bind_template_child (widget_class, VeilWindow, menu_button);
  gtk_widget_class_bind_template_child (widget_class, VeilWindow, sandbox_bar);
  gtk_widget_class_bind_template_child (widget_class, VeilWindow, toasts);
  gtk_widget_class_bind_template_child (widget_class, VeilWindow, connect_page);
  gtk_widget_class_bind_template_child (widget_class, VeilWindow, enclaves_page);
  gtk_widget_class_bind_template_child (widget_class, VeilWindow, requests_page);
  gtk_widget_class_bind_template_callback (widget_class, on_title_visible);
  gtk_widget_class_install_action (widget_class, "win.page", "s", on_page);
  gtk_widget_class_install_action (widget_class, "win.menu", NULL, on_menu);
  gtk_widget_class_install_action (widget_class, "win.shortcuts", NULL, on_shortcuts);
  gtk_widget_class_install_action (widget_class, "win.toast", "s", on_toast);
  gtk_widget_class_install_action (widget_class, "win.copy", "s", on_copy);
}

static void
veil_window_init (VeilWindow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

VeilWindow *
veil_window_new (VeilApplication *application)
{
  VeilWindow *self = g_object_new (VEIL_TYPE_WINDOW, "application", application, NULL);

  self->front = g_object_ref (veil_application_get_front (application));
  veil_welcome_page_set_front (self->welcome, self->front);
  veil_requests_page_set_front (self->requests_page, self->front);
  veil_enclaves_page_set_front (self->enclaves_page, self->front);
  veil_connect_page_set_front (self->connect_page, self->front);
  g_signal_connect_object (self->front, "changed", G_CALLBACK (on_front_changed), self, 0);
  on_front_changed (self->front, self);
  return self;
}

void
veil_window_show_page (VeilWindow *self, const char *name)
{
  if (adw_view_stack_get_child_by_name (self->pages, name) != NULL)
    adw_view_stack_set_visible_child_name (self->pages, name);
}

void
veil_window_show_request (VeilWindow *self, gint64 time)
{
  veil_window_show_page (self, "requests");
  veil_requests_page_show_request (self->requests_page, time);
}

void
veil_window_sign_in (VeilWindow *self)
{
  if (veil_service_get_session (veil_front_get_service (self->front)) == NULL)
    veil_welcome_page_sign_in (self->welcome);
}
