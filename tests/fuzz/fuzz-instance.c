/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What an instance file says: a process that may be sent a signal, and words that can be shown. */
#include "instance.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize length);

static void
check_word (const char *word)
{
  for (; *word != '\0'; word++)
    g_assert_true (g_ascii_isgraph (*word));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize length)
{
  g_autoptr (VeilInstanceInfo) info = veil_instance_info_parse ((const char *) data, length);
  g_autofree char *url = NULL;

  if (info == NULL)
    return 0;
  g_assert_cmpint (info->pid, >, 1);
  check_word (info->program);
  check_word (info->version);
  url = veil_instance_info_get_url (info);
  g_assert_true ((url == NULL) == (info->port == 0));
  if (url != NULL)
    check_word (url);
  return 0;
}
