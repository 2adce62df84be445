/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The window: the welcome to those who are not signed in, else the pages. */
#pragma once

#include "application.h"

G_BEGIN_DECLS

#define VEIL_RESOURCES "/ai/opengradient/Veil"

#define VEIL_TYPE_WINDOW (veil_window_get_type ())
G_DECLARE_FINAL_TYPE (VeilWindow, veil_window, VEIL, WINDOW, AdwApplicationWindow)

VeilWindow *veil_window_new (VeilApplication *application);
/* "requests", "enclaves", "connect" */
void        veil_window_show_page (VeilWindow *self, const char *name);
/* Of veil_record_get_time(), which is the same in the next run. */
void        veil_window_show_request (VeilWindow *self, gint64 time);
/* Unless somebody is signed in. */
void        veil_window_sign_in (VeilWindow *self);

/* Floating reference. @window: where it is to show. @text: shown as it stands and in full; AdwToast takes its title for markup, and what an error quotes is
 * anybody's. */
AdwToast   *veil_toast_new (GtkWidget *window, const char *text);
/* Names the button of a toast that shows in @widget, a window, which libadwaita leaves without. */
void        veil_toast_name_button (GtkWidget *widget);

G_END_DECLS
