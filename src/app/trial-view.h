/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A question to the endpoint, and its verified answer. */
#pragma once

#include "front.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define VEIL_TYPE_TRIAL_VIEW (veil_trial_view_get_type ())
G_DECLARE_FINAL_TYPE (VeilTrialView, veil_trial_view, VEIL, TRIAL_VIEW, AdwPreferencesGroup)

void veil_trial_view_set_front (VeilTrialView *self, VeilFront *front);

G_END_DECLS
