/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* When a session is to be renewed: a minute before it runs out, by a clock that may jump; not again at once after a renewal, and with growing pauses after
 * failures. */
#pragma once

#include "session.h"

G_BEGIN_DECLS

/* All in milliseconds but the clock. */
typedef struct
{
  guint  look;        /* how often the clock is looked at, since it may jump: 30 s */
  guint  pause;       /* between two renewals that only the clock asks for: 30 s */
  guint  young;       /* a token that was renewed so recently is not renewed again because it was refused: 5 s */
  guint  backoff;     /* after a failure, doubling: 2 s */
  guint  backoff_max; /* 5 min */
  gint64 (*now) (void); /* seconds since 1970 */
} VeilKeeperTimes;

typedef struct
{
  VeilKeeperTimes times;
  guint  failures;   /* in a row */
  gint64 renewed_at; /* monotonic; 0 is never */
  gint64 not_before; /* monotonic: the next renewal that nobody but the clock asks for */
} VeilRenewalClock;

void     veil_renewal_clock_init (VeilRenewalClock *self);
/* Another session: nothing has happened to it yet. */
void     veil_renewal_clock_reset (VeilRenewalClock *self);
void     veil_renewal_clock_note_renewed (VeilRenewalClock *self);
void     veil_renewal_clock_note_failure (VeilRenewalClock *self);

/* Nothing has happened yet. */
gboolean veil_renewal_clock_is_fresh (const VeilRenewalClock *self);
/* Renewed so recently that its refusal is not a matter of age. */
gboolean veil_renewal_clock_is_young (const VeilRenewalClock *self);
gboolean veil_renewal_clock_is_resting (const VeilRenewalClock *self);
/* Its time is over, or nearly, if it is known at all. */
gboolean veil_renewal_clock_has_run_out (const VeilRenewalClock *self, const VeilSession *session);
gboolean veil_renewal_clock_is_due (const VeilRenewalClock *self, const VeilSession *session);
/* Milliseconds to wait after so many failures in a row. */
guint    veil_renewal_clock_get_backoff (const VeilRenewalClock *self, guint failures);
/* Milliseconds until the clock is to be looked at again. */
guint    veil_renewal_clock_get_wait (const VeilRenewalClock *self, const VeilSession *session);

G_END_DECLS
