/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "welcome-page.h"

#include "login-steps.h"
#include "sign-in-view.h"
#include "window.h"

#include <glib/gi18n.h>

struct _VeilWelcomePage
{
  AdwBin parent;

  VeilFront *front;    /* owned */
  VeilSession *python; /* owned; the Python client's, NULL if there is none */

  GtkStack *stack;
  VeilSignInView *sign_in_view;
  GtkWidget *problem;
  GtkLabel *problem_title;
  GtkLabel *problem_text;
  GtkButton *python_button;
};

G_DEFINE_FINAL_TYPE (VeilWelcomePage, veil_welcome_page, ADW_TYPE_BIN)

static const char *
get_problem_title (VeilAccountState state)
{
  switch (state)
    {
    case VEIL_ACCOUNT_STORE_TROUBLE:
      return _ ("The keyring cannot be used");
    case VEIL_ACCOUNT_OTHER_NETWORK:
      return _ ("The session is for another network");
    case VEIL_ACCOUNT_ENDED:
      return _ ("Your session has ended");
    case VEIL_ACCOUNT_READING:
    case VEIL_ACCOUNT_SIGNED_IN:
    case VEIL_ACCOUNT_SIGNED_OUT:
    default:
      return NULL;
    }
}

static char *
get_problem_text (VeilAccountState state, const GError *problem)
{
  switch (state)
    {
    case VEIL_ACCOUNT_STORE_TROUBLE:
      return g_strdup_printf (_ ("%s. You can sign in all the same; it then lasts until you quit."), problem->message);
    case VEIL_ACCOUNT_OTHER_NETWORK:
      return g_strdup (
          _ ("Somebody stored a session for another network than the one you trust, so it is not used. Sign in again to see "
             "the difference, and to consent to it or not."));
    case VEIL_ACCOUNT_ENDED:
      return g_strdup (_ ("It could not be renewed. Sign in again to go on."));
    case VEIL_ACCOUNT_READING:
    case VEIL_ACCOUNT_SIGNED_IN:
    case VEIL_ACCOUNT_SIGNED_OUT:
    default:
      return NULL;
    }
}

static void
on_front_changed (VeilFront *front, VeilWelcomePage *self)
{
  VeilAccount *account = veil_service_get_account (veil_front_get_service (front));
  VeilAccountState state = veil_account_get_state (account);
  const char *title = get_problem_title (state);
  g_autofree char *text = get_problem_text (state, veil_account_get_problem (account));

  gtk_widget_set_visible (self->problem, title != NULL);
  gtk_label_set_label (self->problem_title, title != NULL ? title : "");
  gtk_label_set_label (self->problem_text, text != NULL ? text : "");
  /* Signed in by other means: nothing is to wait, out of sight, for somebody else's login. */
  if (state == VEIL_ACCOUNT_SIGNED_IN && g_strcmp0 (gtk_stack_get_visible_child_name (self->stack), "sign-in") == 0)
    veil_sign_in_view_leave (self->sign_in_view);
  if (g_strcmp0 (gtk_stack_get_visible_child_name (self->stack), "sign-in") != 0)
    gtk_stack_set_visible_child_name (self->stack, state == VEIL_ACCOUNT_READING ? "reading" : "start");
}

static void
on_sign_in (VeilWelcomePage *self)
{
  gtk_stack_set_visible_child_name (self->stack, "sign-in");
  veil_sign_in_view_begin (self->sign_in_view);
}

static void
on_python (VeilWelcomePage *self)
{
  gtk_stack_set_visible_child_name (self->stack, "sign-in");
  veil_sign_in_view_use_session (self->sign_in_view, self->python);
}

static void
on_closed (VeilWelcomePage *self)
{
  gtk_stack_set_visible_child_name (self->stack, "start");
  on_front_changed (self->front, self);
}

/* Offered to whoever has it, as long as nobody is signed in here. */
static void
look_for_python (VeilWelcomePage *self)
{
  g_autofree char *label = NULL;

  g_clear_pointer (&self->python, veil_session_unref);
  self->python = veil_login_find_python (NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->python_button), self->python != NULL);
  if (self->python == NULL)
    return;
  /* Translators: %s is an e-mail address */
  label = self->python->email != NULL ? g_strdup_printf (_ ("Go On as %s"), self->python->email)
                                      : g_strdup (_ ("Go On with the Python Client's Session"));
  gtk_button_set_label (self->python_button, label);
}

static void
veil_welcome_page_map (GtkWidget *widget)
{
  look_for_python (VEIL_WELCOME_PAGE (widget));
  GTK_WIDGET_CLASS (veil_welcome_page_parent_class)->map (widget);
}

static void
veil_welcome_page_dispose (GObject *object)
{
  VeilWelcomePage *self = VEIL_WELCOME_PAGE (object);

  g_clear_object (&self->front);
  g_clear_pointer (&self->python, veil_session_unref);
  /* Before the template takes it away behind the back of AdwBin. */
  adw_bin_set_child (ADW_BIN (self), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), VEIL_TYPE_WELCOME_PAGE);
  G_OBJECT_CLASS (veil_welcome_page_parent_class)->dispose (object);
}

static void
veil_welcome_page_class_init (VeilWelcomePageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = veil_welcome_page_dispose;
  widget_class->map = veil_welcome_page_map;
  g_type_ensure (VEIL_TYPE_SIGN_IN_VIEW);
  gtk_widget_class_set_template_from_resource (widget_class, VEIL_RESOURCES "/welcome-page.ui");
  gtk_widget_class_bind_template_child (widget_class, VeilWelcomePage, stack);
  gtk_widget_class_bind_template_child (widget_class, VeilWelcomePage, sign_in_view);
  gtk_widget_class_bind_template_child (widget_class, VeilWelcomePage, problem);
  gtk_widget_class_bind_template_child (widget_class, VeilWelcomePage, problem_title);
  gtk_widget_class_bind_template_child (widget_class, VeilWelcomePage, problem_text);
  gtk_widget_class_bind_template_child (widget_class, VeilWelcomePage, python_button);
  gtk_widget_class_bind_template_callback (widget_class, on_sign_in);
  gtk_widget_class_bind_template_callback (widget_class, on_python);
  gtk_widget_class_bind_template_callback (widget_class, on_closed);
}

static void
veil_welcome_page_init (VeilWelcomePage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

void
veil_welcome_page_set_front (VeilWelcomePage *self, VeilFront *front)
{
  self->front = g_object_ref (front);
  veil_sign_in_view_set_front (self->sign_in_view, front);
  g_signal_connect_object (front, "changed", G_CALLBACK (on_front_changed), self, 0);
  on_front_changed (front, self);
}

void
veil_welcome_page_sign_in (VeilWelcomePage *self)
{
  if (g_strcmp0 (gtk_stack_get_visible_child_name (self->stack), "sign-in") != 0)
    on_sign_in (self);
}
