/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What an enclave says of itself, signed by the hypervisor (protocol.md section 7). */
#pragma once

#include "veil-enclave.h"
#include "veil-macros.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define VEIL_TYPE_ATTESTATION_DOCUMENT (veil_attestation_document_get_type ())

/**
 * VeilAttestationDocument:
 *
 * An AWS Nitro attestation document that is genuine.
 *
 * An object of this class exists only for documents whose encoding, certificate chain up to the root that is built in, validity
 * and signature were
 * checked. Whose enclave it is remains to be compared: [method@Veil.AttestationDocument.check_enclave].
 *
 * This is for documents that were obtained in some way; [method@Veil.Enclave.attest_async] asks an enclave for its own and
 * verifies that.
 *
 * Immutable; may be used from any thread.
 */
VEIL_EXPORT
G_DECLARE_FINAL_TYPE (VeilAttestationDocument, veil_attestation_document, VEIL, ATTESTATION_DOCUMENT, GObject)

/**
 * VEIL_ATTESTATION_NOW:
 *
 * For [ctor@Veil.AttestationDocument.new]: the certificates must be valid now.
 */
#define VEIL_ATTESTATION_NOW (-1)

/**
 * VEIL_ATTESTATION_AT_ITS_TIME:
 *
 * For [ctor@Veil.AttestationDocument.new]: the certificates must have been valid when the document says that it was made.
 */
#define VEIL_ATTESTATION_AT_ITS_TIME (-2)

/**
 * veil_attestation_document_new:
 * @base64: the document in base64
 * @at: seconds since 1970 at which all certificates must be valid, [const@Veil.ATTESTATION_NOW] or
 *   [const@Veil.ATTESTATION_AT_ITS_TIME]
 * @error: return location for an error
 *
 * Reads a document and verifies it. The certificates of a document are valid for some hours only, so old ones can be verified
 * at their own time
 * alone.
 *
 * Returns: (transfer full): the document, or %NULL with one of %VEIL_ERROR_ATTEST_ENCODING to %VEIL_ERROR_ATTEST_SIGNATURE
 */
VEIL_EXPORT VeilAttestationDocument *veil_attestation_document_new (const char *base64, gint64 at, GError **error);

/**
 * VeilAttestationDocument:module-id: (getter get_module_id)
 *
 * The instance and the enclave that it is about.
 */
/**
 * veil_attestation_document_get_module_id:
 * @self: an attestation document
 *
 * Returns: (transfer none): the instance and the enclave that it is about
 */
VEIL_EXPORT const char *veil_attestation_document_get_module_id (VeilAttestationDocument *self);

/**
 * VeilAttestationDocument:timestamp: (getter get_timestamp)
 *
 * When it was made, in milliseconds since 1970.
 */
/**
 * veil_attestation_document_get_timestamp:
 * @self: an attestation document
 *
 * Returns: when it was made, in milliseconds since 1970
 */
VEIL_EXPORT gint64 veil_attestation_document_get_timestamp (VeilAttestationDocument *self);

/**
 * VeilAttestationDocument:pcr-hash: (getter get_pcr_hash)
 *
 * The fingerprint of the build: `0x` and the 64 digits of the Keccak-256 of PCR0, PCR1 and PCR2.
 */
/**
 * veil_attestation_document_get_pcr_hash:
 * @self: an attestation document
 *
 * Returns: (transfer none): the fingerprint of the build: `0x` and the 64 digits of the Keccak-256 of PCR0, PCR1 and
 * PCR2
 */
VEIL_EXPORT const char *veil_attestation_document_get_pcr_hash (VeilAttestationDocument *self);

/**
 * VeilAttestationDocument:debug: (getter get_debug)
 *
 * Whether the enclave runs in debug mode, in which its host can look into it.
 */
/**
 * veil_attestation_document_get_debug:
 * @self: an attestation document
 *
 * Returns: whether the enclave runs in debug mode, in which its host can look into it
 */
VEIL_EXPORT gboolean veil_attestation_document_get_debug (VeilAttestationDocument *self);

