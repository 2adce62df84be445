/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What a person has to know, or decide, when they sign in. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

typedef void (*VeilConsentFunc) (gboolean consent, gpointer user_data);

/* Is another network than the trusted one to be trusted? @differences: lines, "relay: OLD -> NEW". Calls @func once. */
void veil_consent_dialog_ask (GtkWidget *widget, const char *differences, VeilConsentFunc func, gpointer user_data);

/* Signed in, for this run only. */
void veil_consent_dialog_explain_store (GtkWidget *widget, const char *reason);

/* TRUE if @window is one of these: they are not to be lost unread. */
gboolean veil_consent_dialog_is (GtkWindow *window);

G_END_DECLS
