/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* An enclave, as the registry describes it (protocol.md section 1). */
#pragma once

#include "veil-macros.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define VEIL_TYPE_ENCLAVE (veil_enclave_get_type ())

/**
 * VeilEnclave:
 *
 * An enclave that may answer: its keys, and the build that it runs.
 *
 * They come from a [class@Veil.RegistryClient], or are made with [ctor@Veil.Enclave.new] from a record that was obtained in
 * another way.
 * An enclave whose record cannot be used is listed all the same, with [property@Veil.Enclave:unusable-reason] saying why.
 *
 * Immutable; may be used from any thread.
 */
VEIL_EXPORT
G_DECLARE_FINAL_TYPE (VeilEnclave, veil_enclave, VEIL, ENCLAVE, GObject)

/**
 * veil_enclave_new:
 * @endpoint: the address of the enclave; it is shown, never contacted
 * @pcr_hash: 64 hexadecimal digits, with or without `0x`
 * @signing_key: the RSA key that answers are signed with, a SubjectPublicKeyInfo in DER
 * @tls_certificate: (nullable): the TLS certificate in DER
 * @ohttp_config: (nullable): the key configuration of RFC 9458 section 3
 * @error: return location for an error
 *
 * Makes an enclave from a record that the caller vouches for. Without @tls_certificate and @ohttp_config it is good for verifying
 * answers but not for sealing requests: [property@Veil.Enclave:unusable-reason] then says so.
 *
 * Returns: (transfer full): the enclave, or %NULL with %VEIL_ERROR_INVALID_ARGUMENT if @pcr_hash is no hash, or
 *   %VEIL_ERROR_SIGNING_KEY if
 *   @signing_key is not one that a signature may be checked with
 */
VEIL_EXPORT VeilEnclave *veil_enclave_new (const char *endpoint, const char *pcr_hash, GBytes *signing_key, GBytes *tls_certificate,
                                           GBytes *ohttp_config, GError **error);

/**
 * VeilEnclave:id: (getter get_id)
 *
 * The TEE id: `0x` and the 64 digits of the Keccak-256 of the signing key; derived from the key, never believed.
 */
/**
 * veil_enclave_get_id:
 * @self: an enclave
 *
 * Returns: (transfer none): the TEE id: `0x` and the 64 digits of the Keccak-256 of the signing key; derived from the
 * key, never believed
 */
VEIL_EXPORT const char *veil_enclave_get_id (VeilEnclave *self);

/**
 * VeilEnclave:endpoint: (getter get_endpoint)
 *
 * The address that the enclave is registered with; empty if what was registered is no text that can be shown.
 */
/**
 * veil_enclave_get_endpoint:
 * @self: an enclave
 *
 * Returns: (transfer none): the address that the enclave is registered with; empty if what was registered is no text
 * that can be shown
 */
VEIL_EXPORT const char *veil_enclave_get_endpoint (VeilEnclave *self);

/**
 * VeilEnclave:pcr-hash: (getter get_pcr_hash)
 *
 * The fingerprint of the build that runs there: `0x` and the 64 digits of the Keccak-256 of PCR0, PCR1 and PCR2.
 */
/**
 * veil_enclave_get_pcr_hash:
 * @self: an enclave
 *
 * Returns: (transfer none): the fingerprint of the build that runs there: `0x` and the 64 digits of the Keccak-256 of
 * PCR0, PCR1 and PCR2
 */
VEIL_EXPORT const char *veil_enclave_get_pcr_hash (VeilEnclave *self);

/**
 * VeilEnclave:tee-type: (getter get_tee_type)
 *
 * The type that the enclave is registered as; 0 serves chats.
 */
/**
 * veil_enclave_get_tee_type:
 * @self: an enclave
 *
 * Returns: the type that the enclave is registered as; 0 serves chats
 */
VEIL_EXPORT guint veil_enclave_get_tee_type (VeilEnclave *self);

/**
 * VeilEnclave:enabled: (getter get_enabled)
 *
 * Whether its owner has it switched on.
 */
/**
 * veil_enclave_get_enabled:
 * @self: an enclave
 *
 * Returns: whether its owner has it switched on
 */
VEIL_EXPORT gboolean veil_enclave_get_enabled (VeilEnclave *self);

/**
 * VeilEnclave:registered-at: (getter get_registered_at)
 *
 * When it was registered, in seconds since 1970.
 */
/**
 * veil_enclave_get_registered_at:
 * @self: an enclave
 *
 * Returns: when it was registered, in seconds since 1970
 */
VEIL_EXPORT gint64 veil_enclave_get_registered_at (VeilEnclave *self);

/**
 * VeilEnclave:last-heartbeat-at: (getter get_last_heartbeat_at)
 *
 * When the registry last heard of it, in seconds since 1970.
 */
/**
 * veil_enclave_get_last_heartbeat_at:
 * @self: an enclave
 *
 * Returns: when the registry last heard of it, in seconds since 1970
 */
VEIL_EXPORT gint64 veil_enclave_get_last_heartbeat_at (VeilEnclave *self);

/**
 * VeilEnclave:signing-key: (getter get_signing_key)
 *
 * The RSA key that its answers are signed with, a SubjectPublicKeyInfo in DER.
 */
/**
 * veil_enclave_get_signing_key:
 * @self: an enclave
 *
 * Returns: (transfer none): the RSA key that its answers are signed with, a SubjectPublicKeyInfo in DER
 */
VEIL_EXPORT GBytes *veil_enclave_get_signing_key (VeilEnclave *self);

/**
 * VeilEnclave:tls-certificate: (getter get_tls_certificate)
 *
 * The TLS certificate that it is registered with, in DER.
 */
/**
 * veil_enclave_get_tls_certificate:
 * @self: an enclave
 *
 * Returns: (transfer none) (nullable): the TLS certificate that it is registered with, in DER
 */
VEIL_EXPORT GBytes *veil_enclave_get_tls_certificate (VeilEnclave *self);

/**
 * VeilEnclave:hpke-key: (getter get_hpke_key)
 *
 * The X25519 key that requests are sealed to, 32 bytes, or %NULL if the enclave cannot be used.
 */
/**
 * veil_enclave_get_hpke_key:
 * @self: an enclave
 *
 * Returns: (transfer none) (nullable): the X25519 key that requests are sealed to, 32 bytes, or %NULL if the enclave
 * cannot be used
 */
VEIL_EXPORT GBytes *veil_enclave_get_hpke_key (VeilEnclave *self);

/**
 * VeilEnclave:sandbox: (getter get_sandbox)
 *
 * Whether it is one of the sandbox, which vouches for nothing.
 */
/**
 * veil_enclave_get_sandbox:
 * @self: an enclave
 *
 * Returns: whether it is one of the sandbox, which vouches for nothing
 */
VEIL_EXPORT gboolean veil_enclave_get_sandbox (VeilEnclave *self);

/**
 * VeilEnclave:unusable-reason: (getter get_unusable_reason)
 *
 * Why it cannot be used for inference, or %NULL if it can.
 */
/**
 * veil_enclave_get_unusable_reason:
 * @self: an enclave
 *
 * Returns: (transfer none) (nullable): why it cannot be used for inference, or %NULL if it can
 */
VEIL_EXPORT const char *veil_enclave_get_unusable_reason (VeilEnclave *self);

/**
 * veil_enclave_same_keys:
 * @self: an enclave
 * @other: another one
 *
 * Returns: %TRUE if both have the same id and the same keys, so that a request that is sealed for one opens at the other
 */
VEIL_EXPORT gboolean veil_enclave_same_keys (VeilEnclave *self, VeilEnclave *other);

G_END_DECLS
