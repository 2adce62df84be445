/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A dialog that computes the pin of a build that a person reproduced: from PCR0, PCR1 and PCR2, typed in or read from a measurements file. */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define VEIL_TYPE_PIN_CALCULATOR (veil_pin_calculator_get_type ())
G_DECLARE_FINAL_TYPE (VeilPinCalculator, veil_pin_calculator, VEIL, PIN_CALCULATOR, AdwWindow)

/* Signals: "computed" (hash): the person wants to go on with this pin, "0x" and 64 digits; the dialog closes. */
GtkWidget *veil_pin_calculator_new (GtkWindow *parent);

G_END_DECLS
