/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What to do with all that a signature does not cover: refuse it, withhold it, or pass it on and say so (product.md section 3). This is the
 * second step, stricter than the signature check; nothing that it does not know is passed on. */
#pragma once

#include "chat-answer.h"

G_BEGIN_DECLS

typedef struct _VeilCoverage VeilCoverage;

typedef enum
{
  VEIL_COVERAGE_SINGLE, /* choices[0].message */
  VEIL_COVERAGE_STREAM, /* choices[0].delta, in every frame */
} VeilCoverageKind;

VeilCoverage *veil_coverage_new (VeilCoverageKind kind);
void          veil_coverage_free (VeilCoverage *self);

/**
 * veil_coverage_add:
 * @object: of @doc: the response, or one frame
 *
 * Returns: %TRUE, or %FALSE with %VEIL_ERROR_UNSIGNED_CONTENT (further choices, a function call, tool calls in a place that is never signed,
 *   keys that read two ways) or %VEIL_ERROR_MALFORMED_ANSWER.
 */
gboolean      veil_coverage_add (VeilCoverage *self, VeilJsonDoc *doc, const VeilJson *object, GError **error);

/**
 * veil_coverage_finish:
 * @calls_signed: the tool calls were signed, not the text
 *
 * Gives @answer its extras and its proof the names of what is unsigned.
 *
 * Returns: %TRUE, or %FALSE with %VEIL_ERROR_UNSIGNED_CONTENT for tool calls beside signed text.
 */
gboolean      veil_coverage_finish (VeilCoverage *self, gboolean calls_signed, VeilChatAnswer *answer, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VeilCoverage, veil_coverage_free)

G_END_DECLS
