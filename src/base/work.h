/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Where computation runs: at once when it is small and the loop is calm, in a worker thread otherwise, so that the main loop is never held
 * for longer than a frame. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * veil_work_run:
 * @task: (transfer none): @func must make it return
 * @cost_bytes: how much data @func goes through
 *
 * Runs @func with the task's source object, task data and cancellable. The task's callback always comes from the task's main context, later than
 * this call. @func must not touch anything that the main thread may change meanwhile.
 */
void veil_work_run (GTask *task, gsize cost_bytes, GTaskThreadFunc func);

/**
 * veil_work_free:
 * @data: (transfer full): what no other thread looks at any more
 * @weight: bytes that go with it
 *
 * Calls @free_func, which wipes and gives back memory: at once for little, in a worker thread for much.
 */
void veil_work_free (gpointer data, gsize weight, GDestroyNotify free_func);

G_END_DECLS
