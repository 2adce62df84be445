/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Loaded into a program whose clock is to jump: the time of day is as many seconds off as the file that TEST_CLOCK names says, and may say anew at any time. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long
read_offset (void)
{
  const char *path = getenv ("TEST_CLOCK");
  FILE *file = path != NULL ? fopen (path, "re") : NULL;
  long offset = 0;

  if (file == NULL)
    return 0;
  if (fscanf (file, "%ld", &offset) != 1)
    offset = 0;
  fclose (file);
  return offset;
}

__attribute__ ((visibility ("default"))) int
clock_gettime (clockid_t clock, struct timespec *now)
{
  int (*get) (clockid_t, struct timespec *);
  int status;

  *(void **) &get = dlsym (RTLD_NEXT, "clock_gettime");
  status = get (clock, now);
  if (status == 0 && clock == CLOCK_REALTIME)
    now->tv_sec += read_offset ();
  return status;
}

__attribute__ ((visibility ("default"))) int
gettimeofday (struct timeval *restrict now, void *restrict zone __attribute__ ((unused)))
{
  struct timespec precise;

  clock_gettime (CLOCK_REALTIME, &precise);
  now->tv_sec = precise.tv_sec;
  now->tv_usec = precise.tv_nsec / 1000;
  return 0;
}

__attribute__ ((visibility ("default"))) time_t
time (time_t *result)
{
  struct timespec now;

  clock_gettime (CLOCK_REALTIME, &now);
  if (result != NULL)
    *result = now.tv_sec;
  return now.tv_sec;
}
