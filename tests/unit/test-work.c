/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "work.h"

static GThread *main_thread;

typedef struct
{
  gint64 spin_us;
  GThread *ran_in;
  gboolean done;
} Job;

static void
job_func (GTask *task, gpointer source_object, gpointer task_data, GCancellable *cancellable)
{
  Job *job = task_data;
  gint64 end = g_get_monotonic_time () + job->spin_us;

  job->ran_in = g_thread_self ();
  while (g_get_monotonic_time () < end)
    ;
  g_task_return_boolean (task, TRUE);
}

static void
job_done_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Job *job = user_data;

  g_assert_true (g_thread_self () == main_thread);
  g_assert_true (g_task_propagate_boolean (G_TASK (result), NULL));
  job->done = TRUE;
}

static void
job_start (Job *job, gsize cost)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, job_done_cb, job);

  g_task_set_task_data (task, job, NULL);
  veil_work_run (task, cost, job_func);
  g_assert_false (job->done);
}

static gboolean
on_test_timeout (gpointer user_data)
{
  g_error ("the test hangs");
  return G_SOURCE_REMOVE;
}

static void
wait_until (gboolean *condition)
{
  guint timeout = g_timeout_add_seconds (60, on_test_timeout, NULL);

  while (!*condition)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (timeout);
}

static gboolean
set_true (gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
  return G_SOURCE_REMOVE;
}

/* Lets the budget's window pass. */
static void
calm (void)
{
  gboolean over = FALSE;

  g_timeout_add (30, set_true, &over);
  wait_until (&over);
}

static void
test_small (void)
{
  Job job = { 0 };

  calm ();
  job_start (&job, 1000);
  wait_until (&job.done);
  g_assert_true (job.ran_in == main_thread);
}

static void
test_large (void)
{
  Job job = { 0 };

  calm ();
  job_start (&job, 1024 * 1024);
  wait_until (&job.done);
  g_assert_true (job.ran_in != main_thread);
}

typedef struct
{
  GTask *task;
  Job job;
  gboolean started;
} Late;

static gboolean
start_late (gpointer user_data)
{
  Late *late = user_data;

  veil_work_run (late->task, 10, job_func);
  g_assert_false (late->job.done);
  late->started = TRUE;
  return G_SOURCE_REMOVE;
}

/* A task that is older than the source which runs it: GTask alone would call back inside veil_work_run (). */
static void
test_callback_comes_later (void)
{
  Late late = { 0 };

  late.task = g_task_new (NULL, NULL, job_done_cb, &late.job);
  g_task_set_task_data (late.task, &late.job, NULL);
  calm ();
  g_idle_add (start_late, &late);
  wait_until (&late.job.done);
  g_assert_true (late.started);
  g_assert_finalize_object (late.task);
}

/* Two hundred computations of half a millisecond at once: of every 10 ms, the loop spends 2 ms and a bit on them. */
static void
test_burst (void)
{
  Job jobs[200] = { 0 };
  guint in_loop = 0;
  gint64 began;

  calm ();
  began = g_get_monotonic_time ();
  for (gsize i = 0; i < G_N_ELEMENTS (jobs); i++)
    {
      jobs[i].spin_us = 500;
      job_start (&jobs[i], 1000);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (jobs); i++)
    {
      wait_until (&jobs[i].done);
      in_loop += jobs[i].ran_in == main_thread;
    }

  gint64 windows = (g_get_monotonic_time () - began) / 10000 + 2;
  g_assert_cmpuint (in_loop, >=, 1);
  g_assert_cmpuint (in_loop, <=, windows * 4);
}

typedef struct
{
  GThread *freed_in;
  gint done; /* atomic */
} Heap;

static void
heap_free (gpointer data)
{
  Heap *heap = data;

  heap->freed_in = g_thread_self ();
  g_atomic_int_set (&heap->done, 1);
  g_main_context_wakeup (NULL);
}

static void
test_free (void)
{
  Heap little = { 0 };
  Heap much = { 0 };

  veil_work_free (&little, 1000, heap_free);
  g_assert_true (g_atomic_int_get (&little.done));
  g_assert_true (little.freed_in == main_thread);
  veil_work_free (&much, 100 * 1024 * 1024, heap_free);
  while (!g_atomic_int_get (&much.done))
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (much.freed_in != main_thread);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  main_thread = g_thread_self ();
  g_test_add_func ("/work/small", test_small);
  g_test_add_func ("/work/large", test_large);
  g_test_add_func ("/work/callback-comes-later", test_callback_comes_later);
  g_test_add_func ("/work/burst", test_burst);
  g_test_add_func ("/work/free", test_free);
  return g_test_run ();
}
