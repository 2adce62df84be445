/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Which enclave gets the next request: pins, health, random choice (product.md section 4). No I/O and no clock of its own. */
#pragma once

#include "tee.h"

#include <glib-object.h>

G_BEGIN_DECLS

#define VEIL_TYPE_SELECTION (veil_selection_get_type ())
G_DECLARE_FINAL_TYPE (VeilSelection, veil_selection, VEIL, SELECTION, GObject)

VeilSelection *veil_selection_new (void);

/* @tee_id: "0x…" lower case, or NULL for automatic. */
void           veil_selection_set_tee_id (VeilSelection *self, const char *tee_id);
/* "0x…" lower case; NULL or empty: any approved PCR. */
void           veil_selection_set_pcr_pins (VeilSelection *self, const char *const *pcr_hashes);

/* What the registry last said (element-type VeilTee). Keeps the choice while the same TEE with the same keys is in it. */
void           veil_selection_set_tees (VeilSelection *self, GPtrArray *tees);
/* The registry was never read, or has been. */
gboolean       veil_selection_has_tees (VeilSelection *self);
GPtrArray     *veil_selection_get_tees (VeilSelection *self); /* (transfer none) (nullable) */

/**
 * veil_selection_choose:
 * @avoid: (nullable): a TEE id that just failed
 * @now: monotonic microseconds
 *
 * Returns: (transfer full): the current choice, or a new random one among the usable, pinned-for and healthy (if all of those are set aside, the one whose time is up first);
 *   @avoid itself comes back only if nothing else qualifies: compare before sending again. %NULL with %VEIL_ERROR_NO_ACTIVE_TEE,
 *   %VEIL_ERROR_PIN_MISMATCH, %VEIL_ERROR_PINNED_TEE_INACTIVE, or %VEIL_ERROR_REGISTRY when it was never read.
 */
VeilTee       *veil_selection_choose (VeilSelection *self, const char *avoid, gint64 now, GError **error);
/* (transfer none) (nullable): what the last request used. */
VeilTee       *veil_selection_get_current (VeilSelection *self);

/* Sets @tee_id aside for a growing time (1 s doubling to 5 min; a failure while it is set aside already does not count), or heals it. */
void           veil_selection_report_failure (VeilSelection *self, const char *tee_id, gint64 now);
/* For how many microseconds from @now on it stays aside; 0 if it is not. */
gint64         veil_selection_get_aside (VeilSelection *self, const char *tee_id, gint64 now);
void           veil_selection_report_success (VeilSelection *self, const char *tee_id);

G_END_DECLS
