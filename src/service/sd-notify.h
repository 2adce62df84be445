/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Tells a service manager how far we are (sd_notify(3)), without its library: one datagram to the socket that NOTIFY_SOCKET names. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* @state: lines like "READY=1". FALSE if there is nobody to tell, or it does not get through; neither is a reason to stop. */
gboolean veil_sd_notify (const char *state);
/* RELOADING=1 with the time that goes with it; "READY=1" follows when it is done. */
gboolean veil_sd_notify_reloading (void);

G_END_DECLS
