/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "seal-pool.h"

struct _VeilSealPool
{
  VeilTee *tee;                                   /* owned; whom the contexts are for */
  VeilOhttpClient *contexts[VEIL_SEAL_POOL_SIZE]; /* owned, the first n_ready */
  guint n_ready;
  GSource *refill; /* owned; NULL unless one waits */
};

VeilSealPool *
veil_seal_pool_new (void)
{
  return g_new0 (VeilSealPool, 1);
}

static void
drop_contexts (VeilSealPool *self)
{
  while (self->n_ready > 0)
    veil_ohttp_client_free (self->contexts[--self->n_ready]);
}

static void
stop_refill (VeilSealPool *self)
{
  if (self->refill == NULL)
    return;
  g_source_destroy (self->refill);
  g_clear_pointer (&self->refill, g_source_unref);
}

void
veil_seal_pool_free (VeilSealPool *self)
{
  stop_refill (self);
  drop_contexts (self);
  g_clear_pointer (&self->tee, veil_tee_unref);
  g_free (self);
}

/* One context per turn of the loop. A key that yields none is left to the request, which has somebody to tell. */
static gboolean
refill_one (gpointer data)
{
  VeilSealPool *self = data;
  VeilOhttpClient *context = veil_ohttp_client_new (&self->tee->ohttp_key, NULL);

  if (context != NULL)
    self->contexts[self->n_ready++] = context;
  if (context != NULL && self->n_ready < VEIL_SEAL_POOL_SIZE)
    return G_SOURCE_CONTINUE;
  g_clear_pointer (&self->refill, g_source_unref);
  return G_SOURCE_REMOVE;
}

static void
schedule_refill (VeilSealPool *self)
{
  if (self->refill != NULL || self->n_ready == VEIL_SEAL_POOL_SIZE || self->tee == NULL || self->tee->unusable != NULL)
    return;
  self->refill = g_idle_source_new ();
  g_source_set_priority (self->refill, G_PRIORITY_LOW);
  g_source_set_callback (self->refill, refill_one, self, NULL);
  g_source_set_static_name (self->refill, "veil-seal-pool");
  g_source_attach (self->refill, g_main_context_get_thread_default ());
}

void
veil_seal_pool_prepare (VeilSealPool *self, VeilTee *tee)
{
  if (self->tee == NULL || !veil_tee_same_keys (self->tee, tee))
    {
      drop_contexts (self);
      g_clear_pointer (&self->tee, veil_tee_unref);
      self->tee = veil_tee_ref (tee);
    }
  schedule_refill (self);
}

VeilOhttpClient *
veil_seal_pool_take (VeilSealPool *self, VeilTee *tee)
{
  VeilOhttpClient *context = NULL;

  if (self->n_ready > 0 && veil_tee_same_keys (self->tee, tee))
    context = self->contexts[--self->n_ready];
  schedule_refill (self);
  return context;
}
