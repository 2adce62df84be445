/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

#include "work.h"

/* More than this takes longer than handing it to another thread costs. */
#define SMALL_COST (32 * 1024)
/* The same for memory that is only wiped and given back. */
#define SMALL_WEIGHT (4 * 1024 * 1024)
/* Of every window of time, the loop spends at most the budget (and the rest of one computation) on small work; what comes on top goes to
 * workers. A burst of requests therefore delays other sources by little more than the budget. */
#define WINDOW_US (10 * 1000)
#define BUDGET_US (2 * 1000)

typedef struct
{
  gint64 window_start;
  gint64 spent;
} Budget;

static GPrivate budget_key = G_PRIVATE_INIT (g_free);

static Budget *
budget_of_this_thread (void)
{
  Budget *budget = g_private_get (&budget_key);

  if (budget == NULL)
    {
      budget = g_new0 (Budget, 1);
      g_private_set (&budget_key, budget);
    }
  return budget;
}

typedef struct
{
  GTask *task; /* owned */
  GTaskThreadFunc func;
} SmallWork;

static void
small_work_free (gpointer data)
{
  SmallWork *work = data;

  g_object_unref (work->task);
  g_free (work);
}

static gboolean
run_small_work (gpointer data)
{
  SmallWork *work = data;
  Budget *budget = budget_of_this_thread ();
  gint64 start = g_get_monotonic_time ();

  if (start - budget->window_start > WINDOW_US)
    {
      budget->window_start = start;
      budget->spent = 0;
    }
  if (budget->spent >= BUDGET_US)
    {
      g_task_run_in_thread (work->task, work->func);
      return G_SOURCE_REMOVE;
    }
  /* The task may call back from within func: what that costs is not this computation's, but it holds the loop all the same. */
  work->func (work->task, g_task_get_source_object (work->task), g_task_get_task_data (work->task),
              g_task_get_cancellable (work->task));
  budget->spent += g_get_monotonic_time () - start;
  return G_SOURCE_REMOVE;
}

void
veil_work_run (GTask *task, gsize cost_bytes, GTaskThreadFunc func)
{
  g_return_if_fail (G_IS_TASK (task) && func != NULL);

  if (cost_bytes > SMALL_COST)
    {
      g_task_run_in_thread (task, func);
      return;
    }

  /* From a source of its own: a task that is older than the source which runs now would otherwise call back before this returns. */
  SmallWork *work = g_new (SmallWork, 1);
  g_autoptr (GSource) source = g_idle_source_new ();

  work->task = g_object_ref (task);
  work->func = func;
  g_source_set_static_name (source, "veil_work_run");
  g_source_set_priority (source, g_task_get_priority (task));
  g_source_set_callback (source, run_small_work, work, small_work_free);
  g_source_attach (source, g_task_get_context (task));
}

typedef struct
{
  gpointer data; /* owned */
  GDestroyNotify free_func;
} Rubbish;

static void
rubbish_free (gpointer data)
{
  Rubbish *rubbish = data;

  if (rubbish->data != NULL)
    rubbish->free_func (rubbish->data);
  g_free (rubbish);
}

static void
free_in_thread (GTask *task, gpointer source_object, gpointer task_data, GCancellable *cancellable)
{
  Rubbish *rubbish = task_data;

  rubbish->free_func (g_steal_pointer (&rubbish->data));
  g_task_return_boolean (task, TRUE);
}

void
veil_work_free (gpointer data, gsize weight, GDestroyNotify free_func)
{
  g_return_if_fail (data != NULL && free_func != NULL);

  if (weight <= SMALL_WEIGHT)
    {
      free_func (data);
      return;
    }

  g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);
  Rubbish *rubbish = g_new (Rubbish, 1);

  *rubbish = (Rubbish){ data, free_func };
  g_task_set_name (task, "veil-work-free");
  g_task_set_task_data (task, rubbish, rubbish_free);
  g_task_run_in_thread (task, free_in_thread);
}
