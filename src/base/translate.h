/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Messages in the user's language, for the layers that are part of libveil: their translations are found in other people's
 * programs, too. Programs that have textdomain() set include <glib/gi18n.h> instead. */
#include <glib.h>

G_BEGIN_DECLS

/* Says where the translations are, once; the lookups below do it by themselves, and programs before they look anything up. */
void        veil_translate_init (void);

/* Returns: (transfer none): the translation, or what was given. */
const char *veil_translate (const char *text) G_GNUC_FORMAT (1);
const char *veil_translate_plural (const char *one, const char *many, gulong n) G_GNUC_FORMAT (1) G_GNUC_FORMAT (2);

G_END_DECLS

#define _(text) veil_translate (text)
#define N_(text) (text)
