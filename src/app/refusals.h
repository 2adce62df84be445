/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Tells the person that an answer was refused: by a notification that opens that request, and no second one for a burst. */
#pragma once

#include "front.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* A minute: who was told needs no second word for what follows at once. */
#define VEIL_REFUSALS_PAUSE_US (60 * G_USEC_PER_SEC)

#define VEIL_TYPE_REFUSALS (veil_refusals_get_type ())
G_DECLARE_FINAL_TYPE (VeilRefusals, veil_refusals, VEIL, REFUSALS, GObject)

/* Property "news": there was a refusal since veil_refusals_seen(). */
VeilRefusals *veil_refusals_new (GtkApplication *application, VeilFront *front);
gboolean      veil_refusals_has_news (VeilRefusals *self);
void          veil_refusals_seen (VeilRefusals *self);

G_END_DECLS
