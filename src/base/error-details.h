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

G_END_DECLS
