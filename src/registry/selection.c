/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "selection.h"

#include "translate.h"
#include "veil-error.h"

#include <string.h>

#define FIRST_PAUSE G_TIME_SPAN_SECOND
#define LONGEST_PAUSE (5 * G_TIME_SPAN_MINUTE)

/* A TEE that failed. Healthy ones have no entry. */
typedef struct
{
  gint64 pause;
  gint64 until;
} Health;

struct _VeilSelection
{
  GObject parent_instance;

  char *tee_id;       /* owned; NULL: automatic */
  char **pcr_pins;    /* owned; NULL: any */
  GPtrArray *tees;    /* owned, of VeilTee; NULL until the registry was read */
  VeilTee *current;   /* owned; NULL before the first choice */
  GHashTable *health; /* owned; id to Health, both owned */
  GRand *random;      /* owned */
};

G_DEFINE_FINAL_TYPE (VeilSelection, veil_selection, G_TYPE_OBJECT)

static void
veil_selection_finalize (GObject *object)
{
  VeilSelection *self = VEIL_SELECTION (object);

  g_free (self->tee_id);
  g_strfreev (self->pcr_pins);
  g_clear_pointer (&self->tees, g_ptr_array_unref);
  g_clear_pointer (&self->current, veil_tee_unref);
  g_hash_table_unref (self->health);
  g_rand_free (self->random);
  G_OBJECT_CLASS (veil_selection_parent_class)->finalize (object);
}

static void
veil_selection_class_init (VeilSelectionClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = veil_selection_finalize;
}

static void
veil_selection_init (VeilSelection *self)
{
  self->health = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->random = g_rand_new ();
}

VeilSelection *
veil_selection_new (void)
{
  return g_object_new (VEIL_TYPE_SELECTION, NULL);
}

void
veil_selection_set_tee_id (VeilSelection *self, const char *tee_id)
{
  char *copy = g_strdup (tee_id);

  g_free (self->tee_id);
  self->tee_id = copy;
}

void
veil_selection_set_pcr_pins (VeilSelection *self, const char *const *pcr_hashes)
{
  char **copy = pcr_hashes != NULL && pcr_hashes[0] != NULL ? g_strdupv ((char **) pcr_hashes) : NULL;

  g_strfreev (self->pcr_pins);
  self->pcr_pins = copy;
}

static VeilTee *
find_same_keys (GPtrArray *tees, const VeilTee *tee)
{
  for (guint i = 0; i < tees->len; i++)
    if (veil_tee_same_keys (tees->pdata[i], tee))
      return tees->pdata[i];
  return NULL;
}

static const VeilTee *
find_id (GPtrArray *tees, const char *id)
{
  for (guint i = 0; tees != NULL && i < tees->len; i++)
    if (strcmp (((VeilTee *) tees->pdata[i])->id, id) == 0)
      return tees->pdata[i];
  return NULL;
}

typedef struct
{
  GPtrArray *old;
  GPtrArray *fresh;
} Reading;

/* What failed is no longer there, or has other keys, which may have been why. */
static gboolean
is_outdated (gpointer id, gpointer health, gpointer user_data)
{
  const Reading *reading = user_data;
  const VeilTee *old = find_id (reading->old, id);
  const VeilTee *fresh = find_id (reading->fresh, id);

  return fresh == NULL || (old != NULL && !veil_tee_same_keys (old, fresh));
}

void
veil_selection_set_tees (VeilSelection *self, GPtrArray *tees)
{
  g_return_if_fail (tees != NULL);

  g_autoptr (VeilTee) old = g_steal_pointer (&self->current);
  VeilTee *same = old != NULL ? find_same_keys (tees, old) : NULL;

  g_hash_table_foreach_remove (self->health, is_outdated, &(Reading){ self->tees, tees });
  g_ptr_array_ref (tees);
  g_clear_pointer (&self->tees, g_ptr_array_unref);
  self->tees = tees;
  if (same != NULL)
    self->current = veil_tee_ref (same);
}

gboolean
veil_selection_has_tees (VeilSelection *self)
{
  return self->tees != NULL;
}

GPtrArray *
veil_selection_get_tees (VeilSelection *self)
{
  return self->tees;
}

VeilTee *
veil_selection_get_current (VeilSelection *self)
{
  return self->current;
}

static gboolean
is_pinned_for (VeilSelection *self, const VeilTee *tee)
{
  return self->pcr_pins == NULL || g_strv_contains ((const char *const *) self->pcr_pins, tee->pcr_hash);
}

static gint64
set_aside_until (VeilSelection *self, const VeilTee *tee)
{
  const Health *health = g_hash_table_lookup (self->health, tee->id);

  return health != NULL ? health->until : 0;
}

static GPtrArray *
refuse_pinned_tee (VeilSelection *self, GError **error)
{
  for (guint i = 0; i < self->tees->len; i++)
    {
      VeilTee *tee = self->tees->pdata[i];

      if (strcmp (tee->id, self->tee_id) != 0)
        continue;
      if (tee->unusable == NULL)
        g_set_error (
            error, VEIL_ERROR, VEIL_ERROR_PIN_MISMATCH,
            _ ("The selected enclave %s does not run one of the pinned enclave builds; change the PCR pins or the selection"),
            self->tee_id);
      else
        g_set_error (error, VEIL_ERROR, VEIL_ERROR_PINNED_TEE_INACTIVE,
                     _ ("The selected enclave %s cannot be used (%s); select another one, or let Veil choose"), self->tee_id,
                     tee->unusable);
      return NULL;
    }
  g_set_error (error, VEIL_ERROR, VEIL_ERROR_PINNED_TEE_INACTIVE,
               _ ("The selected enclave %s is not active; select another one, or let Veil choose"), self->tee_id);
  return NULL;
}

