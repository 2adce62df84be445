/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "where.h"

#include <execinfo.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static timer_t timer;
static gint64 limit;

/* backtrace() and backtrace_symbols_fd() allocate nothing once they have been called before. */
static void
on_too_long (int number)
{
  static const char head[] = "--- held by:\n";
  void *frames[32];
  int count = backtrace (frames, G_N_ELEMENTS (frames));
  gssize written = write (STDERR_FILENO, head, sizeof head - 1);

  if (written > 0)
    backtrace_symbols_fd (frames, count, STDERR_FILENO);
}

void
where_watch (gint64 limit_us)
{
  struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };
  struct sigaction action = { .sa_handler = on_too_long, .sa_flags = SA_RESTART };
  void *frames[1];

  backtrace (frames, 1);
  limit = limit_us;
  event.sigev_notify_thread_id = gettid ();
  sigaction (SIGUSR1, &action, NULL);
  if (timer_create (CLOCK_THREAD_CPUTIME_ID, &event, &timer) != 0)
    g_error ("no timer for this thread's work");
}

void
where_rest (void)
{
  const struct itimerspec next = { .it_value = { limit / G_USEC_PER_SEC, limit % G_USEC_PER_SEC * 1000 } };

  if (limit > 0)
    timer_settime (timer, 0, &next, NULL);
}
