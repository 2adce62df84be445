/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* What instance.c and instance-info.c share. */
#pragma once

#include "instance.h"

G_BEGIN_DECLS

#define VEIL_INSTANCE_MAX_BYTES (16 * 1024)

GBytes  *veil_instance_info_to_bytes (const VeilInstanceInfo *self);
void     veil_instance_info_clear_network (VeilInstanceInfo *self);
/* 0 if there is no such process to be seen, or only what is left of one that ended. */
guint64  veil_instance_get_birth (pid_t pid);
/* Of this process's numbers; 0 if the system does not tell. */
guint64  veil_instance_get_pids (void);

G_END_DECLS
