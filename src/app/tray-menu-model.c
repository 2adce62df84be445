/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "tray-menu-model.h"

#include "direction.h"
#include "explain.h"
#include "tray-menu.h"

#include <glib/gi18n.h>
#include <string.h>

#define MAX_TEES 20 /* in the submenu; the page of enclaves has them all */

struct _VeilTrayMenuModel
{
  GMenu *top;     /* owned; first the status, then sections */
  GMenu *choice;  /* owned; of the enclave */
  GMenu *account; /* owned */
  char *status;   /* owned; as shown */
  char *tees;     /* owned; as shown */
  char *who;      /* owned; as shown */
};

VeilTrayState
veil_tray_state_get (VeilFront *front, gboolean news)
{
  VeilBackendHealth health = { NULL };
  VeilTrayState state;

  switch (veil_front_get_state (front))
    {
    case VEIL_FRONT_OFF:
    case VEIL_FRONT_STARTING:
      return VEIL_TRAY_OFF;
    case VEIL_FRONT_FAILED:
      return VEIL_TRAY_ATTENTION;
    case VEIL_FRONT_ON:
    default:
      break;
    }
  veil_backend_get_health (VEIL_BACKEND (veil_front_get_service (front)), &health);
  if (news || !g_str_equal (health.status, "ok"))
    state = VEIL_TRAY_ATTENTION;
  else
    state = veil_front_get_sandbox (front) ? VEIL_TRAY_SANDBOX : VEIL_TRAY_VERIFIED;
  veil_backend_health_clear (&health);
  return state;
}

const char *
veil_tray_state_get_icon (VeilTrayState state)
{
  static const char *const icons[] = {
    [VEIL_TRAY_OFF] = "ai.opengradient.Veil-off-symbolic",
    [VEIL_TRAY_VERIFIED] = "ai.opengradient.Veil-verified-symbolic",
    [VEIL_TRAY_SANDBOX] = "ai.opengradient.Veil-sandbox-symbolic",
    [VEIL_TRAY_ATTENTION] = "ai.opengradient.Veil-attention-symbolic",
  };

  return icons[state];
}

const char *
veil_tray_state_describe (VeilTrayState state)
{
  static const char *const texts[] = {
    [VEIL_TRAY_OFF] = N_ ("Veil is off"),
    [VEIL_TRAY_VERIFIED] = N_ ("Veil is on and verifies every answer"),
    [VEIL_TRAY_SANDBOX] = N_ ("Veil is on, in the sandbox"),
    [VEIL_TRAY_ATTENTION] = N_ ("Veil needs attention"),
  };

  return _ (texts[state]);
}

static void
update_status (VeilTrayMenuModel *self, VeilFront *front)
{
  g_autofree char *text = veil_front_describe (front);
  /* Translators: how things stand, in the simulated network */
  g_autofree char *labelled = veil_front_get_sandbox (front) ? g_strdup_printf (_ ("Sandbox: %s"), text) : g_strdup (text);
  char *label = veil_tray_menu_escape (labelled);

  if (g_strcmp0 (label, self->status) == 0)
    {
      g_free (label);
      return;
    }
  if (self->status != NULL)
    g_menu_remove (self->top, 0);
  g_menu_insert (self->top, 0, label, NULL);
  g_free (self->status);
  self->status = label;
}

/* The registry's words, and enough of the id to tell enclaves at one address apart. */
static char *
describe_tee (const VeilTee *tee)
{
  g_autofree char *host = veil_explain_host (tee->endpoint);
  g_autofree char *text = g_strdup_printf ("%s (%.10s…)", host, tee->id);
  g_autofree char *isolated = veil_direction_isolate (text);

  return veil_tray_menu_escape (isolated);
}

static void
add_choice (GMenu *menu, const char *label, const char *tee_id)
{
  g_autoptr (GMenuItem) item = g_menu_item_new (label, NULL);

  g_menu_item_set_action_and_target (item, "app.tee", "s", tee_id);
  g_menu_append_item (menu, item);
}

