/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Loaded into a program that is not installed, so that it finds its messages in a folder of a test. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

char *bindtextdomain (const char *domain, const char *folder);

__attribute__ ((visibility ("default"))) char *
bindtextdomain (const char *domain, const char *folder)
{
  char *(*bind) (const char *, const char *);
  const char *other = getenv ("TEST_LOCALE_FOLDER");

  *(void **) &bind = dlsym (RTLD_NEXT, "bindtextdomain");
  return bind (domain, folder != NULL && other != NULL && strcmp (domain, "veil") == 0 ? other : folder);
}
