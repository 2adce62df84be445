/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* The endpoint as it ships, in this process and main context; sandbox and callers in processes of their own. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _Rig Rig;

typedef struct
{
  guint  good; /* verified */
  gint64 mean_us, min_us, max_us;
  gsize  answer_bytes;
} RigRun;

/* Starts everything; aborts if it cannot. */
Rig        *rig_new (void);
void        rig_free (Rig *self);

const char *rig_get_url (Rig *self);        /* of the endpoint's chat completions */
guint       rig_get_relay_port (Rig *self); /* of the relay for the bare proxy */

/* Has the callers run @count requests (see load.h) while the main context turns; aborts unless all succeed. */
RigRun      rig_run (Rig *self, const char *url, guint count, guint concurrency, const char *kind, gsize prompt_bytes, const char *wish);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Rig, rig_free)

G_END_DECLS
