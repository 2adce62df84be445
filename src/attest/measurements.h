/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* PCRs of a build that somebody made or reproduced, and the hash that names it: keccak256 of PCR0, PCR1 and PCR2 (protocol.md section 1). */
#pragma once

#include "attestation.h"

G_BEGIN_DECLS

#define VEIL_MEASUREMENTS_MAX_BYTES (64 * 1024)

typedef struct
{
  guint8 pcrs[3 * VEIL_ATTESTATION_PCR_SIZE];
} VeilMeasurements;

/* PCR @index as a person gives it: 96 hexadecimal digits, with or without 0x. VEIL_ERROR_INVALID_ARGUMENT, also for the zeros of a debug build. */
gboolean veil_measurements_set (VeilMeasurements *self, guint index, const char *text, GError **error);

/**
 * veil_measurements_read:
 * @text: a measurements file in one of two forms: the JSON that nitro-cli prints, an object with "Measurements": {"HashAlgorithm", "PCR0", "PCR1",
 *   "PCR2"} or a list of one such object; or lines "PCR0: DIGITS", where other PCRs, empty lines and lines that begin with # do not count
 *
 * Returns: %TRUE, or %FALSE with %VEIL_ERROR_INVALID_ARGUMENT and the reason.
 */
gboolean veil_measurements_read (VeilMeasurements *self, const char *text, gsize length, GError **error);

/* New string: the pin, "0x" and 64 digits. */
char    *veil_measurements_get_hash (const VeilMeasurements *self);

G_END_DECLS
