/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Which enclave gets the next request: pins, health, random choice (product.md section 4). */
#pragma once

#include "veil-enclave.h"
#include "veil-macros.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define VEIL_TYPE_CHOOSER (veil_chooser_get_type ())

/**
 * VeilChooser:
 *
 * Chooses an enclave among those that the registry lists: at random among the usable ones that match the pins and that are not
 * set aside
 * because they failed lately. The choice stays while the same enclave with the same keys is listed.
 *
 * A [class@Veil.Client] has one; others can be made for those who bring their own transport. It does no input or output of its own.
 *
 * To be used from one thread at a time.
 */
VEIL_EXPORT
G_DECLARE_FINAL_TYPE (VeilChooser, veil_chooser, VEIL, CHOOSER, GObject)

/**
 * veil_chooser_new:
 *
 * Returns: (transfer full): a chooser without pins that knows no enclaves yet
 */
VEIL_EXPORT VeilChooser *veil_chooser_new (void);

/**
 * VeilChooser:tee-id: (getter get_tee_id)
 *
 * The one enclave that may be used, or %NULL for an automatic choice.
 */
/**
 * veil_chooser_get_tee_id:
 * @self: a chooser
 *
 * Returns: (transfer none) (nullable): the one enclave that may be used, or %NULL for an automatic choice
 */
VEIL_EXPORT const char *veil_chooser_get_tee_id (VeilChooser *self);

/**
 * VeilChooser:pcr-pins: (getter get_pcr_pins)
 *
 * The builds that may be used; none means any that the registry approves.
 */
/**
 * veil_chooser_get_pcr_pins:
 * @self: a chooser
 *
 * Returns: (transfer none) (array zero-terminated=1): the builds that may be used; none means any that the registry
 * approves
 */
VEIL_EXPORT const char *const *veil_chooser_get_pcr_pins (VeilChooser *self);

/**
 * VeilChooser:current: (getter get_current)
 *
 * The enclave that was chosen last.
 */
/**
 * veil_chooser_get_current:
 * @self: a chooser
 *
 * Returns: (transfer none) (nullable): the enclave that was chosen last
 */
VEIL_EXPORT VeilEnclave *veil_chooser_get_current (VeilChooser *self);

/**
 * veil_chooser_set_tee_id:
 * @self: a chooser
 * @tee_id: (nullable): 64 hexadecimal digits with or without `0x`, or %NULL for an automatic choice
 * @error: return location for an error
 *
 * Uses this enclave, or none.
 *
 * Returns: %TRUE, or %FALSE with %VEIL_ERROR_INVALID_ARGUMENT and nothing changed
 */
VEIL_EXPORT gboolean veil_chooser_set_tee_id (VeilChooser *self, const char *tee_id, GError **error);

/**
 * veil_chooser_set_pcr_pins:
 * @self: a chooser
 * @pcr_hashes: (nullable) (array zero-terminated=1): PCR hashes, 64 hexadecimal digits each with or without `0x`; %NULL or none
 *   for any build
 * @error: return location for an error
 *
 * Uses only enclaves that run one of these builds.
 *
 * Returns: %TRUE, or %FALSE with %VEIL_ERROR_INVALID_ARGUMENT and nothing changed
 */
VEIL_EXPORT gboolean veil_chooser_set_pcr_pins (VeilChooser *self, const char *const *pcr_hashes, GError **error);

/**
 * veil_chooser_set_enclaves:
 * @self: a chooser
 * @enclaves: (element-type VeilEnclave) (transfer none): what the registry lists
 *
 * Takes note of what the registry says now.
 */
VEIL_EXPORT void veil_chooser_set_enclaves (VeilChooser *self, GPtrArray *enclaves);

/**
 * veil_chooser_choose:
 * @self: a chooser
 * @avoid: (nullable): an enclave that has just failed; it comes back only if there is no other
 * @error: return location for an error
 *
 * Returns: (transfer full): the enclave for the next request, or %NULL with %VEIL_ERROR_NO_ACTIVE_TEE, %VEIL_ERROR_PIN_MISMATCH,
 *   %VEIL_ERROR_PINNED_TEE_INACTIVE, or %VEIL_ERROR_REGISTRY if it was never told what the registry lists
 */
VEIL_EXPORT VeilEnclave *veil_chooser_choose (VeilChooser *self, VeilEnclave *avoid, GError **error);

/**
 * veil_chooser_report_failure:
 * @self: a chooser
 * @enclave: whom to set aside, for a time that grows with each failure
 *
 * Tells that an enclave could not be reached, or that an answer of it failed verification.
 */
VEIL_EXPORT void veil_chooser_report_failure (VeilChooser *self, VeilEnclave *enclave);

/**
 * veil_chooser_report_success:
 * @self: a chooser
 * @enclave: who may be chosen again
 *
 * Tells that an answer of an enclave was verified.
 */
VEIL_EXPORT void veil_chooser_report_success (VeilChooser *self, VeilEnclave *enclave);

G_END_DECLS
