/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The sandbox network as a child process: started here, ended with us (its standard input closes when we go, however we go). */
#pragma once

#include "session.h"

G_BEGIN_DECLS

#define VEIL_TYPE_SANDBOX_PROCESS (veil_sandbox_process_get_type ())
G_DECLARE_FINAL_TYPE (VeilSandboxProcess, veil_sandbox_process, VEIL, SANDBOX_PROCESS, GObject)

/* Starts og-veil-sandbox (in libexecdir; VEIL_SANDBOX_PROGRAM names another, for an uninstalled build) and reads the login bundle that it prints, one line of JSON, when it is ready.
 * VEIL_ERROR_SANDBOX otherwise. */
void                veil_sandbox_process_start_async (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
VeilSandboxProcess *veil_sandbox_process_start_finish (GAsyncResult *result, GError **error);
VeilSession        *veil_sandbox_process_get_session (VeilSandboxProcess *self); /* (transfer none) */
/* "ended": the helper ended without being asked (signal, no arguments). */
void                veil_sandbox_process_stop (VeilSandboxProcess *self);

G_END_DECLS
