/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* A watchdog, loaded into the program under test (LD_PRELOAD): tells on standard error when the main loop stood still. Only sleeping counts, between
 * two polls: what the machine or the drawing took is no blocking call. VEIL_UI_PROBE_MS is the bound. */
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static gint64 bound_us;
static gint64 woke_at, cpu_at, queued_at; /* when the last poll returned */

static gint64
now (clockid_t clock)
{
  struct timespec time;

  clock_gettime (clock, &time);
  return time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000;
}

/* For how long this thread was ready to run while others ran, as far as the kernel tells. */
static gint64
get_queued (void)
{
  static int fd = -2;
  unsigned long long ran, queued = 0;
  char text[128] = "";

  if (fd == -2)
    fd = open ("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
  if (fd >= 0 && pread (fd, text, sizeof text - 1, 0) > 0 && sscanf (text, "%llu %llu", &ran, &queued) == 2)
    return (gint64) (queued / 1000);
  return 0;
}

static gint
probe_poll (GPollFD *fds, guint n_fds, gint timeout)
{
  gint result;

  if (woke_at != 0)
    {
      gint64 passed = now (CLOCK_MONOTONIC) - woke_at;
      gint64 slept = passed - (now (CLOCK_THREAD_CPUTIME_ID) - cpu_at) - (get_queued () - queued_at);

      if (slept > bound_us)
        fprintf (stderr, "probe: the main loop was blocked for %d ms of %d\n", (int) (slept / 1000), (int) (passed / 1000));
    }
  result = poll ((struct pollfd *) fds, n_fds, timeout);
  woke_at = now (CLOCK_MONOTONIC);
  cpu_at = now (CLOCK_THREAD_CPUTIME_ID);
  queued_at = get_queued ();
  return result;
}

__attribute__ ((constructor)) static void
start (void)
{
  const char *bound = getenv ("VEIL_UI_PROBE_MS");

  if (bound == NULL)
    return;
  /* What the program starts is not the program. */
  unsetenv ("LD_PRELOAD");
  bound_us = atoi (bound) * 1000;
  g_main_context_set_poll_func (NULL, probe_poll);
}
