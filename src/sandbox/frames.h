/* SPDX-FileCopyrightText: The Veil authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* From events to the pieces of a chunked body: lines, sealed chunks, and what can go wrong with either. */
#pragma once

#include "faults.h"
#include "seal.h"

G_BEGIN_DECLS

/* @events: of char *, the data of each event. Returns the pieces of the body in order, of GBytes: the nonce first. */
GPtrArray *veil_sandbox_frames_seal (const VeilSandboxOpened *opened, const GPtrArray *events, VeilSandboxFault fault);

G_END_DECLS
