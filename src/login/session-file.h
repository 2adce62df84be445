/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The session in a file (mode 0600, replaced atomically), used only when the person asked for it. */
#pragma once

#include "session.h"

G_BEGIN_DECLS

/* VEIL_ERROR_NOT_SIGNED_IN if there is no file; VEIL_ERROR_STORE if it cannot be read, belongs to another user, or is readable by others. Local, small, blocking. */
VeilSession *veil_session_file_load (const char *path, GError **error);
gboolean     veil_session_file_save (const char *path, const VeilSession *session, GError **error);
/* With what a crash may have left beside it; nobody may be saving meanwhile. */
gboolean     veil_session_file_clear (const char *path, GError **error);

G_END_DECLS
