/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "renewal-clock.h"

#define LEAD_S 60

static gint64
real_now (void)
{
  return g_get_real_time () / G_USEC_PER_SEC;
}

void
veil_renewal_clock_init (VeilRenewalClock *self)
{
  *self = (VeilRenewalClock){ .times = { 30000, 30000, 5000, 2000, 300000, real_now } };
}

void
veil_renewal_clock_reset (VeilRenewalClock *self)
{
  self->failures = 0;
  self->renewed_at = 0;
  self->not_before = 0;
}

static void
rest (VeilRenewalClock *self, guint milliseconds)
{
  self->not_before = g_get_monotonic_time () + (gint64) milliseconds * 1000;
}

void
veil_renewal_clock_note_renewed (VeilRenewalClock *self)
{
  self->failures = 0;
  self->renewed_at = g_get_monotonic_time ();
  rest (self, self->times.pause);
}

guint
veil_renewal_clock_get_backoff (const VeilRenewalClock *self, guint failures)
{
  guint wait = self->times.backoff;

  for (guint i = 0; i < failures && wait < self->times.backoff_max; i++)
    wait *= 2;
  return MIN (wait, self->times.backoff_max);
}

void
veil_renewal_clock_note_failure (VeilRenewalClock *self)
{
  rest (self, veil_renewal_clock_get_backoff (self, self->failures));
  self->failures++;
}

gboolean
veil_renewal_clock_is_fresh (const VeilRenewalClock *self)
{
  return self->failures == 0 && self->renewed_at == 0;
}

gboolean
veil_renewal_clock_is_young (const VeilRenewalClock *self)
{
  return self->renewed_at != 0 && g_get_monotonic_time () - self->renewed_at < (gint64) self->times.young * 1000;
}

gboolean
veil_renewal_clock_is_resting (const VeilRenewalClock *self)
{
  return g_get_monotonic_time () < self->not_before;
}

static gboolean
runs_out_within (const VeilRenewalClock *self, const VeilSession *session, gint64 seconds)
{
  return session->expires_at != 0 && self->times.now () >= session->expires_at - seconds;
}

gboolean
veil_renewal_clock_has_run_out (const VeilRenewalClock *self, const VeilSession *session)
{
  return runs_out_within (self, session, 0);
}

gboolean
veil_renewal_clock_is_due (const VeilRenewalClock *self, const VeilSession *session)
{
  return runs_out_within (self, session, LEAD_S) && !veil_renewal_clock_is_resting (self);
}

/* The clock may be set and the machine may sleep: the time is looked at again and again instead of slept for once. */
guint
veil_renewal_clock_get_wait (const VeilRenewalClock *self, const VeilSession *session)
{
  gint64 life_ms = (session->expires_at - LEAD_S - self->times.now ()) * 1000;
  gint64 rest_ms = (self->not_before - g_get_monotonic_time ()) / 1000 + 1;

  return (guint) CLAMP (MAX (life_ms, rest_ms), 0, (gint64) self->times.look);
}
