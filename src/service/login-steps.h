/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Sessions that a person has at hand, for all front ends. */
#pragma once

#include "session.h"

G_BEGIN_DECLS

/* The session in what a person pasted; white space and a byte order mark around it do not count. VEIL_ERROR_BUNDLE. */
VeilSession *veil_login_read_code (const char *text, gsize length, GError **error);

/* New string: where the Python client keeps its session. */
char        *veil_login_get_python_path (void);
/* Its session, if that can serve. Errors as veil_session_file_load(), and VEIL_ERROR_BUNDLE. Local, small, blocking. */
VeilSession *veil_login_find_python (GError **error);

G_END_DECLS
