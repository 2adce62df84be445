/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* For those who make errors: what goes with the code and the message. */
#pragma once

#include "veil-error.h"

G_BEGIN_DECLS

/* Each setter takes an error of VEIL_ERROR (anything else is left alone, g_return_if_fail) and copies. */
void veil_error_set_param (GError *error, const char *param);
void veil_error_set_status (GError *error, guint status);
void veil_error_set_retry_after (GError *error, const char *value);
void veil_error_set_retryable (GError *error, gboolean retryable);

/* Of a verification error: how many checks (VeilCheck), from the first on, were surely passed. */
void  veil_error_set_passed (GError *error, guint checks);
guint veil_error_get_passed (const GError *error);

/* Of a listen error: where somebody else listens who is not known ("127.0.0.1:11434", "[::1]:11434"), or NULL. See port-probe.h. */
void        veil_error_set_taken (GError *error, const char *address);
const char *veil_error_get_taken (const GError *error);

G_END_DECLS
