/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What an answer puts out, and so what its enclave hashed: text or tool calls (protocol.md section 5, check 3). */
#pragma once

#include "json.h"

G_BEGIN_DECLS

typedef struct
{
  GBytes  *bytes;    /* owned: the UTF-8 text, or the canonical text of the tool calls */
  gboolean is_calls; /* which of the two */
  guint8   hash[32]; /* keccak256 of them */
} VeilOutput;

void     veil_output_clear (VeilOutput *self);

/* Takes @bytes over and hashes them. */
void     veil_output_set (VeilOutput *self, GBytes *bytes, gboolean is_calls);

/**
 * veil_output_read_single:
 * @response: of @doc: the response object
 *
 * Reads choices[0] alone, and leniently: what is missing puts out nothing. Whether the rest may pass is veil_coverage_add()'s to say.
 *
 * Returns: %TRUE, or %FALSE with %VEIL_ERROR_OUTPUT_HASH (content that no gateway can have hashed) or %VEIL_ERROR_MALFORMED_ANSWER.
 */
gboolean veil_output_read_single (VeilJsonDoc *doc, const VeilJson *response, VeilOutput *self, GError **error);

/* Appends the text of a content value: a string, the texts of a list of parts, or nothing for null. FALSE as above. */
gboolean veil_output_append_text (const VeilJson *content, GByteArray *text, GError **error);

/* Of a choice: a string, or NULL for null and absent. FALSE with VEIL_ERROR_MALFORMED_ANSWER for anything else. */
gboolean veil_output_read_finish_reason (const VeilJson *choice, const VeilJson **finish_reason, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VeilOutput, veil_output_clear)

G_END_DECLS