static void
update_choice (VeilTrayMenuModel *self, VeilFront *front)
{
  VeilNetwork *network = veil_service_get_network (veil_front_get_service (front));
  GPtrArray *tees = network != NULL ? veil_network_get_tees (network) : NULL;
  GString *shown = g_string_new (NULL);
  guint n_shown = 0;

  for (guint i = 0; tees != NULL && i < tees->len; i++)
    if (((VeilTee *) g_ptr_array_index (tees, i))->unusable == NULL && ++n_shown <= MAX_TEES)
      g_string_append (shown, ((VeilTee *) g_ptr_array_index (tees, i))->id);
  if (g_strcmp0 (shown->str, self->tees) == 0)
    {
      g_string_free (shown, TRUE);
      return;
    }
  g_free (self->tees);
  self->tees = g_string_free (shown, FALSE);
  g_menu_remove_all (self->choice);
  add_choice (self->choice, _ ("_Automatic"), "auto");
  n_shown = 0;
  for (guint i = 0; tees != NULL && i < tees->len; i++)
    {
      VeilTee *tee = g_ptr_array_index (tees, i);
      g_autofree char *label = describe_tee (tee);

      if (tee->unusable == NULL && ++n_shown <= MAX_TEES)
        add_choice (self->choice, label, tee->id);
    }
  if (n_shown > MAX_TEES)
    g_menu_append (self->choice, _ ("_More…"), "app.show-page::enclaves");
}

static void
update_account (VeilTrayMenuModel *self, VeilFront *front)
{
  const char *who = "out";

  if (veil_front_get_sandbox (front))
    who = "sandbox";
  else if (veil_service_get_session (veil_front_get_service (front)) != NULL)
    who = "in";
  if (g_strcmp0 (who, self->who) == 0)
    return;
  g_free (self->who);
  self->who = g_strdup (who);
  g_menu_remove_all (self->account);
  if (g_str_equal (who, "sandbox"))
    g_menu_append (self->account, _ ("_Sandbox"), "app.sandbox");
  else if (g_str_equal (who, "in"))
    g_menu_append (self->account, _ ("Sign _Out"), "app.sign-out");
  else
    g_menu_append (self->account, _ ("Sign _In…"), "app.sign-in");
}

void
veil_tray_menu_model_update (VeilTrayMenuModel *self, VeilFront *front)
{
  update_status (self, front);
  update_choice (self, front);
  update_account (self, front);
}

VeilTrayMenuModel *
veil_tray_menu_model_new (void)
{
  VeilTrayMenuModel *self = g_new0 (VeilTrayMenuModel, 1);
  g_autoptr (GMenu) main = g_menu_new ();
  g_autoptr (GMenu) end = g_menu_new ();

  self->top = g_menu_new ();
  self->choice = g_menu_new ();
  self->account = g_menu_new ();
  g_menu_append (main, _ ("_Open Veil"), "app.open");
  g_menu_append (main, _ ("Ser_ve"), "app.serve");
  g_menu_append_submenu (main, _ ("_Enclave"), G_MENU_MODEL (self->choice));
  g_menu_append (main, _ ("_Copy Environment"), "app.copy-environment");
  g_menu_append (end, _ ("_Quit"), "app.quit");
  g_menu_append_section (self->top, NULL, G_MENU_MODEL (main));
  g_menu_append_section (self->top, NULL, G_MENU_MODEL (self->account));
  g_menu_append_section (self->top, NULL, G_MENU_MODEL (end));
  return self;
}

void
veil_tray_menu_model_free (VeilTrayMenuModel *self)
{
  g_object_unref (self->top);
  g_object_unref (self->choice);
  g_object_unref (self->account);
  g_free (self->status);
  g_free (self->tees);
  g_free (self->who);
  g_free (self);
}

GMenuModel *
veil_tray_menu_model_get (VeilTrayMenuModel *self)
{
  return G_MENU_MODEL (self->top);
}
