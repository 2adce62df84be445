/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What an enclave says of itself, held against what the registry says of it (protocol.md section 7). */
#pragma once

#include "veil-enclave.h"
#include "veil-macros.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define VEIL_TYPE_ATTESTATION_REPORT (veil_attestation_report_get_type ())

/**
 * VeilAttestationReport:
 *
 * What became of asking an enclave for its attestation document and its signed OHTTP configuration: which checks were met and
 * which were not.
 *
 * Unlike other objects this one exists for enclaves that fail, so that a person can be told why.
 * [method@Veil.AttestationReport.check] turns it into
 * an error.
 *
 * Immutable; may be used from any thread.
 */
VEIL_EXPORT
G_DECLARE_FINAL_TYPE (VeilAttestationReport, veil_attestation_report, VEIL, ATTESTATION_REPORT, GObject)

/**
 * veil_enclave_attest_async:
 * @self: an enclave that the registry lists
 * @pcr_pins: (nullable) (array zero-terminated=1): builds that may be used, as [method@Veil.Chooser.set_pcr_pins] takes them,
 *   or %NULL
 * @cancellable: (nullable): to give up
 * @callback: (scope async): called when the enclave has answered, or could not be asked
 * @user_data: for @callback
 *
 * Asks an enclave itself for its attestation document and its signed OHTTP configuration, with a fresh nonce, and verifies both.
 *
 * This contacts the enclave directly and shows it, and whoever stands in front of it, this machine's address, which nothing
 * else in this library
 * does. Let a person decide that. Nothing of a prompt is ever sent along.
 *
 * An enclave of the sandbox attests under the root that the login bundle announces, and under no other.
 */
VEIL_EXPORT void veil_enclave_attest_async (VeilEnclave *self, const char *const *pcr_pins, GCancellable *cancellable,
                                            GAsyncReadyCallback callback, gpointer user_data);

/**
 * veil_enclave_attest_finish:
 * @self: an enclave
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Returns: (transfer full): what was found, good or bad; %NULL with an error if the enclave could not be asked, among them
 *   %VEIL_ERROR_SANDBOX for one of a sandbox whose bundle announces no root
 */
VEIL_EXPORT VeilAttestationReport *veil_enclave_attest_finish (VeilEnclave *self, GAsyncResult *result, GError **error);

/**
 * VeilAttestationReport:enclave: (getter get_enclave)
 *
 * The enclave that was asked.
 */
/**
 * veil_attestation_report_get_enclave:
 * @self: an attestation report
 *
 * Returns: (transfer none): the enclave that was asked
 */
VEIL_EXPORT VeilEnclave *veil_attestation_report_get_enclave (VeilAttestationReport *self);

/**
 * VeilAttestationReport:holds: (getter get_holds)
 *
 * Whether every check that applies was met.
 */
/**
 * veil_attestation_report_get_holds:
 * @self: an attestation report
 *
 * Returns: whether every check that applies was met
 */
VEIL_EXPORT gboolean veil_attestation_report_get_holds (VeilAttestationReport *self);

/**
 * VeilAttestationReport:attested: (getter get_attested)
 *
 * Whether every check was met and it was no enclave of the sandbox, which can vouch for nothing.
 */
/**
 * veil_attestation_report_get_attested:
 * @self: an attestation report
 *
 * Returns: whether every check was met and it was no enclave of the sandbox, which can vouch for nothing
 */
VEIL_EXPORT gboolean veil_attestation_report_get_attested (VeilAttestationReport *self);

/**
 * VeilAttestationReport:passed-checks: (getter get_passed_checks)
 *
 * Names of the checks that were met, in their order: `connection`, `form`, `chain`, `signature`, `fresh`, `nonce`,
 * `debug`, `pcr_hash`, `pin`,
 * `user_data`, `signing_key`, `tls_certificate`, `ohttp_config`.
 */
/**
 * veil_attestation_report_get_passed_checks:
 * @self: an attestation report
 *
 * Returns: (transfer none) (array zero-terminated=1): names of the checks that were met, in their order: `connection`,
 * `form`, `chain`, `signature`, `fresh`, `nonce`, `debug`, `pcr_hash`, `pin`, `user_data`, `signing_key`, `tls_certificate`,
 * `ohttp_config`
 */
VEIL_EXPORT const char *const *veil_attestation_report_get_passed_checks (VeilAttestationReport *self);

/**
 * VeilAttestationReport:failed-checks: (getter get_failed_checks)
 *
 * Names of the checks that were not met, in their order.
 */
/**
 * veil_attestation_report_get_failed_checks:
 * @self: an attestation report
 *
 * Returns: (transfer none) (array zero-terminated=1): names of the checks that were not met, in their order
 */
VEIL_EXPORT const char *const *veil_attestation_report_get_failed_checks (VeilAttestationReport *self);

/**
 * veil_attestation_report_check:
 * @self: an attestation report
 * @error: return location for an error
 *
 * Returns: %TRUE if every check that applies was met, or %FALSE with the error of the first that was not
 */
VEIL_EXPORT gboolean veil_attestation_report_check (VeilAttestationReport *self, GError **error);

/**
 * veil_attestation_report_get_reason:
 * @self: an attestation report
 * @check: the name of a check
 *
 * Returns: (transfer none) (nullable): why it was not met, or %NULL if it was, or was not made
 */
VEIL_EXPORT const char *veil_attestation_report_get_reason (VeilAttestationReport *self, const char *check);

/**
 * veil_attestation_report_to_json:
 * @self: an attestation report
 *
 * Returns: (transfer full): one JSON object with all checks and what the document says
 */
VEIL_EXPORT char *veil_attestation_report_to_json (VeilAttestationReport *self);

G_END_DECLS
