/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "cost.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static int counter = -1;

const char *
cost_begin (void)
{
  struct perf_event_attr attributes = {
    .type = PERF_TYPE_HARDWARE,
    .size = sizeof attributes,
    .config = PERF_COUNT_HW_INSTRUCTIONS,
    .exclude_kernel = 1,
    .exclude_hv = 1,
    .inherit = 1, /* the worker threads that come later */
  };

  counter = (int) syscall (SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
  return counter < 0 ? g_strerror (errno) : NULL;
}

static gint64
timeval_us (const struct timeval *time)
{
  return time->tv_sec * G_USEC_PER_SEC + time->tv_usec;
}

Cost
cost_now (void)
{
  Cost cost = { 0, -1 };
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  cost.cpu_us = timeval_us (&usage.ru_utime) + timeval_us (&usage.ru_stime);
  if (counter >= 0 && read (counter, &cost.instructions, sizeof cost.instructions) != sizeof cost.instructions)
    cost.instructions = -1;
  return cost;
}