/**
 * VeilAttestationDocument:public-key: (getter get_public_key)
 *
 * What the enclave has put into this field, or %NULL.
 */
/**
 * veil_attestation_document_get_public_key:
 * @self: an attestation document
 *
 * Returns: (transfer none) (nullable): what the enclave has put into this field, or %NULL
 */
VEIL_EXPORT GBytes *veil_attestation_document_get_public_key (VeilAttestationDocument *self);

/**
 * VeilAttestationDocument:user-data: (getter get_user_data)
 *
 * What the enclave has put into this field, or %NULL.
 */
/**
 * veil_attestation_document_get_user_data:
 * @self: an attestation document
 *
 * Returns: (transfer none) (nullable): what the enclave has put into this field, or %NULL
 */
VEIL_EXPORT GBytes *veil_attestation_document_get_user_data (VeilAttestationDocument *self);

/**
 * VeilAttestationDocument:nonce: (getter get_nonce)
 *
 * The nonce that it was asked with, or %NULL.
 */
/**
 * veil_attestation_document_get_nonce:
 * @self: an attestation document
 *
 * Returns: (transfer none) (nullable): the nonce that it was asked with, or %NULL
 */
VEIL_EXPORT GBytes *veil_attestation_document_get_nonce (VeilAttestationDocument *self);

/**
 * veil_attestation_document_get_pcr:
 * @self: an attestation document
 * @index: which register, 0 to 31
 *
 * Returns: (transfer none) (nullable): its 48 bytes, or %NULL if the document does not tell
 */
VEIL_EXPORT GBytes *veil_attestation_document_get_pcr (VeilAttestationDocument *self, guint index);

/**
 * veil_attestation_document_check_nonce:
 * @self: an attestation document
 * @nonce: what the enclave was asked with
 * @error: return location for an error
 *
 * Checks whether the document was made for this question, and so after it.
 *
 * Returns: %TRUE, or %FALSE with %VEIL_ERROR_ATTEST_NONCE
 */
VEIL_EXPORT gboolean veil_attestation_document_check_nonce (VeilAttestationDocument *self, GBytes *nonce, GError **error);

/**
 * veil_attestation_document_check_enclave:
 * @self: an attestation document
 * @enclave: an enclave, as the registry describes it
 * @error: return location for an error
 *
 * Checks whether the document is of this enclave: not in debug mode, the registered build, the registered signing key and TLS
 * certificate.
 *
 * Returns: %TRUE, or %FALSE with %VEIL_ERROR_ATTEST_DEBUG, %VEIL_ERROR_ATTEST_PCR, %VEIL_ERROR_ATTEST_USER_DATA,
 *   %VEIL_ERROR_ATTEST_KEY or
 *   %VEIL_ERROR_ATTEST_TLS
 */
VEIL_EXPORT gboolean veil_attestation_document_check_enclave (VeilAttestationDocument *self, VeilEnclave *enclave, GError **error);

/**
 * veil_compute_pcr_hash:
 * @pcr0: PCR0 of a build, 96 hexadecimal digits with or without `0x`
 * @pcr1: PCR1
 * @pcr2: PCR2
 * @error: return location for an error
 *
 * Computes what [method@Veil.Chooser.set_pcr_pins] takes, from the measurements of a build that somebody has reproduced.
 *
 * Returns: (transfer full): `0x` and 64 digits, or %NULL with %VEIL_ERROR_INVALID_ARGUMENT
 */
VEIL_EXPORT char *veil_compute_pcr_hash (const char *pcr0, const char *pcr1, const char *pcr2, GError **error);

/**
 * veil_compute_pcr_hash_of_measurements:
 * @text: a file of measurements: the JSON that `nitro-cli` prints, or lines `PCR0: DIGITS`
 * @error: return location for an error
 *
 * Computes the same from the file that comes with a build.
 *
 * Returns: (transfer full): `0x` and 64 digits, or %NULL with %VEIL_ERROR_INVALID_ARGUMENT
 */
VEIL_EXPORT char *veil_compute_pcr_hash_of_measurements (const char *text, GError **error);

G_END_DECLS