static GPtrArray *
refuse_all (VeilSelection *self, guint usable, GError **error)
{
  if (self->tees->len == 0)
    g_set_error (error, VEIL_ERROR, VEIL_ERROR_NO_ACTIVE_TEE, _ ("The registry lists no active enclave; try again later"));
  else if (usable == 0)
    g_set_error (error, VEIL_ERROR, VEIL_ERROR_NO_ACTIVE_TEE,
                 _ ("None of the enclaves that the registry lists (%u) can be used (the first one: %s); try again later"),
                 self->tees->len, ((VeilTee *) self->tees->pdata[0])->unusable);
  else
    g_set_error (error, VEIL_ERROR, VEIL_ERROR_PIN_MISMATCH,
                 _ ("None of the active enclaves (%u) runs one of the pinned enclave builds; check the PCR pins, or wait for a "
                    "pinned build"),
                 usable);
  return NULL;
}

/* All that may be used at all, healthy or not; never empty. */
static GPtrArray *
find_candidates (VeilSelection *self, GError **error)
{
  g_autoptr (GPtrArray) candidates = g_ptr_array_new ();
  guint usable = 0;

  for (guint i = 0; i < self->tees->len; i++)
    {
      VeilTee *tee = self->tees->pdata[i];

      if (tee->unusable != NULL)
        continue;
      usable++;
      if (is_pinned_for (self, tee) && (self->tee_id == NULL || strcmp (self->tee_id, tee->id) == 0))
        g_ptr_array_add (candidates, tee);
    }
  if (candidates->len > 0)
    return g_steal_pointer (&candidates);
  return self->tee_id != NULL ? refuse_pinned_tee (self, error) : refuse_all (self, usable, error);
}

static VeilTee *
pick_healthy (VeilSelection *self, GPtrArray *candidates, const char *avoid, gint64 now)
{
  g_autoptr (GPtrArray) healthy = g_ptr_array_new ();

  for (guint i = 0; i < candidates->len; i++)
    {
      VeilTee *tee = candidates->pdata[i];

      if (set_aside_until (self, tee) > now || g_strcmp0 (tee->id, avoid) == 0)
        continue;
      if (self->current != NULL && veil_tee_same_keys (tee, self->current))
        return tee;
      g_ptr_array_add (healthy, tee);
    }
  return healthy->len > 0 ? healthy->pdata[g_rand_int_range (self->random, 0, healthy->len)] : NULL;
}

static VeilTee *
pick_earliest (VeilSelection *self, GPtrArray *candidates, const char *avoid)
{
  VeilTee *earliest = NULL;

  for (guint i = 0; i < candidates->len; i++)
    {
      VeilTee *tee = candidates->pdata[i];

      if (g_strcmp0 (tee->id, avoid) == 0)
        continue;
      if (earliest == NULL || set_aside_until (self, tee) < set_aside_until (self, earliest))
        earliest = tee;
    }
  return earliest;
}

VeilTee *
veil_selection_choose (VeilSelection *self, const char *avoid, gint64 now, GError **error)
{
  if (self->tees == NULL)
    {
      g_set_error (error, VEIL_ERROR, VEIL_ERROR_REGISTRY,
                   _ ("The registry has not been read yet; try again in a moment, and check the network connection"));
      return NULL;
    }

  g_autoptr (GPtrArray) candidates = find_candidates (self, error);
  if (candidates == NULL)
    return NULL;

  VeilTee *chosen = pick_healthy (self, candidates, avoid, now);
  if (chosen == NULL)
    chosen = pick_earliest (self, candidates, avoid);
  if (chosen == NULL)
    chosen = candidates->pdata[0];

  veil_tee_ref (chosen);
  g_clear_pointer (&self->current, veil_tee_unref);
  self->current = chosen;
  return veil_tee_ref (chosen);
}

void
veil_selection_report_failure (VeilSelection *self, const char *tee_id, gint64 now)
{
  Health *health = g_hash_table_lookup (self->health, tee_id);

  if (health == NULL)
    {
      health = g_new0 (Health, 1);
      g_hash_table_insert (self->health, g_strdup (tee_id), health);
    }
  else if (now < health->until)
    {
      /* Requests that ran side by side fail together: that is one failure. */
      return;
    }
  health->pause = CLAMP (health->pause * 2, FIRST_PAUSE, LONGEST_PAUSE);
  health->until = now + health->pause;
}

void
veil_selection_report_success (VeilSelection *self, const char *tee_id)
{
  g_hash_table_remove (self->health, tee_id);
}

gint64
veil_selection_get_aside (VeilSelection *self, const char *tee_id, gint64 now)
{
  const Health *health = g_hash_table_lookup (self->health, tee_id);

  return health != NULL ? MAX (health->until - now, 0) : 0;
}
