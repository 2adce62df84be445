/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* For how long is the main loop ever held? A heartbeat at high priority measures it while a hundred callers are served at once and while
 * bodies of 10 MB are read, sealed, opened and verified.
 *
 * With `--where MICROSECONDS` what the thread is at goes to standard error whenever it works longer than that between two beats (addr2line
 * resolves what has no name). */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "load.h"
#include "rig.h"
#include "where.h"

#define BEAT_US 1000
#define GOAL_US 20000

typedef struct
{
  gint64 wall;    /* from when the loop could have turned to when it did */
  gint64 waiting; /* of that, for a processor that others had */
  gint64 cpu;     /* of that, this thread's own work */
} Hold;

typedef struct
{
  GSource source;
  GArray *holds; /* of Hold */
  int schedstat;
  gint64 expected; /* monotonic */
  gint64 waited;
  gint64 worked;
} Heart;

static gint64
thread_cpu_us (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

/* How long this thread was ready to run and did not; 0 where the kernel does not tell. */
static gint64
run_queue_us (Heart *heart)
{
  char text[128];
  gssize length = heart->schedstat >= 0 ? pread (heart->schedstat, text, sizeof text - 1, 0) : -1;
  char *end;

  if (length <= 0)
    return 0;
  text[length] = '\0';
  g_ascii_strtoull (text, &end, 10);
  return g_ascii_strtoull (end, NULL, 10) / 1000;
}

static gboolean
heart_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  Heart *heart = (Heart *) source;
  gint64 now = g_get_monotonic_time ();
  gint64 waited = run_queue_us (heart);
  gint64 worked = thread_cpu_us ();
  Hold hold = { now - heart->expected, waited - heart->waited, worked - heart->worked };

  where_rest ();
  g_array_append_val (heart->holds, hold);
  heart->waited = waited;
  heart->worked = worked;
  heart->expected = now + BEAT_US;
  g_source_set_ready_time (source, heart->expected);
  return G_SOURCE_CONTINUE;
}

static void
heart_finalize (GSource *source)
{
  Heart *heart = (Heart *) source;

  g_array_unref (heart->holds);
  close (heart->schedstat);
}

static GSourceFuncs heart_funcs = { .dispatch = heart_dispatch, .finalize = heart_finalize };

static GSource *
heart_new (void)
{
  GSource *source = g_source_new (&heart_funcs, sizeof (Heart));
  Heart *heart = (Heart *) source;

  heart->holds = g_array_new (FALSE, FALSE, sizeof (Hold));
  heart->schedstat = open ("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
  heart->expected = g_get_monotonic_time ();
  heart->waited = run_queue_us (heart);
  heart->worked = thread_cpu_us ();
  g_source_set_priority (source, G_PRIORITY_HIGH);
  g_source_set_ready_time (source, heart->expected);
  g_source_attach (source, NULL);
  return source;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  gint64 left = *(const gint64 *) a, right = *(const gint64 *) b;

  return left < right ? -1 : left > right;
}

static void
print_spread (const char *what, GArray *values)
{
  g_array_sort (values, compare);
  printf ("  %-44s max %7.2f ms, 99.9 %% %7.2f ms, 99 %% %7.2f ms\n", what, g_array_index (values, gint64, values->len - 1) / 1e3,
          g_array_index (values, gint64, values->len * 999 / 1000) / 1e3,
          g_array_index (values, gint64, values->len * 99 / 100) / 1e3);
}

typedef struct
{
  gint64 wall, own; /* the longest */
} Longest;

static Longest
report (GSource *source, const char *title)
{
  GArray *holds = ((Heart *) source)->holds;
  g_autoptr (GArray) wall = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (GArray) own = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (GArray) cpu = g_array_new (FALSE, FALSE, sizeof (gint64));

  for (guint i = 0; i < holds->len; i++)
    {
      Hold *hold = &g_array_index (holds, Hold, i);
      gint64 without_waiting = MAX (0, hold->wall - MAX (0, hold->waiting));

      g_array_append_val (wall, hold->wall);
      g_array_append_val (own, without_waiting);
      g_array_append_val (cpu, hold->cpu);
    }
  printf ("%s (%u beats)\n", title, holds->len);
  print_spread ("held, as a clock on the wall sees it", wall);
  print_spread ("without waiting for a processor", own);
  print_spread ("this thread's own work between two beats", cpu);
  return (Longest){ g_array_index (wall, gint64, wall->len - 1), g_array_index (own, gint64, own->len - 1) };
}

typedef struct
{
  const char *title;
  guint count;
  guint concurrency;
  const char *kind;
  gsize prompt_bytes;
  const char *wish;
} Scene;

static Longest
play (Rig *rig, const Scene *scene)
{
  GSource *heart = heart_new ();
  RigRun run = rig_run (rig, rig_get_url (rig), scene->count, scene->concurrency, scene->kind, scene->prompt_bytes, scene->wish);
  Longest longest = report (heart, scene->title);

  printf ("  %u verified answers, %.1f ms each at the caller (%.1f to %.1f)\n", run.good, run.mean_us / 1e3, run.min_us / 1e3,
          run.max_us / 1e3);
  g_source_destroy (heart);
  g_source_unref (heart);
  return longest;
}

int
main (int argc, char **argv)
{
  static const Scene scenes[] = {
    { "100 callers at once, half of them streams, 1 KB each way", 1000, 100, "mixed", 1000, "frames:200" },
    { "100 callers at once, half of them streams, 100 KB each way", 300, 100, "mixed", 100000, "bytes:100000" },
    { "a prompt and a single answer of 10 MB each", 5, 1, "single", 10000000, "bytes:10000000" },
    { "a prompt and a streamed answer of 10 MB each", 5, 1, "stream", 10000000, "bytes:10000000" },
    { "streams of 10,000 frames, four at once", 20, 4, "stream", 1000, "frames:10000" },
  };
  Longest longest = { 0 };
  Rig *rig;

  if (argc > 1 && g_str_equal (argv[1], LOAD_ARGUMENT))
    return load_main ();
  if (argc > 2 && g_str_equal (argv[1], "--where"))
    where_watch (g_ascii_strtoll (argv[2], NULL, 10));
  rig = rig_new ();
  rig_run (rig, rig_get_url (rig), 20, 4, "mixed", 1000, "frames:20"); /* what is done once is done */
  for (guint i = 0; i < G_N_ELEMENTS (scenes); i++)
    {
      Longest one = play (rig, &scenes[i]);

      longest.wall = MAX (longest.wall, one.wall);
      longest.own = MAX (longest.own, one.own);
    }
  rig_free (rig);
  printf ("Longest hold: %.2f ms; without waiting for a processor that callers, sandbox, workers or others had: %.2f ms; the goal "
          "is %d ms.\n",
          longest.wall / 1e3, longest.own / 1e3, GOAL_US / 1000);
  return longest.own <= GOAL_US ? EXIT_SUCCESS : EXIT_FAILURE;
}
