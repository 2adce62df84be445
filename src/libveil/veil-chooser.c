/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "veil-chooser.h"

#include "hex.h"
#include "readable.h"
#include "translate.h"
#include "veil-error.h"
#include "wrap.h"

struct _VeilChooser
{
  GObject parent;

  VeilSelection *selection; /* owned */
  GPtrArray *enclaves;      /* owned, of VeilEnclave; NULL: never told */
  VeilEnclave *current;     /* owned; may be NULL */
  char *tee_id;             /* owned; may be NULL */
  GStrv pcr_pins;           /* owned */
};

G_DEFINE_FINAL_TYPE (VeilChooser, veil_chooser, G_TYPE_OBJECT)

static const VeilReadable readable[] = {
  { "tee-id", VEIL_READABLE_STRING, G_CALLBACK (veil_chooser_get_tee_id) },
  { "pcr-pins", VEIL_READABLE_STRV, G_CALLBACK (veil_chooser_get_pcr_pins) },
  { "current", VEIL_READABLE_OBJECT, G_CALLBACK (veil_chooser_get_current), veil_enclave_get_type },
  { NULL },
};

static void
veil_chooser_finalize (GObject *object)
{
  VeilChooser *self = VEIL_CHOOSER (object);

  g_clear_object (&self->selection);
  g_clear_pointer (&self->enclaves, g_ptr_array_unref);
  g_clear_object (&self->current);
  g_free (self->tee_id);
  g_strfreev (self->pcr_pins);
  G_OBJECT_CLASS (veil_chooser_parent_class)->finalize (object);
}

static void
veil_chooser_class_init (VeilChooserClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_chooser_finalize;
  veil_readable_install (G_OBJECT_CLASS (klass), readable);
}

static void
veil_chooser_init (VeilChooser *self)
{
  self->selection = veil_selection_new ();
  self->pcr_pins = g_new0 (char *, 1);
}

VeilChooser *
veil_chooser_new (void)
{
  return g_object_new (VEIL_TYPE_CHOOSER, NULL);
}

gboolean
veil_chooser_set_tee_id (VeilChooser *self, const char *tee_id, GError **error)
{
  g_autofree char *id = NULL;

  g_return_val_if_fail (VEIL_IS_CHOOSER (self), FALSE);
  if (tee_id != NULL)
    {
      id = veil_wrap_normalize_hex (tee_id, 32, _ ("The TEE id"), error);
      if (id == NULL)
        return FALSE;
    }
  veil_selection_set_tee_id (self->selection, id);
  g_free (self->tee_id);
  self->tee_id = g_steal_pointer (&id);
  g_object_notify (G_OBJECT (self), "tee-id");
  return TRUE;
}

gboolean
veil_chooser_set_pcr_pins (VeilChooser *self, const char *const *pcr_hashes, GError **error)
{
  GStrv pins;

  g_return_val_if_fail (VEIL_IS_CHOOSER (self), FALSE);
  pins = veil_wrap_normalize_pins (pcr_hashes, error);
  if (pins == NULL)
    return FALSE;
  g_strfreev (self->pcr_pins);
  self->pcr_pins = pins;
  veil_selection_set_pcr_pins (self->selection, (const char *const *) self->pcr_pins);
  g_object_notify (G_OBJECT (self), "pcr-pins");
  return TRUE;
}

void
veil_chooser_set_enclaves (VeilChooser *self, GPtrArray *enclaves)
{
  g_autoptr (GPtrArray) tees = NULL;
  g_autoptr (GPtrArray) kept = NULL;

  g_return_if_fail (VEIL_IS_CHOOSER (self) && enclaves != NULL);
  for (guint i = 0; i < enclaves->len; i++)
    g_return_if_fail (veil_enclave_is_made (g_ptr_array_index (enclaves, i)));
  tees = g_ptr_array_new_with_free_func ((GDestroyNotify) veil_tee_unref);
  kept = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; i < enclaves->len; i++)
    {
      VeilEnclave *enclave = g_ptr_array_index (enclaves, i);

      g_ptr_array_add (tees, veil_tee_ref (veil_enclave_get_tee (enclave)));
      g_ptr_array_add (kept, g_object_ref (enclave));
    }
  veil_selection_set_tees (self->selection, tees);
  g_clear_pointer (&self->enclaves, g_ptr_array_unref);
  self->enclaves = g_steal_pointer (&kept);
}

gboolean
veil_chooser_has_enclaves (VeilChooser *self)
{
  return self->enclaves != NULL;
}

/* The object for what the selection has chosen, which may come from an older list. */
static VeilEnclave *
find_enclave (VeilChooser *self, VeilTee *tee)
{
  if (self->current != NULL && veil_enclave_get_tee (self->current) == tee)
    return self->current;
  for (guint i = 0; i < self->enclaves->len; i++)
    if (veil_tee_same_keys (veil_enclave_get_tee (g_ptr_array_index (self->enclaves, i)), tee))
      return g_ptr_array_index (self->enclaves, i);
  return NULL;
}

VeilEnclave *
veil_chooser_choose (VeilChooser *self, VeilEnclave *avoid, GError **error)
{
  g_autoptr (VeilTee) tee = NULL;
  VeilEnclave *chosen;

  g_return_val_if_fail (VEIL_IS_CHOOSER (self) && (avoid == NULL || veil_enclave_is_made (avoid)), NULL);
  tee = veil_selection_choose (self->selection, avoid != NULL ? veil_enclave_get_tee (avoid)->id : NULL, g_get_monotonic_time (),
                               error);
  if (tee == NULL)
    return NULL;
  chosen = find_enclave (self, tee);
  if (chosen == NULL)
    {
      g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_INTERNAL,
                           _ ("The enclave that was chosen is not in the list; read the registry again"));
      return NULL;
    }
  if (g_set_object (&self->current, chosen))
    g_object_notify (G_OBJECT (self), "current");
  return g_object_ref (chosen);
}

void
veil_chooser_report_failure (VeilChooser *self, VeilEnclave *enclave)
{
  g_return_if_fail (VEIL_IS_CHOOSER (self) && veil_enclave_is_made (enclave));
  veil_selection_report_failure (self->selection, veil_enclave_get_tee (enclave)->id, g_get_monotonic_time ());
}

void
veil_chooser_report_success (VeilChooser *self, VeilEnclave *enclave)
{
  g_return_if_fail (VEIL_IS_CHOOSER (self) && veil_enclave_is_made (enclave));
  veil_selection_report_success (self->selection, veil_enclave_get_tee (enclave)->id);
}

const char *
veil_chooser_get_tee_id (VeilChooser *self)
{
  g_return_val_if_fail (VEIL_IS_CHOOSER (self), NULL);
  return self->tee_id;
}

const char *const *
veil_chooser_get_pcr_pins (VeilChooser *self)
{
  g_return_val_if_fail (VEIL_IS_CHOOSER (self), NULL);
  return (const char *const *) self->pcr_pins;
}

VeilEnclave *
veil_chooser_get_current (VeilChooser *self)
{
  g_return_val_if_fail (VEIL_IS_CHOOSER (self), NULL);
  return self->current;
}
