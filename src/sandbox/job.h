/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* One request on its way through an enclave: opened, answered, signed and sealed in a worker thread. */
#pragma once

#include <gio/gio.h>

#include "delivery.h"
#include "enclave.h"
#include "faults.h"
#include "seal.h"

G_BEGIN_DECLS

typedef struct
{
  VeilSandboxEnclave *enclave; /* owned; NULL if the fault needs none */
  VeilSandboxEnclave *other;   /* owned; another one */
  GBytes             *body;    /* owned; the encapsulated request */
  gboolean            stream;
  gboolean            envelope; /* around a single answer, if nothing speaks against it */
  VeilSandboxFault    fault;    /* the model's name inside the seal may ask for another */
  guint               latency_ms;
  guint               frame_latency_ms;
} VeilSandboxJob;

void              veil_sandbox_job_free (VeilSandboxJob *job);
/* Any thread. Never NULL: what cannot be opened gets a plain error. */
VeilSandboxReply *veil_sandbox_job_run (VeilSandboxJob *job);

/* What the relay says instead of passing an answer on, or NULL if the fault is not the relay's. */
VeilSandboxReply *veil_sandbox_relay_reply (VeilSandboxFault fault, gboolean stream);
/* Content type of sealed answers. */
const char       *veil_sandbox_sealed_type (gboolean stream);
/* {"error": text} */
VeilSandboxReply *veil_sandbox_error_reply (guint status, const char *text);
/* @data, so many times, packed by gzip. */
GBytes           *veil_sandbox_gzip (GBytes *data, gsize repeat);

/* Bodies without a proper end: more than 64 MiB, or a byte now and then for ever. */
void              veil_sandbox_reply_set_endless (VeilSandboxReply *reply, const VeilSandboxOpened *opened, gboolean stream,
                                                  gboolean drip);

G_END_DECLS
