/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "translate.h"

#include "config.h"

#include <libintl.h>

void
veil_translate_init (void)
{
  static gsize done;

  if (!g_once_init_enter (&done))
    return;
  bindtextdomain (GETTEXT_PACKAGE, VEIL_LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  g_once_init_leave (&done, 1);
}

const char *
veil_translate (const char *text)
{
  veil_translate_init ();
  return g_dgettext (GETTEXT_PACKAGE, text);
}

const char *
veil_translate_plural (const char *one, const char *many, gulong n)
{
  veil_translate_init ();
  return g_dngettext (GETTEXT_PACKAGE, one, many, n);
}
