/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "login-steps.h"

#include "session-file.h"
#include "veil-error.h"

#include <glib/gi18n.h>
#include <string.h>

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

VeilSession *
veil_login_read_code (const char *text, gsize length, GError **error)
{
  VeilSession *session;

  if (length >= strlen (BYTE_ORDER_MARK) && memcmp (text, BYTE_ORDER_MARK, strlen (BYTE_ORDER_MARK)) == 0)
    {
      text += strlen (BYTE_ORDER_MARK);
      length -= strlen (BYTE_ORDER_MARK);
    }
  for (; length > 0 && g_ascii_isspace (*text); text++)
    length--;
  for (; length > 0 && g_ascii_isspace (text[length - 1]);)
    length--;
  if (length == 0)
    {
      g_set_error_literal (error, VEIL_ERROR, VEIL_ERROR_BUNDLE,
                           _ ("Nothing was pasted; copy the code that the sign-in page shows"));
      return NULL;
    }
  session = veil_session_new_from_bundle (text, length, g_get_real_time () / G_USEC_PER_SEC, error);
  if (session != NULL && !veil_session_check_can_serve (session, error))
    g_clear_pointer (&session, veil_session_unref);
  return session;
}

char *
veil_login_get_python_path (void)
{
  return g_build_filename (g_get_home_dir (), ".opengradient", "veil", "session.json", NULL);
}

VeilSession *
veil_login_find_python (GError **error)
{
  g_autofree char *path = veil_login_get_python_path ();
  g_autoptr (VeilSession) session = veil_session_file_load (path, error);

  if (session == NULL || !veil_session_check_can_serve (session, error))
    return NULL;
  return g_steal_pointer (&session);
}
