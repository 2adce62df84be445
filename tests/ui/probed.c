/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* probed sleep|work MILLISECONDS: a main loop that is held up once, for the test of the watchdog. */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

static char **arguments;

static gboolean
hold_up (gpointer loop)
{
  gint64 length = atoi (arguments[2]) * 1000;
  gint64 began = g_get_monotonic_time ();

  if (strcmp (arguments[1], "sleep") == 0)
    g_usleep ((gulong) length);
  while (g_get_monotonic_time () - began < length)
    ;
  return G_SOURCE_REMOVE;
}

static gboolean
quit (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

int
main (int argc, char **argv)
{
  GMainLoop *loop = g_main_loop_new (NULL, FALSE);

  arguments = argv;
  g_timeout_add (10, hold_up, loop);
  g_timeout_add (20, quit, loop);
  g_main_loop_run (loop);
  g_main_loop_unref (loop);
  return 0;
}
