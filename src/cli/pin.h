/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What the verbs of og-veil pin share. */
#pragma once

#include "cli.h"

G_BEGIN_DECLS

/* Pins @text, a PCR hash, with a label if that is not NULL; says so, or what is wrong. */
VeilExit veil_pin_add (const VeilSettings *settings, const char *text, const char *label);

/* What `pin compute` was given. */
typedef struct
{
  char    *pcrs[3];      /* owned; NULL: not given */
  char    *measurements; /* owned; the name of a file ("-" is standard input), or NULL */
  gboolean add;
  char    *label; /* owned; NULL: none */
} VeilPinSource;

/* Prints the hash of a build from its PCRs or its measurements file, and pins it if asked to. */
VeilExit veil_pin_compute (const VeilSettings *settings, const VeilPinSource *source);
/* TRUE if any of it was given. */
gboolean veil_pin_source_is_given (const VeilPinSource *source);
void     veil_pin_source_clear (VeilPinSource *source);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VeilPinSource, veil_pin_source_clear)

G_END_DECLS
